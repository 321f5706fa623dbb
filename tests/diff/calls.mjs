/* SPDX-License-Identifier: MIT */
/*
 * Edits as data: made up at random for a document, run on Yjs, and encoded for
 * the driver (tests/diff/calls.h). A call is
 *
 *   { call, type, at, len, values, text, key, attributes }
 *
 * with what it needs of these; `type` is { root, kind } or { client, clock }.
 * `run` refuses what libyjs refuses, so that a history stays legal when parts
 * of it are left out.
 */
import { decoding, encoding, Y } from './npm.mjs'
import {
  anyValue, jsonValue, listValue, randomBytes, randomKey, randomString
} from './values.mjs'
import { ROOTS } from './edits.mjs'

const CALLS = {
  arrayInsert: 1,
  arrayPush: 2,
  arrayDelete: 3,
  textInsert: 4,
  textEmbed: 5,
  textDelete: 6,
  textFormat: 7,
  textDelta: 8,
  mapSet: 9,
  mapDelete: 10,
  mapClear: 11
}

const KINDS = [Y.Array, Y.Map, Y.Text, Y.XmlElement, Y.XmlFragment, Y.XmlHook,
  Y.XmlText]
const kindOf = type => KINDS.indexOf(type.constructor)

const VALUES = {
  undefined: 0,
  null: 1,
  bool: 2,
  number: 3,
  bigint: 4,
  string: 5,
  bytes: 6,
  json: 7,
  any: 8,
  type: 9,
  doc: 10
}

/* ------------------------------------------------------------------ values */

const hex = bytes => Buffer.from(bytes).toString('hex')
const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))

/* UTF-8 has no halves of pairs */
export const wellFormed = s => s.toWellFormed ? s.toWellFormed()
  : s.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')

const numberText = v => Object.is(v, -0) ? '-0' : String(v)

/** What a random JavaScript value is as data. */
const describe = (r, v) => {
  if (v === undefined) return { k: 'undefined' }
  if (v === null) return { k: 'null' }
  switch (typeof v) {
    case 'boolean': return { k: 'bool', v }
    case 'number': return { k: 'number', v: numberText(v) }
    case 'bigint': return { k: 'bigint', v: String(v) }
    case 'string': return { k: 'string', v: wellFormed(v) }
  }
  if (v instanceof Uint8Array) return { k: 'bytes', v: hex(v) }
  const e = encoding.createEncoder()
  encoding.writeAny(e, v)
  const any = encoding.toUint8Array(e)
  if (r.chance(0.5)) return { k: 'any', v: hex(any) }
  return { k: 'json', v: wellFormed(JSON.stringify(jsonValue(r))) }
}

const TYPE_NAMES = ['p', 'DIV', 'h1', 'ü', 'a-b']

const typeValue = (r, xml) => ({
  k: 'type',
  v: xml ? r.pick([3, 3, 6, 6, 5, 4]) : r.below(7),
  name: r.pick(TYPE_NAMES)
})

const docValue = (r, ctx) => {
  const options = {}
  if (r.chance(0.3)) options.autoLoad = true
  if (r.chance(0.2)) options.gc = r.chance(0.5)
  if (r.chance(0.3)) options.meta = { v: jsonValue(r, 1) }
  return {
    k: 'doc', name: `sub-${ctx.guids++}`, v: wellFormed(JSON.stringify(options))
  }
}

const listItem = (ctx, xml) => {
  const { r } = ctx
  if (xml || r.chance(0.2)) return typeValue(r, xml)
  if (r.chance(0.03)) return docValue(r, ctx)
  return describe(r, listValue(r))
}

/* XML shows its attributes, which are no types there */
const mapValue = (ctx, type) => {
  const { r } = ctx
  if (!(type instanceof Y.XmlElement) && r.chance(0.25)) return typeValue(r, false)
  if (r.chance(0.04)) return docValue(r, ctx)
  return describe(r, r.chance(0.08) ? randomBytes(r) : anyValue(r))
}

