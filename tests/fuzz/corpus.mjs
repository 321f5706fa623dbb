/* SPDX-License-Identifier: MIT */
/*
 * Writes the seed corpora of the engine's fuzz targets and tests/fuzz/seed.h,
 * from the golden vectors and from hostile inputs thought up by hand:
 *
 *   node tests/fuzz/corpus.mjs [NAME...]
 *
 * Files that a fuzzer found are kept: only "vec-*" and "bad-*" are replaced.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { encoding, Y } from '../diff/npm.mjs'
import { Prng } from '../diff/prng.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
const vectors = path.join(here, '../vectors')

const folder = name => {
  const dir = path.join(here, 'corpus', name)
  fs.mkdirSync(dir, { recursive: true })
  for (const file of fs.readdirSync(dir)) {
    if (/^(vec|bad)-/.test(file)) fs.unlinkSync(path.join(dir, file))
  }
  return (file, bytes) => fs.writeFileSync(path.join(dir, file), bytes)
}

const fromHex = text => Buffer.from(text === '-' ? '' : text, 'hex')

/** [[word, ...]] of one vector file. */
const read = name => fs.readFileSync(path.join(vectors, name), 'utf8')
  .split('\n').filter(l => l && l[0] !== '#').map(l => l.split(' '))

const names = fs.readdirSync(vectors).filter(f => f.endsWith('.vec'))

const pieces = list => Buffer.concat(list.flatMap(bytes => {
  const head = Buffer.alloc(2)
  head.writeUInt16LE(bytes.length)
  return [head, bytes]
}))

const build = write => {
  const e = encoding.createEncoder()
  write(e)
  return Buffer.from(encoding.toUint8Array(e))
}

const uint = n => build(e => encoding.writeVarUint(e, n))
const cat = (...parts) => Buffer.concat(parts.map(p =>
  typeof p === 'number' ? uint(p)
    : typeof p === 'string' ? build(e => encoding.writeVarString(e, p))
      : p))
const raw = (...bytes) => Buffer.from(bytes)
const HUGE = 2 ** 53 - 1

/* ------------------------------------------------------------------- update */

/* one struct of client 1 at clock 0 in root "t" */
const one = (info, content) => cat(1, 1, 1, 0, raw(info), 1, 't', content, 0)
const nested = (tag, depth, last) => cat(
  Buffer.concat(Array(depth).fill(tag)), last)

