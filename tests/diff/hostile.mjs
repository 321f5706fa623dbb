/* SPDX-License-Identifier: MIT */
/*
 * Histories that no Yjs client would send but that Yjs takes: honest ones
 * whose structs were tampered with (ids, origins, parents, kinds, contents in
 * encodings that are legal but not canonical). libyjs may refuse an update
 * here; when it takes it, it must end up where Yjs does, or a room would
 * diverge from its clients.
 */
import { encoding } from './npm.mjs'
import { Prng } from './prng.mjs'
import { makeHistory } from './history.mjs'
import { buildUpdate, parseUpdate } from './update.mjs'

const utf8 = s => new TextEncoder().encode(s)

const writeRawString = (e, s) => encoding.writeVarUint8Array(e, utf8(s))

/* An Any in an encoding that lib0 would not choose itself. */
const oddAny = (r, e, depth = 2) => {
  switch (r.below(depth > 0 ? 10 : 7)) {
    case 0: /* an integer as float32 */
      encoding.writeUint8(e, 124)
      return encoding.writeFloat32(e, r.pick([0, -0, 1, 3, -5, 0.5, NaN]))
    case 1: /* an integer, or what fits a float32, as float64 */
      encoding.writeUint8(e, 123)
      return encoding.writeFloat64(e,
        r.pick([0, -0, 7, 0.5, 0.1, 2147483648, NaN, Infinity]))
    case 2: /* an integer over 31 bits */
      encoding.writeUint8(e, 125)
      return encoding.writeVarInt(e,
        r.pick([2147483647, 2147483648, -4294967296, 9007199254740991]))
    case 3:
      encoding.writeUint8(e, 119)
      return writeRawString(e, r.pick(['', 'x', '\ufeffbom', '\u0000', '😀']))
    case 4:
      encoding.writeUint8(e, 122)
      return encoding.writeBigInt64(e, r.pick([0n, -1n, 1n << 62n]))
    case 5: return encoding.writeUint8(e, r.pick([120, 121, 126, 127]))
    case 6: return encoding.writeAny(e, r.pick([null, true, 'plain', 5]))
    case 7: {
      encoding.writeUint8(e, 117)
      const n = r.below(4)
      encoding.writeVarUint(e, n)
      for (let i = 0; i < n; i++) oddAny(r, e, depth - 1)
      return
    }
    default: { /* keys out of order and twice */
      encoding.writeUint8(e, 118)
      const n = r.below(6)
      encoding.writeVarUint(e, n)
      for (let i = 0; i < n; i++) {
        writeRawString(e, r.pick(['b', 'a', '2', '1', '10', '01', '-1', 'a',
          '4294967294', '4294967295', '', 'length']))
        oddAny(r, e, depth - 1)
      }
    }
  }
}

const ODD_JSON = [
  '{"b":1,"a":2,"b":3}', '{"2":0,"1":0,"a":0,"0":0}', ' [ 1 , 2 ] ', '1e3',
  '-0', '1.50', '1E400', '-1e-400', '"\\u0041\\/\\ud83d"', '"\\ud83d\\ude00"',
  '123456789012345678901234567890', '0.1e1', '1e21', '1e-7', '{"":{}}', '[]',
  '"\u2028\u007f"', 'true', 'null', '5e-324', '100000000000000000000',
  '{"a":[1,{"z":1,"1":2}]}', '0.000001', '0.0000001', '123e-20', '4.35'
]

const content = (e, s, ref, len) => {
  s.info = (s.info & 224) | ref
  s.content = encoding.toUint8Array(e)
  s.len = len
}

const CONTENT_MAKERS = [
  (r, s, e) => {
    const n = r.range(1, 3)
    encoding.writeVarUint(e, n)
    for (let i = 0; i < n; i++) oddAny(r, e)
    content(e, s, 8, n)
  },
  (r, s, e) => {
    const n = r.range(1, 3)
    encoding.writeVarUint(e, n)
    for (let i = 0; i < n; i++) {
      writeRawString(e, r.chance(0.2) ? 'undefined' : r.pick(ODD_JSON))
    }
    content(e, s, 2, n)
  },
  (r, s, e) => {
    writeRawString(e, r.pick(ODD_JSON))
    content(e, s, 5, 1)
  },
  (r, s, e) => {
    writeRawString(e, r.pick(['bold', '', 'x']))
    writeRawString(e, r.pick(ODD_JSON))
    content(e, s, 6, 1)
  },
  (r, s, e) => {
    writeRawString(e, r.pick(['guid', '', 'ü']))
    oddAny(r, e)
    content(e, s, 9, 1)
  },
  (r, s, e) => {
    const type = r.below(7)
    encoding.writeVarUint(e, type)
    if (type === 3 || type === 5) writeRawString(e, r.pick(['p', '', 'Ü']))
    content(e, s, 7, 1)
  },
  (r, s, e) => {
    const n = r.range(1, 5)
    encoding.writeVarUint(e, n)
    content(e, s, 1, n)
  }
]

