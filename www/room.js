/* SPDX-License-Identifier: MIT */
/*
 * A Yjs document in a room, over a Phoenix channel `room:<name>`:
 *
 *   join         -> {"state": [bytes]}   the document as one update
 *   update       {"data": [bytes]}       each change, both ways
 *   awareness    any JSON                relayed to the others
 *   presence_*                           who is here
 *
 * Edits made while there is no connection are not queued one by one: after
 * each join what the server lacks is sent as one update. So nothing is lost
 * however long a page was away, or if the server began anew.
 */
import { Socket, LongPoll, Presence } from './vendor/phoenix.mjs'
import * as Y from './vendor/yjs.mjs'

const FALLBACK_MS = 2500

export class Room extends EventTarget {
  /* transport: 'websocket', 'longpoll' or 'auto', which begins with WebSocket
   * and falls back. */
  constructor ({ endPoint, name, user, transport, doc }) {
    super()
    this.doc = doc
    this.user = user
    this.state = 'connecting'
    this.reason = null
    this.socket = new Socket(endPoint, {
      params: { user_id: user },
      ...(transport === 'longpoll' ? { transport: LongPoll } : {}),
      ...(transport === 'auto' ? { longPollFallbackMs: FALLBACK_MS } : {})
    })
    this.socket.onOpen(() => this.changed())
    this.socket.onClose(() => this.setState('connecting'))
    this.socket.onError(() => this.setState('connecting'))
    this.channel = this.socket.channel(`room:${name}`, {})
    this.presence = new Presence(this.channel)
    this.presence.onSync(() => this.changed())
    this.channel.on('update', ({ data }) =>
      Y.applyUpdate(doc, new Uint8Array(data), this))
    this.channel.on('awareness', payload =>
      this.dispatchEvent(new CustomEvent('awareness', { detail: payload })))
    this.channel.onError(() => this.setState('connecting'))
    doc.on('update', (update, origin) => {
      if (origin !== this && this.state === 'live') this.push(update)
    })
  }

  connect () {
    this.socket.connect()
    this.channel.join()
      .receive('ok', ({ state }) => this.joined(new Uint8Array(state)))
      .receive('error', ({ reason }) => this.setState('failed', reason))
  }

  get transport () {
    return this.socket.transport === LongPoll ? 'Long-poll' : 'WebSocket'
  }

  /* The presence keys of all who are here, ours among them. */
  get people () { return this.presence.list(key => key).sort() }

  joined (state) {
    /* WebSockets get through here: a server that restarts later must not look
     * like a proxy that forbids them. */
    if (this.socket.transport !== LongPoll) this.socket.longPollFallbackMs = null
    const theirs = new Y.Doc()
    if (state.length > 0) {
      Y.applyUpdate(theirs, state)
      Y.applyUpdate(this.doc, state, this)
    }
    this.setState('live')
    if (!Y.equalSnapshots(Y.snapshot(this.doc), Y.snapshot(theirs))) {
      this.push(Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(theirs)))
    }
    theirs.destroy()
  }

  push (update) {
    this.channel.push('update', { data: Array.from(update) })
      .receive('error', ({ reason }) => this.setState('failed', reason))
  }

  /* For the others, as it is; not kept by anybody. */
  tell (payload) {
    if (this.state === 'live') this.channel.push('awareness', payload)
  }

  setState (state, reason = null) {
    if (this.state === state && this.reason === reason) return
    this.state = state
    this.reason = reason
    this.changed()
  }

  changed () { this.dispatchEvent(new Event('change')) }
}