/** The value that Yjs is given. */
const build = spec => {
  switch (spec.k) {
    case 'undefined': return undefined
    case 'null': return null
    case 'number': return Number(spec.v)
    case 'bigint': return BigInt(spec.v)
    case 'bytes': return unhex(spec.v)
    case 'json': return JSON.parse(spec.v)
    case 'any': return decoding.readAny(decoding.createDecoder(unhex(spec.v)))
    case 'type': {
      const Type = KINDS[spec.v]
      return Type === Y.XmlElement || Type === Y.XmlHook
        ? new Type(spec.name) : new Type()
    }
    case 'doc': return new Y.Doc({ guid: spec.name, ...JSON.parse(spec.v) })
    default: return spec.v
  }
}

/* ------------------------------------------------------------- random calls */

/* Objects are fresh with every call: Yjs asks whether they are the same one. */
const MARKS = [
  { bold: true }, { bold: null }, { italic: true }, { italic: null },
  { color: 'red' }, { color: 'blue' }, { color: null },
  { bold: true, italic: true }, { 'ü😀': 'ß' }, { 7: 1, 3: 2 }, { 3: null },
  { bold: true, color: null, 7: 'x' }, { 'q"\\': '"\\\n' }, { n: 0.5 }, {},
  { strong: {} }, { strong: {} }, { strong: null }, { link: { href: 'a' } },
  { link: { href: 'a' } }, { link: { href: 'b' } }, { link: null },
  { link: { href: 'a', to: 1 } }, { link: { to: 1, href: 'a' } },
  { deep: { a: { b: 1 } } }, { deep: null }, { list: [1, 'x'] }, { list: [] }
]
/* more than fit into a look at each */
const many = value => Object.fromEntries(
  Array.from({ length: 40 }, (_, i) => [i % 3 ? `k${i}` : 1000 - i, value(i)]))
MARKS.push(many(i => i), many(i => i % 2 ? null : i), many(() => null))
const mark = r => JSON.stringify(r.pick(MARKS))

const place = (r, length) => {
  const kind = r.below(4)
  if (kind === 0) return length
  if (kind === 1) return Math.min(length, r.below(3))
  return r.below(length + 1)
}

const range = (r, length) => {
  const at = r.below(length)
  const len = r.chance(0.2) ? r.range(1, 50) : r.range(1, 4)
  return { at, len: Math.min(length - at, len) }
}

const delta = (ctx, type) => {
  const { r } = ctx
  const ops = []
  let left = type.length
  for (let n = r.range(1, 4); n > 0; n--) {
    const op = {}
    switch (r.below(4)) {
      case 0:
        op.retain = r.chance(0.1) ? left + r.below(3) : r.below(left + 1)
        left -= Math.min(left, op.retain)
        break
      case 1:
        /* Yjs throws when there is nothing at all to delete from */
        if (type._start === null) continue
        op.delete = r.chance(0.1) ? left + r.below(3) : r.below(left + 1)
        left -= Math.min(left, op.delete)
        break
      default:
        op.insert = r.chance(0.2) ? { image: jsonValue(r, 1) }
          : r.chance(0.05) ? r.pick([5, true, [1], '']) : wellFormed(randomString(r))
    }
    if (op.delete === undefined && r.chance(0.6)) op.attributes = r.pick(MARKS)
    ops.push(op)
  }
  return { call: 'textDelta', text: wellFormed(JSON.stringify(ops)) }
}

const textCall = (ctx, type) => {
  const { r } = ctx
  const { length } = type
  const op = r.weighted({
    insert: 30,
    del: length > 0 ? 16 : 0,
    format: length > 0 ? 16 * ctx.formats : 0,
    embed: 4,
    delta: 5 * ctx.formats,
    attribute: 2
  })
  const attributes = ctx.formats && r.chance(0.35) ? mark(r) : undefined
  switch (op) {
    case 'insert': return {
      call: 'textInsert',
      at: place(r, length),
      text: r.chance(0.5) ? r.pick(['a', 'b', '😀', '']) || 'c'
        : wellFormed(randomString(r)),
      attributes
    }
    case 'del': return { call: 'textDelete', ...range(r, length) }
    case 'format':
      return { call: 'textFormat', ...range(r, length), attributes: mark(r) }
    case 'embed': {
      const value = r.chance(0.3) ? typeValue(r, false)
        : r.chance(0.1) ? { k: 'string', v: 'str' }
          : { k: 'json', v: wellFormed(JSON.stringify({ e: jsonValue(r) })) }
      return {
        call: 'textEmbed', at: place(r, length), values: [value], attributes
      }
    }
    case 'delta': return delta(ctx, type)
    default: return mapCall(ctx, type)
  }
}

