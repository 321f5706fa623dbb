/* SPDX-License-Identifier: MIT */
/*
 * What generate.mjs writes about reading: deltas, strings, snapshots and
 * relative positions.
 *
 *   delta KIND NAME json          string KIND NAME hex     of the root
 *   snapshot FMT hex              of the document
 *   past FMT gc|keep hex hex      a snapshot, the state of the document then
 *   contains hex hex 0|1          a snapshot, an update
 *   position KIND NAME index assoc hex
 *   place hex index|null          where the position is now
 */
import { Y } from '../diff/npm.mjs'
import { client, hex, Vector } from './vector.mjs'

const GET = {
  text: (doc, name) => doc.getText(name),
  array: (doc, name) => doc.getArray(name),
  map: (doc, name) => doc.getMap(name),
  xml: (doc, name) => doc.getXmlFragment(name)
}

const delta = (v, kind, name) => v.say('delta', kind, name,
  JSON.stringify(GET[kind](v.doc, name).toDelta()))
const string = (v, kind, name) => v.say('string', kind, name,
  hex(Buffer.from(GET[kind](v.doc, name).toString())))

/* ------------------------------------------------------------------ deltas */

const deltas = () => {
  const v = new Vector('read-delta', 'toDelta() and toString()')
  const { doc, updates } = client(91)
  const t = doc.getText('text')
  v.open()
  const step = () => {
    v.apply(...updates.splice(0))
    delta(v, 'text', 'text')
    string(v, 'text', 'text')
  }
  t.insert(0, 'plain "quoted"\\\n\u0001 ü漢😀')
  step()
  t.format(2, 5, { bold: true, a: { b: [1, null, 'x'] } })
  t.format(4, 6, { italic: true })
  step()
  /* numbers come first, ascending; a key that returns is the last */
  t.format(0, 8, { z: 1, 10: 'ten', 2: 'two', '01': 0, y: 1 })
  t.format(3, 2, { z: null })
  t.format(5, 4, { z: 2 })
  step()
  t.insertEmbed(3, { image: 'x.png', w: 0.5 }, { alt: 'x' })
  t.insertEmbed(0, [1, 'two', { 3: null }])
  step()
  /* types are embeds */
  const inner = new Y.Text('inner')
  const map = new Y.Map()
  const array = new Y.Array()
  const xml = new Y.XmlElement('P')
  t.insertEmbed(6, inner, { bold: null })
  t.insertEmbed(7, map)
  t.insertEmbed(8, array)
  t.insertEmbed(9, xml)
  inner.format(1, 2, { bold: true })
  map.set('k', [1, 2])
  array.push(['x', new Y.Text('deep')])
  xml.setAttribute('a', 'b')
  step()
  /* ychange is a name of Yjs's own */
  t.format(0, 12, { ychange: { type: 'added' }, kept: 1 })
  step()
  t.delete(2, 20)
  step()
  t.delete(0, t.length)
  step()
  return v
}

const protos = () => {
  const v = new Vector('read-proto', 'a format that is called __proto__')
  const { doc, updates } = client(92)
  const t = doc.getText('text')
  doc.transact(tr => {
    t.insert(0, 'abc')
    const id = Y.createID(92, Y.getState(doc.store, 92))
    const right = t._start
    new Y.Item(id, null, null, right, right.id, t, null,
      new Y.ContentFormat('__proto__', true)).integrate(tr, 0)
  })
  v.open()
  v.apply(...updates)
  delta(v, 'text', 'text')
  return v
}

const xmlStrings = () => {
  const v = new Vector('read-xml', 'toString() of XML')
  const { doc, updates } = client(93)
  const x = doc.getXmlFragment('xml')
  const p = new Y.XmlElement('DIV')
  const text = new Y.XmlText()
  x.insert(0, [p, text, new Y.XmlHook('hook')])
  p.setAttribute('b', '"quoted"')
  p.setAttribute('a', 'ü\\')
  p.insert(0, [new Y.XmlText('in <b>'), new Y.XmlElement('br')])
  text.insert(0, 'some bold 😀 text')
  text.format(5, 4, { strong: { id: 'x', class: 'y' }, em: true })
  text.insertEmbed(2, { image: 1 })
  v.open()
  v.apply(...updates)
  string(v, 'xml', 'xml')
  return v
}

/* Types as attributes, which print what is in them, and names that JavaScript
 * keeps for itself. */
const xmlTypes = () => {
  const v = new Vector('read-xml-types', 'XML attributes that are types')
  const { doc, updates } = client(97)
  const p = new Y.XmlElement('Div')
  const inner = new Y.XmlElement('B')
  const text = new Y.XmlText()
  const fragment = new Y.XmlFragment()
  doc.getXmlFragment('xml').insert(0, [p])
  p.insert(0, [new Y.XmlElement('Last')])
  p.setAttribute('element', inner)
  inner.setAttribute('k', 'v')
  inner.setAttribute('deep', new Y.XmlText('deeper'))
  inner.insert(0, [new Y.XmlText('child')])
  p.setAttribute('text', text)
  text.insert(0, 'bold', { b: { x: 1 } })
  text.insert(4, 'plain', { b: null })
  p.setAttribute('string', new Y.Text('te"xt'))
  p.setAttribute('map', new Y.Map())
  p.setAttribute('list', new Y.Array())
  p.setAttribute('hook', new Y.XmlHook('hook'))
  p.setAttribute('fragment', fragment)
  fragment.insert(0, [new Y.XmlElement('i'), new Y.XmlElement('j')])
  p.setAttribute('number', 5)
  p.setAttribute('__proto__', 'nothing')
  text.format(2, 4, JSON.parse('{"__proto__":"nothing"}'))
  v.open()
  v.apply(...updates)
  string(v, 'xml', 'xml')
  v.json('xml:xml')
  return v
}

