/* SPDX-License-Identifier: MIT */
/*
 * Golden vectors of format v2 and of updates without a document, made from the
 * updates of all other vectors.
 */
import { Y } from '../diff/npm.mjs'
import { Prng } from '../diff/prng.mjs'
import { fromHex, hex, Vector } from './vector.mjs'

const { decodeStateVector, encodeStateVector } = Y

/* Histories are many and alike: the features show every kind of content. */
const isPlain = vector => !/^(history|big|reject|v2|updates)/.test(vector.name)

/** The documents of a vector: [{ mode, updates }]. */
const documents = vector => {
  const list = []
  for (const line of vector.lines) {
    const [word, arg] = line.split(' ')
    if (word === 'doc') list.push({ mode: arg, updates: [] })
    if (word === 'update') list.at(-1).updates.push(fromHex(arg))
  }
  return list
}

const convert = vectors => {
  const v = new Vector('v2-convert', 'v1 to v2, and that back to v1')
  const seen = new Set()
  for (const { updates } of vectors.flatMap(documents)) {
    for (const update of updates) {
      const text = hex(update)
      if (seen.has(text)) continue
      seen.add(text)
      const v2 = Y.convertUpdateFormatV1ToV2(update)
      v.say('convert', text, hex(v2), hex(Y.convertUpdateFormatV2ToV1(v2)))
    }
  }
  return v
}

const documentsInV2 = vectors => {
  const v = new Vector('v2-doc', 'documents fed and read in v2')
  for (const { mode, updates } of vectors.flatMap(documents)) {
    if (updates.length > 40) continue
    const doc = new Y.Doc({ gc: mode === 'gc', guid: 'oracle' })
    doc.clientID = 999999937
    v.say('doc', mode)
    for (const update of updates) {
      const v2 = Y.convertUpdateFormatV1ToV2(update)
      Y.applyUpdateV2(doc, v2)
      const { pendingStructs, pendingDs } = doc.store
      v.say('update2', hex(v2), pendingStructs || pendingDs ? 'pending' : 'done')
    }
    const state = decodeStateVector(Y.encodeStateVector(doc))
    for (const [client, clock] of state) state.set(client, clock >> 1)
    const half = encodeStateVector(state)
    v.say('state2', '-', hex(Y.encodeStateAsUpdateV2(doc)))
    v.say('state2', hex(half), hex(Y.encodeStateAsUpdateV2(doc, half)))
    v.say('state', hex(Y.encodeStateAsUpdate(doc)))
  }
  return v
}

const FORMATS = {
  1: [Y.mergeUpdates, Y.diffUpdate, Y.encodeStateVectorFromUpdate,
    Y.parseUpdateMeta],
  2: [Y.mergeUpdatesV2, Y.diffUpdateV2, Y.encodeStateVectorFromUpdateV2,
    Y.parseUpdateMetaV2]
}

const sayUpdate = (v, format, update, r) => {
  const [, diff, vector, meta] = FORMATS[format]
  const { from, to } = meta(update)
  const sv = new Map([...to].filter(() => r.chance(0.8))
    .map(([client, clock]) => [client, r.below(clock + 2)]))
  const bytes = encodeStateVector(sv)
  v.say('uvector', format, hex(update), hex(vector(update)))
  v.say('meta', format, hex(update), [...from.keys()].sort((a, b) => a - b)
    .map(client => `${client}:${from.get(client)}-${to.get(client)}`)
    .join(',') || '-')
  v.say('udiff', format, hex(bytes), hex(update), hex(diff(update, bytes)))
}

/* Pieces of every document: gaps, overlaps, repetitions, any order. */
const merge = vectors => {
  const v = new Vector('updates-merge', 'merged, diffed, asked for their clocks')
  const r = new Prng(1, 'vectors/updates')
  for (const { updates } of vectors.flatMap(documents)) {
    if (updates.length === 0) continue
    for (const format of [1, 2]) {
      const all = format === 1 ? updates
        : updates.map(u => Y.convertUpdateFormatV1ToV2(u))
      const whole = FORMATS[format][0](all.slice(0, 20))
      let some = all.slice(0, 20).filter(() => r.chance(0.6))
      if (r.chance(0.5)) some = r.shuffle(some)
      if (r.chance(0.5)) some.push(whole)
      const merged = FORMATS[format][0](some)
      v.say('merge', format, hex(merged), ...some.map(hex))
      sayUpdate(v, format, merged, r)
    }
  }
  v.say('merge', 1, hex(Y.mergeUpdates([])))
  v.say('merge', 2, hex(Y.mergeUpdatesV2([])))
  return v
}

/** The vectors to be written in addition. */
export const updateVectors = all => {
  const plain = all.filter(isPlain)
  return [convert(plain), documentsInV2(plain), merge(plain)]
}