const badUpdates = {
  'counts-huge-clients': cat(HUGE),
  'counts-huge-structs': cat(1, HUGE, 1, 0),
  'counts-huge-any': one(8, cat(HUGE)),
  'counts-huge-json': one(2, cat(HUGE)),
  'counts-huge-deletes': cat(0, HUGE),
  'counts-huge-ranges': cat(0, 1, 1, HUGE),
  'counts-huge-string': one(4, cat(HUGE)),
  'clock-overflow': cat(1, 2, 1, HUGE, raw(0), HUGE, raw(0), HUGE, 0),
  'gc-length-zero': cat(1, 1, 1, 0, raw(0), 0, 0),
  'skip-length-zero': cat(1, 1, 1, 0, raw(10), 0, 0),
  'deleted-length-huge': one(1, cat(HUGE)),
  'string-empty': one(4, ''),
  'any-empty': one(8, cat(0)),
  'any-deep-array': one(8, cat(1, nested(raw(117, 1), 5000, raw(126)))),
  'any-deep-object': one(8, cat(1,
    nested(raw(118, 1, 1, 97), 5000, raw(126)))),
  'any-object-huge': one(8, cat(1, raw(118), HUGE)),
  'any-object-keys': one(8, cat(1, raw(118), 5, 'b', raw(126), '2', raw(126),
    'b', raw(120), '__proto__', raw(126), '1', raw(126))),
  'json-deep': one(5, '['.repeat(3000) + ']'.repeat(3000)),
  'json-object-deep': one(5, '{"a":'.repeat(500) + '1' + '}'.repeat(500)),
  'json-numbers': one(5, '[1e400,-0,1E+2,0.1e1,123456789012345678901,5e-324]'),
  'json-surrogates': one(5, '["\\ud800","\\ud83d\\ude00","\\u0000"]'),
  'json-keys': one(5, '{"b":1,"1":2,"__proto__":3,"b":4,"":5}'),
  'surrogate-halves': one(4, '😀😀'),
  'origin-self': cat(1, 1, 1, 0, raw(0x84), 1, 0, 'x', 0),
  'origin-future': cat(1, 1, 1, 0, raw(0x84), 1, 5, 'x', 0),
  'origin-circle': cat(2, 1, 2, 0, raw(0x84), 1, 0, 'x', 1, 1, 0, raw(0x84),
    2, 0, 'y', 0),
  'right-before-left': cat(1, 2, 1, 0, raw(0x04), 1, 't', 'ab', raw(0xc4),
    1, 1, 1, 0, 'x', 0),
  'parent-not-a-type': cat(1, 2, 1, 0, raw(0x04), 1, 't', 'a', raw(0x04), 0,
    1, 0, 'x', 0),
  'parent-self': cat(1, 1, 1, 0, raw(0x07), 0, 1, 0, 1, 0),
  'same-client-twice': cat(2, 1, 1, 0, raw(4), 1, 't', 'a', 1, 1, 0, raw(4),
    1, 't', 'b', 0),
  'deletes-unsorted': cat(1, 1, 1, 0, raw(4), 1, 't', 'abcdef',
    1, 1, 4, 4, 1, 0, 2, 3, 9, 1, 0),
  'deletes-huge': cat(0, 1, 1, 1, HUGE, HUGE),
  'deletes-length-zero': cat(0, 1, 1, 1, 0, 0),
  'trailing': cat(0, 0, 7),
  'varuint-padded': cat(raw(0x80, 0x80, 0), raw(0x80, 0)),
  'varuint-endless': Buffer.alloc(200, 0x80),
  'type-unknown': one(7, cat(7)),
  'content-unknown': one(11, cat(0)),
  'map-without-parent': cat(1, 1, 1, 0, raw(0xa4), 9, 9, 'x', 0),
  'doc-options': one(9, cat('guid', raw(126))),
  'utf8-bad': one(4, raw(2, 0xc3, 0x28)),
  'bom': one(4, '\ufeffx')
}

/* What is applied in the vectors, a document at a time. */
const documentsOfVectors = (word, most, put) => {
  for (const name of names) {
    const lines = read(name)
    let list = []
    let mode = 0
    let n = 0
    const flush = () => {
      if (list.length > 0 && pieces(list).length < 1500 && n < most) {
        put(`vec-${name.slice(0, -4)}-${n++}`, mode, list)
      }
      list = []
    }
    for (const [directive, arg] of lines) {
      if (directive === 'doc') {
        flush()
        mode = arg === 'keep' ? 1 : 0
      } else if (directive === word) {
        list.push(fromHex(arg))
      }
    }
    flush()
  }
}

const updateCorpus = () => {
  const put = folder('update')
  documentsOfVectors('update', 4, (name, mode, list) =>
    put(name, Buffer.concat([raw(mode, 0), pieces(list)])))
  for (const [name, bytes] of Object.entries(badUpdates)) {
    /* into an empty and a seeded document, and with an allocator that fails */
    put(`bad-${name}`, Buffer.concat([raw(0, 0), pieces([bytes])]))
  }
  const some = Object.values(badUpdates).filter(b => b.length < 60)
  put('bad-all-in-a-row', Buffer.concat([raw(2, 0), pieces(some)]))
  put('bad-all-keep', Buffer.concat([raw(3, 0), pieces(some)]))
  put('bad-all-failing', Buffer.concat([raw(2, 9), pieces(some)]))
}

/* ------------------------------------------------------- the other targets */

