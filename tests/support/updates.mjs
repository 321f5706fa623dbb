/* SPDX-License-Identifier: MIT */
/*
 * Yjs bytes for the raw tests: updates made by npm yjs, y-protocols messages,
 * and what is in them.
 */
import { Y, awareness as aw, decoding, encoding, sync } from './modules.mjs'

/* The update that `edit(doc)` made in a new document, and the document. */
export function makeUpdate (edit, clientID) {
  const doc = new Y.Doc()
  if (clientID !== undefined) doc.clientID = clientID
  edit(doc)
  return { doc, update: Buffer.from(Y.encodeStateAsUpdate(doc)) }
}

export const textUpdate = (text, clientID) =>
  makeUpdate(d => d.getText('t').insert(0, text), clientID).update

export function docOf (...updates) {
  const doc = new Y.Doc()
  for (const u of updates) Y.applyUpdate(doc, new Uint8Array(u))
  return doc
}

const message = write => {
  const e = encoding.createEncoder()
  write(e)
  return Buffer.from(encoding.toUint8Array(e))
}

export const syncStep1 = doc => message(e => {
  encoding.writeVarUint(e, 0)
  sync.writeSyncStep1(e, doc)
})

export const syncStep2 = (doc, vector) => message(e => {
  encoding.writeVarUint(e, 0)
  sync.writeSyncStep2(e, doc, vector)
})

export const syncUpdate = update => message(e => {
  encoding.writeVarUint(e, 0)
  sync.writeUpdate(e, new Uint8Array(update))
})

/* One awareness message from [clientID, clock, state] entries. */
export const awarenessMessage = entries => message(e => {
  encoding.writeVarUint(e, 1)
  const inner = encoding.createEncoder()
  encoding.writeVarUint(inner, entries.length)
  for (const [client, clock, state] of entries) {
    encoding.writeVarUint(inner, client)
    encoding.writeVarUint(inner, clock)
    encoding.writeVarString(inner, JSON.stringify(state))
  }
  encoding.writeVarUint8Array(e, encoding.toUint8Array(inner))
})

export const queryAwareness = () => message(e => encoding.writeVarUint(e, 3))

/* What one y-protocols message says. */
export function parseMessage (bytes) {
  const d = decoding.createDecoder(new Uint8Array(bytes))
  const type = decoding.readVarUint(d)
  if (type === 0) {
    const step = decoding.readVarUint(d)
    const data = Buffer.from(decoding.readVarUint8Array(d))
    return { type: ['step1', 'step2', 'update'][step], data, rest: left(d) }
  }
  if (type === 1) {
    const inner = decoding.createDecoder(decoding.readVarUint8Array(d))
    const entries = []
    for (let n = decoding.readVarUint(inner); n > 0; n--) {
      entries.push([decoding.readVarUint(inner), decoding.readVarUint(inner),
        JSON.parse(decoding.readVarString(inner))])
    }
    return { type: 'awareness', entries, rest: left(d) + left(inner) }
  }
  if (type === 3) return { type: 'query', rest: left(d) }
  return { type: `unknown ${type}` }
}

const left = d => d.arr.length - d.pos

export const readVector = bytes => Y.decodeStateVector(new Uint8Array(bytes))
export { aw }
