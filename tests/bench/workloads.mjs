/* SPDX-License-Identifier: MIT */
/*
 * The workloads B1 to B3 of crdt-benchmarks, made anew from what its README
 * says of each, and inserts at random places of a big document. A workload is
 * data: the same operations are carried out by npm yjs and by libyjs.
 *
 *   { name, about, mode, docs, setup: [op], ops: [op] }
 *   op: { doc, type: 'text'|'array'|'map', at, insert | remove | set, key }
 *
 * mode "live": document 0 edits, 1 is given each update. "late": both edit,
 * then exchange. "many": each document edits once, one more is given it all.
 */
import { Prng } from '../diff/prng.mjs'

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

const letters = (prng, n) => {
  let out = ''
  while (n-- > 0) out += prng.pick(LETTERS)
  return out
}

/* Text operations that keep count of the length, per document. */
class Script {
  constructor (name, about, mode, docs = 2) {
    Object.assign(this, { name, about, mode, docs, setup: [], ops: [] })
    this.length = new Array(docs).fill(0)
    this.prng = new Prng(1, name)
  }

  insert (at, insert, doc = 0, type = 'text') {
    this.ops.push({ doc, type, at, insert })
    this.length[doc] += insert.length
  }

  remove (at, remove, doc = 0) {
    this.ops.push({ doc, type: 'text', at, remove })
    this.length[doc] -= remove
  }

  place (doc = 0) {
    return this.prng.below(this.length[doc] + 1)
  }
}

const repeat = (n, fn) => { for (let i = 0; i < n; i++) fn(i) }

const oneWriter = n => {
  const make = (id, about, fill) => {
    const s = new Script(id, about, 'live')
    fill(s, s.prng)
    return s
  }
  const number = p => [p.below(0x7fffffff)]
  return [
    make('B1.1', 'append characters', (s, p) =>
      repeat(n, i => s.insert(i, letters(p, 1)))),
    make('B1.2', 'insert one string', (s, p) => s.insert(0, letters(p, n))),
    make('B1.3', 'prepend characters', (s, p) =>
      repeat(n, () => s.insert(0, letters(p, 1)))),
    make('B1.4', 'characters at random places', (s, p) =>
      repeat(n, () => s.insert(s.place(), letters(p, 1)))),
    make('B1.5', 'words at random places', (s, p) =>
      repeat(n, () => s.insert(s.place(), letters(p, p.range(3, 9))))),
    make('B1.6', 'insert a string, delete it', (s, p) => {
      s.insert(0, letters(p, n))
      s.remove(0, n)
    }),
    make('B1.7', 'insert and delete at random', (s, p) =>
      repeat(n, () => {
        const at = s.place()
        const room = s.length[0] - at
        if (room === 0 || p.chance(0.5)) {
          s.insert(at, letters(p, p.range(2, 10)))
        } else s.remove(at, p.range(1, Math.min(room, 9)))
      })),
    make('B1.8', 'append numbers', (s, p) =>
      repeat(n, i => s.insert(i, number(p), 0, 'array'))),
    make('B1.9', 'insert an array of numbers', (s, p) =>
      s.insert(0, Array.from({ length: n }, () => p.below(0x7fffffff)), 0,
        'array')),
    make('B1.10', 'prepend numbers', (s, p) =>
      repeat(n, () => s.insert(0, number(p), 0, 'array'))),
    make('B1.11', 'numbers at random places', (s, p) =>
      repeat(n, () => s.insert(s.place(), number(p), 0, 'array')))
  ]
}

const twoWriters = n => {
  const make = (id, about, fill) => {
    const s = new Script(id, about, 'late')
    s.setup.push({ doc: 0, type: 'text', at: 0, insert: letters(s.prng, 100) })
    s.length = [100, 100]
    for (const doc of [0, 1]) fill(s, s.prng, doc)
    /* by turns */
    const half = s.ops.length / 2
    s.ops = s.ops.map((_, i) => s.ops[(i >> 1) + (i & 1) * half])
    return s
  }
  return [
    make('B2.1', 'a string each at one place', (s, p, doc) =>
      s.insert(8, letters(p, n), doc)),
    make('B2.2', 'characters at random places', (s, p, doc) =>
      repeat(n, () => s.insert(s.place(doc), letters(p, 1), doc))),
    make('B2.3', 'words at random places', (s, p, doc) =>
      repeat(n, () =>
        s.insert(s.place(doc), letters(p, p.range(3, 9)), doc))),
    make('B2.4', 'insert and delete at random', (s, p, doc) =>
      repeat(n, () => {
        const at = s.place(doc)
        const room = s.length[doc] - at
        if (room === 0 || p.chance(0.5)) {
          s.insert(at, letters(p, p.range(3, 9)), doc)
        } else s.remove(at, p.range(1, Math.min(room, 9)), doc)
      }))
  ]
}

const manyWriters = n => {
  const docs = Math.floor(20 * Math.sqrt(n))
  const make = (id, about, op) => {
    const s = new Script(id, about, 'many', docs)
    repeat(docs, doc => s.ops.push({ doc, ...op(s.prng, doc) }))
    return s
  }
  return [
    make('B3.1', 'set a number in a map', (p, i) =>
      ({ type: 'map', key: 'v', set: i })),
    make('B3.2', 'set an object in a map', (p, i) =>
      ({ type: 'map', key: 'v', set: { name: `${i}`, address: 'here' } })),
    make('B3.3', 'set a string in a map', (p, i) =>
      ({ type: 'map', key: 'v', set: letters(p, 6) + i })),
    make('B3.4', 'insert a text in an array', (p, i) =>
      ({ type: 'array', at: 0, insert: [`${i}`] }))
  ]
}

/* A document of `structs` structs that cannot merge: two write by turns. */
const bigDocument = (structs, inserts) => {
  const s = new Script('R1', `${inserts} inserts into ${structs} structs`,
    'live')
  s.alternate = structs
  s.length[0] = structs
  repeat(inserts, () => s.insert(s.place(), letters(s.prng, 1)))
  return s
}

export const makeWorkloads = (n = 6000) => [
  ...oneWriter(n), ...twoWriters(n), ...manyWriters(n),
  bigDocument(100000, n)
]
