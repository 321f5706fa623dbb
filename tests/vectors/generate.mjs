/* SPDX-License-Identifier: MIT */
/*
 * Writes the golden vectors (tests/vectors/*.vec) with npm yjs 13.6.33 and
 * y-protocols 1.0.7:
 *
 *   node tests/vectors/generate.mjs
 *
 * tests/unit/test_vectors.c replays them without node. A file is text, one
 * directive a line, bytes in hex ("-" for none):
 *
 *   doc gc|keep                 a fresh document
 *   update HEX done|pending     apply it; does something wait afterwards?
 *   reject HEX                  must be refused and leave the document alone
 *   state HEX                   encode_state_as_update
 *   vector HEX                  the state vector
 *   diff SV HEX                 encode_state_as_update against SV
 *   json SPEC TEXT              the roots, byte for byte as JSON.stringify
 *   awareness                   a fresh awareness
 *   aw-apply HEX TEXT           apply; TEXT: what changed, "-" for nothing
 *   aw-reject HEX
 *   aw-encode CLIENTS HEX       comma-separated ids
 *   message TYPE SUB BODY HEX   a y-protocols message, both ways
 *   message-reject HEX
 *
 * and those of updates.mjs, where FMT is 1 or 2:
 *
 *   convert V1 V2 BACK          v1 to v2, and v2 to v1
 *   update2, state2 SV HEX      update and state in v2
 *   merge FMT HEX UPDATE...
 *   uvector FMT UPDATE HEX      the state vector of an update
 *   meta FMT UPDATE RANGES      client:from-to, by ascending client
 *   udiff FMT SV UPDATE HEX
 *
 * and those of reads.mjs.
 */
import fs from 'node:fs'
import path from 'node:path'
import { encoding, loadEsm, Y } from '../diff/npm.mjs'
import { makeHistory, randomStateVector } from '../diff/history.mjs'
import { PROFILES } from '../diff/edits.mjs'
import { Prng } from '../diff/prng.mjs'
import { buildUpdate, parseUpdate } from '../diff/update.mjs'
import { updateVectors } from './updates.mjs'
import { readVectors } from './reads.mjs'
import { writeVectors } from './writes.mjs'
import { client, EMPTY_SV, fromHex, here, hex, Vector } from './vector.mjs'

const awarenessProtocol = await loadEsm('y-protocols', 'awareness.js')
const syncProtocol = await loadEsm('y-protocols', 'sync.js')
const authProtocol = await loadEsm('y-protocols', 'auth.js')

const features = []
const feature = (name, about, make) => features.push({ name, about, make })

/* ----------------------------------------------------------- content kinds */

feature('string', 'text in one and in many structs, UTF-8 of every length', v => {
  const a = client(1)
  const t = a.doc.getText('text')
  for (const s of ['h', 'e', 'l', 'l', 'o']) t.insert(t.length, s)
  t.insert(2, 'ä漢𐍈\u0000\ufeff\u2028')
  t.delete(1, 3)
  t.insert(0, 'x'.repeat(300))
  v.open()
  v.each(a.updates)
  v.json('text:text')
})

feature('surrogates', 'pairs cut by inserts, deletes, formats and diffs', v => {
  const a = client(3)
  const b = client(2)
  const t = a.doc.getText('text')
  t.insert(0, 'a😀b😀c')
  b.hear(...a.updates)
  b.doc.getText('text').insert(2, '-')
  t.delete(4, 1)
  t.format(1, 1, { bold: true })
  t.insert(0, '\ud83d')
  t.insert(1, '\ude00x')
  const all = [...a.updates, ...b.updates]
  v.open()
  v.each(all)
  for (let clock = 0; clock < 9; clock++) v.diff(new Map([[3, clock]]))
  v.json('text:text')
  v.open()
  v.apply(Y.diffUpdate(all[0], Y.encodeStateVector(new Map([[3, 2]]))))
  v.check()
  v.apply(all[0])
  v.check()
})

const ANY_VALUES = [
  null, true, false, 0, -0, 1, -1, 63, 64, -64, 127, 128, 8192, 2147483647,
  -2147483648, 2147483648, -2147483649, 9007199254740991, 0.5, -0.25, 0.1,
  1e300, 5e-324, NaN, Infinity, -Infinity, '', 'ä😀', [], [1, [2, [3]]], {},
  { b: 1, a: { 2: 'two', 1: 'one' }, '': null }
]

