/* SPDX-License-Identifier: MIT */
/*
 * Takes a v1 update apart into structs and delete ranges and puts it together
 * again, without Yjs: to cut updates at places the API cannot reach, to shrink
 * a failing one, and to make hostile ones. A struct keeps its content as raw
 * bytes, so that parse + build is the identity on canonical updates.
 */
import { decoding, encoding } from './npm.mjs'

const readId = d => [decoding.readVarUint(d), decoding.readVarUint(d)]

const skipContent = (d, ref) => {
  switch (ref) {
    case 1: return decoding.readVarUint(d)
    case 2: {
      const n = decoding.readVarUint(d)
      for (let i = 0; i < n; i++) decoding.readVarString(d)
      return n
    }
    case 3: decoding.readVarUint8Array(d); return 1
    case 4: return decoding.readVarString(d).length
    case 5: decoding.readVarString(d); return 1
    case 6: decoding.readVarString(d); decoding.readVarString(d); return 1
    case 7: {
      const type = decoding.readVarUint(d)
      if (type === 3 || type === 5) decoding.readVarString(d)
      return 1
    }
    case 8: {
      const n = decoding.readVarUint(d)
      for (let i = 0; i < n; i++) decoding.readAny(d)
      return n
    }
    case 9: decoding.readVarString(d); decoding.readAny(d); return 1
    default: throw new Error(`content kind ${ref}`)
  }
}

const readStruct = d => {
  const s = { info: decoding.readUint8(d) }
  const ref = s.info & 31
  if (ref === 0 || ref === 10) {
    s.len = decoding.readVarUint(d)
    return s
  }
  if (s.info & 128) s.origin = readId(d)
  if (s.info & 64) s.right = readId(d)
  if ((s.info & 192) === 0) {
    if (decoding.readVarUint(d) === 1) s.root = decoding.readVarString(d)
    else s.parent = readId(d)
    if (s.info & 32) s.sub = decoding.readVarString(d)
  }
  const from = d.pos
  s.len = skipContent(d, ref)
  s.content = d.arr.slice(from, d.pos)
  return s
}

export const parseUpdate = bytes => {
  const d = decoding.createDecoder(bytes)
  const update = { clients: [], deletes: [] }
  for (let n = decoding.readVarUint(d); n > 0; n--) {
    let count = decoding.readVarUint(d)
    const client = { id: decoding.readVarUint(d), clock: 0, structs: [] }
    client.clock = decoding.readVarUint(d)
    for (; count > 0; count--) client.structs.push(readStruct(d))
    update.clients.push(client)
  }
  for (let n = decoding.readVarUint(d); n > 0; n--) {
    const entry = { id: decoding.readVarUint(d), ranges: [] }
    for (let k = decoding.readVarUint(d); k > 0; k--) entry.ranges.push(readId(d))
    update.deletes.push(entry)
  }
  return update
}

const writeId = (e, id) => {
  encoding.writeVarUint(e, id[0])
  encoding.writeVarUint(e, id[1])
}

const writeStruct = (e, s) => {
  encoding.writeUint8(e, s.info)
  if (s.content === undefined) return encoding.writeVarUint(e, s.len)
  if (s.info & 128) writeId(e, s.origin)
  if (s.info & 64) writeId(e, s.right)
  if ((s.info & 192) === 0) {
    encoding.writeVarUint(e, s.root !== undefined ? 1 : 0)
    if (s.root !== undefined) encoding.writeVarString(e, s.root)
    else writeId(e, s.parent)
    if (s.info & 32) encoding.writeVarString(e, s.sub)
  }
  encoding.writeUint8Array(e, s.content)
}

export const buildUpdate = update => {
  const e = encoding.createEncoder()
  encoding.writeVarUint(e, update.clients.length)
  for (const client of update.clients) {
    encoding.writeVarUint(e, client.structs.length)
    encoding.writeVarUint(e, client.id)
    encoding.writeVarUint(e, client.clock)
    for (const s of client.structs) writeStruct(e, s)
  }
  encoding.writeVarUint(e, update.deletes.length)
  for (const entry of update.deletes) {
    encoding.writeVarUint(e, entry.id)
    encoding.writeVarUint(e, entry.ranges.length)
    for (const range of entry.ranges) writeId(e, range)
  }
  return encoding.toUint8Array(e)
}

/** The clock of every struct's begin, and the end, per client section. */
export const sectionEnd = client =>
  client.structs.reduce((clock, s) => clock + s.len, client.clock)

/** [first k structs and no deletes, the rest] of one client section. */
export const splitUpdate = (update, which, k) => {
  const whole = update.clients[which]
  const head = { ...whole, structs: whole.structs.slice(0, k) }
  const tail = {
    id: whole.id, clock: sectionEnd(head), structs: whole.structs.slice(k)
  }
  const others = update.clients.filter((c, i) => i !== which)
  const a = { clients: head.structs.length ? [head] : [], deletes: [] }
  const b = {
    clients: tail.structs.length ? [tail, ...others] : others,
    deletes: update.deletes
  }
  b.clients.sort((x, y) => y.id - x.id)
  return [a, b]
}

/* ------------------------------------------------------------- for people */

const KINDS = ['GC', 'Deleted', 'JSON', 'Binary', 'String', 'Embed', 'Format',
  'Type', 'Any', 'Doc', 'Skip']

const hex = bytes => Buffer.from(bytes).toString('hex')

const describeStruct = (s, clock) => {
  const name = KINDS[s.info & 31] ?? `?${s.info & 31}`
  let line = `    ${clock} ${name} len=${s.len}`
  if (s.origin) line += ` origin=${s.origin.join(':')}`
  if (s.right) line += ` right=${s.right.join(':')}`
  if (s.root !== undefined) line += ` root=${JSON.stringify(s.root)}`
  if (s.parent) line += ` parent=${s.parent.join(':')}`
  if (s.sub !== undefined) line += ` sub=${JSON.stringify(s.sub)}`
  if (s.content) {
    const text = Buffer.from(s.content).toString('latin1')
      .replace(/[^\x20-\x7e]/g, '.')
    line += ` content=${hex(s.content).slice(0, 80)} |${text.slice(0, 40)}|`
  }
  return line
}

/** One line a struct and delete range; never throws. */
export const describeUpdate = bytes => {
  let update
  try {
    update = parseUpdate(bytes)
  } catch (err) {
    return `  (cannot be parsed: ${err.message})`
  }
  const lines = []
  for (const client of update.clients) {
    lines.push(`  client ${client.id} from ${client.clock}`)
    let clock = client.clock
    for (const s of client.structs) {
      lines.push(describeStruct(s, clock))
      clock += s.len
    }
  }
  for (const entry of update.deletes) {
    lines.push(`  deletes of ${entry.id}: ` +
               entry.ranges.map(([c, n]) => `${c}+${n}`).join(' '))
  }
  return lines.join('\n') || '  (empty)'
}
