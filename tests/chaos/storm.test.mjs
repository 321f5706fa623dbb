/* SPDX-License-Identifier: MIT */
/* Everybody comes back at once: the daemon dies and starts again under
 * thousands of clients, which reconnect as phoenix.js does. */
import net from 'node:net'
import { assert, test, SLOW } from '../support/harness.mjs'
import { frame, OP, upgradeText } from '../support/net.mjs'
import { ownRoomd, startRoomd } from '../support/roomd.mjs'
import { cpu } from '../abuse/stage.mjs'

const CLIENTS = process.env.MINUTES ? 5000 : 1000
const PAUSES = [10, 50, 100, 150, 200, 250, 500, 1000, 2000] // phoenix.js, then 5000

/* As little of a client as will do: it joins a room of ten, and comes back. */
class Client {
  constructor (port, i, onJoined) {
    Object.assign(this, { port, i, onJoined, tries: 0, joined: false, stopped: false })
    this.connect()
  }

  connect () {
    if (this.stopped) return
    const socket = this.socket = net.connect({ port: this.port, host: '127.0.0.1', noDelay: true })
    let open = false
    socket.on('connect', () => socket.write(upgradeText('/socket/websocket?vsn=2.0.0').text))
    socket.on('data', data => {
      if (!open && data.includes('101 ')) {
        open = true
        socket.write(frame(OP.text, JSON.stringify(['1', '1', `storm:${this.i % (CLIENTS / 10)}`, 'phx_join', {}])))
      }
      if (open && !this.joined && data.includes('"status":"ok"')) {
        this.joined = true
        this.tries = 0
        this.onJoined()
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.joined = false
      setTimeout(() => this.connect(), PAUSES[this.tries++] || 5000)
    })
  }

  stop () {
    this.stopped = true
    this.socket.destroy()
  }
}

test(`${CLIENTS} clients reconnect at once after a restart`, async t => {
  const first = await ownRoomd(t, { log_level: 'warning' })
  let joined = 0
  let whole
  const all = () => new Promise(resolve => { whole = resolve; joined = 0 })
  const clients = []
  t.after(() => clients.forEach(c => c.stop()))
  const start = all()
  for (let i = 0; i < CLIENTS; i++) {
    clients.push(new Client(first.port, i, () => { if (++joined === CLIENTS) whole() }))
  }
  await start
  const again = all()
  first.signal('SIGKILL')
  await first.waitExit()
  const began = performance.now()
  const second = await startRoomd({ log_level: 'warning' }, { port: first.port })
  t.after(async () => {
    if (!second.exited) second.signal('SIGKILL')
    await second.waitExit()
  })
  await again
  const seconds = (performance.now() - began) / 1000
  console.log(`# ${CLIENTS} clients: all joined again ${seconds.toFixed(1)} s after the restart, ` +
    `${cpu(second).toFixed(2)} s of server CPU`)
  assert.ok(seconds < 30 * SLOW, `${seconds} s`)
}, { limit: 120000 })
