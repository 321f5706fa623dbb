/* SPDX-License-Identifier: MIT */
/*
 * The differential test of edits: one document that is edited through libyjs
 * and through Yjs by the same calls, while others edit it too. Compared are
 * the updates that both tell of, v1 and v2, byte by byte, and what both encode.
 *
 * A history is { seed, profile, keepDeleted, clientId, steps }, a step
 *   { calls, flags }        a transaction (flags: see driver.c)
 *   { update, v2 }          an update of somebody else's, as hex
 */
import { isDeepStrictEqual } from 'node:util'
import { Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { edit } from './edits.mjs'
import { JSON_SPEC, OP, oracleJson } from './driver.mjs'
import {
  encodeCalls, nameRoots, randomCall, runCall, wellFormed
} from './calls.mjs'

const ABORT = 1
const OOM = 2
const OOM_COMMIT = 4

const hex = bytes => Buffer.from(bytes).toString('hex')
const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))

/* --------------------------------------------------------- the document, twin */

/** What Yjs makes of a step; the driver must make the same. */
export class Twin {
  constructor (history) {
    this.doc = new Y.Doc({ gc: !history.keepDeleted, guid: 'twin' })
    this.doc.clientID = history.clientId
    this.told = []
    this.doc.on('update', (v1, origin, doc, tr) =>
      this.told.push({ local: tr.local, v1 }))
    this.doc.on('updateV2', v2 => { this.told.at(-1).v2 = v2 })
  }

  /* How many calls were refused. */
  edit (calls) {
    let refused = 0
    this.doc.transact(() => {
      for (const call of calls) if (!runCall(this.doc, call)) refused++
    })
    return refused
  }

  apply (update, v2) {
    const id = this.doc.clientID
    if (v2) Y.applyUpdateV2(this.doc, update)
    else Y.applyUpdate(this.doc, update)
    if (this.doc.clientID !== id) this.doc.clientID = id + 1
  }

  takeTold () {
    const told = this.told
    this.told = []
    return told
  }
}

/* ------------------------------------------------------------------- histories */

const randomId = r => r.chance(0.5) ? r.range(1, 1000) * 10
  : r.chance(0.8) ? r.u32() : 4294967296 * r.below(2097151) + r.u32()

class World {
  constructor (seed, options) {
    const r = this.r = new Prng(seed, 'edits')
    r.plain = true /* no old JSON content in texts: see edits.mjs */
    this.history = {
      seed, profile: 'edits', keepDeleted: r.chance(0.2),
      clientId: randomId(r) || 1, steps: []
    }
    this.twin = new Twin(this.history)
    this.names = { text: 5, array: 3, map: 3, xml: 3, 日本: 1, more: 1 }
    for (const name in this.names) if (r.chance(0.3)) this.names[name] = 0
    this.names.text += 1
    this.ctx = {
      r, doc: this.twin.doc, guids: 0, formats: r.chance(0.7) ? 1 : 0,
      roots: this.names
    }
    this.oom = options.oom ?? 0
    const names = nameRoots(['text', 'array', 'map', 'xml', '日本'])
    /* here too: a text that becomes one late forgets that it has formats */
    this.twin.edit(names)
    this.add({ calls: names, flags: 0 })
    this.peers = []
    for (let n = r.below(4); n > 0; n--) this.peers.push(this.newPeer(n))
  }

  newPeer (n) {
    const doc = new Y.Doc({ gc: this.r.chance(0.7), guid: `peer-${n}` })
    doc.clientID = randomId(this.r) + n
    const peer = { doc, out: [], in: [] }
    for (const [name, get] of [['text', 'getText'], ['array', 'getArray'],
      ['map', 'getMap'], ['xml', 'getXmlFragment'], ['日本', 'getText']]) {
      doc[get](name)
    }
    doc.on('update', (update, origin) => {
      if (origin !== 'network') peer.out.push(update)
    })
    return peer
  }

  /* Run and keep a step; what it told goes to the others. */
  add (step) {
    this.history.steps.push(step)
    if (step.update !== undefined) {
      this.twin.apply(unhex(step.update), step.v2)
    }
    for (const { v1, local } of this.twin.takeTold()) {
      if (local) for (const peer of this.peers ?? []) peer.in.push(v1)
    }
  }

