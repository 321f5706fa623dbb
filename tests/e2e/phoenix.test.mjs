/* SPDX-License-Identifier: MIT */
/* npm phoenix, unmodified, with the application's own protocol. */
import { assert, test, eventually, waitFor } from '../support/harness.mjs'
import { sharedRoomd, startRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { Y } from '../support/modules.mjs'
import { Hook, MemoryStorage, converged, freshTopic, openHook, openSocket, received, transportOf } from '../support/clients.mjs'

const roomd = await sharedRoomd({ longpoll_window: '2s' })
const view = doc => doc.getText('t').toString()

const socketEvent = (socket, what, check) => eventually(what, check, [[
  { on (_n, f) { socket.onOpen(f); socket.onError(f); socket.onClose(f); socket.onMessage(f) }, off () {} }, '']])

for (const transport of ['websocket', 'longpoll']) {
  test(`${transport}: join, edit, late joiner, leave`, async t => {
    const topic = freshTopic()
    const a = openHook(t, roomd.ws(), topic, { transport })
    const b = openHook(t, roomd.ws(), topic, { transport })
    await Promise.all([a.joined(), b.joined()])
    a.doc.getText('t').insert(0, 'one ')
    await converged([a.doc, b.doc], view, () => view(b.doc).includes('one'))
    b.doc.getText('t').insert(0, 'two ')
    a.doc.getText('t').insert(0, 'three ')
    await converged([a.doc, b.doc], view,
      () => view(a.doc).includes('two') && view(b.doc).includes('three'))
    const late = openHook(t, roomd.ws(), topic, { transport })
    await late.joined()
    assert.equal(view(late.doc), view(a.doc), 'the whole document in the join reply')
    assert.equal(a.updates, 1, 'no echo of own updates')
    await received(late.channel.leave())
    await a.until('the leave in presence',
      () => Object.keys(a.presence.state).length === 2)
  })

  test(`${transport}: 1500 edits in a burst arrive, in order`, async t => {
    const topic = freshTopic()
    const a = openHook(t, roomd.ws(), topic, { transport })
    const b = openHook(t, roomd.ws(), topic, { transport })
    await Promise.all([a.joined(), b.joined()])
    for (let i = 0; i < 1500; i++) a.doc.getArray('n').push([i])
    await converged([a.doc, b.doc], d => d.getArray('n').toArray(),
      () => b.doc.getArray('n').length === 1500)
    assert.deepEqual(b.doc.getArray('n').toArray(), Array.from({ length: 1500 }, (_, i) => i))
  })

  test(`${transport}: awareness of any shape is relayed, presence is complete`, async t => {
    const topic = freshTopic()
    const a = openHook(t, roomd.ws(), topic, { transport, params: { user_id: 'a' } })
    const b = openHook(t, roomd.ws(), topic, { transport, params: { user_id: 'b' } })
    await Promise.all([a.joined(), b.joined()])
    const payload = { cursor: { x: 1.5, y: -2 }, name: 'Zoë', list: [null, true, ''] }
    a.channel.push('awareness', payload)
    await b.until('awareness', () => b.awareness.length === 1)
    assert.deepEqual(b.awareness[0], payload)
    assert.equal(a.awareness.length, 0)
    for (const h of [a, b]) {
      await h.until('both in presence',
        () => Object.keys(h.presence.state).sort().join() === 'a,b')
      assert.equal(h.presence.state.a.metas.length, 1)
    }
  })

  test(`${transport}: bad updates get an error reply, unknown topics too`, async t => {
    const topic = freshTopic()
    const a = openHook(t, roomd.ws(), topic, { transport })
    await a.joined()
    const reply = await received(a.channel.push('update', { data: [1, 2, 3, 255] }), 'error')
    assert.equal(typeof reply.reason, 'string')
    a.doc.getText('t').insert(0, 'still here')
    const late = openHook(t, roomd.ws(), topic, { transport })
    await late.until('the text', () => view(late.doc) === 'still here')
  })

  test(`${transport}: two channels of one topic on one socket; phoenix.js leaves the older`, async t => {
    const topic = freshTopic()
    const socket = openSocket(t, roomd.ws(), { transport })
    const first = new Hook(socket, topic)
    await first.until('presence', () => first.presence.list().length === 1)
    first.doc.getText('t').insert(0, 'x')
    const closed = waitFor('phx_close', resolve => first.channel.onClose(resolve))
    const second = new Hook(socket, topic)
    await second.joined()
    await closed
    await second.until('the text', () => view(second.doc) === 'x')
    await second.until('one presence', () =>
      Object.values(second.presence.state).flatMap(p => p.metas).length === 1)
  })

  test(`${transport}: connections cut by a proxy: reconnect, rejoin, offline edits arrive`, async t => {
    const proxy = await Proxy.start(roomd.where())
    t.after(() => proxy.stop())
    const topic = freshTopic()
    const a = openHook(t, proxy.ws(), topic, { transport })
    const b = openHook(t, roomd.ws(), topic, { transport: 'websocket' })
    await Promise.all([a.joined(), b.joined()])
    for (let round = 1; round <= 3; round++) {
      const joins = a.joins
      a.doc.getText('t').insert(0, `before ${round} `)
      proxy.kill()
      a.doc.getText('t').insert(0, `offline ${round} `)
      b.doc.getText('t').insert(0, `meanwhile ${round} `)
      /* Long-poll may not even notice: its next request opens a connection. */
      if (transport === 'websocket') await a.joined(joins + 1)
      await eventually('meanwhile', () => view(a.doc).includes(`meanwhile ${round}`),
        [[a, 'change']])
      /* What was on its way when it was cut, the hook does not send again. */
      Y.applyUpdate(b.doc, Y.encodeStateAsUpdate(a.doc))
      await converged([a.doc, b.doc], view)
    }
  })

  test(`${transport}: the daemon restarts: the client finds it again`, async t => {
    const one = await startRoomd()
    const topic = freshTopic()
    const a = openHook(t, one.ws(), topic, { transport })
    await a.joined()
    await one.stop()
    const two = await startRoomd({}, { port: one.port })
    t.after(() => two.stop())
    await a.joined(2)
    assert.deepEqual(a.state, [])
    const b = openHook(t, two.ws(), topic, { transport })
    await b.joined()
    b.doc.getText('t').insert(0, 'again')
    await a.until('the new text', () => view(a.doc) === 'again')
  })
}

test('heartbeats keep a WebSocket and are answered', async t => {
  const socket = openSocket(t, roomd.ws(), { heartbeatIntervalMs: 100 })
  let beats = 0
  socket.onMessage(m => { if (m.topic === 'phoenix') beats++ })
  await socketEvent(socket, 'five heartbeats', () => beats >= 5)
  const rtt = await waitFor('ping', resolve => socket.ping(resolve))
  assert.ok(rtt >= 0)
})

test('V1 clients of phoenix.js age', async t => {
  const topic = freshTopic()
  /* Old phoenix.js: its own encoding, JSON objects without join_ref. */
  const old = {
    vsn: '1.0.0',
    encode: (m, done) => done(JSON.stringify({ topic: m.topic, event: m.event, payload: m.payload, ref: m.ref })),
    decode: (raw, done) => done({ join_ref: null, ...JSON.parse(raw) })
  }
  const a = openHook(t, roomd.ws(), topic, old)
  const b = openHook(t, roomd.ws(), topic)
  await Promise.all([a.joined(), b.joined()])
  a.doc.getText('t').insert(0, 'old ')
  b.doc.getText('t').insert(0, 'new ')
  await converged([a.doc, b.doc], view,
    () => view(a.doc).includes('new') && view(b.doc).includes('old'))
  await received(a.channel.leave())
})

/* ---- fallback ---- */

for (const mode of ['forbid', 'reset', 'hang', 'swallow']) {
  test(`longPollFallbackMs: WebSockets that meet "${mode}" fall back and edit`, async t => {
    const proxy = await Proxy.start(roomd.where(), { mode })
    t.after(() => proxy.stop())
    const topic = freshTopic()
    const storage = new MemoryStorage()
    const options = { longPollFallbackMs: 400, sessionStorage: storage }
    const a = openHook(t, proxy.ws(), topic, options)
    const b = openHook(t, roomd.ws(), topic)
    await Promise.all([a.joined(), b.joined()])
    await eventually('long-poll', () => transportOf(a.socket) === 'longpoll' &&
      a.channel.isJoined(), [[a, 'change']])
    a.doc.getText('t').insert(0, 'polled ')
    b.doc.getText('t').insert(0, 'direct ')
    await converged([a.doc, b.doc], view,
      () => view(a.doc).includes('direct') && view(b.doc).includes('polled'))
    assert.equal(storage.getItem('phx:fallback:LongPoll'), 'true', 'remembered')
    assert.ok(proxy.upgrades >= 1)
    const before = proxy.upgrades
    const c = openHook(t, proxy.ws(), topic, options)
    await c.joined()
    assert.equal(transportOf(c.socket), 'longpoll')
    assert.equal(proxy.upgrades, before, 'no second try of the WebSocket')
    assert.equal(view(c.doc), view(a.doc))
  })
}

test('longPollFallbackMs: with a good WebSocket nothing falls back', async t => {
  const proxy = await Proxy.start(roomd.where())
  t.after(() => proxy.stop())
  const storage = new MemoryStorage()
  const a = openHook(t, proxy.ws(), freshTopic(), { longPollFallbackMs: 3000, sessionStorage: storage })
  await a.joined()
  await eventually('the health check', () => a.socket.primaryPassedHealthCheck,
    [[{ on: (_n, f) => a.socket.onMessage(() => setImmediate(f)), off () {} }, '']])
  assert.equal(transportOf(a.socket), 'websocket')
  assert.equal(storage.getItem('phx:fallback:LongPoll'), null)
  assert.equal(proxy.polls, 0)
})

test('a restart is not remembered as a lack of WebSockets', async t => {
  const one = await startRoomd()
  const storage = new MemoryStorage()
  const a = openHook(t, one.ws(), freshTopic(), { longPollFallbackMs: 20000, sessionStorage: storage })
  await a.joined()
  const closes = []
  a.socket.onClose(e => closes.push(e.code))
  await one.stop()
  assert.equal(closes[0], 1012)
  const two = await startRoomd({}, { port: one.port })
  t.after(() => two.stop())
  await a.joined(2)
  assert.equal(storage.getItem('phx:fallback:LongPoll'), null)
})

/* A room this large tells of those who come at once together: whatever comes
 * in whichever diff, phoenix.js has to end up with everybody, once. */
test('a crowd that comes and goes at once: every Presence knows who is there', async t => {
  const topic = freshTopic()
  const crowd = Array.from({ length: 45 }, (_, i) => openHook(t, roomd.ws(), topic, {
    transport: i % 10 ? 'websocket' : 'longpoll',
    params: { user_id: `user-${i % 30}` } /* some of them twice */
  }))
  const metas = hook => Object.values(hook.presence.state)
    .map(p => new Set(p.metas.map(m => m.phx_ref)).size)
    .reduce((a, b) => a + b, 0)
  const all = (hooks, n) => Promise.all(hooks.map(hook =>
    hook.until(`${n} members in presence`, () => metas(hook) === n)))
  await Promise.all(crowd.map(hook => hook.joined()))
  await all(crowd, 45)
  for (const hook of crowd) assert.equal(Object.keys(hook.presence.state).length, 30)
  const left = crowd.splice(0, 35)
  await Promise.all(left.map(hook => received(hook.channel.leave())))
  await all(crowd, 10)
  for (const hook of crowd) assert.equal(Object.keys(hook.presence.state).length, 10)
}, { limit: 60000 })
