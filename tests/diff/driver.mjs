/* SPDX-License-Identifier: MIT */
/*
 * Two things that answer the same requests (tests/diff/driver.c describes the
 * protocol): the C driver process, and the oracle, which is Yjs itself.
 *
 * A request is { op, slot, ... }; `exec(requests)` resolves to one reply
 * { status, data } for each. Many requests travel in one write, so that one
 * process serves thousands of histories.
 */
import { spawn } from 'node:child_process'
import { Y } from './npm.mjs'
import { MIXED_ROOT, ROOTS } from './edits.mjs'

export const OP = {
  OPEN: 1, CLOSE: 2, APPLY: 3, STATE: 4, VECTOR: 5, JSON: 6, CHECK: 7,
  APPLY_OOM: 8, HEAP: 9, APPLY_V2: 10, STATE_V2: 11,
  EDIT: 17, WATCH: 18, TOLD: 19
}
export const OP_NAMES = Object.fromEntries(
  Object.entries(OP).map(([name, code]) => [code, name]))

export const JSON_SPEC = Object.entries(ROOTS)
  .map(([name, kind]) => `${name}:${kind}`).join(',')

const EMPTY = new Uint8Array(0)

const u32 = n => {
  const b = Buffer.alloc(4)
  b.writeUInt32LE(n)
  return b
}

const encodeRequest = request => {
  let body = request.data ?? EMPTY
  if (request.op === OP.OPEN) {
    body = Buffer.alloc(9)
    body.writeUInt8(request.keepDeleted ? 1 : 0, 0)
    body.writeBigUInt64LE(BigInt(request.clientId), 1)
  }
  const head = Buffer.alloc(6)
  head.writeUInt32LE(body.length + 2, 0)
  head.writeUInt8(request.op, 4)
  head.writeUInt8(request.slot, 5)
  return Buffer.concat([head, body])
}

/** [{ local, v1, v2 }] of what TOLD answers. */
export const toldUpdates = data => {
  const list = []
  for (let at = 0; at < data.length;) {
    const update = { local: data[at++] !== 0 }
    for (const format of ['v1', 'v2']) {
      const len = data.readUInt32LE(at)
      update[format] = data.subarray(at + 4, at + 4 + len)
      at += 4 + len
    }
    list.push(update)
  }
  return list
}

export class Driver {
  constructor (path, args = []) {
    this.path = path
    this.args = args
    this.waiting = []
    this.unsent = []
    this.flushing = false
    this.child = null
  }

  start () {
    this.child = spawn(this.path, this.args,
      { stdio: ['pipe', 'pipe', 'pipe'] })
    /* the beginning of what it says while dying: a sanitizer's report */
    let said = ''
    this.child.stderr.on('data', chunk => {
      if (said.length < 4000) said += chunk
    })
    this.chunks = []
    this.have = 0
    this.child.stdout.on('data', chunk => this.read(chunk))
    this.child.stdin.on('error', () => {})
    const child = this.child
    const died = what => {
      if (this.child !== child) return
      this.child = null
      const waiting = this.waiting
      this.waiting = []
      this.unsent = []
      const err = new Error(`driver ${what}\n${said.slice(0, 4000)}`.trim())
      for (const w of waiting) w.reject(err)
    }
    child.on('error', err => died(`cannot run: ${err.message}`))
    child.on('close', (code, signal) =>
      died(`ended with ${signal ?? `code ${code}`}`))
  }

  exec (requests) {
    if (this.child === null) this.start()
    return new Promise((resolve, reject) => {
      this.waiting.push({ left: requests.length, replies: [], resolve, reject })
      for (const request of requests) this.unsent.push(encodeRequest(request))
      if (this.flushing) return
      this.flushing = true
      setImmediate(() => this.flush())
    })
  }

  /* what was asked in one turn goes out in one write */
  flush () {
    this.flushing = false
    const out = Buffer.concat(this.unsent)
    this.unsent = []
    if (this.child !== null) this.child.stdin.write(out)
  }