  edit () {
    const { r } = this
    const calls = []
    const n = r.chance(0.3) ? r.range(2, 8) : 1
    if (r.chance(0.04)) {
      /* the calls fit the document only as long as it is not changed */
      this.history.steps.push({ calls: [randomCall(this.ctx)], flags: ABORT })
      return
    }
    this.twin.doc.transact(() => {
      for (let i = 0; i < n; i++) {
        const call = randomCall(this.ctx)
        calls.push(call)
        runCall(this.twin.doc, call)
      }
    })
    let flags = 0
    if (r.chance(this.oom)) flags = r.chance(0.5) ? OOM : OOM_COMMIT
    this.add({ calls, flags })
  }

  /* Key after key: what a person does most. */
  type () {
    const { r } = this
    const text = this.twin.doc.getText('text')
    let at = r.below(text.length + 1)
    for (let n = r.range(2, 15); n > 0; n--) {
      const type = { root: 'text', kind: 2 }
      const call = r.chance(0.2) && at > 0
        ? { call: 'textDelete', type, at: --at, len: 1 }
        : { call: 'textInsert', type, at: at++, text: r.pick('abcde ') }
      this.twin.edit([call])
      this.add({ calls: [call], flags: 0 })
    }
  }

  deliver (peer) {
    const { r } = this
    if (peer.out.length === 0) return
    let batch = peer.out.splice(0, r.range(1, peer.out.length))
    if (r.chance(0.2)) r.shuffle(batch)
    if (batch.length > 1 && r.chance(0.3)) batch = [Y.mergeUpdates(batch)]
    for (const update of batch) {
      const v2 = r.chance(0.3)
      this.add({ update: hex(v2 ? Y.convertUpdateFormatV1ToV2(update) : update), v2 })
    }
  }

  peerEdit (peer) {
    const { r } = this
    const profile = r.pick(['nested', 'text', 'text', 'map', 'array', 'xml'])
    const ctx = { r, doc: peer.doc, client: 0, profile, guids: 0 }
    peer.doc.transact(() => {
      for (let n = r.chance(0.3) ? r.range(2, 4) : 1; n > 0; n--) edit(ctx)
    })
  }

  listen (peer) {
    for (const update of peer.in.splice(0)) {
      const id = peer.doc.clientID
      Y.applyUpdate(peer.doc, update, 'network')
      peer.doc.clientID = id
    }
  }

  /* Somebody with our client id, as after a restart from a copy. */
  double () {
    const { r } = this
    const peer = this.newPeer(7)
    Y.applyUpdate(peer.doc, Y.encodeStateAsUpdate(this.twin.doc), 'network')
    peer.doc.clientID = this.twin.doc.clientID
    this.peerEdit(peer)
    if (peer.out.length === 0) return
    const state = r.chance(0.5) ? Y.mergeUpdates(peer.out)
      : Y.encodeStateAsUpdate(peer.doc)
    this.add({ update: hex(state), v2: false })
  }

  run (steps) {
    const { r } = this
    while (this.history.steps.length < steps) {
      const op = r.weighted({
        edit: 40, type: 4, double: 0.5, peer: this.peers.length * 16
      })
      if (op === 'edit') this.edit()
      else if (op === 'type') this.type()
      else if (op === 'double') this.double()
      else {
        const peer = r.pick(this.peers)
        const what = r.below(3)
        if (what === 0) this.listen(peer)
        else if (what === 1) this.peerEdit(peer)
        else this.deliver(peer)
      }
    }
    return this.history
  }
}

export const makeWriteHistory = (seed, options = {}) => {
  const world = new World(seed, options)
  const { r } = world
  return world.run(options.steps ?? (r.chance(0.1) ? r.range(100, 300)
    : r.range(5, 60)))
}

/* ------------------------------------------------------------------- checking */

const SLOT = 0
const EMPTY = new Uint8Array(0)

