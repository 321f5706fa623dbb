/* SPDX-License-Identifier: MIT */
/* Limits on how much one client, one address and all of them together may
 * have: rates, connections, memory. Who keeps within them notices nothing. */
import fs from 'node:fs'
import { MEASURES_MEMORY, assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, frame, OP, upgradeText, readResponse } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { ownRoomd } from '../support/roomd.mjs'
import { openSocket, freshTopic, received } from '../support/clients.mjs'

const limit = name => `roomd_limit_total{limit="${name}"}`
const heartbeat = ref => JSON.stringify([null, String(ref), 'phoenix', 'heartbeat', {}])

async function moved (d, name, before = 0) {
  const value = (await d.metrics()).value(limit(name))
  assert.ok(value > before, `${name} ${value}`)
}

async function roundTrip (ws) {
  const began = performance.now()
  ws.send(null, 'rt', 'phoenix', 'heartbeat')
  while ((await ws.json())[1] !== 'rt');
  return performance.now() - began
}

test('a WebSocket that sends too many messages is read more slowly; nothing is lost', async t => {
  const d = await ownRoomd(t, { client_messages: 200, client_messages_burst: 100 })
  const [ws, other] = [await RawSocket.open(d.where()), await RawSocket.open(d.where())]
  t.after(() => { ws.destroy(); other.destroy() })
  const began = performance.now()
  ws.wire.write(Buffer.concat(Array.from({ length: 500 }, (_, i) => frame(OP.text, heartbeat(i)))))
  const quick = await roundTrip(other)
  for (let i = 0; i < 500; i++) assert.equal((await ws.json())[1], String(i))
  const ms = performance.now() - began
  assert.ok(ms > 1900, `500 messages at 200/s and a burst of 100 took ${ms} ms`)
  assert.ok(quick < 1000, `another client waited ${quick} ms`)
  await moved(d, 'client_rate')
  await d.stop()
})

test('bytes likewise, in messages of any size, and a Close still comes through', async t => {
  const d = await ownRoomd(t, { client_bytes: '100k', client_bytes_burst: '100k' })
  const ws = await RawSocket.open(d.where())
  t.after(() => ws.destroy())
  const big = ['x'.repeat(150000), 'y'.repeat(70000), 'z'.repeat(1000)]
  const began = performance.now()
  big.forEach((text, i) => ws.send(null, String(i), 'no:such', 'x', { text }))
  for (let i = 0; i < 3; i++) assert.equal((await ws.json())[1], String(i))
  assert.ok(performance.now() - began > 1000)
  ws.send(null, '9', 'no:such', 'x', { text: 'x'.repeat(300000) })
  await ws.json()
  ws.sendFrame(OP.close, Buffer.of(3, 0xe8))
  assert.equal((await ws.next()).close, 1000)
  await d.stop()
})

test('long-poll: the answer to a POST waits; who does not wait is refused', async t => {
  const d = await ownRoomd(t, { client_messages: 100, client_messages_burst: 100 })
  const lp = await RawPoll.open(d.where())
  const lines = n => Array.from({ length: n }, (_, i) => heartbeat(i))
  const began = performance.now()
  assert.equal((await lp.post(lines(250))).status, 200)
  const ms = performance.now() - began
  assert.ok(ms > 1400, `150 messages over took ${ms} ms`)
  const flood = await lp.begin('POST', {
    headers: { 'Content-Type': 'application/x-ndjson' }, body: lines(1500).join('\n')
  })
  await eventuallyHandled(d, 1750)
  assert.equal((await lp.post(lines(1))).status, 500, 'refused, in debt for over 10 s')
  flood.wire.destroy()
  assert.equal((await lp.poll()).status, 200, 'the session lives')
  await moved(d, 'client_rate')
  await d.stop()
})

async function eventuallyHandled (d, count) {
  while ((await d.metrics()).value('roomd_messages_received_total') < count);
}