const lib0Corpus = () => {
  const put = folder('lib0')
  const values = [null, undefined, true, 1, -64, 2 ** 31, 0.5, 0.1, 5n, 'ü😀',
    new Uint8Array(3), [1, [2]], { b: 1, a: { 2: 3, 1: 4 } }]
  values.forEach((v, i) => {
    put(`vec-any-${i}`, Buffer.concat([raw(0),
      build(e => encoding.writeAny(e, v))]))
  })
  for (const v of [0, 127, 128, 2 ** 31, HUGE]) {
    put(`vec-varuint-${v}`, cat(raw(1), v))
  }
  for (const v of [0, -0, -1, 63, -64, HUGE, -HUGE]) {
    put(`vec-varint-${Object.is(v, -0) ? '-0' : v}`, Buffer.concat([raw(2),
      build(e => encoding.writeVarInt(e, v))]))
  }
  for (const text of ['1e400', '[1,{"b":2,"1":3}]', '"\\ud800"', ' {} ',
    '{"a":1,"a":2}', '-0', '123456789012345678901234567890', '1e-7', '[',
    '0.1e-400', '4.35', '2.2250738585072011e-308', '9007199254740993']) {
    put(`vec-json-${Buffer.from(text).toString('hex').slice(0, 24)}`,
      Buffer.concat([raw(3), Buffer.from(text)]))
  }
  for (const text of ['a😀b', '\ufeff', 'ÿ漢', '']) {
    put(`vec-utf8-${Buffer.from(text).toString('hex')}`,
      Buffer.concat([raw(4), Buffer.from(text)]))
  }
  put('bad-utf8', raw(4, 0xed, 0xa0, 0x80, 0xf4, 0x90))
  put('bad-any-deep', Buffer.concat([raw(0), nested(raw(117, 1), 3000, raw(126))]))
  put('bad-any-object-deep',
    Buffer.concat([raw(0), nested(raw(118, 1, 1, 97), 500, raw(126))]))
  put('bad-any-count', cat(raw(0, 118), HUGE))
  put('bad-varuint-endless', Buffer.concat([raw(1), Buffer.alloc(300, 0x80)]))
  put('bad-json-deep', Buffer.concat([raw(3), Buffer.alloc(3000, 0x5b)]))
}

const vectorCorpus = () => {
  const put = folder('vector')
  let n = 0
  for (const [word, arg] of read('diff.vec')) {
    if (word === 'diff') {
      put(`vec-${n}`, Buffer.concat([raw(n & 1), fromHex(arg)]))
      n++
    }
  }
  put('bad-count', cat(raw(0), HUGE))
  put('bad-clock', cat(raw(0), 1, 51, HUGE))
  put('bad-twice', cat(raw(0), 3, 51, 1, 51, 5, 51, 2))
  put('bad-trailing', cat(raw(1), 1, 51, 1, 9, 9, 9))
}

const syncCorpus = () => {
  const put = folder('sync')
  let n = 0
  for (const line of read('sync.vec')) {
    const bytes = fromHex(line[0] === 'message' ? line[4] : line[1])
    if (bytes.length < 300) {
      put(`${line[0] === 'message' ? 'vec' : 'bad'}-${n++}`, bytes)
    }
  }
  put('bad-huge-body', cat(0, 2, HUGE))
  put('bad-varuint-endless', Buffer.alloc(200, 0x80))
}