const someId = (r, ids) => {
  const id = r.pick(ids)
  return [id[0], r.chance(0.8) ? id[1] : id[1] + r.range(-1, 3) + 1]
}

const tamperStruct = (r, s, ids) => {
  if (s.content === undefined) {
    s.len = Math.max(1, s.len + r.range(-1, 2))
    if (r.chance(0.3)) s.info = s.info === 0 ? 10 : 0
    return
  }
  switch (r.below(9)) {
    case 0: if (s.origin) s.origin = someId(r, ids); break
    case 1: if (s.right) s.right = someId(r, ids); break
    case 2: if (s.parent) s.parent = someId(r, ids); break
    case 3:
      if (s.info & 192) break
      delete s.root
      delete s.parent
      if (r.chance(0.5)) s.root = r.pick(['text', 'map', '', 'other'])
      else s.parent = someId(r, ids)
      break
    case 4:
      if (s.info & 192) break
      s.info ^= 32
      if (s.info & 32) s.sub = r.pick(['a', 'b', '', '😀'])
      break
    case 5: /* an origin where there was none */
      s.origin = someId(r, ids)
      s.info |= 128
      break
    case 6:
      s.right = someId(r, ids)
      s.info |= 64
      break
    case 7: /* the parentSub bit without parent info: must be ignored */
      if (s.info & 192) s.info ^= 32
      break
    default:
      r.pick(CONTENT_MAKERS)(r, s, encoding.createEncoder())
  }
}

const tamperDeletes = (r, update, ids) => {
  const id = someId(r, ids)
  const range = [id[1], r.pick([1, 1, 2, 5, 100])]
  const entry = update.deletes.find(d => d.id === id[0])
  if (entry && r.chance(0.7)) entry.ranges.splice(r.below(3), 0, range)
  else update.deletes.push({ id: id[0], ranges: [range] })
}

const tamper = (r, bytes, ids) => {
  const update = parseUpdate(bytes)
  const times = r.range(1, 3)
  for (let i = 0; i < times; i++) {
    const client = update.clients.length && r.pick(update.clients)
    const what = r.below(12)
    if (what === 0) tamperDeletes(r, update, ids)
    else if (!client) continue
    else if (what === 1) client.clock = Math.max(0, client.clock + r.range(-2, 2))
    else if (what === 2 && client.structs.length > 1) client.structs.pop()
    else if (what === 3) r.shuffle(update.clients)
    else if (what === 4) client.structs.push({ ...r.pick(client.structs) })
    else if (client.structs.length) tamperStruct(r, r.pick(client.structs), ids)
  }
  update.clients = update.clients.filter(c => c.structs.length > 0)
  return buildUpdate(update)
}

const collectIds = updates => {
  const ids = []
  for (const bytes of updates) {
    for (const client of parseUpdate(bytes).clients) {
      let clock = client.clock
      for (const s of client.structs) {
        ids.push([client.id, clock])
        clock += s.len
      }
    }
  }
  return ids
}

export const makeHostileHistory = (seed, options = {}) => {
  const r = new Prng(seed, 'hostile')
  const base = r.pick(['text', 'map', 'array', 'xml', 'nested', 'all'])
  const history = makeHistory(seed, base,
    { clients: r.range(1, 3), steps: r.range(2, 12), ...options })
  const ids = collectIds(history.updates)
  if (ids.length === 0) return { ...history, profile: 'raw' }
  const p = r.pick([0.1, 0.3, 1])
  const updates = history.updates.map(bytes =>
    r.chance(p) ? tamper(r, bytes, ids) : bytes)
  return { ...history, profile: 'raw', updates }
}
