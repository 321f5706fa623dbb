/* SPDX-License-Identifier: MIT */
/* Receivers that do not read: queues are bounded, awareness gives way first,
 * and a document never has a gap that nobody notices. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, binaryPush } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { Proxy } from '../support/proxy.mjs'
import { ownRoomd, sharedRoomd } from '../support/roomd.mjs'
import { converged, freshTopic, openHook } from '../support/clients.mjs'
import { syncUpdate, textUpdate } from '../support/updates.mjs'

const roomd = await sharedRoomd({ queue_bytes: '512k' })
const where = roomd.where()
const dropped = 'roomd_queue_dropped_total{class="awareness"}'
const full = 'roomd_limit_total{limit="queue_bytes"}'

async function member (t, topic) {
  const ws = await RawSocket.open(where)
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  assert.equal((await ws.json())[4].status, 'ok')
  await ws.drainQueue()
  return ws
}

/* The kernel's buffers hold some megabytes: go on until the metric moves. */
async function floodUntil (metric, ws, send) {
  const before = (await roomd.metrics()).value(metric)
  for (let i = 0; i < 2000; i++) {
    send(i)
    if (i % 50 === 49) {
      await ws.drainQueue()
      if ((await roomd.metrics()).value(metric) > before) return i
    }
  }
  throw new Error(`${metric} never moved`)
}

test('awareness is dropped, the newest stays, the connection lives', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  const slow = await member(t, topic)
  await ws.drainQueue()
  slow.wire.socket.pause()
  const last = await floodUntil(dropped, ws, i =>
    ws.send('1', '2', topic, 'awareness', { i, x: 'a'.repeat(60000) }))
  slow.wire.socket.resume()
  const got = (await slow.drainQueue()).map(m => JSON.parse(m)[4].i)
  assert.ok(got.length <= last, 'some were dropped')
  assert.equal(got[got.length - 1], last, 'the newest came')
  assert.deepEqual(got, [...got].sort((a, b) => a - b), 'in order')
})

test('document updates are never dropped: the connection ends with 1013', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  const slow = await member(t, topic)
  await ws.drainQueue()
  slow.wire.socket.pause()
  const updates = []
  await floodUntil(full, ws, i => {
    updates.push(textUpdate(`${i} ` + 'd'.repeat(60000)))
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(updates[i])))
  })
  slow.wire.socket.resume()
  let i = 0
  const { close, before } = await slow.closed().catch(() => ({ close: 1006, before: [] }))
  for (const m of before) {
    assert.ok(Buffer.from(JSON.parse(m)[4].data).equals(updates[i++]), 'no gap before the end')
  }
  assert.ok(close === 1013 || close === 1006, `close ${close}`)
  await ws.drainQueue()
  ws.send(null, '9', 'phoenix', 'heartbeat')
  while ((await ws.json())[1] !== '9'); // the sender is not held up
}, { limit: 60000 })

test('heartbeats are answered ahead of bulk data', async t => {
  const d = await ownRoomd(t, { queue_bytes: '64M' })
  const topic = freshTopic()
  const [ws, slow] = [await RawSocket.open(d.where()), await RawSocket.open(d.where())]
  t.after(() => { ws.destroy(); slow.destroy() })
  for (const s of [ws, slow]) {
    s.send('1', '1', topic, 'phx_join')
    await s.json()
    await s.drainQueue()
  }
  await ws.drainQueue()
  slow.wire.socket.pause()
  const count = 300 // 30 MB, more than the kernel holds for a connection
  for (let i = 0; i < count; i++) {
    const update = textUpdate(`${i} ` + 'b'.repeat(33000))
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(update)))
  }
  await ws.drainQueue()
  slow.send(null, 'beat', 'phoenix', 'heartbeat')
  /* Answered when a later message of the same client is: that one waits. */
  slow.send(null, 'later', 'no:topic', 'x')
  while ((await d.metrics()).value('roomd_messages_received_total') < count + 6);
  slow.wire.socket.resume()
  const order = []
  for (let m = await slow.json(); m[1] !== 'later'; m = await slow.json()) order.push(m[1])
  assert.ok(order.includes('beat'))
  assert.ok(order.indexOf('beat') < order.length - 10, `${order.indexOf('beat')} of ${order.length}`)
}, { limit: 60000 })

test('a long-poll session whose queue is full ends with 410', async t => {
  const topic = freshTopic()
  const lp = await RawPoll.open(where)
  await lp.send('1', '1', topic, 'phx_join')
  const ws = await member(t, topic)
  await floodUntil(full, ws, i =>
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('d'.repeat(30000))))))
  assert.equal((await lp.poll()).status, 410)
})

test('phoenix.js that was cut off for slowness syncs again and has everything', async t => {
  const proxy = await Proxy.start(where)
  t.after(() => proxy.stop())
  const topic = freshTopic()
  const slow = openHook(t, proxy.ws(), topic)
  const fast = openHook(t, roomd.ws(), topic)
  await Promise.all([slow.joined(), fast.joined()])
  for (const pair of proxy.pairs) pair.upstream.pause()
  const before = (await roomd.metrics()).value(full)
  let n = 0
  while ((await roomd.metrics()).value(full) === before) {
    for (let i = 0; i < 20; i++) fast.doc.getArray('a').push(['e'.repeat(20000) + n++])
    await new Promise(resolve => fast.socket.ping(resolve))
  }
  for (const pair of proxy.pairs) pair.upstream.resume()
  await slow.joined(2)
  await converged([slow.doc, fast.doc], d => d.getArray('a').length,
    () => slow.doc.getArray('a').length === n)
}, { limit: 60000 })