/* --------------------------------------------------------------- snapshots */

const FORMATS = {
  1: [Y.encodeSnapshot, Y.decodeSnapshot],
  2: [Y.encodeSnapshotV2, Y.decodeSnapshotV2]
}

const past = (v, fmt, keep, bytes) => {
  const copy = new Y.Doc({ gc: false })
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(v.doc))
  const then = Y.createDocFromSnapshot(copy, FORMATS[fmt][1](bytes),
    new Y.Doc({ gc: keep === 'gc' }))
  v.say('past', fmt, keep, hex(bytes), hex(Y.encodeStateAsUpdate(then)))
}

const snapshots = () => {
  const v = new Vector('read-snapshot', 'snapshots, and documents at them')
  const a = client(94, { gc: false })
  const b = client(70000, { gc: false })
  const taken = []
  v.open('keep')
  const step = (...updates) => {
    v.apply(...updates)
    for (const fmt of [1, 2]) {
      const bytes = FORMATS[fmt][0](Y.snapshot(v.doc))
      v.say('snapshot', fmt, hex(bytes))
      taken.push([fmt, bytes])
    }
  }
  step()
  a.doc.getText('text').insert(0, 'one 😀 two')
  a.doc.getMap('map').set('k', 'old')
  step(...a.updates.splice(0))
  Y.applyUpdate(b.doc, Y.encodeStateAsUpdate(a.doc))
  b.updates.splice(0)
  b.doc.getText('text').delete(1, 4)
  b.doc.getText('text').insert(1, 'new')
  b.doc.getMap('map').set('k', new Y.Text('nested'))
  b.doc.getArray('array').push([1, 2, 3, { four: 4 }])
  const fromB = b.updates.splice(0)
  step(...fromB)
  Y.applyUpdate(a.doc, Y.encodeStateAsUpdate(b.doc))
  a.updates.splice(0)
  a.doc.getArray('array').delete(1, 2)
  a.doc.getMap('map').delete('k')
  a.doc.getText('text').insertEmbed(2, { e: '\ud800' })
  step(...a.updates.splice(0))
  for (const [fmt, bytes] of taken) {
    past(v, fmt, fmt === 1 ? 'gc' : 'keep', bytes)
  }
  /* cut inside structs, and inside a pair */
  for (const clock of [1, 5, 8]) {
    past(v, 1, 'keep', Y.encodeSnapshot(
      Y.createSnapshot(Y.createDeleteSet(), new Map([[94, clock]]))))
  }
  for (const [fmt, bytes] of taken) {
    if (fmt !== 1) continue
    for (const update of [Y.encodeStateAsUpdate(a.doc), ...fromB]) {
      v.say('contains', hex(bytes), hex(update),
        Y.snapshotContainsUpdate(Y.decodeSnapshot(bytes), update) ? 1 : 0)
    }
  }
  return v
}

/* --------------------------------------------------------------- positions */

const positions = () => {
  const v = new Vector('read-position', 'relative positions')
  const { doc, updates } = client(95)
  const t = doc.getText('text')
  const list = doc.getArray('list')
  const made = []
  v.open()
  const places = () => {
    for (const bytes of made) {
      const at = Y.createAbsolutePositionFromRelativePosition(
        Y.decodeRelativePosition(bytes), v.doc)
      v.say('place', hex(bytes), at === null ? 'null' : at.index)
    }
  }
  const make = (kind, name, index, assoc) => {
    const bytes = Y.encodeRelativePosition(
      Y.createRelativePositionFromTypeIndex(GET[kind](v.doc, name), index,
        assoc))
    v.say('position', kind, name, index, assoc, hex(bytes))
    made.push(bytes)
  }
  make('text', 'text', 0, 0)
  t.insert(0, 'abc😀def')
  t.format(2, 3, { bold: true })
  list.push([1, 2, new Y.Text('in a list')])
  v.apply(...updates.splice(0))
  for (const assoc of [0, -1, 7, -64]) {
    for (const index of [0, 1, 3, 4, 8, 9]) make('text', 'text', index, assoc)
    make('array', 'list', 2, assoc)
    make('array', 'list', 3, assoc)
  }
  const nested = Y.encodeRelativePosition(
    Y.createRelativePositionFromTypeIndex(list.get(2), 9, 0))
  made.push(nested)
  places()
  t.insert(1, 'xyz')
  t.delete(5, 3)
  list.insert(0, ['first'])
  v.apply(...updates.splice(0))
  places()
  make('text', 'text', 9, -1)
  t.delete(0, t.length)
  list.delete(2, 2)
  v.apply(...updates.splice(0))
  places()
  make('text', 'text', 0, -1)
  make('text', 'text', 1, -1)
  /* of a document that never heard of it, without assoc, of a root unheard of */
  made.length = 0
  made.push(new Uint8Array([0, 9, 9]), new Uint8Array([2, 9, 9, 0]),
    new Uint8Array([0, 95, 0]), new Uint8Array([1, 1, 113]),
    new Uint8Array([2, 95, 0, 0]))
  places()
  return v
}

export const readVectors = () => [deltas(), protos(), xmlStrings(),
  xmlTypes(), snapshots(), positions()]
