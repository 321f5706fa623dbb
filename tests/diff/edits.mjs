/* SPDX-License-Identifier: MIT */
/*
 * Random edits through the public API of Yjs, so that what reaches the engine
 * is what real clients send. `edit(ctx)` makes one change to one type of one
 * document; the profile says how often which kind.
 */
import { Y } from './npm.mjs'
import {
  anyValue, brokenString, jsonValue, listValue, randomBytes, randomKey,
  randomString
} from './values.mjs'

/* name -> kind; the JSON at the end of a history reads the roots like this */
export const ROOTS = {
  text: 'text',
  array: 'array',
  map: 'map',
  xml: 'xml',
  日本: 'text',
  more: 'map'
}
/* read as a map by one half of the clients and as a text by the other */
export const MIXED_ROOT = 'mixed'

export const PROFILES = {
  text: { text: 10, 日本: 1 },
  map: { map: 10, more: 3 },
  array: { array: 10 },
  xml: { xml: 10 },
  nested: { map: 3, array: 3, xml: 3, text: 2 },
  format: { map: 1 }, /* see editFormats */
  mixed: { text: 1, map: 1, array: 1, mixed: 5 },
  all: { text: 4, map: 3, array: 3, xml: 3, 日本: 1, more: 1, mixed: 1 }
}

const MARKS = [
  { bold: true }, { bold: null }, { italic: true }, { italic: null },
  { color: 'red' }, { color: 'blue' }, { color: null },
  { link: { href: 'https://example.org/?a=1' } }, { bold: true, italic: true },
  { 'ü😀': 'ß' }
]

/* a copy: Yjs writes into the attributes it is given */
const anyMark = r => ({ ...r.pick(MARKS) })
const mark = r => r.chance(0.9) ? anyMark(r) : { free: jsonValue(r) }

const newDoc = ctx => {
  const { r } = ctx
  const opts = { guid: `sub-${ctx.client}-${ctx.guids++}` }
  if (r.chance(0.3)) opts.autoLoad = true
  if (r.chance(0.2)) opts.gc = false
  if (r.chance(0.3)) opts.meta = { v: jsonValue(r, 1) }
  return new Y.Doc(opts)
}

/** A fresh shared type, filled in advance every now and then. */
const newType = (ctx, depth = 0) => {
  const { r } = ctx
  const fill = depth < 2 && r.chance(0.5)
  switch (r.below(7)) {
    case 0: {
      const type = new Y.Array()
      if (fill) type.insert(0, listContent(ctx, depth + 1))
      return type
    }
    case 1: {
      const type = new Y.Map()
      if (fill) type.set(randomKey(r), mapContent(ctx, depth + 1))
      return type
    }
    case 2: return fill ? new Y.Text(randomString(r)) : new Y.Text()
    case 3: return xmlElement(ctx, depth)
    case 4: return new Y.XmlFragment()
    case 5: {
      const type = new Y.XmlHook(randomKey(r))
      if (fill) type.set('h', 1)
      return type
    }
    default: return fill ? new Y.XmlText(randomString(r)) : new Y.XmlText()
  }
}

const xmlElement = (ctx, depth) => {
  const { r } = ctx
  const type = new Y.XmlElement(r.pick(['p', 'DIV', 'h1', 'ü', 'a-b']))
  if (depth < 2 && r.chance(0.4)) {
    type.insert(0, [xmlChild(ctx, depth + 1)])
    type.setAttribute(randomKey(r), randomString(r, 2))
  }
  return type
}

const xmlChild = (ctx, depth) => {
  const { r } = ctx
  switch (r.below(6)) {
    case 0: case 1: return xmlElement(ctx, depth)
    case 2: return new Y.XmlHook(randomString(r, 2))
    case 3: return new Y.XmlText()
    default: return new Y.XmlText(randomString(r))
  }
}

const listContent = (ctx, depth = 0) => {
  const { r } = ctx
  const n = r.chance(0.02) ? r.range(100, 600) : r.range(1, 4)
  const list = []
  for (let i = 0; i < n; i++) {
    if (r.chance(0.2) && n < 10) list.push(newType(ctx, depth))
    else if (r.chance(0.03)) list.push(newDoc(ctx))
    else list.push(n < 10 ? listValue(r) : r.below(100))
  }
  return list
}

const mapContent = (ctx, depth = 0) => {
  const { r } = ctx
  if (r.chance(0.3)) return newType(ctx, depth)
  if (r.chance(0.04)) return newDoc(ctx)
  if (r.chance(0.08)) return randomBytes(r)
  return anyValue(r)
}

/* ------------------------------------------------------------ text types */

const place = (r, length) => {
  const kind = r.below(4)
  if (kind === 0) return length
  if (kind === 1) return Math.min(length, r.below(3))
  return r.below(length + 1)
}

const span = (r, length) => {
  const at = r.below(length)
  return [at, Math.min(length - at, r.chance(0.2) ? r.range(1, 50) : r.range(1, 4))]
}

