/* SPDX-License-Identifier: MIT */
/*
 * A history: what a server sees of several clients that edit one document at
 * the same time. `makeHistory(seed, profile, options)` simulates the clients
 * with Yjs itself and returns the updates in the order of delivery:
 *
 *   { seed, profile, keepDeleted, v2, told, clientId, updates: [Uint8Array] }
 *
 * The updates are in format v1; `v2` asks for them to be handed over in v2,
 * `told` for the updates that the document tells of to be compared as well.
 * To simulate clients costs as much as to compare: neighbouring seeds share
 * what the clients did, and differ in all that comes after.
 * Everything in it follows from the arguments.
 */
import { encoding, Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { edit, openRoot, PROFILES, seedFormats } from './edits.mjs'
import {
  buildUpdate, parseUpdate, sectionEnd, splitUpdate
} from './update.mjs'

const randomClientId = (r, taken) => {
  for (;;) {
    const kind = r.below(10)
    const id = kind < 5 ? r.range(1, 60)
      : kind < 9 ? r.u32()
        : 4294967296 * r.below(2097152) + r.u32()
    if (id > 0 && !taken.has(id)) {
      taken.add(id)
      return id
    }
  }
}

/* ------------------------------------------------------------ the clients */

class Client {
  constructor (world, index) {
    const { r, profile } = world
    this.world = world
    this.inbox = []
    this.doc = new Y.Doc({ gc: r.chance(0.75), guid: `client-${index}` })
    this.doc.clientID = randomClientId(r, world.taken)
    this.ctx = {
      r, doc: this.doc, client: index, profile, guids: 0
    }
    const roots = Object.keys(PROFILES[profile])
      .map(name => openRoot(this.doc, name, index))
    this.undo = r.chance(0.5)
      ? new Y.UndoManager(roots, { captureTimeout: 0 }) : null
    this.doc.on('update', (update, origin) => {
      if (origin !== 'network') world.emitted(this, update)
    })
  }

  /* Yjs changes an id that it sees used by somebody else; with ids set by
   * hand that happens when a client's own updates come back merged. */
  receive (update) {
    const id = this.doc.clientID
    Y.applyUpdate(this.doc, update, 'network')
    this.doc.clientID = id
  }

  act () {
    const { r } = this.world
    if (this.undo !== null && r.chance(0.12)) {
      try {
        if (r.chance(0.6)) this.undo.undo()
        else this.undo.redo()
      } catch { /* 13.6.33 stumbles over a parent that was collected */
        this.undo = null
      }
      return
    }
    const group = r.chance(0.3) ? r.range(2, 5) : 1
    this.doc.transact(() => {
      for (let i = 0; i < group; i++) edit(this.ctx)
    })
  }

  listen () {
    const { r } = this.world
    if (this.inbox.length === 0) return
    if (r.chance(0.3)) r.shuffle(this.inbox)
    const n = r.chance(0.5) ? this.inbox.length : r.range(1, this.inbox.length)
    const batch = this.inbox.splice(0, n)
    if (batch.length > 1 && r.chance(0.2)) {
      this.receive(Y.mergeUpdates(batch))
    } else {
      for (const update of batch) this.receive(update)
    }
  }
}

class World {
  constructor (seed, profile, options) {
    this.r = new Prng(seed, `history/${profile}`)
    this.profile = profile
    this.taken = new Set()
    this.log = []
    this.clients = []
    const n = options.clients ??
      (this.r.chance(0.04) ? this.r.range(9, 20) : this.r.range(1, 8))
    for (let i = 0; i < n; i++) this.clients.push(new Client(this, i))
    this.steps = options.steps ??
      (this.r.chance(0.04) ? this.r.range(40, 120)
        : this.r.chance(0.3) ? this.r.range(15, 40) : this.r.range(3, 15))
  }

  emitted (from, update) {
    this.log.push(update)
    for (const client of this.clients) {
      if (client !== from) client.inbox.push(update)
    }
  }

  run () {
    const { r } = this
    if (this.profile === 'format') {
      seedFormats(this.clients[0].doc)
      for (const client of this.clients) client.listen()
    }
    const chatty = r.real()
    for (let i = 0; i < this.steps; i++) {
      const client = r.pick(this.clients)
      client.act()
      if (r.chance(chatty)) r.pick(this.clients).listen()
      if (r.chance(0.04)) this.log.push(this.snapshot())
    }
  }

  /* what a client sends as sync step 2 to somebody who knows something */
  snapshot () {
    const { r } = this
    const doc = r.pick(this.clients).doc
    if (r.chance(0.3)) return Y.encodeStateAsUpdate(doc)
    const other = r.pick(this.clients).doc
    if (r.chance(0.5)) {
      return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(other))
    }
    return Y.encodeStateAsUpdate(doc, randomStateVector(r, doc))
  }
}

/** A state vector near that of `doc`: cut anywhere, ahead, or unknown. */
export const randomStateVector = (r, doc) => {
  const sv = new Map()
  for (const [client, clock] of Y.decodeStateVector(Y.encodeStateVector(doc))) {
    if (r.chance(0.15)) continue
    if (r.chance(0.2)) sv.set(client, clock)
    else if (r.chance(0.1)) sv.set(client, clock + r.range(1, 9))
    else sv.set(client, r.below(clock + 1))
  }
  if (r.chance(0.1)) sv.set(r.range(1, 100), r.below(5))
  return Y.encodeStateVector(sv)
}