const mapCall = (ctx, type) => {
  const { r } = ctx
  const clear = type instanceof Y.Map ? 0.7 : 0
  const op = r.weighted({ set: 30, del: 8, clear })
  const key = wellFormed(randomKey(r))
  switch (op) {
    case 'set': return { call: 'mapSet', key, values: [mapValue(ctx, type)] }
    case 'del': return { call: 'mapDelete', key }
    default: return { call: 'mapClear' }
  }
}

const arrayCall = (ctx, type) => {
  const { r } = ctx
  const { length } = type
  const xml = !(type instanceof Y.Array)
  const op = r.weighted({
    insert: 30, push: 12, del: length > 0 ? 18 : 0,
    attribute: type instanceof Y.XmlElement ? 14 : 0
  })
  const list = () => {
    const values = []
    const n = r.chance(0.02) ? r.range(60, 300) : r.range(1, 4)
    for (let i = 0; i < n; i++) values.push(listItem(ctx, xml))
    return values
  }
  switch (op) {
    case 'insert':
      return { call: 'arrayInsert', at: place(r, length), values: list() }
    case 'push': return { call: 'arrayPush', values: list() }
    case 'del': return { call: 'arrayDelete', ...range(r, length) }
    default: return mapCall(ctx, type)
  }
}

const children = type => {
  const found = []
  const add = item => {
    if (!item.deleted && item.content instanceof Y.ContentType) {
      found.push(item.content.type)
    }
  }
  for (let item = type._start; item !== null; item = item.right) add(item)
  type._map.forEach(add)
  return found
}

const rootOf = (doc, root, kind) => doc.get(root, KINDS[kind])

const ROOT_KINDS = { array: 0, map: 1, text: 2, xml: 4 }

/** One call for the document as it is. ctx: { r, doc, guids, formats, roots }. */
export const randomCall = ctx => {
  const { r, doc } = ctx
  const root = r.weighted(ctx.roots)
  const kind = ROOT_KINDS[ROOTS[root]]
  let type = rootOf(doc, root, kind)
  let handle = { root, kind }
  for (let depth = 0; depth < 6 && r.chance(0.6); depth++) {
    const below = children(type)
    if (below.length === 0) break
    type = r.pick(below)
    const { client, clock } = type._item.id
    handle = { client, clock }
  }
  const call = type instanceof Y.Text ? textCall(ctx, type)
    : type instanceof Y.Map ? mapCall(ctx, type) : arrayCall(ctx, type)
  return { ...call, type: handle }
}

/** Calls that only name the roots. */
export const nameRoots = names => names.map(root => {
  const kind = ROOT_KINDS[ROOTS[root]]
  const type = { root, kind }
  if (kind === 1) return { call: 'mapDelete', type, key: 'no such key' }
  return { call: kind === 2 ? 'textDelete' : 'arrayDelete', type, at: 0, len: 0 }
})

/* ------------------------------------------------------------------ running */

const findType = (doc, { root, kind, client, clock }) => {
  if (root !== undefined) return rootOf(doc, root, kind)
  if (Y.getState(doc.store, client) <= clock) return null
  const item = Y.getItem(doc.store, Y.createID(client, clock))
  return item instanceof Y.Item && item.id.clock === clock && !item.deleted &&
    item.content instanceof Y.ContentType ? item.content.type : null
}

const attributesOf = call => call.attributes === undefined ? undefined
  : JSON.parse(call.attributes)

