/* SPDX-License-Identifier: MIT */
/*
 * What stands between browsers and servers: a TCP proxy that looks at the
 * request heads and treats WebSocket upgrades as it is told. All else goes
 * through untouched. `mode`:
 *   pass     through
 *   forbid   403, as a filtering company proxy answers
 *   reset    the connection is reset
 *   hang     nothing is answered, ever
 *   swallow  the handshake goes through, frames from the client do not
 *   cut      all goes through, and is cut 100 to 500 ms after the handshake
 */
import net from 'node:net'
import { EventEmitter } from 'node:events'
import { waitFor } from './harness.mjs'

export class Proxy extends EventEmitter {
  static async start (target, { mode = 'pass', host = '127.0.0.1' } = {}) {
    const proxy = new Proxy(target, mode, host)
    await waitFor('the proxy', resolve =>
      proxy.server.listen(0, host, resolve))
    proxy.port = proxy.server.address().port
    return proxy
  }

  constructor (target, mode, host) {
    super()
    this.setMaxListeners(100)
    this.target = target
    this.mode = mode
    this.host = host
    this.pairs = new Set()
    this.upgrades = 0
    this.polls = 0
    this.server = net.createServer(s => this.accept(s))
  }

  url () { return `http://${this.host}:${this.port}` }
  ws (at = '/socket') { return `ws://${this.host}:${this.port}${at}` }

  accept (client) {
    const pair = { client, upstream: null, upgrade: false }
    let head = Buffer.alloc(0)
    this.pairs.add(pair)
    client.on('error', () => {})
    client.on('close', () => {
      this.pairs.delete(pair)
      if (pair.upstream) pair.upstream.destroy()
    })
    const onData = data => {
      head = Buffer.concat([head, data])
      if (!head.includes('\r\n\r\n')) return
      client.off('data', onData)
      client.pause()
      this.route(pair, head)
    }
    client.on('data', onData)
  }

  route (pair, head) {
    const text = head.toString('latin1')
    pair.upgrade = /^upgrade:\s*websocket/im.test(text)
    if (pair.upgrade) this.upgrades++
    else if (text.includes('/longpoll')) this.polls++
    this.emit('request')
    if (!pair.upgrade || ['pass', 'swallow', 'cut'].includes(this.mode)) {
      this.connect(pair, head)
    } else if (this.mode === 'forbid') {
      pair.client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n' +
        'Connection: close\r\n\r\n')
    } else if (this.mode === 'reset') {
      pair.client.resetAndDestroy
        ? pair.client.resetAndDestroy()
        : pair.client.destroy()
    } else {
      pair.client.resume()
    }
  }

  connect (pair, head) {
    const { client } = pair
    const upstream = net.connect(this.target)
    pair.upstream = upstream
    upstream.on('error', () => client.destroy())
    upstream.on('close', () => client.destroy())
    upstream.write(head)
    upstream.pipe(client)
    if (pair.upgrade && this.mode === 'swallow') client.resume()
    else client.pipe(upstream)
    client.resume()
    if (pair.upgrade && this.mode === 'cut') {
      /* not before: a client that was never connected falls back by itself */
      upstream.once('data', () => this.cutLater(pair))
    }
  }

  /* As if it had seen enough of what it does not like. */
  cutLater (pair) {
    const timer = setTimeout(() => {
      pair.client.destroy()
      pair.upstream.destroy()
    }, 100 + Math.random() * 400)
    pair.client.once('close', () => clearTimeout(timer))
  }

  /* Cuts connections as a crashed proxy does: the upgraded ones, or all. */
  kill ({ all = true } = {}) {
    for (const pair of [...this.pairs]) {
      if (!all && !pair.upgrade) continue
      pair.client.destroy()
      if (pair.upstream) pair.upstream.destroy()
    }
  }

  async stop () {
    this.kill()
    await new Promise(resolve => this.server.close(resolve))
  }
}
