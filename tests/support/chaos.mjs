/* SPDX-License-Identifier: MIT */
/*
 * A TCP proxy that is a bad network. Each connection gets the faults of its
 * moment, drawn from a seeded generator:
 *
 *   delay, jitter   ms that each chunk waits, in order
 *   rate            bytes a second in each direction
 *   cutAfter        bytes after which the connection is closed, or reset
 *   reset           by RST instead of FIN
 *   halfOpen        ms after which nothing passes any more and nobody is told
 *
 * TCP loses and reorders nothing within a connection, so neither does this.
 */
import net from 'node:net'
import { waitFor } from './harness.mjs'

/* mulberry32: small, seeded, good enough to draw faults. */
export function seeded (seed) {
  let a = seed >>> 0
  return () => {
    a = (a + 0x6d2b79f5) >>> 0
    let t = a
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const end = (socket, reset) => {
  if (reset && socket.resetAndDestroy) socket.resetAndDestroy()
  else socket.destroy()
}

/* One direction: what `from` sends reaches `to` late, slowly, or never. */
class Pipe {
  constructor (link, from, to) {
    this.link = link
    this.to = to
    this.free = 0 // when the line is free again
    this.timers = new Set()
    from.on('data', data => {
      from.pause()
      this.pass(data, () => from.resume())
    })
    from.on('end', () => { if (!link.dead) to.end() })
  }

  pass (data, next) {
    const { link } = this
    if (link.dead) return // half-open: swallowed, and no more is read
    const { delay = 0, jitter = 0, rate = 0 } = link.faults
    const now = performance.now()
    this.free = Math.max(this.free, now) + (rate ? data.length / rate * 1000 : 0)
    const at = this.free + delay + jitter * link.random()
    this.free = jitter ? Math.max(this.free, at - delay) : this.free
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      if (link.dead || this.to.destroyed) return
      this.to.write(data)
      link.count(data.length)
      next()
    }, Math.max(0, at - now))
    this.timers.add(timer)
  }

  stop () { for (const timer of this.timers) clearTimeout(timer) }
}

class Link {
  constructor (proxy, client) {
    this.proxy = proxy
    this.random = proxy.random
    this.faults = proxy.draw(proxy.random)
    this.client = client
    this.bytes = 0
    this.dead = false
    this.upstream = net.connect({ ...proxy.target, noDelay: true })
    this.pipes = [new Pipe(this, client, this.upstream), new Pipe(this, this.upstream, client)]
    for (const [one, other] of [[client, this.upstream], [this.upstream, client]]) {
      one.on('error', () => {})
      one.on('close', () => {
        if (!this.dead) other.destroy()
        this.over()
      })
    }
    if (this.faults.halfOpen) this.timer = setTimeout(() => { this.dead = true }, this.faults.halfOpen)
  }

  count (n) {
    this.bytes += n
    if (this.faults.cutAfter && this.bytes >= this.faults.cutAfter) this.cut(this.faults.reset)
  }

  cut (reset = false) {
    end(this.client, reset)
    end(this.upstream, reset)
    this.over()
  }

  over () {
    clearTimeout(this.timer)
    for (const pipe of this.pipes) pipe.stop()
    if (!this.dead || this.client.destroyed) this.proxy.links.delete(this)
  }
}

export class Chaos {
  /* `draw(random)` returns the faults of a new connection. */
  static async start (target, { seed = 1, draw = () => ({}) } = {}) {
    const proxy = new Chaos(target, seed, draw)
    await waitFor('the chaos proxy', resolve => proxy.server.listen(0, '127.0.0.1', resolve))
    proxy.port = proxy.server.address().port
    return proxy
  }

  constructor (target, seed, draw) {
    this.target = target
    this.random = seeded(seed)
    this.draw = draw
    this.links = new Set()
    this.accepted = 0
    this.server = net.createServer({ noDelay: true }, client => {
      this.accepted++
      this.links.add(new Link(this, client))
    })
  }

  url (at = '') { return `http://127.0.0.1:${this.port}${at}` }
  ws (at = '/socket') { return `ws://127.0.0.1:${this.port}${at}` }
  where () { return { host: '127.0.0.1', port: this.port } }

  /* Cut some of the connections: a proxy that restarts. */
  cut (share = 1) {
    for (const link of [...this.links]) {
      if (this.random() < share) link.cut(this.random() < 0.5)
    }
  }

  async stop () {
    for (const link of [...this.links]) {
      end(link.client)
      end(link.upstream)
      link.over()
    }
    await new Promise(resolve => this.server.close(resolve))
  }
}
