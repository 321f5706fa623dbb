/* SPDX-License-Identifier: MIT */
/* A restart that nobody notices: stock clients type, on both transports,
 * behind haproxy with conf/proxies/haproxy-rolling.cfg, while the roomd that
 * serves them is told to end and another takes over; then back again. They
 * have the lines of README.md that give a server what it lacks. At the end all
 * hold what an oracle holds that saw every edit where it was made. */
import { assert, eventually, test, SLOW } from '../support/harness.mjs'
import { RawSocket } from '../support/net.mjs'
import { openSocket, transportOf } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { startRoomd, sourceDir } from '../support/roomd.mjs'
import { seeded } from '../support/chaos.mjs'
import { Program } from './program.mjs'

const CLIENTS = Number(process.env.CLIENTS || 100)
const ROOM = 10
const EVERY_MS = 4000 /* between two edits of one client */
const keys = {
  www: `${sourceDir}/www/dist`,
  log_level: 'warning',
  trusted_proxies: '127.0.0.1',
  drain_delay: '2s',
  drain_timeout: '8s'
}
const random = seeded(Number(process.env.SEED || 1))

const size = doc => [...Y.decodeStateVector(Y.encodeStateVector(doc)).values()]
  .reduce((sum, clock) => sum + clock, 0)

/* What a room should hold. */
class Oracle {
  constructor () { this.doc = new Y.Doc() }
  has (doc) { return size(doc) === size(this.doc) && this.text(doc) === this.text(this.doc) }
  text (doc) { return doc.getText('text').toString() }
}

class Typist {
  constructor (t, endPoint, i, oracle, world) {
    const transport = i % 4 === 3 ? 'longpoll' : 'websocket'
    Object.assign(this, { i, oracle, world, transport, joins: 0, lost: 0, doc: new Y.Doc() })
    this.socket = openSocket(t, endPoint, {
      transport, reconnectAfterMs: undefined, rejoinAfterMs: undefined
    })
    this.channel = this.socket.channel(`room:rolling-${Math.floor(i / ROOM)}`, {})
    this.channel.on('update', ({ data }) => {
      Y.applyUpdate(this.doc, new Uint8Array(data), 'server')
      world.changed()
    })
    this.channel.onError(() => { this.lost ||= performance.now() })
    this.doc.on('update', (update, origin) => {
      if (origin === 'server') return
      Y.applyUpdate(oracle.doc, update)
      this.channel.push('update', { data: Array.from(update) })
    })
    this.channel.join().receive('ok', ({ state }) => this.joined(state))
  }

  joined (state) {
    const known = new Uint8Array(state.length ? state : [0, 0])
    Y.applyUpdate(this.doc, known, 'server')
    const lacking = Y.encodeStateAsUpdate(this.doc, Y.encodeStateVectorFromUpdate(known))
    if (lacking.length > 2) this.channel.push('update', { data: Array.from(lacking) })
    this.joins++
    if (this.lost) this.world.recovered(performance.now() - this.lost, this)
    this.lost = 0
    this.world.changed()
  }

  /* A word somewhere, and now and then in the place of a letter. */
  type () {
    const text = this.doc.getText('text')
    const at = Math.floor(random() * (text.length + 1))
    this.doc.transact(() => {
      if (random() < 0.2 && at < text.length) text.delete(at, 1)
      text.insert(at, `${this.i}.`)
    })
  }
}

class World {
  constructor (t, endPoint) {
    this.times = []
    this.edits = 0
    this.oracles = Array.from({ length: Math.ceil(CLIENTS / ROOM) }, () => new Oracle())
    this.waiting = null
    this.all = Array.from({ length: CLIENTS }, (_, i) =>
      new Typist(t, endPoint, i, this.oracles[Math.floor(i / ROOM)], this))
  }

  recovered (ms) { this.times.push(ms) }