feature('any', 'every kind of Any value in arrays and maps', v => {
  const a = client(4)
  a.doc.getArray('array').insert(0, ANY_VALUES)
  const m = a.doc.getMap('map')
  ANY_VALUES.forEach((value, i) => m.set('k' + i, value))
  a.doc.getArray('array').delete(3, 2)
  v.open()
  v.each(a.updates)
  v.diff(new Map([[4, 5]]))
  v.json('array:array,map:map')
})

feature('any-special', 'undefined, bigint and bytes inside Any', v => {
  const a = client(4)
  const m = a.doc.getMap('map')
  m.set('undefined', undefined)
  for (const n of [0n, -1n, 9223372036854775807n, -9223372036854775808n]) {
    m.set('big' + n, n)
  }
  m.set('nested', { u: undefined, n: 5n, bytes: new Uint8Array([1, 2, 255]) })
  m.set('list', [undefined, new Uint8Array(0), -5n])
  v.open()
  v.each(a.updates)
})

/* an item made by hand at the end of a list type */
const pushItem = (doc, type, content) => doc.transact(tr => {
  let left = type._start
  while (left !== null && left.right !== null) left = left.right
  const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
  new Y.Item(id, left, left && left.lastId, null, null, type, null, content)
    .integrate(tr, 0)
})

feature('json', 'content of kind JSON, as old clients wrote it', v => {
  const a = client(5)
  const list = a.doc.getArray('array')
  pushItem(a.doc, list, new Y.ContentJSON([1, 'two', null, { a: [0.5] }]))
  pushItem(a.doc, list, new Y.ContentJSON([undefined, true]))
  pushItem(a.doc, list, new Y.ContentJSON(['\ud800', '😀', 1e21, -0]))
  list.delete(2, 2)
  v.open()
  v.each(a.updates)
  v.diff(new Map([[5, 1]]))
  v.open('keep')
  v.apply(...a.updates)
  v.check()
})

feature('binary', 'byte arrays in arrays and maps', v => {
  const a = client(6)
  a.doc.getArray('array').insert(0, [new Uint8Array(0), new Uint8Array([0, 255])])
  a.doc.getMap('map').set('b', new Uint8Array(200).fill(7))
  a.doc.getArray('array').delete(0, 1)
  v.open()
  v.each(a.updates)
})

feature('embed', 'embeds of objects and of types', v => {
  const a = client(7)
  const t = a.doc.getText('text')
  t.insert(0, 'ab')
  t.insertEmbed(1, { image: 'x.png', size: [1, 2.5], 2: 1, 1: 2 })
  t.insertEmbed(0, { lone: '\ud83d', esc: '"\\\n\u2028/' })
  t.insertEmbed(2, new Y.Map([['k', 'v']]))
  t.delete(0, 1)
  v.open()
  v.each(a.updates)
  v.json('text:text')
  v.open()
  v.apply(a.updates[2], a.updates[1]) /* pending: the version 2 detour */
  v.check()
})

feature('format', 'formats on a root text', v => {
  const a = client(8)
  const b = client(9)
  const t = a.doc.getText('text')
  t.insert(0, 'hello world')
  b.hear(...a.updates)
  t.format(0, 5, { bold: true })
  b.doc.getText('text').format(3, 5, { bold: true, link: { href: '/a?b' } })
  b.doc.getText('text').insert(4, 'XX', { italic: true })
  t.format(2, 4, { bold: null })
  b.hear(...a.updates)
  b.doc.getText('text').delete(1, 6)
  v.open()
  v.each([...a.updates, ...b.updates])
  v.json('text:text')
})

feature('format-nested', 'a nested text cleans redundant formats up', v => {
  const a = client(10)
  const b = client(11)
  const m = a.doc.getMap('map')
  const t = new Y.Text('one two three')
  m.set('t', t)
  b.hear(...a.updates)
  const tb = b.doc.getMap('map').get('t')
  t.format(0, 7, { bold: true })
  tb.format(4, 9, { bold: true })
  tb.format(0, 3, { color: 'red' })
  t.insert(5, '!', { bold: null })
  a.hear(...b.updates)
  b.hear(...a.updates)
  t.delete(2, 6)
  tb.format(0, tb.length, { bold: null, color: null })
  v.open()
  v.each([...a.updates, ...b.updates])
  v.json('map:map')
  v.open('keep')
  v.each([...b.updates, ...a.updates])
})