test('one address: connections, WebSocket and long-poll', async t => {
  const d = await ownRoomd(t, { address_limits: 'all', address_connections: 5 })
  const held = []
  t.after(() => held.forEach(ws => ws.destroy()))
  for (let i = 0; i < 5; i++) held.push(await RawSocket.open(d.where()))
  const sixth = await RawSocket.open(d.where())
  assert.equal((await sixth.next()).close, 1013, 'opened, then closed')
  sixth.destroy()
  const { status } = await new RawPoll(d.where()).poll()
  assert.equal(status, 500)
  await moved(d, 'address_connections')
  const elsewhere = await RawSocket.open(d.where('127.0.0.1'), undefined,
    { wire: await from('127.0.0.9', d.port) })
  assert.ok(await roundTrip(elsewhere) >= 0, 'another address is served')
  held.push(elsewhere)
  held.shift().destroy()
  /* The metrics' own connections count as well, until they are closed. */
  let again
  for (let m = { close: 1013 }; m.close === 1013; m = await again.next()) {
    if (again) again.destroy()
    again = await RawSocket.open(d.where())
    again.send(null, '1', 'phoenix', 'heartbeat')
  }
  held.push(again)
  for (const ws of held.splice(0)) ws.destroy()
  await d.stop()
})

/* A connection from an address of our own choice. */
async function from (localAddress, port) {
  const net = await import('node:net')
  const socket = net.connect({ host: '127.0.0.1', port, localAddress, noDelay: true })
  await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })
  return new Wire(socket)
}

test('one address: far too many sockets are closed at once, and counted out again', async t => {
  const d = await ownRoomd(t, { address_limits: 'all', address_connections: 8 })
  const wires = []
  for (let i = 0; i < 30; i++) wires.push(await from('127.0.0.3', d.port))
  await Promise.all(wires.slice(14).map(w => w.rest()))
  assert.equal(wires.slice(0, 8).filter(w => w.ended).length, 0)
  wires.forEach(w => w.destroy())
  let open
  do open = (await d.metrics()).value('roomd_connections{transport="head"}')
  while (open > 0)
  const ws = await RawSocket.open(d.where(), undefined, { wire: await from('127.0.0.3', d.port) })
  await roundTrip(ws)
  ws.destroy()
  await d.stop()
})

test('one address: opens in a second', async t => {
  const d = await ownRoomd(t, {
    address_limits: 'all', address_opens: 1, address_opens_burst: 5
  })
  const codes = []
  for (let i = 0; i < 8; i++) {
    const ws = await RawSocket.open(d.where())
    ws.send(null, '1', 'phoenix', 'heartbeat')
    const m = await ws.next()
    codes.push(typeof m === 'string' ? 0 : m.close)
    ws.destroy()
  }
  assert.deepEqual(codes.slice(0, 5), [0, 0, 0, 0, 0])
  assert.ok(codes.includes(1013), `${codes}`)
  await moved(d, 'address_opens')
  await d.stop()
})

test('phoenix.js that is refused for its address backs off, and gets in later', async t => {
  const d = await ownRoomd(t, { address_limits: 'all', address_connections: 1 })
  const held = await RawSocket.open(d.where())
  for (const transport of ['websocket', 'longpoll']) {
    const before = (await d.metrics()).value(limit('address_connections'))
    const socket = openSocket(t, transport === 'websocket' ? d.ws() : d.url('/socket'), { transport })
    const channel = socket.channel(freshTopic(), {})
    const join = channel.join()
    while ((await d.metrics()).value(limit('address_connections')) < before + 3);
    assert.notEqual(channel.state, 'joined')
    fs.writeFileSync(d.confFile, fs.readFileSync(d.confFile, 'utf8')
      .replace('address_connections = 1', 'address_connections = 100'))
    const at = d.log.length
    d.signal('SIGHUP')
    await d.waitLog(/reloaded/, { from: at })
    await received(join)
    fs.writeFileSync(d.confFile, fs.readFileSync(d.confFile, 'utf8')
      .replace('address_connections = 100', 'address_connections = 1'))
    const again = d.log.length
    d.signal('SIGHUP')
    await d.waitLog(/reloaded/, { from: again })
    await new Promise(resolve => socket.disconnect(resolve))
  }
  held.destroy()
})

const resident = d => Number(/^VmRSS:\s+(\d+) kB$/m.exec(
  fs.readFileSync(`/proc/${d.pid}/status`, 'utf8'))[1]) * 1024