const textNew = (ctx, type) => {
  const { r } = ctx
  const at = place(r, type.length)
  const s = r.chance(0.03) ? brokenString(r)
    : r.chance(0.01) ? randomString(r, 600) : randomString(r)
  if (r.chance(0.25)) type.insert(at, s, mark(r))
  else if (r.chance(0.1)) type.insert(at, s, {})
  else type.insert(at, s)
}

/* one transaction, and so one update, per key press */
const textTyping = (ctx, type) => {
  const { r } = ctx
  let at = place(r, type.length)
  for (let n = r.range(2, 12); n > 0; n--) {
    const s = r.chance(0.1) ? '😀' : String.fromCharCode(97 + r.below(26))
    type.insert(at, s)
    at += s.length
  }
}

const textErase = (ctx, type) => {
  const { r } = ctx
  let at = place(r, type.length)
  for (let n = r.range(1, 6); n > 0 && at > 0; n--) type.delete(--at, 1)
}

/* an edit that falls between the halves of a pair, when there is one */
const textSplitPair = (ctx, type) => {
  const { r } = ctx
  /* embeds count in the index but not in the string: near enough */
  const s = Y.Text.prototype.toString.call(type) /* of XmlText: no tags */
  const found = []
  for (let i = 0; i + 1 < s.length && found.length < 50; i++) {
    if ((s.charCodeAt(i) & 0xfc00) === 0xd800) found.push(i + 1)
  }
  if (found.length === 0) return textNew(ctx, type)
  const at = Math.min(r.pick(found), type.length)
  if (r.chance(0.4)) type.insert(at, r.pick(['x', '😀', '']) || 'y')
  else if (r.chance(0.5) && at < type.length) type.delete(at, 1)
  else if (at < type.length) type.format(at, 1, mark(r))
}

const textDelta = (ctx, type) => {
  const { r } = ctx
  const delta = []
  if (type.length > 0) delta.push({ retain: r.range(1, type.length) })
  delta.push({ insert: randomString(r), attributes: mark(r) })
  if (r.chance(0.4)) delta.push({ insert: { image: jsonValue(r) } })
  type.applyDelta(delta)
}

/* cut a block with its formats and embeds, paste it elsewhere */
const textMove = (ctx, type) => {
  const { r } = ctx
  const length = type.length
  const at = r.below(length)
  const n = r.range(1, length - at)
  const delta = type.toDelta()
  const block = []
  let pos = 0
  for (const op of delta) {
    const size = typeof op.insert === 'string' ? op.insert.length : 1
    const from = Math.max(at - pos, 0)
    const to = Math.min(at + n - pos, size)
    pos += size
    if (from >= to || op.insert instanceof Y.AbstractType) continue
    const insert = typeof op.insert === 'string'
      ? op.insert.slice(from, to) : op.insert
    block.push(op.attributes ? { insert, attributes: op.attributes }
      : { insert })
  }
  type.delete(at, n)
  const to = place(r, type.length)
  type.applyDelta(to > 0 ? [{ retain: to }, ...block] : block)
}

const editText = (ctx, type) => {
  const { r } = ctx
  const length = type.length
  const op = r.weighted({
    insert: 30,
    typing: 10,
    erase: 8,
    pair: 6,
    del: length > 0 ? 20 : 0,
    format: length > 0 ? 20 : 0,
    embed: 5,
    delta: 4,
    move: length > 0 ? 4 : 0,
    attribute: 3,
    /* a text does not delete such, and then Yjs miscounts: its next edits by
     * index, unlike ours, are off by so much */
    json: r.plain ? 0 : 1
  })
  switch (op) {
    case 'insert': return textNew(ctx, type)
    case 'typing': return textTyping(ctx, type)
    case 'erase': return textErase(ctx, type)
    case 'pair': return textSplitPair(ctx, type)
    case 'del': return type.delete(...span(r, length))
    case 'format': return type.format(...span(r, length), mark(r))
    case 'embed': {
      const value = r.chance(0.3) ? newType(ctx, 1) : { e: jsonValue(r) }
      const at = place(r, length)
      return r.chance(0.3) ? type.insertEmbed(at, value, mark(r))
        : type.insertEmbed(at, value)
    }
    case 'delta': return textDelta(ctx, type)
    case 'move': return textMove(ctx, type)
    case 'json': return insertJson(ctx, type)
    default:
      if (r.chance(0.3)) return type.removeAttribute(randomKey(r))
      return type.setAttribute(randomKey(r), anyValue(r))
  }
}

/* ------------------------------------------------------------ list types */

/* Content of kind JSON (2) is only written by old clients: made by hand. */
const insertJson = (ctx, type) => {
  const { r } = ctx
  const list = []
  for (let n = r.range(1, 4); n > 0; n--) {
    list.push(r.chance(0.1) ? undefined : jsonValue(r))
  }
  type.doc.transact(tr => {
    const doc = tr.doc
    let left = null
    let right = type._start
    for (let n = r.below(6); n > 0 && right !== null; n--) {
      left = right
      right = right.right
    }
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    new Y.Item(id, left, left && left.lastId, right, right && right.id, type,
      null, new Y.ContentJSON(list)).integrate(tr, 0)
    type._searchMarker = type._searchMarker && []
  })
}