/** Run it on Yjs, inside a transaction; false: it is refused. */
export const runCall = (doc, call) => {
  const type = findType(doc, call.type)
  if (type === null) return false
  const { at = 0, len = 0 } = call
  if (call.at !== undefined && at + len > type.length) return false
  switch (call.call) {
    case 'arrayInsert': type.insert(at, call.values.map(build)); break
    case 'arrayPush': type.push(call.values.map(build)); break
    case 'arrayDelete': type.delete(at, len); break
    case 'textInsert': type.insert(at, call.text, attributesOf(call)); break
    case 'textEmbed':
      type.insertEmbed(at, build(call.values[0]), attributesOf(call))
      break
    case 'textDelete': type.delete(at, len); break
    case 'textFormat': type.format(at, len, attributesOf(call)); break
    case 'textDelta': type.applyDelta(JSON.parse(call.text)); break
    case 'mapSet': {
      const value = build(call.values[0])
      if (type instanceof Y.Map) type.set(call.key, value)
      else type.setAttribute(call.key, value)
      break
    }
    case 'mapDelete':
      if (type instanceof Y.Map) type.delete(call.key)
      else type.removeAttribute(call.key)
      break
    default: type.clear()
  }
  return true
}

/* ----------------------------------------------------------------- encoding */

class Out {
  constructor () {
    this.parts = []
  }

  u8 (v) { this.parts.push(Buffer.from([v])) }

  u16 (v) {
    const b = Buffer.alloc(2)
    b.writeUInt16LE(v)
    this.parts.push(b)
  }

  u64 (v) {
    const b = Buffer.alloc(8)
    b.writeBigUInt64LE(BigInt.asUintN(64, BigInt(v)))
    this.parts.push(b)
  }

  f64 (v) {
    const b = Buffer.alloc(8)
    b.writeDoubleLE(v)
    this.parts.push(b)
  }

  bytes (bytes) {
    const b = Buffer.alloc(4)
    b.writeUInt32LE(bytes.length)
    this.parts.push(b, Buffer.from(bytes))
  }

  str (s) { this.bytes(Buffer.from(s)) }

  optional (s) {
    this.u8(s === undefined ? 0 : 1)
    if (s !== undefined) this.str(s)
  }

  type ({ root, kind, client, clock }) {
    this.u8(root === undefined ? 0 : 1)
    if (root === undefined) {
      this.u64(client)
      this.u64(clock)
    } else {
      this.str(root)
      this.u8(kind)
    }
  }

  value (spec) {
    this.u8(VALUES[spec.k])
    switch (spec.k) {
      case 'undefined': case 'null': break
      case 'bool': this.u8(spec.v ? 1 : 0); break
      case 'number': this.f64(Number(spec.v)); break
      case 'bigint': this.u64(BigInt(spec.v)); break
      case 'bytes': case 'any': this.bytes(unhex(spec.v)); break
      case 'type': this.u8(spec.v); this.str(spec.name); break
      case 'doc': this.str(spec.name); this.str(spec.v); break
      default: this.str(spec.v)
    }
  }
}

export const encodeCalls = (flags, calls) => {
  const out = new Out()
  out.u8(flags)
  for (const call of calls) {
    out.u8(CALLS[call.call])
    out.type(call.type)
    switch (call.call) {
      case 'arrayInsert': out.u64(call.at) // falls through
      case 'arrayPush':
        out.u16(call.values.length)
        call.values.forEach(v => out.value(v))
        break
      case 'arrayDelete': case 'textDelete':
        out.u64(call.at)
        out.u64(call.len)
        break
      case 'textInsert':
        out.u64(call.at)
        out.str(call.text)
        out.optional(call.attributes)
        break
      case 'textEmbed':
        out.u64(call.at)
        out.value(call.values[0])
        out.optional(call.attributes)
        break
      case 'textFormat':
        out.u64(call.at)
        out.u64(call.len)
        out.str(call.attributes)
        break
      case 'textDelta': out.str(call.text); break
      case 'mapSet':
        out.str(call.key)
        out.value(call.values[0])
        break
      case 'mapDelete': out.str(call.key); break
    }
  }
  return Buffer.concat(out.parts)
}