test('memory: half-sent messages cannot fill it; the largest go, the others stay', async t => {
  if (!MEASURES_MEMORY) return
  const d = await ownRoomd(t, { memory_bytes: '64M' })
  const good = await RawSocket.open(d.where())
  t.after(() => good.destroy())
  const hoard = []
  t.after(() => hoard.forEach(ws => ws.destroy()))
  const piece = frame(OP.text, 'h'.repeat(12 << 20), { fin: false })
  let peak = 0
  let worst = 0
  for (let i = 0; i < 12; i++) {
    const ws = await RawSocket.open(d.where())
    hoard.push(ws)
    ws.wire.socket.write(piece)
    await new Promise(resolve => ws.wire.socket.writableLength
      ? ws.wire.socket.once('drain', resolve).once('close', resolve)
      : resolve())
    worst = Math.max(worst, await roundTrip(good))
    peak = Math.max(peak, resident(d))
  }
  await d.waitLog(/memory is short/)
  await moved(d, 'memory_bytes')
  console.log(`# 12 half-sent messages of 12 MB, ceiling 64 MB: peak ${(peak / 1e6).toFixed(0)} MB, ` +
    `another client waited ${worst.toFixed(0)} ms at most`)
  assert.ok(peak < 110 << 20, `${peak}`)
  hoard.splice(0).forEach(ws => ws.destroy())
  let fresh
  for (let m = { close: 1013 }; m.close === 1013; m = await fresh.next()) {
    if (fresh) fresh.destroy()
    fresh = await RawSocket.open(d.where())
    fresh.send(null, '1', 'phoenix', 'heartbeat')
  }
  fresh.destroy()
  assert.match(d.log, /memory suffices again/)
}, { limit: 60000 })

test('memory: over the ceiling nobody new is served, as clients understand it', async t => {
  const d = await ownRoomd(t, { memory_bytes: '1M' })
  await d.waitLog(/memory is short/)
  const ws = await RawSocket.open(d.where())
  assert.equal((await ws.next()).close, 1013)
  ws.destroy()
  assert.equal((await new RawPoll(d.where()).poll()).status, 500)
  assert.equal((await d.request('GET', '/health')).status, 200)
  await moved(d, 'memory_bytes')
  await d.stop()
})

test('a WebSocket message that trickles in is given up', async t => {
  const d = await ownRoomd(t, { message_timeout: '1s' })
  const slow = await RawSocket.open(d.where())
  const other = await RawSocket.open(d.where())
  t.after(() => { slow.destroy(); other.destroy() })
  const bytes = frame(OP.text, 'x'.repeat(4000))
  let at = 0
  const drip = setInterval(() => slow.wire.write(bytes.subarray(at, ++at)), 20)
  const { close } = await slow.next().finally(() => clearInterval(drip))
  assert.equal(close, 1002)
  await moved(d, 'message_timeout')
  await roundTrip(other)
  /* Fragments whose end never comes, with pings between them. */
  const fragments = await RawSocket.open(d.where())
  t.after(() => fragments.destroy())
  fragments.sendFrame(OP.text, 'begin', { fin: false })
  const more = setInterval(() => {
    fragments.sendFrame(OP.ping, '')
    fragments.sendFrame(OP.more, 'x', { fin: false })
  }, 50)
  let end
  do end = await fragments.next()
  while (!end.close)
  clearInterval(more)
  assert.equal(end.close, 1002)
})

test('many messages one after the other are no slow message', async t => {
  const d = await ownRoomd(t, { message_timeout: '1s' })
  const ws = await RawSocket.open(d.where())
  t.after(() => ws.destroy())
  const began = Date.now()
  let i = 0
  while (Date.now() - began < 3500) {
    const bytes = frame(OP.text, heartbeat(i))
    ws.wire.write(bytes.subarray(0, 5))
    ws.wire.write(bytes.subarray(5))
    assert.equal((await ws.json())[1], String(i++))
  }
})

test('an upgrade is refused politely while the address has too many', async t => {
  const d = await ownRoomd(t, { address_limits: 'all', address_connections: 1 })
  const held = await RawSocket.open(d.where())
  t.after(() => held.destroy())
  const wire = await Wire.open(d.where())
  wire.write(upgradeText('/socket/websocket?vsn=2.0.0').text)
  assert.equal((await readResponse(wire)).status, 101, 'never 4xx: that sends users to long-poll for good')
  wire.destroy()
})