const awarenessCorpus = () => {
  const put = folder('awareness')
  const all = read('awareness.vec').filter(l => /^aw-(apply|reject)$/.test(l[0]))
    .map(l => fromHex(l[1]))
  put('vec-all', pieces(all))
  all.forEach((bytes, i) => put(`vec-${i}`, pieces([bytes])))
  const record = (client, clock, json) => cat(client, clock, json)
  const bad = {
    count: cat(HUGE),
    'same-client': cat(5, ...[1, 2, 3, 2, 4].map((c, i) =>
      record(7, c, i % 2 ? 'null' : '{"a":1}'))),
    'too-many': cat(9, ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map(c => record(c, 1, '1'))),
    'swap-at-limit': cat(2, record(20, 1, '2'), record(1, 2, 'null')),
    tombstones: cat(6, ...[1, 2, 3, 4, 5, 6].map(c => record(c, 9, 'null'))),
    deep: cat(1, record(1, 1, '['.repeat(60) + ']'.repeat(3))),
    'huge-clock': cat(1, record(1, HUGE, '{}')),
    'huge-client': cat(1, record(HUGE, 1, '{}')),
    'long-state': cat(1, record(1, 1, `"${'x'.repeat(63)}"`)),
    'not-json': cat(2, record(1, 1, '{}'), record(2, 1, '{"a":NaN}')),
    'not-utf8': cat(1, 1, 1, raw(4, 0x22, 0xc3, 0x28, 0x22))
  }
  for (const [name, bytes] of Object.entries(bad)) {
    put(`bad-${name}`, pieces([bytes]))
  }
  put('bad-all', pieces(Object.values(bad)))
}

/* ------------------------------------------------------------------- seed.h */

/* A document with a bit of everything, and something pending. */
const seedUpdates = () => {
  const doc = new Y.Doc({ guid: 'seed' })
  doc.clientID = 51
  const updates = []
  doc.on('update', u => updates.push(u))
  const t = doc.getText('text')
  t.insert(0, 'ab😀cd')
  t.format(1, 3, { bold: true })
  const m = doc.getMap('map')
  m.set('k', new Y.Text('nested'))
  m.get('k').format(0, 3, { i: true })
  m.set('a', 1)
  m.set('a', [1, { x: null }])
  doc.getArray('array').insert(0, [1, new Uint8Array(2), new Y.Map(), 'x'])
  doc.getArray('array').delete(1, 2)
  const x = doc.getXmlFragment('xml')
  x.insert(0, [new Y.XmlElement('p'), new Y.XmlText('x')])
  x.get(0).setAttribute('a', 'b')
  const other = new Y.Doc({ guid: 'other' })
  other.clientID = 50
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  other.getText('text').insert(2, 'other')
  const lost = Y.encodeStateVector(other)
  other.getText('text').insert(4, 'waits')
  other.getText('text').delete(3, 2)
  return [Y.mergeUpdates(updates), Y.encodeStateAsUpdate(other, lost)]
}

const seedHeader = () => {
  const array = bytes => {
    const lines = []
    for (let i = 0; i < bytes.length; i += 12) {
      lines.push('    ' + [...bytes.slice(i, i + 12)]
        .map(b => '0x' + b.toString(16).padStart(2, '0')).join(', '))
    }
    return lines.join(',\n')
  }
  const [whole, pending] = seedUpdates()
  fs.writeFileSync(path.join(here, 'seed.h'), `/* SPDX-License-Identifier: MIT */
/* Written by tests/fuzz/corpus.mjs: the document that targets begin with. */
#ifndef TESTS_FUZZ_SEED_H
#define TESTS_FUZZ_SEED_H

#include <stdint.h>

/* Text, map, array, xml, nested types, formats, deletions of client 51. */
static const uint8_t fuzz_seed[] = {
${array(whole)}};

/* Structs and deletes of client 50 that miss a part: pending. */
static const uint8_t fuzz_seed_pending[] = {
${array(pending)}};

#endif
`)
}

/* -------------------------------------------------- v2, merge, diff */

/* Every nth of the lines that begin with `word`, at most 40. */
const some = (file, word) => {
  const lines = read(file).filter(line => line[0] === word)
  const step = Math.ceil(lines.length / 40)
  return lines.filter((line, i) => i % step === 0)
}

const RUN = raw(0x41, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f)
const column = bytes => cat(bytes.length, bytes)
/* a v2 update of nine columns and a rest, given by name */
const v2 = (columns, rest) => cat(0, ...['key', 'client', 'left', 'right',
  'info', 'string', 'parent', 'type', 'len']
  .map(name => column(columns[name] ?? raw())), rest)