/** The same with clients in any order and more than once: the last counts. */
export const oddStateVector = (r, doc) => {
  const pairs = []
  for (const pair of Y.decodeStateVector(randomStateVector(r, doc))) {
    pairs.push(pair)
    if (r.chance(0.4)) pairs.push([pair[0], r.below(pair[1] + 2)])
  }
  r.shuffle(pairs)
  const e = encoding.createEncoder()
  encoding.writeVarUint(e, pairs.length)
  for (const number of pairs.flat()) encoding.writeVarUint(e, number)
  return encoding.toUint8Array(e)
}

/* ----------------------------------------------------------- the delivery */

/* one update in several parts: sections, structs, deletes on their own */
const cutByHand = (r, bytes) => {
  let rest = parseUpdate(bytes)
  const parts = []
  for (let i = 0; i < 3 && rest.clients.length > 0 && r.chance(0.7); i++) {
    const which = r.below(rest.clients.length)
    const k = r.range(1, rest.clients[which].structs.length)
    const [head, tail] = splitUpdate(rest, which, k)
    parts.push(buildUpdate(head))
    rest = tail
  }
  if (rest.deletes.length > 0 && r.chance(0.5)) {
    parts.push(buildUpdate({ clients: [], deletes: rest.deletes }))
    rest = { ...rest, deletes: [] }
  }
  parts.push(buildUpdate(rest))
  return parts
}

/* the tail from a clock inside the update, and the whole or the head after */
const cutByDiff = (r, bytes) => {
  const sv = new Map()
  for (const client of parseUpdate(bytes).clients) {
    const end = sectionEnd(client)
    if (end > client.clock) sv.set(client.id, r.range(client.clock, end - 1))
  }
  const tail = Y.diffUpdate(bytes, Y.encodeStateVector(sv))
  return r.chance(0.7) ? [tail, bytes] : [tail]
}

const merged = (r, log) => {
  const out = []
  for (let i = 0; i < log.length;) {
    const n = r.chance(0.4) ? r.range(2, 6) : 1
    const part = log.slice(i, i + n)
    i += n
    if (part.length === 1) {
      out.push(part[0])
      continue
    }
    if (r.chance(0.3)) r.shuffle(part)
    if (part.length > 2 && r.chance(0.3)) out.push(part.pop())
    out.push(Y.mergeUpdates(part))
  }
  return out
}

const reordered = (r, log, width) => {
  const keyed = log.map((u, i) => [i + r.real() * width, u])
  keyed.sort((a, b) => a[0] - b[0])
  return keyed.map(k => k[1])
}

const otherVersion = bytes =>
  Y.convertUpdateFormatV2ToV1(Y.convertUpdateFormatV1ToV2(bytes))

/* Delivery of the log: each disturbance is on or off for a whole history, so
 * that plain histories stay plain and failures easy to read. */
const deliver = (r, log) => {
  let out = log
  const late = []
  if (r.chance(0.3)) out = merged(r, out)
  if (r.chance(0.3)) {
    const p = r.real() * 0.5
    out = out.flatMap(u => !r.chance(p) ? [u]
      : r.shuffle(r.chance(0.5) ? cutByHand(r, u) : cutByDiff(r, u)))
  }
  if (r.chance(0.05)) out = out.map(u => r.chance(0.5) ? otherVersion(u) : u)
  if (r.chance(0.5)) out = reordered(r, out, r.pick([2, 4, 10, 50, 500]))
  if (r.chance(0.4)) {
    const p = r.real() * 0.3
    out = out.filter(u => {
      if (!r.chance(p)) return true
      late.push(u)
      return false
    })
    if (r.chance(0.7)) out.push(...r.shuffle(late))
  }
  if (r.chance(0.3)) {
    const p = r.real() * 0.3
    out = out.flatMap(u => r.chance(p) ? [u, u] : [u])
    if (r.chance(0.5) && out.length > 0) {
      const again = out.slice(r.below(out.length))
      out.push(...again.slice(0, 10))
    }
  }
  return out
}

/** So many seeds in a row share their clients. */
export const DELIVERIES = 4

/* what the clients of a profile did last */
const logs = new Map()

const clientsLog = (seed, profile, options) => {
  const number = Math.floor(seed / DELIVERIES)
  const key = `${number} ${options.clients} ${options.steps}`
  if (logs.get(profile)?.key !== key) {
    const world = new World(number, profile, options)
    world.run()
    logs.set(profile, { key, log: world.log })
  }
  return logs.get(profile).log
}

export const makeHistory = (seed, profile, options = {}) => {
  const log = clientsLog(seed, profile, options)
  const r = new Prng(seed, `delivery/${profile}`)
  const keepDeleted = r.chance(0.2)
  const v2 = r.chance(0.2)
  const told = r.chance(0.4)
  const updates = deliver(r, log)
  return { seed, profile, keepDeleted, v2, told, clientId: 999999937, updates }
}