feature('deleted', 'deleted content is dropped, or kept on wish', v => {
  const a = client(12)
  const t = a.doc.getText('text')
  t.insert(0, 'abcdefgh')
  t.delete(2, 3)
  t.insert(2, 'X')
  t.delete(0, 2)
  for (const mode of ['gc', 'keep']) {
    v.open(mode)
    v.each(a.updates)
    v.diff(new Map([[12, 3]]))
  }
  const b = client(13)
  b.hear(Y.encodeStateAsUpdate(a.doc))
  b.doc.getText('text').insert(0, 'after')
  v.open()
  v.each([Y.encodeStateAsUpdate(b.doc)])
  v.json('text:text')
})

feature('gc', 'a deleted type takes all below it with it', v => {
  const a = client(14)
  const m = a.doc.getMap('map')
  const list = new Y.Array()
  m.set('list', list)
  list.insert(0, [1, new Y.Map([['x', new Y.Text('deep')]]), 2])
  list.get(1).set('y', 1)
  list.get(1).set('y', 2)
  const b = client(15)
  b.hear(...a.updates)
  b.doc.getMap('map').get('list').push(['late'])
  m.delete('list')
  for (const mode of ['gc', 'keep']) {
    v.open(mode)
    v.each([...a.updates, ...b.updates]) /* an edit of what is gone */
    v.open(mode)
    v.each([...b.updates, ...a.updates])
    v.json('map:map')
  }
})

/* --------------------------------------------------------------- type refs */

const TYPES = {
  'type-array': () => Y.Array.from([1, 'a', new Y.Array()]),
  'type-map': () => new Y.Map([['k', 1], ['m', new Y.Map()]]),
  'type-text': () => new Y.Text('text'),
  'type-xml-fragment': () => {
    const f = new Y.XmlFragment()
    f.insert(0, [new Y.XmlElement('P'), new Y.XmlText('x')])
    return f
  },
  'type-xml-element': () => {
    const e = new Y.XmlElement('DIV')
    e.setAttribute('b', '2')
    e.setAttribute('a', '1')
    e.insert(0, [new Y.XmlText('in'), new Y.XmlElement('br')])
    return e
  },
  'type-xml-hook': () => {
    const h = new Y.XmlHook('hook')
    h.set('k', 'v')
    return h
  },
  'type-xml-text': () => {
    const t = new Y.XmlText()
    t.insert(0, 'bold', { b: { x: '1', a: '2' } })
    t.insert(4, ' plain', { b: null })
    return t
  }
}

for (const [name, make] of Object.entries(TYPES)) {
  feature(name, `${name} in an array, in a map and deleted`, v => {
    const a = client(20)
    a.doc.getArray('array').insert(0, [make(), make()])
    a.doc.getMap('map').set('k', make())
    a.doc.getMap('map').set('k', make())
    a.doc.getArray('array').delete(0, 1)
    v.open()
    v.each(a.updates)
    if (name !== 'type-xml-hook') v.json('array:array,map:map')
    v.open('keep')
    v.apply(...a.updates)
    v.check()
  })
}

feature('xml', 'a root fragment with elements, attributes and text', v => {
  const a = client(21)
  const x = a.doc.getXmlFragment('xml')
  const p = new Y.XmlElement('p')
  x.insert(0, [p, new Y.XmlText('tail')])
  p.setAttribute('class', 'big')
  p.setAttribute('id', 'one')
  p.setAttribute('class', 'small')
  p.removeAttribute('id')
  p.insert(0, [new Y.XmlText('hello')])
  p.get(0).format(0, 2, { i: {} })
  p.get(0).insert(5, '!')
  x.delete(1, 1)
  v.open()
  v.each(a.updates)
  v.json('xml:xml')
})

feature('subdoc', 'documents in a document', v => {
  const a = client(22)
  const m = a.doc.getMap('map')
  m.set('plain', new Y.Doc({ guid: 'g1' }))
  m.set('auto', new Y.Doc({ guid: 'g2', autoLoad: true, gc: false }))
  m.set('meta', new Y.Doc({ guid: 'ü', meta: { b: 1, a: [undefined] } }))
  a.doc.getArray('array').insert(0, [new Y.Doc({ guid: 'g3' })])
  m.delete('auto')
  v.open()
  v.each(a.updates)
})

