/* SPDX-License-Identifier: MIT */
/* Abuse of what the machine has: connections, descriptors, memory. */
import fs from 'node:fs'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { assert } from '../support/harness.mjs'
import { OP, RawSocket, Wire, binaryPush, frame, readResponse, requestText } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { freshTopic } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { syncStep1, syncUpdate, textUpdate } from '../support/updates.mjs'
import { parsePrometheus } from '../support/prometheus.mjs'
import { SCALE, HEADER, abuse, cpu, from, many, resident } from './stage.mjs'

console.log(HEADER)

const gauge = async (d, name) => (await d.metrics()).value(name)

/* util-linux's prlimit changes the limits of a running process. */
const prlimit = (d, ...args) => execFileSync('prlimit', ['--pid', String(d.pid), ...args])
const descriptors = d => fs.readdirSync(`/proc/${d.pid}/fd`).length
const vmSize = d => Number(/^VmSize:\s+(\d+) kB$/m.exec(
  fs.readFileSync(`/proc/${d.pid}/status`, 'utf8'))[1]) * 1024

abuse('idle connections', {
  limits: SCALE < 10 ? [] : 'connections', keys: { head_timeout: '60s' }, seconds: 120
}, async d => {
  /* With 20,000 descriptors 17,664 connections are allowed, an eighth more is
   * told no politely, and the rest closed at once, the probe's polls as well. */
  const n = Math.min(2000 * SCALE, 19000)
  /* A connection that stands already is served, however many do. */
  const wire = await Wire.open(d.where())
  const ask = async () => {
    wire.write(requestText('GET', '/metrics'))
    const { body } = await readResponse(wire)
    return parsePrometheus(body.toString()).value('roomd_connections{transport="head"}')
  }
  await ask()
  const before = resident(d)
  const crowds = Array.from({ length: Math.ceil(n / 5000) }, (_, i) => spawn(process.execPath,
    [fileURLToPath(new URL('idle.mjs', import.meta.url)), d.port,
      Math.min(n - 5000 * i, 5000)],
    { stdio: ['pipe', 'pipe', 'inherit'] }))
  const told = await Promise.all(crowds.map(async crowd => {
    const [line] = await once(crowd.stdout, 'data')
    return JSON.parse(line)
  }))
  const refused = told.reduce((sum, one) => sum + one.refused, 0)
  const open = await ask()
  const grown = resident(d) - before
  if (SCALE >= 10) {
    const late = await RawSocket.open(d.where())
    assert.equal((await late.closed()).close, 1013)
  }
  crowds.forEach(crowd => crowd.stdin.end())
  while (await ask() > 0);
  wire.destroy()
  return `${n} connections from ${250 * crowds.length} addresses that say nothing: ${open} held ` +
    `(${Math.round(grown / open)} bytes each), ${refused} refused`
})

abuse('one address takes all it can', {
  limits: 'address_connections', keys: { address_limits: 'all', address_connections: 100 }
}, async d => {
  const wires = await many(400 * SCALE, 50, () => from('127.0.0.66', d.port))
  const held = await gauge(d, 'roomd_connections{transport="head"}')
  assert.ok(held < 150, `${held}`)
  const other = await RawSocket.open(d.where(), undefined, { wire: await from('127.0.0.67', d.port) })
  other.destroy()
  wires.forEach(w => w.destroy())
  return `${wires.length} connections of one address, 100 allowed: ${held} held, the rest closed at once; other addresses are served`
})

abuse('one address opens and opens', {
  limits: 'address_opens',
  keys: { address_limits: 'all', address_opens: 10, address_opens_burst: 50 }
}, async d => {
  let good = 0
  await many(300, 20, async () => {
    const ws = await RawSocket.open(d.where(), undefined, { wire: await from('127.0.0.66', d.port) })
    ws.send(null, '1', 'phoenix', 'heartbeat')
    const m = await ws.next()
    if (typeof m === 'string') good++
    else assert.equal(m.close, 1013)
    ws.destroy()
  })
  return `300 WebSockets in a row: ${good} served, the others opened and closed with 1013`
})

abuse('no descriptor left', { limits: 'descriptors' }, async d => {
  const have = descriptors(d)
  prlimit(d, `--nofile=${have + 20}:20000`)
  const from = d.log.length
  const wires = []
  for (let i = 0; i < 100; i++) wires.push(await Wire.open(d.where()))
  await d.waitLog(/out of descriptors/, { from })
  /* The listening socket stays readable: a loop that spins would burn it. */
  const began = Date.now()
  const spent = cpu(d)
  await d.waitLog(/out of descriptors[^]*out of descriptors[^]*out of descriptors/, { from })
  const share = (cpu(d) - spent) / ((Date.now() - began) / 1000)
  assert.ok(share < 0.3, `it spins: ${share}`)
  prlimit(d, '--nofile=20000:20000')
  wires.forEach(w => w.destroy())
  assert.equal((await d.request('GET', '/health')).status, 200)
  return `20 descriptors more, 100 connections: a log line, new ones wait or are closed, ${(share * 100).toFixed(1)} % CPU, then all is well again`
})