  read (chunk) {
    this.chunks.push(chunk)
    this.have += chunk.length
    let need = 4
    if (this.need !== undefined) need = this.need
    if (this.have < need) return
    let buf = Buffer.concat(this.chunks)
    while (buf.length >= 4) {
      const len = buf.readUInt32LE(0)
      if (buf.length < 4 + len) {
        this.need = 4 + len
        break
      }
      this.need = undefined
      this.reply(buf.subarray(4, 4 + len))
      buf = buf.subarray(4 + len)
    }
    this.chunks = [buf]
    this.have = buf.length
  }

  reply (body) {
    const w = this.waiting[0]
    w.replies.push({ status: body.readInt32LE(0), data: body.subarray(4) })
    if (w.replies.length === w.left) {
      this.waiting.shift()
      w.resolve(w.replies)
    }
  }

  close () {
    if (this.child !== null) this.child.stdin.end()
  }
}

/* ------------------------------------------------------------- the oracle */

/** The JSON of the roots as JSON.stringify would print them. */
export const oracleJson = doc => {
  const out = {}
  for (const [name, kind] of Object.entries(ROOTS)) {
    const type = kind === 'text' ? doc.getText(name)
      : kind === 'array' ? doc.getArray(name)
        : kind === 'map' ? doc.getMap(name) : doc.getXmlFragment(name)
    out[name] = type.toJSON()
  }
  return out
}

const stateOf = (doc, request, how) =>
  request.data.length === 0 ? how(doc) : how(doc, request.data)

export class Oracle {
  constructor () {
    this.docs = new Map()
    this.told = new Map()
  }

  watch (doc, slot) {
    const told = []
    this.told.set(slot, told)
    doc.on('update', (v1, origin, d, tr) => told.push({ local: tr.local, v1 }))
    doc.on('updateV2', v2 => { told.at(-1).v2 = v2 })
  }

  /* as tests/diff/calls.c writes it */
  takeTold (slot) {
    const list = this.told.get(slot).splice(0)
    return Buffer.concat(list.flatMap(({ local, v1, v2 }) =>
      [Buffer.from([local ? 1 : 0]), u32(v1.length), v1, u32(v2.length), v2]))
  }

  /* Replies of the oracle; APPLY of something Yjs refuses has status -1. */
  run (request) {
    const doc = this.docs.get(request.slot)
    switch (request.op) {
      case OP.OPEN: {
        const fresh = new Y.Doc({
          gc: !request.keepDeleted, guid: 'oracle'
        })
        fresh.clientID = request.clientId
        this.docs.set(request.slot, fresh)
        this.told.delete(request.slot)
        return { status: 0, data: EMPTY }
      }
      case OP.WATCH:
        this.watch(doc, request.slot)
        return { status: 0, data: EMPTY }
      case OP.TOLD:
        return { status: 0, data: this.takeTold(request.slot) }
      case OP.CLOSE:
        this.docs.delete(request.slot)
        return { status: 0, data: EMPTY }
      case OP.APPLY:
      case OP.APPLY_OOM:
        return this.apply(doc, request.data)
      case OP.APPLY_V2:
        return this.apply(doc, request.data, Y.applyUpdateV2)
      case OP.STATE:
        return { status: 0, data: stateOf(doc, request, Y.encodeStateAsUpdate) }
      case OP.STATE_V2:
        return {
          status: 0, data: stateOf(doc, request, Y.encodeStateAsUpdateV2)
        }
      case OP.VECTOR:
        return { status: 0, data: Y.encodeStateVector(doc) }
      case OP.JSON:
        return { status: 0, json: oracleJson(doc) }
      default:
        return { status: 0, data: EMPTY }
    }
  }

  apply (doc, update, how = Y.applyUpdate) {
    /* [changed or not is not asked of Yjs, pending] */
    how(doc, update)
    const { pendingStructs, pendingDs } = doc.store
    return {
      status: 0, pending: pendingStructs !== null || pendingDs !== null
    }
  }
}

export { MIXED_ROOT }