/* ------------------------------------------------------------- integration */

feature('conflict', 'many clients insert at one place', v => {
  const base = client(30)
  base.doc.getText('text').insert(0, 'ab')
  const clients = [31, 5, 4294967296, 29, 9007199254740991].map(id => {
    const c = client(id)
    c.hear(...base.updates)
    c.doc.getText('text').insert(1, `<${id % 100}`)
    c.doc.getText('text').insert(1, '|')
    c.doc.getText('text').insert(4, '>')
    return c
  })
  const all = clients.flatMap(c => c.updates)
  v.open()
  v.each([...base.updates, ...all])
  v.json('text:text')
  v.open()
  v.each([...base.updates, ...all.reverse()])
  v.json('text:text')
})

feature('conflict-empty', 'no origins: several clients begin a text', v => {
  const updates = [3, 1, 2].flatMap(id => {
    const c = client(id)
    c.doc.getText('text').insert(0, `first${id}`)
    c.doc.getText('text').insert(0, `zero${id} `)
    return c.updates
  })
  v.open()
  v.each(updates)
  v.json('text:text')
})

feature('map', 'concurrent sets and deletes of one key', v => {
  const all = [2, 1, 3].flatMap(id => {
    const c = client(id)
    const m = c.doc.getMap('map')
    m.set('a', `by ${id}`)
    m.set('b', id)
    m.set('a', `again ${id}`)
    if (id === 3) m.delete('b')
    return c.updates
  })
  const d = client(9)
  d.hear(...all)
  d.doc.getMap('map').set('a', 'last')
  d.doc.getMap('map').set('1', 'integer key')
  d.doc.getMap('map').set('😀', 'emoji')
  v.open()
  v.each([...all, ...d.updates])
  v.json('map:map')
  v.open()
  v.each([...d.updates, ...all.reverse()])
})

feature('merge', 'typing merges, edits split, deletes merge again', v => {
  const a = client(40)
  const b = client(41)
  const t = a.doc.getText('text')
  for (let i = 0; i < 12; i++) t.insert(i, 'abcdefghijkl'[i])
  b.hear(...a.updates)
  b.doc.getText('text').insert(6, 'B')
  t.delete(3, 1)
  t.delete(7, 1)
  t.delete(3, 4)
  const list = a.doc.getArray('array')
  for (let i = 0; i < 5; i++) list.push([i, `${i}`])
  list.delete(2, 3)
  v.open()
  v.each([...a.updates, ...b.updates])
  v.json('text:text,array:array')
})

feature('undo', 'undo and redo', v => {
  const a = client(42)
  const t = a.doc.getText('text')
  const m = a.doc.getMap('map')
  const undo = new Y.UndoManager([t, m], { captureTimeout: 0 })
  t.insert(0, 'abc')
  t.delete(1, 1)
  m.set('k', new Y.Text('nested'))
  m.set('k', 2)
  undo.undo()
  undo.undo()
  undo.redo()
  undo.undo()
  undo.undo()
  v.open()
  v.each(a.updates)
  v.json('text:text,map:map')
})

feature('big', 'large blocks', v => {
  const a = client(43)
  a.doc.getArray('array').insert(0, Array.from({ length: 500 }, (x, i) => i))
  a.doc.getText('text').insert(0, 'lorem ipsum '.repeat(100))
  a.doc.getArray('array').delete(100, 300)
  a.doc.getText('text').delete(600, 1)
  v.open()
  v.each(a.updates)
  v.diff(new Map([[43, 450]]))
  v.json('array:array')
})

feature('roots', 'root names of all sorts, one root read two ways', v => {
  const a = client(44)
  a.doc.getText('').insert(0, 'empty name')
  a.doc.getText('日本😀').insert(0, 'wide name')
  a.doc.getText('constructor').insert(0, 'x')
  const b = client(45)
  b.doc.getMap('both').set('k', 1)
  a.doc.getText('both').insert(0, 'text')
  v.open()
  v.each([...a.updates, ...b.updates])
})

