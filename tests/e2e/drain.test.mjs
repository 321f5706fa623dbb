/* SPDX-License-Identifier: MIT */
/* Ends: SIGTERM under live connections and parked polls, a second signal,
 * SIGHUP. Every end must be clean, which a sanitizer build proves. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, OP, readResponse, requestText } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { ownRoomd } from '../support/roomd.mjs'
import { freshTopic, openHook } from '../support/clients.mjs'
import { eventually } from '../support/harness.mjs'
import fs from 'node:fs'

const exitedClean = async d =>
  assert.deepEqual(await d.waitExit(), { code: 0, signal: null }, d.log.slice(-3000))

async function joinedSocket (d, topic) {
  const ws = await RawSocket.open(d.where())
  ws.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await ws.json()
  return ws
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} with nobody there: exit 0`, async t => {
    const d = await ownRoomd(t)
    d.signal(signal)
    await exitedClean(d)
  })
}

test('SIGTERM under WebSockets, parked polls, sessions between polls, open requests', async t => {
  const d = await ownRoomd(t, { drain_timeout: '8s' })
  const topic = freshTopic()
  const sockets = []
  for (let i = 0; i < 30; i++) sockets.push(await joinedSocket(d, topic))
  const polls = []
  for (let i = 0; i < 30; i++) {
    const lp = await RawPoll.open(d.where())
    await lp.send('1', '1', topic, 'phx_join')
    for (let n = 0; n < 3; n++) await lp.next()
    polls.push(lp)
  }
  /* Presence of the later ones is in the queues: poll it away. */
  const parked = []
  for (const lp of polls) {
    await lp.send(null, 'b', 'no:topic', 'x')
    while ((await lp.next())[1] !== 'b');
    parked.push(await lp.begin('GET'))
  }
  while ((await d.metrics()).value('roomd_longpoll_parked') < 30);
  const between = await RawPoll.open(d.where())
  const probe = await Wire.open(d.where())
  probe.write(requestText('GET', '/ready'))
  assert.equal((await readResponse(probe)).status, 200)
  const half = await Wire.open(d.where())
  half.write('GET /health HTTP/1.1\r\n')
  const from = d.log.length

  d.signal('SIGTERM')
  await d.waitLog(/drain/i, { from })
  probe.write(requestText('GET', '/ready'))
  probe.write(requestText('GET', '/health'))
  const ready = await readResponse(probe).catch(() => null)
  if (ready !== null) assert.equal(ready.status, 503)
  for (const ws of sockets) {
    const { close } = await ws.closed()
    assert.equal(close, 1012)
    ws.sendFrame(OP.close, Buffer.of(0x03, 0xf4))
  }
  for (const p of parked) assert.equal((await p.answer).status, 410)
  await exitedClean(d)
  for (const s of [...sockets, probe, half]) s.destroy()
  assert.equal(between.queue.length, 0)
})

test('readiness fails first, while connections still work', async t => {
  const d = await ownRoomd(t, { drain_delay: '2s', drain_timeout: '10s' })
  const topic = freshTopic()
  const ws = await joinedSocket(d, topic)
  const lp = await RawPoll.open(d.where())
  const from = d.log.length
  d.signal('SIGTERM')
  await d.waitLog(/drain/i, { from })
  const ready = await d.request('GET', '/ready')
  assert.equal(ready.status, 503)
  assert.equal((await d.request('GET', '/health')).status, 200)
  ws.send(null, '5', 'phoenix', 'heartbeat')
  assert.equal((await ws.json())[1], '5')
  await lp.send(null, '6', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '6')
  assert.equal((await ws.closed()).close, 1012)
  ws.destroy()
  await exitedClean(d)
})

test('peers that do not answer the close do not hold the end up for ever', async t => {
  const d = await ownRoomd(t, { drain_timeout: '2s' })
  const held = []
  for (let i = 0; i < 10; i++) held.push(await RawSocket.open(d.where()))
  const stuck = await Wire.open({ ...d.where(), pauseReads: true })
  stuck.write(requestText('GET', '/metrics'))
  d.signal('SIGTERM')
  await exitedClean(d)
  held.forEach(s => s.destroy())
  stuck.destroy()
})