/* What is asked, and what is to be answered. */
const script = history => {
  const twin = new Twin(history)
  const list = []
  const r = new Prng(history.seed, 'asked')
  const ask = (step, request, want) =>
    list.push({ step, request: { slot: SLOT, ...request }, want })
  ask(-1, {
    op: OP.OPEN, keepDeleted: history.keepDeleted, clientId: history.clientId
  }, {})
  ask(-1, { op: OP.WATCH }, {})
  history.steps.forEach((step, i) => {
    if (step.calls) {
      const data = encodeCalls(step.flags, step.calls)
      const refused = step.flags & ABORT ? undefined : twin.edit(step.calls)
      ask(i, { op: OP.EDIT, data }, { refused })
    } else {
      const update = unhex(step.update)
      twin.apply(update, step.v2)
      ask(i, { op: step.v2 ? OP.APPLY_V2 : OP.APPLY, data: update }, {})
    }
    const told = twin.takeTold()
    ask(i, { op: OP.TOLD }, { told: step.flags & OOM_COMMIT ? [] : told })
    if (!r.chance(0.3) && i < history.steps.length - 1) return
    ask(i, { op: OP.STATE, data: EMPTY },
      { data: Y.encodeStateAsUpdate(twin.doc) })
    ask(i, { op: OP.CHECK }, {})
  })
  const n = history.steps.length
  ask(n, { op: OP.VECTOR }, { data: Y.encodeStateVector(twin.doc) })
  const json = jsonOf(twin.doc)
  if (json !== null) {
    ask(n, { op: OP.JSON, data: Buffer.from(JSON_SPEC) }, { json })
  }
  ask(n, { op: OP.CLOSE }, {})
  return list
}

/* Yjs throws on attributes of XML that are objects with a property toString. */
const jsonOf = doc => {
  try {
    return oracleJson(doc)
  } catch {
    return null
  }
}

const parseTold = data => {
  const list = []
  for (let at = 0; at < data.length;) {
    const local = data[at++] === 1
    const take = () => {
      const n = data.readUInt32LE(at)
      at += 4 + n
      return data.subarray(at - n, at)
    }
    const v1 = take()
    list.push({ local, v1, v2: take() })
  }
  return list
}

const sayTold = list => list.map(({ local, v1, v2 }) =>
  `${local ? 'local' : 'remote'} ${hex(v1)} ${hex(v2)}`)

/* Halves of pairs live on in Yjs's memory, until it writes them down. */
const plain = value => JSON.parse(wellFormed(JSON.stringify(value, (key, v) =>
  typeof v === 'bigint' ? Number(v)
    : typeof v === 'string' ? wellFormed(v) : v)))

const mismatch = ({ request, want }, got) => {
  if (got.status !== 0) return `status ${got.status}`
  switch (request.op) {
    case OP.EDIT: {
      const n = got.data.readUInt32LE(0)
      return want.refused === undefined || want.refused === n ? null
        : `${n} calls refused, not ${want.refused}`
    }
    case OP.TOLD: {
      const got1 = sayTold(parseTold(got.data)).join('\n')
      return got1 === sayTold(want.told).join('\n') ? null : 'updates differ'
    }
    case OP.STATE:
    case OP.VECTOR:
      return hex(want.data) === hex(got.data) ? null : 'bytes differ'
    case OP.JSON:
      return isDeepStrictEqual(plain(want.json), plain(JSON.parse(got.data))) ? null
        : 'JSON differs'
    default: return null
  }
}

/** Resolves to null or a failure { history, step, request, want, got, reason }. */
export const checkWrites = async (history, driver) => {
  let list
  try {
    list = script(history)
  } catch (err) {
    return { skipped: err }
  }
  let replies
  try {
    replies = await driver.exec(list.map(entry => entry.request))
  } catch (err) {
    return { history, step: -1, reason: err.message, died: true }
  }
  for (let i = 0; i < list.length; i++) {
    const reason = mismatch(list[i], replies[i])
    if (reason !== null) {
      return { history, ...list[i], got: replies[i], reason }
    }
  }
  return null
}

const without = (list, from, n) =>
  [...list.slice(0, from), ...list.slice(from + n)]