feature('empty', 'nothing at all', v => {
  v.open()
  v.check()
  v.apply(new Uint8Array([0, 0]))
  v.check()
  v.diff(EMPTY_SV)
  v.diff(new Map([[1, 5]]))
  v.json('a:array,m:map,t:text,x:xml')
})

/* ------------------------------------------------------- delivery, pending */

const story = () => {
  const a = client(51)
  const b = client(50)
  const t = a.doc.getText('text')
  t.insert(0, 'abc')
  t.insert(3, 'def')
  b.hear(...a.updates)
  b.doc.getText('text').insert(2, 'B😀B')
  a.hear(...b.updates)
  t.delete(1, 5)
  t.insert(1, 'end')
  a.doc.getMap('map').set('k', { deep: [1] })
  return [a.updates[0], a.updates[1], ...b.updates, ...a.updates.slice(2)]
}

feature('pending', 'structs and deletes that wait, all orders of delivery', v => {
  const u = story()
  const orders = [[5, 4, 3, 2, 1, 0], [2, 1, 0, 3, 4, 5], [3, 0, 1, 2, 5, 4],
    [1, 3, 5, 0, 2, 4], [4, 5, 1, 3, 2, 0]]
  for (const order of orders) {
    v.open()
    for (const i of order) {
      v.apply(u[i])
      v.check()
      v.diff(new Map([[51, 4], [50, 1]]))
    }
    v.json('text:text,map:map')
  }
})

feature('pending-content', 'what waits keeps every kind of content', v => {
  const a = client(52)
  const list = a.doc.getArray('array')
  list.insert(0, ['first'])
  list.insert(1, [new Uint8Array([1]), { b: 1, 2: 0 }, new Y.Doc({ guid: 'g' }),
    new Y.XmlElement('P'), new Y.XmlHook('h'), new Y.XmlText('x')])
  const t = a.doc.getText('text')
  t.insert(0, 'x')
  t.insertEmbed(1, { e: '\ud800', f: 0.1 })
  t.format(0, 2, { bold: true, link: { a: '\udc00' } })
  pushItem(a.doc, list, new Y.ContentJSON([1, undefined, 'j']))
  v.open()
  v.each(a.updates.slice(1))
  v.diff(new Map([[52, 3]]))
  v.each(a.updates.slice(0, 1))
})

feature('pending-deletes', 'deletes come before what they delete', v => {
  const u = story()
  const only = bytes => buildUpdate({ ...parseUpdate(bytes), clients: [] })
  v.open()
  v.each([only(u[3]), only(u[3]), u[1], u[0], u[2]])
  v.json('text:text')
  v.open()
  v.each([u[0], only(u[3]), u[2], u[1]])
  v.json('text:text')
})

feature('skip', 'merged updates with gaps', v => {
  const u = story()
  v.open()
  v.each([Y.mergeUpdates([u[0], u[3]]), Y.mergeUpdates([u[5], u[1]]), u[2],
    u[4]])
  v.json('text:text,map:map')
  v.open()
  v.each([Y.mergeUpdates([u[4], u[0], u[2]]), Y.mergeUpdates(u)])
  v.json('text:text,map:map')
})

feature('duplicates', 'everything twice, whole and in parts', v => {
  const u = story()
  v.open()
  v.each([...u, ...u, Y.mergeUpdates(u)])
  const cut = Y.encodeStateVector(new Map([[51, 2], [50, 3]]))
  v.apply(Y.diffUpdate(Y.mergeUpdates(u), cut))
  v.check()
  v.open()
  v.each([Y.diffUpdate(Y.mergeUpdates(u), cut), Y.mergeUpdates(u)])
})

feature('diff', 'state vectors behind, ahead, unknown and cut', v => {
  v.open()
  v.apply(...story())
  v.check()
  for (let a = 0; a <= 10; a += 2) {
    for (let b = 0; b <= 5; b++) v.diff(new Map([[51, a], [50, b]]))
  }
  v.diff(new Map([[51, 1000], [7, 3]]))
  v.diff(new Map([[50, 2]]))
  v.diff(EMPTY_SV)
})