test('a second signal ends at once', async t => {
  const d = await ownRoomd(t, { drain_timeout: '60s', drain_delay: '30s' })
  const ws = await joinedSocket(d, freshTopic())
  const from = d.log.length
  d.signal('SIGTERM')
  await d.waitLog(/drain/i, { from })
  const began = Date.now()
  /* The second counts from half a second on: until then it is an echo. */
  const again = setInterval(() => d.signal('SIGTERM'), 100)
  await d.waitExit().finally(() => clearInterval(again))
  assert.ok(Date.now() - began < 5000)
  assert.match(d.log, /ended by a second signal/)
  ws.destroy()
})

test('two signals at once are one: it drains', async t => {
  const d = await ownRoomd(t, { drain_timeout: '10s' })
  const ws = await joinedSocket(d, freshTopic())
  d.signal('SIGTERM')
  d.signal('SIGINT')
  assert.equal((await ws.next()).close, 1012)
  ws.sendFrame(OP.close, Buffer.of(3, 0xf4))
  await exitedClean(d)
})

test('clients with unread bytes in their queues are drained too', async t => {
  const d = await ownRoomd(t, { drain_timeout: '3s' })
  const topic = freshTopic()
  const slow = await Wire.open({ ...d.where(), pauseReads: true })
  const ws = await joinedSocket(d, topic)
  slow.socket.on('error', () => {})
  const helper = await RawSocket.open(d.where())
  helper.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await helper.json()
  helper.wire.socket.pause()
  for (let i = 0; i < 100; i++) {
    ws.send('1', '2', topic, 'awareness', { x: 'y'.repeat(60000) })
  }
  await ws.drainQueue()
  d.signal('SIGTERM')
  await exitedClean(d)
  helper.destroy()
  slow.destroy()
  ws.destroy()
})

test('phoenix.js on both transports, drained: it tries again, by itself', async t => {
  const d = await ownRoomd(t)
  const topic = freshTopic()
  const a = openHook(t, d.ws(), topic)
  const b = openHook(t, d.ws(), topic, { transport: 'longpoll' })
  await Promise.all([a.joined(), b.joined()])
  const codes = []
  a.socket.onClose(e => { codes.push(['ws', e.code]); a.emit('change') })
  b.socket.onClose(e => { codes.push(['lp', e.code]); a.emit('change') })
  d.signal('SIGTERM')
  await eventually('both to be closed', () => ['ws', 'lp'].every(k => codes.some(c => c[0] === k)),
    [[a, 'change']])
  assert.deepEqual(codes.find(c => c[0] === 'ws'), ['ws', 1012])
  assert.deepEqual(codes.find(c => c[0] === 'lp'), ['lp', 3410])
  await exitedClean(d)
})

test('SIGHUP reloads, says what it cannot, and keeps connections', async t => {
  const d = await ownRoomd(t, { channels_per_socket: 1, log_level: 'info' })
  const ws = await RawSocket.open(d.where())
  t.after(() => ws.destroy())
  ws.send('1', '1', freshTopic(), 'phx_join')
  for (let i = 0; i < 3; i++) await ws.json()
  fs.writeFileSync(d.confFile, fs.readFileSync(d.confFile, 'utf8')
    .replace('channels_per_socket = 1', 'channels_per_socket = 5'))
  let from = d.log.length
  d.signal('SIGHUP')
  await d.waitLog(/reload/i, { from })
  const other = await RawSocket.open(d.where())
  t.after(() => other.destroy())
  for (let i = 0; i < 2; i++) {
    other.send(String(i), String(i), freshTopic(), 'phx_join')
    assert.equal((await other.json())[4].status, 'ok')
    await other.drainQueue()
  }
  ws.send(null, '9', 'phoenix', 'heartbeat')
  assert.equal((await ws.json())[1], '9')
  const good = fs.readFileSync(d.confFile, 'utf8')
  fs.writeFileSync(d.confFile, good + '\nno_such_key = 1\n')
  from = d.log.length
  d.signal('SIGHUP')
  await d.waitLog(/no_such_key/, { from })
  ws.send(null, '10', 'phoenix', 'heartbeat')
  assert.equal((await ws.json())[1], '10', 'a broken file changes nothing')
  assert.ok((await d.metrics()).value('roomd_reloads_total') >= 1)
  await d.stop()
})