/** The same failure in fewer steps with fewer calls. */
export const shrinkWrites = async (failure, driver, budget = 2000) => {
  let best = failure
  let runs = 0
  const attempt = async steps => {
    if (runs++ >= budget) return false
    const next = await checkWrites({ ...best.history, steps }, driver)
    if (next?.reason === undefined) return false
    best = next
    return true
  }
  const { steps } = failure.history
  if (failure.step >= 0) await attempt(steps.slice(0, failure.step + 1))
  for (let n = best.history.steps.length; n >= 1; n = n >> 1) {
    for (let from = 0; from < best.history.steps.length;) {
      if (!await attempt(without(best.history.steps, from, n))) from += n
    }
  }
  for (let i = 0; i < best.history.steps.length; i++) {
    for (let k = 0; k < (best.history.steps[i].calls?.length ?? 0);) {
      const all = best.history.steps.slice()
      all[i] = { ...all[i], calls: without(all[i].calls, k, 1) }
      if (!await attempt(all)) k++
    }
  }
  return best
}

export const sayWrites = (failure, say, describeUpdate) => {
  const { history, step, request, want, got, reason } = failure
  say(`FAIL seed ${history.seed} profile edits gc ${!history.keepDeleted} ` +
    `client ${history.clientId} step ${step}: ${request?.op}: ${reason}`)
  history.steps.forEach((s, i) => {
    if (s.calls) {
      say(` ${i} flags ${s.flags}`)
      for (const call of s.calls) say(`   ${JSON.stringify(call)}`)
    } else {
      say(` ${i} update ${s.v2 ? 'v2 ' : ''}${s.update}`)
      if (!s.v2) say(describeUpdate(unhex(s.update)))
    }
  })
  if (request?.op === OP.TOLD) {
    say(` want ${sayTold(want.told).join('\n      ')}`)
    for (const t of want.told) say(describeUpdate(t.v1))
    const told = parseTold(got.data)
    say(` got  ${sayTold(told).join('\n      ')}`)
    for (const t of told) say(describeUpdate(t.v1))
  } else if (want?.data) {
    say(` want ${hex(want.data)}`)
    say(describeUpdate(want.data))
    say(` got  ${hex(got.data)}`)
    if (request.op === OP.STATE) say(describeUpdate(got.data))
  } else if (want?.json) {
    say(` want ${JSON.stringify(plain(want.json))}`)
    say(` got  ${got.data}`)
  }
}

/* ------------------------------------------------------------------ self-test */

const string = bytes => {
  const head = Buffer.alloc(4)
  head.writeUInt32LE(bytes.length)
  return Buffer.concat([head, bytes])
}

/* The reply that is right. */
const rightReply = ({ request, want }) => {
  let data = Buffer.from(want.data ?? EMPTY)
  if (request.op === OP.EDIT) {
    data = Buffer.alloc(4)
    data.writeUInt32LE(want.refused ?? 0)
  } else if (request.op === OP.TOLD) {
    data = Buffer.concat(want.told.flatMap(({ local, v1, v2 }) =>
      [Buffer.from([local ? 1 : 0]), string(v1), string(v2)]))
  } else if (request.op === OP.JSON) {
    data = Buffer.from(JSON.stringify(plain(want.json)))
  }
  return { status: 0, data }
}

/** Replies with one thing wrong must be found: [name, found as it must be]. */
export const selfTestWrites = async () => {
  const history = makeWriteHistory(3)
  const flip = (reply, at) => { reply.data[at] ^= 1 }
  const faults = [
    ['no fault', -1, () => {}],
    ['an edit is refused', OP.EDIT, reply => flip(reply, 0)],
    ['an update of another kind is told', OP.TOLD, reply => flip(reply, 0)],
    ['the end of an update in v2 differs', OP.TOLD,
      reply => flip(reply, reply.data.length - 1)],
    ['a state differs', OP.STATE, reply => flip(reply, 3)],
    ['an invariant is broken', OP.CHECK, reply => { reply.status = -3 }],
    ['JSON differs', OP.JSON, reply => { reply.data = Buffer.from('{}') }]
  ]
  const results = []
  for (const [name, op, change] of faults) {
    const list = script(history)
    const at = list.findLastIndex(({ request }, i) => request.op === op &&
      rightReply(list[i]).data.length > (op === OP.TOLD ? 9 : -1))
    const driver = {
      exec: async () => list.map((entry, i) => {
        const reply = rightReply(entry)
        if (i === at) change(reply)
        return reply
      })
    }
    const failure = await checkWrites(history, driver)
    results.push([`edits: ${name}`, (failure === null) === (at < 0)])
  }
  return results
}
