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
import { oddAny, oddJson, writeString } from './values.mjs'

const content = (e, s, ref, len) => {
  s.info = (s.info & 224) | ref
  s.content = encoding.toUint8Array(e)
  s.len = len
}

/* Yjs writes back what it understood of a subdocument's options; of anything
 * but null and undefined it takes properties. */
const docOptions = (r, e) => {
  if (r.chance(0.1)) return encoding.writeAny(e, r.pick([5, '', [], true]))
  const n = r.below(5)
  encoding.writeUint8(e, 118)
  encoding.writeVarUint(e, n)
  for (let i = 0; i < n; i++) {
    writeString(e, r.pick(['gc', 'autoLoad', 'meta', 'meta', 'shouldLoad',
      'other']))
    oddAny(r, e)
  }
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
      writeString(e, r.chance(0.2) ? 'undefined' : oddJson(r))
    }
    content(e, s, 2, n)
  },
  (r, s, e) => {
    writeString(e, oddJson(r))
    content(e, s, 5, 1)
  },
  (r, s, e) => {
    writeString(e, r.pick(['bold', '', 'x']))
    writeString(e, oddJson(r))
    content(e, s, 6, 1)
  },
  (r, s, e) => {
    writeString(e, r.pick(['guid', '', 'ü']))
    docOptions(r, e)
    content(e, s, 9, 1)
  },
  (r, s, e) => {
    const type = r.below(7)
    encoding.writeVarUint(e, type)
    if (type === 3 || type === 5) writeString(e, r.pick(['p', '', 'Ü']))
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

/* Ranges stay sorted and apart: of others that have to wait Yjs makes nonsense
 * (their distances are negative), which nobody should imitate. */
const tamperDeletes = (r, update, ids) => {
  const id = someId(r, ids)
  let entry = update.deletes.find(d => d.id === id[0])
  if (!entry) update.deletes.push(entry = { id: id[0], ranges: [] })
  entry.ranges.push([Math.max(0, id[1]), r.pick([1, 1, 2, 5, 100])])
  entry.ranges.sort((a, b) => a[0] - b[0])
  entry.ranges = entry.ranges.filter((range, i, all) =>
    i === 0 || range[0] > all[i - 1][0] + all[i - 1][1])
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
  if (ids.length === 0) return { ...history, profile: 'raw', v2: false }
  const p = r.pick([0.1, 0.3, 1])
  const updates = history.updates.map(bytes =>
    r.chance(p) ? tamper(r, bytes, ids) : bytes)
  return { ...history, profile: 'raw', v2: false, updates }
}

/* A struct of client 1 after the one before it, in a root of its kind. */
const valueStruct = (r, clock) => {
  const s = clock > 0 ? { info: 128, origin: [1, clock - 1] }
    : { info: 0, root: 'array' }
  const e = encoding.createEncoder()
  CONTENT_MAKERS[r.below(5)](r, s, e)
  return s
}

/** Nothing but values in odd encodings: here libyjs may refuse nothing. */
export const makeValueHistory = seed => {
  const r = new Prng(seed, 'values')
  const updates = []
  let clock = 0
  for (let n = r.range(1, 4); n > 0; n--) {
    const client = { id: 1, clock, structs: [] }
    for (let k = r.range(1, 6); k > 0; k--) {
      const s = valueStruct(r, clock)
      client.structs.push(s)
      clock += s.len
    }
    const deletes = r.chance(0.3)
      ? [{ id: 1, ranges: [[r.below(clock), r.range(1, 3)]] }] : []
    updates.push(buildUpdate({ clients: [client], deletes }))
  }
  if (r.chance(0.4)) r.shuffle(updates) /* some wait, in version 2 */
  return {
    seed, profile: 'values', keepDeleted: r.chance(0.2), clientId: 999999937,
    updates
  }
}
