/* SPDX-License-Identifier: MIT */
/* Receivers at 1 kB/s in a busy room cost the others nothing, and memory
 * within bounds; a large document reaches everybody all the same. */
import { MEASURES_MEMORY, assert, eventually, test, SLOW } from '../support/harness.mjs'
import { Chaos } from '../support/chaos.mjs'
import { RawSocket, binaryDecode, binaryPush } from '../support/net.mjs'
import { ownRoomd } from '../support/roomd.mjs'
import { freshTopic, openProvider, openSocket, Hook } from '../support/clients.mjs'
import { syncStep1, syncUpdate, textUpdate } from '../support/updates.mjs'
import { Y } from '../support/modules.mjs'
import { resident, startProbe, summary } from '../abuse/stage.mjs'

const LONG = Boolean(process.env.MINUTES)
const ms = s => `p50 ${s.p50.toFixed(1)} ms, p99 ${s.p99.toFixed(1)} ms of ${s.n}`

/* A room of 500 kB/s; the probe's own room tells what others feel of it. */
async function busy (d, topic, seconds) {
  const writer = await RawSocket.open(d.where())
  writer.send('1', '1', topic, 'phx_join')
  await writer.json()
  await writer.drainQueue()
  const probe = startProbe(d.where())
  await probe.ready
  const timer = setInterval(() =>
    writer.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('b'.repeat(10000))))), 20)
  const until = Date.now() + seconds * 1000
  while (Date.now() < until) await writer.drainQueue()
  clearInterval(timer)
  const { edits } = await probe.stop()
  writer.destroy()
  return summary(edits)
}

test('twenty receivers at 1 kB/s', async t => {
  const d = await ownRoomd(t, { queue_bytes: '256k' })
  const seconds = LONG ? 30 : 5
  const without = await busy(d, freshTopic(), seconds)
  const chaos = await Chaos.start(d.where(), { draw: () => ({ rate: 1000 }) })
  t.after(() => chaos.stop())
  const topic = freshTopic('y:')
  const slow = []
  t.after(() => slow.forEach(ws => ws.destroy()))
  for (let i = 0; i < 20; i++) {
    const ws = await RawSocket.open(chaos.where())
    slow.push(ws)
    ws.send('1', '1', topic, 'phx_join')
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
  }
  const before = resident(d)
  const with20 = await busy(d, topic, seconds)
  const grown = resident(d) - before
  const m = await d.metrics()
  console.log(`# others without slow receivers: ${ms(without)}; with 20 at 1 kB/s: ${ms(with20)}; ` +
    `memory ${(grown / 1e6).toFixed(1)} MB; made to join again ${m.value('roomd_resyncs_total')}, ` +
    `closed ${m.value('roomd_closed_total{code="1013"}')}`)
  assert.ok(m.value('roomd_resyncs_total') > 0, 'they did not keep up')
  assert.ok(with20.p99 < without.p99 * 5 + 100 * SLOW)
  assert.ok(!MEASURES_MEMORY || grown < 60e6)
}, { limit: 120000 })

/* Heartbeats sent while a large answer comes: how long each waited. */
async function joinWithHeartbeats (ws) {
  const waits = []
  let beat = 0
  const sent = new Map()
  const timer = setInterval(() => {
    sent.set(String(++beat), performance.now())
    ws.send(null, String(beat), 'phoenix', 'heartbeat')
  }, 50)
  const began = performance.now()
  for (;;) {
    const m = await ws.next(60000 * SLOW)
    if (typeof m === 'string') {
      const at = sent.get(JSON.parse(m)[1])
      if (at) waits.push(performance.now() - at)
      continue
    }
    const { payload } = binaryDecode(m)
    if (payload[0] === 0 && payload[1] === 1) break // step2
  }
  clearInterval(timer)
  return { seconds: (performance.now() - began) / 1000, waits }
}

test('a large document on both transports', async t => {
  const size = LONG ? 50 << 20 : 8 << 20
  const d = await ownRoomd(t, { client_bytes: '0' })
  const topic = freshTopic('y:')
  const ws = await RawSocket.open(d.where())
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  await ws.json()
  /* Two roots in turn: what one author writes on end becomes one struct. */
  const doc = new Y.Doc()
  let updates = []
  doc.on('update', u => updates.push(u))
  for (let i = 0; i * 60000 < size; i++) {
    doc.getArray(i % 2 ? 'a' : 'b').push([`${i}`.padEnd(60000, 'd')])
    if (updates.length < 16) continue
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(Y.mergeUpdates(updates))))
    updates = []
    await ws.drainQueue()
  }
  if (updates.length) ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(Y.mergeUpdates(updates))))
  await ws.drainQueue()
  const whole = Y.encodeStateVector(doc)
  const base = resident(d)
  const chaos = await Chaos.start(d.where(), { draw: () => ({ rate: size / 3 }) })
  t.after(() => chaos.stop())
  const raw = await RawSocket.open(chaos.where())
  t.after(() => raw.destroy())
  raw.send('1', '1', topic, 'phx_join')
  raw.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
  const { seconds, waits } = await joinWithHeartbeats(raw)
  const beats = summary(waits)
  console.log(`# ${size >> 20} MB by WebSocket over a line of ${(size / 3e6).toFixed(1)} MB/s: step2 after ${seconds.toFixed(1)} s, ` +
    `heartbeats meanwhile ${beats.n ? ms(beats) : 'none'}`)
  assert.ok(beats.n > 3 && beats.p99 < 3000 * SLOW)
  const began = performance.now()
  const lp = openProvider(t, d.url('/socket'), topic, { transport: 'longpoll' })
  await eventually('synced by long-poll', () => lp.synced, [[lp, 'sync']], 120000 * SLOW)
  assert.deepEqual(Y.encodeStateVector(lp.doc), whole)
  console.log(`# the same by long-poll: synced after ${((performance.now() - began) / 1000).toFixed(1)} s`)
  const wsProvider = openProvider(t, d.ws(), topic)
  await eventually('synced', () => wsProvider.synced, [[wsProvider, 'sync']], 120000 * SLOW)
  const joiners = await Promise.all(Array.from({ length: 100 }, async () => {
    const one = await RawSocket.open(d.where())
    one.wire.socket.pause()
    one.send('1', '1', topic, 'phx_join')
    one.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
    return one
  }))
  await ws.drainQueue()
  const grown = resident(d) - base
  console.log(`# and 100 more who join at once and do not read: ${(grown / 1e6).toFixed(0)} MB more in all`)
  joiners.forEach(one => one.destroy())
  assert.ok(!MEASURES_MEMORY || grown < size * 8 + 40e6, `${grown}`)
}, { limit: LONG ? 400000 : 120000 })

test('an application client joins a large document', async t => {
  const d = await ownRoomd(t, { client_bytes: '0' })
  const topic = freshTopic()
  const ws = await RawSocket.open(d.where())
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  await ws.json()
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('d'.repeat(4 << 20)))))
  await ws.drainQueue()
  for (const transport of ['websocket', 'longpoll']) {
    const began = performance.now()
    const hook = new Hook(openSocket(t, transport === 'longpoll' ? d.url('/socket') : d.ws(), { transport }), topic)
    await hook.joined()
    console.log(`# 4 MB by ${transport}, one join reply: ${((performance.now() - began) / 1000).toFixed(1)} s`)
  }
}, { limit: 60000 })