const FOREVER = cat(1, 2 ** 40, 0)

const badV2 = {
  'gc-forever': v2({ client: raw(1), info: raw(0), len: RUN },
    cat(FOREVER, 0)),
  'empty-names-forever': v2({
    key: raw(3, 0xff, 0xff, 0xff, 0x1f),
    client: raw(1),
    info: raw(7),
    string: cat('', raw(0x40, 0xff, 0xff, 0xff, 0x1f)),
    parent: raw(1),
    type: raw(0x43, 0xff, 0xff, 0xff, 0x1f)
  }, cat(FOREVER, 0)),
  'one-key-forever': v2({
    key: raw(1, 0xff, 0xff, 0xff, 0x1f),
    client: RUN,
    left: raw(1, 0xff, 0xff, 0xff, 0x1f),
    info: raw(0x86),
    string: cat('k'.repeat(40), raw(40))
  }, cat(FOREVER, raw(...Array(50).fill(126)), 0)),
  'clock-down': v2({ client: RUN, left: raw(0x41), info: raw(0x81) },
    cat(FOREVER, 0)),
  'halves': v2({
    client: RUN,
    left: raw(0, 0),
    info: raw(4, 0, 0x84),
    string: cat('r😀', raw(0x41, 1)),
    parent: raw(1)
  }, cat(1, 2, 0, 0)),
  'bigint-embed': v2({ client: raw(1), info: raw(5), string: cat('r', raw(1)), parent: raw(1) },
    cat(1, 1, 0, raw(122, 0, 0, 0, 0, 0, 0, 0, 5), 0)),
  'undefined-embed': v2({ client: raw(1), info: raw(5), string: cat('r', raw(1)), parent: raw(1) },
    cat(1, 1, 0, raw(127), 0)),
  'odd-embed': v2({ client: raw(1), info: raw(5), string: cat('r', raw(1)), parent: raw(1) },
    cat(1, 1, 0, raw(117, 3, 125, 0x40, 124, 0x7f, 0x80, 0, 0, 123, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0), 0)),
  'deletes-overflow': v2({}, cat(0, 1, 1, 2, HUGE, HUGE, 1, 1)),
  'same-client-twice': v2({ client: raw(0x41, 0), info: raw(0), len: raw(1, 1) },
    cat(2, 1, 0, 1, 9, 0)),
  'json-empty': v2({ client: raw(1), info: raw(2), string: cat('r', raw(1, 0x40, 0xff, 0xff, 0x1f)), parent: raw(1), len: raw(0xbf, 0xff, 0xff, 0x1f) },
    cat(1, 1, 0, 0))
}

const v2Corpus = () => {
  const put = folder('v2')
  some('v2-convert.vec', 'convert')
    .forEach((line, i) => put(`vec-${i}`, fromHex(line[2])))
  for (const [name, bytes] of Object.entries(badV2)) put(`bad-${name}`, bytes)
}

const mergeCorpus = () => {
  const put = folder('merge')
  some('updates-merge.vec', 'merge').forEach((line, i) => put(`vec-${i}`, cat(
    raw((line[1] - 1) | (i % 3 === 0 ? 2 : 0)),
    pieces(line.slice(3).map(fromHex)))))
  const two = (...list) => cat(raw(0), pieces(list))
  put('bad-skips', two(
    cat(1, 2, 1, 0, raw(10), 5, raw(0), 5, 0),
    cat(1, 2, 1, 5, raw(0), 2, raw(10), 9, 0),
    cat(1, 1, 1, 30, raw(0), 5, 0)))
  put('bad-backwards', two(
    cat(2, 1, 1, 15, raw(0), 5, 1, 1, 0, raw(0), 30, 0),
    cat(1, 1, 1, 0, raw(0), 10, 0)))
  put('bad-gc-and-item', two(
    cat(1, 1, 1, 0, raw(4), 1, 't', 'abc', 0),
    cat(1, 1, 1, 0, raw(0), 3, 0), cat(1, 1, 1, 0, raw(0), 2, 0)))
  put('bad-clients-up', two(
    cat(2, 1, 1, 0, raw(0), 1, 1, 9, 0, raw(0), 1, 0),
    cat(1, 1, 5, 0, raw(0), 1, 0)))
}

