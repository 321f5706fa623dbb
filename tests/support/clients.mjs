/* SPDX-License-Identifier: MIT */
/*
 * The unmodified clients: npm phoenix with the application's own protocol
 * (CONTRACTS section 1), and npm y-phoenix-channel.
 */
import { EventEmitter } from 'node:events'
import { Y, phoenix, PhoenixChannelProvider, WebSocket } from './modules.mjs'
import { assert, eventually, waitFor } from './harness.mjs'

/* Each provider listens for the end of the process. */
process.setMaxListeners(0)

/* sessionStorage, where phoenix.js remembers a fallback. */
export class MemoryStorage {
  constructor () { this.items = new Map() }
  getItem (key) { return this.items.has(key) ? this.items.get(key) : null }
  setItem (key, value) { this.items.set(key, String(value)) }
  removeItem (key) { this.items.delete(key) }
}

/* phoenix.js's Socket on the given transport; t closes it. */
export function openSocket (t, endPoint, { transport = 'websocket', ...opts } = {}) {
  const socket = new phoenix.Socket(endPoint, {
    transport: transport === 'longpoll' ? phoenix.LongPoll : WebSocket,
    reconnectAfterMs: () => 50,
    rejoinAfterMs: () => 50,
    ...opts
  })
  t.after(() => waitFor('the socket to disconnect',
    resolve => socket.disconnect(resolve)))
  socket.connect()
  return socket
}

export function transportOf (socket) {
  return socket.conn instanceof phoenix.LongPoll ? 'longpoll' : 'websocket'
}

export const received = (push, status = 'ok') =>
  waitFor(`${status} to ${push.event}`, (resolve, reject) => {
    for (const s of ['ok', 'error', 'timeout']) {
      push.receive(s, r => s === status
        ? resolve(r)
        : reject(new Error(`${push.event}: ${s} ${JSON.stringify(r)}`)))
    }
  })

/* The first user's React hook, without React: join, apply the state, push
 * each local update, apply each remote one. */
export class Hook extends EventEmitter {
  constructor (socket, topic, doc = new Y.Doc()) {
    super()
    this.setMaxListeners(100)
    this.doc = doc
    this.socket = socket
    this.joins = 0
    this.updates = 0
    this.awareness = []
    this.channel = socket.channel(topic, {})
    this.presence = new phoenix.Presence(this.channel)
    this.channel.on('update', ({ data }) => {
      this.updates++
      Y.applyUpdate(doc, new Uint8Array(data), this)
      this.emit('change')
    })
    this.channel.on('awareness', payload => {
      this.awareness.push(payload)
      this.emit('change')
    })
    this.presence.onSync(() => this.emit('change'))
    this.channel.onError(() => this.emit('change'))
    doc.on('update', (update, origin) => {
      this.emit('change')
      if (origin !== this) this.channel.push('update', { data: Array.from(update) })
    })
    this.channel.join().receive('ok', ({ state }) => {
      this.joins++
      this.state = state
      if (state.length > 0) Y.applyUpdate(doc, new Uint8Array(state), this)
      this.emit('change')
    }).receive('error', reply => {
      this.refused = reply
      this.emit('change')
    })
  }

  joined (times = 1) {
    return eventually(`join number ${times} of ${this.channel.topic}`,
      () => {
        assert.equal(this.refused, undefined)
        return this.joins >= times
      }, [[this, 'change']])
  }

  until (what, check) { return eventually(what, check, [[this, 'change']]) }
}

export function openHook (t, endPoint, topic, options) {
  return new Hook(openSocket(t, endPoint, options), topic)
}

export function openProvider (t, endPoint, topic, { doc = new Y.Doc(), ...options } = {}) {
  const socket = openSocket(t, endPoint, options)
  const provider = new PhoenixChannelProvider(socket, topic, doc,
    { disableBc: true })
  t.after(() => {
    provider.awareness.destroy()
    provider.destroy()
  })
  return provider
}

export const synced = provider => eventually(
  `${provider.roomname} synced`, () => provider.synced, [[provider, 'sync']])

/* JSON with sorted keys: maps that converged may list theirs in any order. */
const canonical = value => JSON.stringify(value, (_key, v) =>
  v && typeof v === 'object' && !Array.isArray(v)
    ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => a < b ? -1 : 1))
    : v)

/* Whether all documents have the same history (state vector and delete set),
 * show the same through `view`, and wait for nothing. */
export function same (docs, view) {
  const [first, ...others] = docs
  const shot = Y.snapshot(first)
  const seen = canonical(view(first))
  return docs.every(d => d.store.pendingStructs === null &&
      d.store.pendingDs === null) &&
    others.every(d => Y.equalSnapshots(shot, Y.snapshot(d)) &&
      canonical(view(d)) === seen)
}

export function converged (docs, view, check = () => true) {
  return eventually('the documents to converge',
    () => check() && same(docs, view), docs.map(d => [d, 'update']), 25000)
}

let rooms = 0
/* A topic nobody else uses. */
export const freshTopic = (prefix = 'room:') =>
  `${prefix}${process.pid}-${++rooms}`