feature('reject', 'updates that are no updates', v => {
  const a = client(60)
  a.doc.getText('text').insert(0, 'stay')
  const m = client(61)
  m.doc.getMap('map').set('key', { a: [1, 'x', 5n], b: new Uint8Array(3) })
  m.doc.getText('t').insertEmbed(0, { a: 1 })
  m.doc.getText('t').format(0, 1, { b: true })
  v.open()
  v.apply(...a.updates)
  v.check()
  const whole = Y.mergeUpdates(m.updates)
  for (let n = 0; n < whole.length; n++) v.reject(whole.subarray(0, n))
  const bad = [
    '01010100' + '0b01' + '00', /* an unknown content kind */
    '010101000401017402c328' + '00', /* not UTF-8 */
    '01010100040101740161' + '0101', /* deletes cut off */
    '0101010005010174017b' + '00', /* an embed that is no JSON */
    '010101000801017401' + '73' + '00', /* an unknown Any tag */
    '010101000701017407' + '00', /* an unknown type */
    '0101ffffffffffffffffff0100040101740161' + '00', /* a huge client */
    'ffffffff0f', /* claims structs it does not have */
    '01ffffffff0f0100' /* and here */
  ]
  for (const text of bad) v.reject(Buffer.from(text, 'hex'))
  v.check()
  v.apply(whole)
  v.check()
})

/* ------------------------------------------------------- bugs that once were
 *
 * Found by tests/diff, shrunk, and kept as bytes. */

const kept = (name, about, mode, updates) => feature(name, about, v => {
  v.open(mode)
  v.each(updates.map(fromHex))
})

kept('bug-merge-room', 'two splits of one text merge again in two steps', 'keep', [
  '010232002701036d6170017402040032000d6f6e652074776f20746872656500',
  '01011505c6320332140162047472756500',
  '01031507c43202150202797a0009c6320139050162047472756500',
  '03013900000a01320e000a011500000700'
])

kept('bug-noted-text', 'what a clean-up deletes is no change to clean', 'gc', [
  '0104212846211a04626f6c640474727565c62128211a066974616c69630474727565c121' +
  '1c211d01c6212a211d066974616c6963046e756c6c00',
  '010521020017a7260e060400211903666f7584211c0172000a00',
  '02022600000e2701036d6170016206012100000200',
  '000121011a03'
])

kept('bug-cleaned-new', 'new formats that a clean-up deletes become one', 'gc', [
  '010207002701036d61700174020400070002616200',
  '010308004607010162046e756c6cc6080007010163046e756c6cc6080107010163046e756c' +
  '6c00'
])

kept('bug-equal-clocks', 'what waits and what is there begin at one clock', 'gc', [
  '01011200c62604260504626f6c64047472756500', '01011200000400',
  '01018889c88004000900f383e0900610077375622d312d3076010267637900',
  '01018889c8800400000100',
  '0101391c0700e0d5e993c39db4061e0302c3bc00', '0101391c000b00'
])

/* ---------------------------------------------------------------- histories */

for (const profile of Object.keys(PROFILES)) {
  feature(`history-${profile}`, `random histories, profile ${profile}`, v => {
    for (let seed = 9001; seed < 9007; seed++) {
      const history = makeHistory(seed, profile, { steps: 12, clients: 4 })
      const r = new Prng(seed, 'vectors')
      v.say(`# seed ${seed}`)
      v.open(history.keepDeleted ? 'keep' : 'gc')
      v.apply(...history.updates)
      v.check()
      v.diff(randomStateVector(r, v.doc))
    }
  })
}

/* -------------------------------------------------------------- y-protocols */