abuse('no memory left', { limits: 'memory_bytes', seconds: 90 }, async d => {
  const topic = freshTopic()
  prlimit(d, `--as=${vmSize(d) + (24 << 20)}:unlimited`)
  const piece = frame(OP.text, 'h'.repeat(12 << 20), { fin: false })
  const hoard = []
  for (let i = 0; i < 6; i++) {
    const hog = await RawSocket.open(d.where())
    hoard.push(hog)
    hog.wire.socket.write(piece)
  }
  /* Big updates until something gives: an error reply, or the connection. */
  let [errors, closed] = [0, 0]
  for (let i = 0, ws = null; i < 30; i++) {
    if (!ws) {
      ws = await RawSocket.open(d.where())
      hoard.push(ws)
      ws.send('1', '1', topic, 'phx_join')
    }
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('m'.repeat(1 << 20)))))
    ws.send(null, 'b', 'no:topic', 'x')
    for (let m = ''; ;) {
      m = await ws.next()
      if (m.close) {
        closed++
        ws = null
        break
      }
      if (typeof m !== 'string') continue
      const [, ref, , , payload] = JSON.parse(m)
      if (ref === 'b') break
      if (payload.status === 'error') errors++
    }
  }
  hoard.forEach(h => h.destroy())
  prlimit(d, '--as=unlimited:unlimited')
  await d.waitLog(/out of memory/)
  await d.waitLog(/memory suffices again/)
  assert.ok(errors + closed > 0)
  return `24 MB of address space more, hoarded: ${closed} connections closed with 1013, ${errors} requests with an error reply, nothing crashes, small edits go on`
})

abuse('half-sent messages', { limits: 'memory_bytes', keys: { memory_bytes: '80M' } }, async d => {
  const piece = frame(OP.text, 'h'.repeat(14 << 20), { fin: false })
  let peak = 0
  const hoard = []
  for (let i = 0; i < 10 * SCALE; i++) {
    const ws = await RawSocket.open(d.where())
    hoard.push(ws)
    ws.wire.socket.write(piece)
    await new Promise(resolve => ws.wire.socket.once('drain', resolve).once('close', resolve))
    peak = Math.max(peak, resident(d))
  }
  hoard.forEach(ws => ws.destroy())
  return `${hoard.length} x 14 MB, a ceiling of 80 MB: the largest are closed with 1013, the peak was ${(peak / 1e6).toFixed(0)} MB`
})

async function filled (d, topic, bytes) {
  const ws = await RawSocket.open(d.where())
  ws.send('1', '1', topic, 'phx_join')
  await ws.json()
  for (let i = 0; i < bytes; i += 2 << 20) {
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate(`${i}`.padEnd(2 << 20, 'd')))))
    await ws.drainQueue()
  }
  return ws
}

abuse('joiners of a large document that do not read', {}, async d => {
  const topic = freshTopic()
  const n = 100
  const ws = await filled(d, topic, 8 << 20)
  const before = resident(d)
  const hoard = await many(n, 10, async i => {
    const one = await RawSocket.open(d.where())
    one.wire.socket.pause()
    one.send('1', '1', topic, 'phx_join')
    if (i % 2) one.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
    return one
  })
  await many(20, 10, async () => {
    const lp = await RawPoll.open(d.where())
    await lp.send('1', '1', topic, 'phx_join')
    return lp
  })
  await ws.drainQueue()
  const grown = resident(d) - before
  assert.ok(grown < 120e6, `${grown}`)
  ;[ws, ...hoard].forEach(w => w.destroy())
  return `${n} WebSockets and 20 polls join 8 MB: ${(grown / 1e6).toFixed(0)} MB more in all`
})

abuse('members that do not read', { keys: { queue_bytes: '1M' }, seconds: 90 }, async d => {
  const topic = freshTopic()
  const ws = await filled(d, topic, 0)
  const hoard = await many(50, 10, async () => {
    const one = await RawSocket.open(d.where())
    one.wire.socket.pause()
    one.send('1', '1', topic, 'phx_join')
    return one
  })
  const before = resident(d)
  let peak = 0
  for (let i = 0; i < 100; i++) {
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('x'.repeat(100000)))))
    await ws.drainQueue()
    peak = Math.max(peak, resident(d) - before)
  }
  ;[ws, ...hoard].forEach(w => w.destroy())
  return `50 members of a busy room read nothing of 10 MB: closed with 1013 when queue_bytes is full; ${(peak / 1e6).toFixed(0)} MB at most, the document included`
})