const diffCorpus = () => {
  const put = folder('diff')
  some('updates-merge.vec', 'udiff').forEach((line, i) => put(`vec-${i}`, cat(
    raw(line[1] - 1), pieces([fromHex(line[2])]), fromHex(line[3]))))
}

/* --------------------------------------- snapshots, positions, reading */

const snapshotCorpus = () => {
  const put = folder('snapshot')
  const update = badUpdates['string-empty']
  read('read-snapshot.vec').filter(line => line[0] === 'snapshot')
    .forEach((line, i) => put(`vec-${i}`, cat(
      raw((line[1] - 1) | (i & 2)), pieces([fromHex(line[2])]), update)))
  /* of the document in seed.h: all of it, parts, cut inside of structs */
  const [whole] = seedUpdates()
  const doc = new Y.Doc({ gc: false })
  Y.applyUpdate(doc, whole)
  const all = Y.snapshot(doc)
  const some = {
    all,
    'cut-text': Y.createSnapshot(all.ds, new Map([[51, 3]])),
    'cut-pair': Y.createSnapshot(Y.createDeleteSet(), new Map([[51, 4]])),
    'cut-any': Y.createSnapshot(Y.createDeleteSet(), new Map([[51, 20]])),
    'unknown-client': Y.createSnapshot(all.ds, new Map([[9, 1]])),
    'ahead': Y.createSnapshot(all.ds, new Map([[51, 999]]))
  }
  for (const [name, snapshot] of Object.entries(some)) {
    put(`vec-seed-${name}`, cat(raw(0),
      pieces([Buffer.from(Y.encodeSnapshot(snapshot))]), whole))
    put(`vec-seed-${name}-v2`, cat(raw(3),
      pieces([Buffer.from(Y.encodeSnapshotV2(snapshot))]),
      Y.convertUpdateFormatV1ToV2(whole)))
  }
  const bad = {
    empty: raw(),
    'deletes-huge': cat(HUGE),
    'ranges-huge': cat(1, 51, HUGE),
    'clocks-huge': cat(0, HUGE),
    'clock-huge': cat(0, 1, 51, HUGE),
    'deletes-overlap': cat(1, 51, 3, 0, 9, 2, 3, 1, 4, 1, 51, 9),
    'deletes-beyond': cat(1, 51, 1, 9, HUGE - 9, 1, 51, 9),
    'client-twice': cat(2, 51, 1, 0, 1, 51, 1, 0, 2, 2, 51, 1, 51, 9),
    'length-zero': cat(1, 51, 1, 3, 0, 1, 51, 9)
  }
  for (const [name, bytes] of Object.entries(bad)) {
    put(`bad-${name}`, cat(raw(0), pieces([bytes]), update))
    put(`bad-${name}-v2`, cat(raw(1), pieces([bytes]), update))
  }
}