/* a block of plain values is cut and pasted elsewhere */
const arrayMove = (ctx, type) => {
  const { r } = ctx
  const at = r.below(type.length)
  const n = r.range(1, type.length - at)
  const block = type.slice(at, at + n).filter(value =>
    !(value instanceof Y.AbstractType) && !(value instanceof Y.Doc) &&
    value !== undefined && typeof value !== 'bigint')
  type.delete(at, n)
  if (block.length > 0) type.insert(place(r, type.length), block)
}

const editArray = (ctx, type) => {
  const { r } = ctx
  const length = type.length
  const op = r.weighted({
    insert: 30,
    push: 15,
    del: length > 0 ? 20 : 0,
    json: 3,
    one: 8,
    move: length > 0 ? 6 : 0
  })
  switch (op) {
    case 'insert': return type.insert(place(r, length), listContent(ctx))
    case 'push': return type.push(listContent(ctx))
    case 'json': return insertJson(ctx, type)
    case 'move': return arrayMove(ctx, type)
    case 'one': {
      for (let n = r.range(2, 8); n > 0; n--) type.push([r.below(100)])
      return
    }
    default: return type.delete(...span(r, length))
  }
}

const editMap = (ctx, type) => {
  const { r } = ctx
  const op = r.weighted({ set: 30, del: 8, clear: 0.5, burst: 4 })
  const key = randomKey(r)
  switch (op) {
    case 'set': return type.set(key, mapContent(ctx))
    case 'del': return type.delete(key)
    case 'clear': return type.clear()
    default:
      for (let n = r.range(2, 8); n > 0; n--) type.set(key, r.below(100))
  }
}

const editXml = (ctx, type) => {
  const { r } = ctx
  const length = type.length
  const attributes = type instanceof Y.XmlElement
  const op = r.weighted({
    insert: 30,
    del: length > 0 ? 12 : 0,
    set: attributes ? 12 : 0,
    remove: attributes ? 4 : 0
  })
  switch (op) {
    case 'insert': {
      const list = []
      for (let n = r.range(1, 3); n > 0; n--) list.push(xmlChild(ctx, 0))
      return type.insert(place(r, length), list)
    }
    case 'del': return type.delete(...span(r, length))
    case 'set':
      return type.setAttribute(randomKey(r),
        r.chance(0.7) ? randomString(r, 3) : anyValue(r))
    default: return type.removeAttribute(randomKey(r))
  }
}

/* ------------------------------------------------------------- selection */

const children = type => {
  const found = []
  for (let item = type._start; item !== null; item = item.right) {
    if (!item.deleted && item.content instanceof Y.ContentType) {
      found.push(item.content.type)
    }
  }
  type._map.forEach(item => {
    if (!item.deleted && item.content instanceof Y.ContentType) {
      found.push(item.content.type)
    }
  })
  return found
}

export const openRoot = (doc, name, client) => {
  const kind = name === MIXED_ROOT ? (client % 2 ? 'map' : 'text') : ROOTS[name]
  switch (kind) {
    case 'text': return doc.getText(name)
    case 'array': return doc.getArray(name)
    case 'map': return doc.getMap(name)
    default: return doc.getXmlFragment(name)
  }
}

/** What the clients of profile `format` share: short nested texts, which Yjs
 * cleans of redundant formats after every remote change. */
export const seedFormats = doc => doc.transact(() => {
  doc.getMap('map').set('a', new Y.Text('one two three'))
  doc.getMap('map').set('b', new Y.XmlText('four'))
})

const editFormats = ctx => {
  const { r } = ctx
  const texts = children(ctx.doc.getMap('map'))
    .filter(type => type instanceof Y.Text)
  if (texts.length === 0 || r.chance(0.02)) return seedFormats(ctx.doc)
  const type = r.pick(texts)
  const { length } = type
  const op = r.weighted({
    format: length > 0 ? 50 : 0,
    del: length > 0 ? 15 : 0,
    marked: 10,
    plain: 10,
    any: 8
  })
  switch (op) {
    case 'format': {
      const at = r.below(length)
      return type.format(at, r.range(1, length - at), anyMark(r))
    }
    case 'del': return type.delete(...span(r, length))
    case 'marked':
      return type.insert(place(r, length), randomString(r, 3), anyMark(r))
    case 'plain': return type.insert(place(r, length), randomString(r, 3))
    default: return editText(ctx, type)
  }
}

/** One random change. ctx: { r, doc, client, profile, guids }. */
export const edit = ctx => {
  const { r } = ctx
  if (ctx.profile === 'format') return editFormats(ctx)
  const weights = PROFILES[ctx.profile]
  let type = openRoot(ctx.doc, r.weighted(weights), ctx.client)
  const sink = ctx.profile === 'nested' ? 0.8 : 0.5
  for (let depth = 0; depth < 5 && r.chance(sink); depth++) {
    const below = children(type)
    if (below.length === 0) break
    type = r.pick(below)
  }
  if (type instanceof Y.Text) return editText(ctx, type)
  if (type instanceof Y.Array) return editArray(ctx, type)
  if (type instanceof Y.Map) return editMap(ctx, type)
  return editXml(ctx, type)
}