  /* Somebody got something: is what we wait for there? Asked once a turn. */
  changed () {
    if (!this.waiting || this.asked) return
    this.asked = true
    setImmediate(() => {
      this.asked = false
      if (this.waiting?.check()) this.waiting.resolve()
    })
  }

  until (what, check, ms) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`waited in vain: ${what()}`)), ms * SLOW)
      this.waiting = { check, resolve: () => { clearTimeout(timer); this.waiting = null; resolve() } }
      this.changed()
    })
  }

  joined (times, ms = 240000) {
    const late = () => this.all.filter(c => c.joins < times || c.lost)
    return this.until(() => `${late().length} have not joined ${times} times`,
      () => late().length === 0, ms)
  }

  /* Everybody types, each at a moment of its own. */
  start () {
    let next = 0
    this.timer = setInterval(() => {
      const until = next + CLIENTS * 50 / EVERY_MS
      for (; next < until; next++) {
        this.all[next % CLIENTS].type()
        this.edits++
      }
    }, 50)
  }

  stop () { clearInterval(this.timer) }

  same () {
    const behind = new Set(this.all)
    const check = () => {
      for (const c of behind) {
        if (c.oracle.has(c.doc)) behind.delete(c)
        else if (behind.size > 20) return false
      }
      return behind.size === 0
    }
    return this.until(() => `${behind.size} of ${CLIENTS} do not hold every edit`, check, 240000)
  }
}

const report = times => {
  const sorted = [...times].sort((a, b) => a - b)
  const at = part => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))])
  return `${sorted.length} reconnects, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`
}

const sockets = async d => (await d.metrics()).value('roomd_connections{transport="websocket"}')
const members = async d => (await d.metrics()).value('roomd_members')

test(`rolling restart under ${CLIENTS} typing clients: no edit is lost`, async t => {
  const servers = [await startRoomd(keys), await startRoomd(keys)]
  const ports = servers.map(d => d.port)
  t.after(async () => {
    for (const d of servers) if (!d.exited) { d.signal('SIGKILL'); await d.waitExit() }
  })
  const proxy = await Program.start('haproxy', 'haproxy-rolling.cfg', { 4000: ports[0], 4001: ports[1] })
  const world = new World(t, proxy.ws(8080))
  t.after(() => world.stop())
  await world.joined(1)
  const busy = (await members(servers[0])) === CLIENTS ? 0 : 1
  assert.equal(await members(servers[busy]), CLIENTS, 'all are on one of the two')
  world.start()
  for (const turn of [0, 1]) {
    const old = turn ? 1 - busy : busy
    const before = world.edits
    world.times = []
    const began = performance.now()
    servers[old].signal('SIGTERM')
    const left = servers[old].waitExit(240000 * SLOW)
    await world.joined(turn + 2)
    const seconds = (performance.now() - began) / 1000
    const { code } = await left
    assert.equal(code, 0)
    console.log(`# restart ${turn + 1} of 2, ${CLIENTS} clients (${world.all.filter(c => c.transport === 'longpoll').length} ` +
      `on long-poll), ${world.edits - before} edits meanwhile: ${report(world.times)}; ` +
      `all were back ${seconds.toFixed(1)} s after SIGTERM`)
    const taken = servers[1 - old]
    assert.equal(await members(taken), CLIENTS, 'all are on the other one')
    servers[old] = await startRoomd(keys, { port: ports[old] })
    /* the proxy knows that it is ready again, and still sends nobody there */
    await eventually('the proxy to see it', () => proxy.said.match(/is UP/g)?.length > turn,
      [[proxy.child.stderr, 'data'], [proxy.child.stdout, 'data']])
    const late = await RawSocket.open(proxy.where(8080))
    assert.equal(await sockets(servers[old]), 0)
    late.destroy()
  }
  world.stop()
  await world.same()
  for (const c of world.all) assert.equal(transportOf(c.socket), c.transport)
  console.log(`# ${world.edits} edits of ${CLIENTS} clients in ${world.oracles.length} rooms, each held by all`)
}, { limit: 900000 })