feature('awareness', 'awareness updates of y-protocols', v => {
  const make = id => {
    const doc = new Y.Doc()
    doc.clientID = id
    return new awarenessProtocol.Awareness(doc)
  }
  const listen = aw => {
    /* the engine says "added" where JavaScript says "updated" of a client
     * that comes back; see awareness.c */
    aw.live = new Set(aw.states.keys())
    aw.on('update', ({ added, updated, removed }) => {
      aw.heard = []
      for (const id of [...added, ...updated]) {
        aw.heard.push((aw.live.has(id) ? '=' : '+') + id)
        aw.live.add(id)
      }
      for (const id of removed) {
        aw.heard.push('-' + id)
        aw.live.delete(id)
      }
    })
  }
  const server = make(1)
  server.setLocalState(null)
  listen(server)
  const peers = [5, 6, 9007199254740991].map(make)
  const [a, b, c] = peers
  v.say('awareness')
  const send = (from, ids = [from.clientID]) => {
    const update = awarenessProtocol.encodeAwarenessUpdate(from, ids)
    server.heard = []
    awarenessProtocol.applyAwarenessUpdate(server, update, null)
    const heard = ids.map(id => server.heard.find(h => h.slice(1) === `${id}`))
    v.say('aw-apply', hex(update), heard.filter(Boolean).join(',') || '-')
    const known = [5, 6, 9007199254740991].filter(id => server.meta.has(id))
    v.say('aw-encode', known.join(',') || '-',
      hex(awarenessProtocol.encodeAwarenessUpdate(server, known)))
    return update
  }
  send(a) /* clock 0: no news */
  a.setLocalState({ user: { name: 'Ada 😀', color: '#f00' } })
  const first = send(a)
  a.setLocalStateField('cursor', [1, 2.5, null, true, '"\\\n'])
  send(a)
  b.setLocalState({})
  send(b)
  a.setLocalState(null)
  send(a)
  a.setLocalState({ back: true })
  send(a)
  awarenessProtocol.applyAwarenessUpdate(b, first, null)
  send(b, [5, 6]) /* an old state of somebody else */
  awarenessProtocol.applyAwarenessUpdate(c,
    awarenessProtocol.encodeAwarenessUpdate(a, [5]), null)
  awarenessProtocol.removeAwarenessStates(c, [5], null)
  c.setLocalState(['list'])
  send(c, [5, 9007199254740991]) /* the same clock with null */
  for (const text of ['', '01', '0105', '010501', '01050104', '0105010100',
    '0105010221', '01050103' + '6e756c', '0105010130' + '00']) {
    v.say('aw-reject', hex(Buffer.from(text, 'hex')))
  }
  for (const aw of [server, ...peers]) aw.destroy()
})

feature('sync', 'messages of y-protocols', v => {
  const message = (type, sub, body, write) => {
    const e = encoding.createEncoder()
    encoding.writeVarUint(e, type)
    write(e)
    v.say('message', type, sub, hex(body), hex(encoding.toUint8Array(e)))
  }
  const docs = [new Y.Doc(), client(70).doc]
  docs[1].getText('text').insert(0, 'x'.repeat(200))
  for (const doc of docs) {
    const state = Y.encodeStateAsUpdate(doc)
    message(0, 0, Y.encodeStateVector(doc),
      e => syncProtocol.writeSyncStep1(e, doc))
    message(0, 1, state, e => syncProtocol.writeSyncStep2(e, doc))
    message(0, 2, state, e => syncProtocol.writeUpdate(e, state))
  }
  const body = new Uint8Array([0])
  message(1, 0, body, e => encoding.writeVarUint8Array(e, body))
  message(2, 0, Buffer.from('why'), e =>
    authProtocol.writePermissionDenied(e, 'why'))
  message(3, 0, '', () => {})
  for (const text of ['', '00', '0000', '000001', '00000000', '0003', '04',
    '0300', '01', '0102', '010100' + '00', '02', '0201', '0200']) {
    v.say('message-reject', hex(Buffer.from(text, 'hex')))
  }
})

/* --------------------------------------------------------------------- main */

for (const file of fs.readdirSync(here)) {
  if (file.endsWith('.vec')) fs.unlinkSync(path.join(here, file))
}
const vectors = features.map(({ name, about, make }) => {
  const v = new Vector(name, about)
  make(v)
  return v
})
vectors.push(...updateVectors(vectors))
vectors.push(...readVectors(), ...writeVectors())
for (const v of vectors) v.write()

/* the distribution's list of them */
const files = vectors.map(f => `tests/vectors/${f.name}.vec`).sort()
fs.writeFileSync(path.join(here, 'local.mk'), `# SPDX-License-Identifier: MIT
# Golden vectors, written by generate.mjs with npm yjs and replayed without
# node by tests/unit/test_vectors.c. generate.mjs writes this list as well.
EXTRA_DIST += tests/vectors/generate.mjs \\
\ttests/vectors/reads.mjs \\
\ttests/vectors/updates.mjs \\
\ttests/vectors/vector.mjs \\
\ttests/vectors/writes.mjs \\
\t${files.join(' \\\n\t')}
`)
console.log(`${vectors.length} files`)
process.exit(0)