const positionCorpus = () => {
  const put = folder('position')
  const more = one(4, 'xyz')
  const seen = new Set(read('read-position.vec').map(line =>
    line[0] === 'position' ? line[5] : line[0] === 'place' ? line[1] : null))
  seen.delete(null)
  let n = 0
  for (const text of seen) {
    put(`vec-${n}`, cat(raw(n++ & 1), pieces([fromHex(text)]), more))
  }
  for (let clock = 0; clock < 28; clock++) {
    for (const kind of [0, 2]) {
      put(`vec-seed-${kind}-${clock}`, cat(raw(clock & 1),
        pieces([cat(kind, 51, clock, raw(kind ? 0 : 0x40))]), more))
    }
  }
  const bad = {
    kind: cat(3, 1, 1),
    'clock-huge': cat(0, 51, HUGE, 0),
    'name-huge': cat(1, HUGE),
    'name-utf8': cat(1, raw(2, 0xc3, 0x28)),
    'assoc-huge': cat(1, 't', raw(0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0x0f)),
    'assoc-lowest': cat(1, 't', build(e => encoding.writeVarInt(e, -HUGE))),
    trailing: cat(1, 't', 0, 7)
  }
  for (const [name, bytes] of Object.entries(bad)) {
    put(`bad-${name}`, cat(raw(0), pieces([bytes]), more))
  }
}

const readCorpus = () => {
  const put = folder('read')
  for (const name of names) {
    const lines = read(name).filter(line => line[0] === 'update')
    const bytes = lines.length > 0 ? fromHex(lines.at(-1)[1]) : raw()
    if (lines.length === 0 || bytes.length > 1500) continue
    for (const kind of [0, 1, 2, 4]) {
      put(`vec-${name.slice(0, -4)}-${kind}`, cat(raw(kind | 8), bytes))
    }
  }
  /* each kind of content where it is not looked for */
  for (const [name, bytes] of Object.entries(badUpdates)) {
    put(`bad-${name}`, cat(raw(name.length % 7), bytes))
  }
}

const jsonCorpus = () => {
  const put = folder('json')
  /* roots as what they look like, then by turns; the last one in v2 */
  const modes = [0, 8, 16, 24]
  let n = 0
  documentsOfVectors('update', 2, (name, mode, list) =>
    put(name, Buffer.concat([raw(mode | modes[n++ % 4], n % 5), pieces(list)])))
  documentsOfVectors('update2', 1, (name, mode, list) =>
    put(`${name}-v2`, Buffer.concat([raw(mode | 4, 0), pieces(list)])))
}

/* Commands: nobody writes them by hand. */
const convergeCorpus = () => {
  const put = folder('converge')
  for (let seed = 1; seed <= 12; seed++) {
    const r = new Prng(seed, 'converge')
    put(`vec-${seed}`, Uint8Array.from({ length: 20 * seed }, () => r.below(256)))
  }
}

/* Scripts of daemon.c. A step is an operation, a client and its argument. */
const daemonCorpus = () => {
  const put = folder('daemon')
  const at = (op, client, arg = 0) => raw(op, client + 5 * arg)
  const piece = text => pieces([Buffer.from(text)])
  const open = (client, arg = 0) => at(6, client, arg)
  const upgrade = (client, arg = 0) => cat(open(client), at(10, client, arg))
  const join = (client, arg = 0) => at(11, client, arg)
  const type = (client, arg = 0, many = 3) => cat(at(12, client, arg), raw(many))
  const poll = (client, arg = 0, how = 0) => cat(at(9, client, arg), raw(how))
  const time = arg => at(15, 0, arg)
  const end = (client, arg) => at(7, client, arg)
  const cork = client => end(client, 4)
  const manage = n => cat(at(14, 0), raw(n))
  const script = (name, set, ...steps) => put(`vec-${name}`, cat(raw(set), ...steps))
  const two = [upgrade(0), upgrade(1, 3), join(0), join(1), type(0), type(1, 4)]
  /* one that polls, with a second connection to post on */
  const longpoll = how => [open(2), poll(2, 0, 4 + how), open(3), join(3, how),
    poll(2, 0, how)]
  for (const set of [0, 1, 8, 16, 32, 64, 192, 224]) {
    script(`websockets-${set}`, set, ...two, time(30), type(0), end(1, 1), time(50))
    script(`longpoll-${set}`, set, ...longpoll(0), poll(2), poll(2, 0, 8), type(3),
      time(40), poll(2))
    script(`mixed-${set}`, set, ...two, ...longpoll(0), type(0), poll(2), type(3),
      poll(2, 0, 8), poll(4), end(2, 1), poll(3))
  }
  script('old-clients', 0, upgrade(0, 1), upgrade(1, 2), join(0), join(1),
    type(0), cat(at(3, 1, 1), piece('{"x":1}')), ...longpoll(1), type(0), poll(2, 0, 1))
  script('pipelined', 0, open(0), cork(0), cat(at(8, 0), raw(0)), at(10, 0), join(0),
    type(0), cork(0), time(10))
  script('trickle', 0, open(0), cork(0), at(10, 0), ...Array(9).fill(at(13, 0, 25)),
    join(0), at(13, 0, 3), at(13, 0, 3), time(45))
  script('one-connection', 0, open(2), poll(2, 0, 4), join(2), poll(2), poll(2),
    type(2), poll(2), cat(at(8, 2, 3), raw(16)), cat(at(8, 2, 2), raw(0)), time(18),
    time(18), time(18), time(18), time(18))
  script('unread', 32, upgrade(0), open(1, 4), at(10, 1), join(0), join(1), end(1, 3),
    ...Array(40).fill(type(0, 0, 99)), time(20), end(1, 3), time(20))
  script('unread-poll', 32, upgrade(0), open(2, 4), poll(2, 0, 4), open(3), join(3),
    join(0), end(2, 3), ...Array(30).fill(type(0, 0, 99)), poll(2), time(20), end(2, 3),
    poll(2), poll(2, 0, 8))
  script('drain', 0, ...two, ...longpoll(0), manage(60), time(30), upgrade(4), poll(3))
  script('shed', 0, ...two, manage(1), upgrade(4), poll(3, 0, 4), manage(2), manage(1),
    manage(28), type(0), join(4), manage(4))
  script('flapping', 8, ...Array(4).fill(cat(upgrade(0, 11), end(0, 1))), upgrade(0, 11))
  script('tokens', 0, ...longpoll(0), poll(4, 28), poll(4, 1), open(4), poll(4, 28),
    poll(4, 1), cat(at(5, 4, 28), piece('[]')), cat(at(5, 4, 4), piece('["1","1","r","e",{}]\n[\nAAA=\n')))
  script('proxy', 1, open(0), cork(0),
    cat(at(0, 0), piece('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')), at(10, 0), cork(0))
  script('frames', 0, upgrade(0), join(0), cat(at(2, 0, 27), piece('x')),
    cat(at(2, 0, 0), piece('["1",')), cat(at(2, 0, 16), piece('"1","room:a"')),
    cat(at(2, 0, 40), piece('bye')), time(20))
  script('awareness', 0, ...two, cat(at(4, 0, 1), pieces([raw(1, 7, 1, 5, 1, 3, 0x7b, 0x7d)])),
    cat(at(4, 1, 1), pieces([raw(0, 0, 1, 0)])), cat(at(4, 1, 1), pieces([raw(3)])), time(45))
}

/* Without arguments all are written, otherwise those named. */
const makers = {
  json: jsonCorpus,
  converge: convergeCorpus,
  daemon: daemonCorpus,
  update: updateCorpus,
  lib0: lib0Corpus,
  vector: vectorCorpus,
  sync: syncCorpus,
  awareness: awarenessCorpus,
  seed: seedHeader,
  v2: v2Corpus,
  merge: mergeCorpus,
  diff: diffCorpus,
  snapshot: snapshotCorpus,
  position: positionCorpus,
  read: readCorpus
}
const wanted = process.argv.slice(2)
for (const [name, make] of Object.entries(makers)) {
  if (wanted.length === 0 || wanted.includes(name)) make()
}
for (const name of fs.readdirSync(path.join(here, 'corpus'))) {
  const dir = path.join(here, 'corpus', name)
  const files = fs.readdirSync(dir)
  const size = files.reduce((n, f) => n + fs.statSync(path.join(dir, f)).size, 0)
  console.log(`${name}: ${files.length} files, ${size} bytes`)
}
