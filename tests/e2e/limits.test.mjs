/* SPDX-License-Identifier: MIT */
/* Every limit has an answer that a client understands, and a metric; whoever
 * keeps within the limits notices nothing. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, binaryPush, readResponse } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { ownRoomd, sharedRoomd } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { awarenessMessage, docOf, syncUpdate, textUpdate } from '../support/updates.mjs'

const roomd = await sharedRoomd({
  members_per_room: 3,
  topic_bytes: 40,
  update_bytes: '20k',
  document_bytes: '100k',
  pending_bytes: '15k',
  update_conflicts: 250,
  awareness_state_bytes: 200,
  awareness_bytes: 2000,
  awareness_clients: 10,
  longpoll_sessions: 5,
  head_bytes: '4k'
})
const where = roomd.where()

async function open (t) {
  const ws = await RawSocket.open(where)
  t.after(() => ws.destroy())
  return ws
}

async function tryJoin (ws, topic, ref = '1') {
  ws.send(ref, ref, topic, 'phx_join')
  const reply = await ws.json()
  assert.deepEqual(reply.slice(0, 4), [ref, ref, topic, 'phx_reply'])
  await ws.drainQueue()
  return reply[4]
}

async function member (t, topic) {
  const ws = await open(t)
  const { status, response } = await tryJoin(ws, topic)
  assert.equal(status, 'ok', JSON.stringify(response))
  ws.state = response.state
  return ws
}

/* `act` must be answered by an error reply and move the limit's metric. */
async function refused (ws, limit, act) {
  const id = `roomd_limit_total{limit="${limit}"}`
  const before = (await roomd.metrics()).value(id)
  await ws.drainQueue()
  await act()
  const [text] = await ws.drainQueue()
  const reply = JSON.parse(text)
  assert.equal(reply[3], 'phx_reply')
  assert.equal(reply[4].status, 'error')
  assert.ok(reply[4].response.reason.length > 0)
  assert.ok((await roomd.metrics()).value(id) > before, id)
}

test('members of a room', async t => {
  const topic = freshTopic()
  const three = [await member(t, topic), await member(t, topic), await member(t, topic)]
  const fourth = await open(t)
  await refused(fourth, 'members_per_room', () => fourth.send('1', '1', topic, 'phx_join'))
  three[0].send('1', '2', topic, 'phx_leave')
  await three[0].drainQueue()
  assert.equal((await tryJoin(fourth, topic)).status, 'ok')
})

test('topic', async t => {
  const ws = await open(t)
  await refused(ws, 'topic_bytes', () => ws.send('1', '1', 'x'.repeat(41), 'phx_join'))
  assert.equal((await tryJoin(ws, 'x'.repeat(40))).status, 'ok')
})

test('one update', async t => {
  const ws = await member(t, freshTopic())
  const topic = freshTopic()
  const a = await member(t, topic)
  const big = textUpdate('u'.repeat(21000))
  await refused(a, 'update_bytes', () =>
    a.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(big))))
  await refused(a, 'update_bytes', () => a.send('1', '3', topic, 'update', { data: [...big] }))
  assert.deepEqual((await member(t, topic)).state, [])
  await ws.drainQueue()
})

test('a document: full, still served, and members keep it', async t => {
  const topic = freshTopic()
  const a = await member(t, topic)
  const b = await member(t, topic)
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', u => updates.push(u))
  for (let i = 0; i < 20; i++) doc.getArray('a').push([`${i} `.repeat(4000)])
  await a.drainQueue()
  let taken = 0
  for (const u of updates) {
    a.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(u)))
    const answers = await a.drainQueue()
    if (answers.some(m => JSON.parse(m)[4].status === 'error')) break
    taken++
  }
  assert.ok(taken > 2 && taken < 20, `${taken} updates fitted`)
  const relayed = (await b.drainQueue()).map(m => JSON.parse(m)).filter(m => m[3] === 'update')
  assert.equal(relayed.length, taken, 'the others see what the document took')
  const late = await member(t, topic)
  assert.equal(docOf(late.state).getArray('a').length, taken)
  const m = await roomd.metrics()
  assert.ok(['document_bytes', 'pending_bytes'].some(l =>
    m.value(`roomd_limit_total{limit="${l}"}`) > 0))
})

test('updates that wait for their past', async t => {
  const topic = freshTopic()
  const a = await member(t, topic)
  await refused(a, 'pending_bytes', async () => {
    for (let i = 0; i < 10; i++) {
      const doc = new Y.Doc()
      const updates = []
      doc.on('update', u => updates.push(u))
      doc.getText('t').insert(0, 'a')
      doc.getText('t').insert(1, 'b'.repeat(10000))
      a.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(updates[1])))
      const errors = (await a.drainQueue()).filter(m => typeof m === 'string')
      if (errors.length > 0) { /* ask once more, for refused() to see it */
        a.binary(binaryPush('1', '3', topic, 'yjs', syncUpdate(updates[1])))
        return
      }
    }
  })
})

test('an update of those who typed where many others did', async t => {
  const topic = freshTopic()
  const a = await member(t, topic)
  const by = clientID => {
    const doc = new Y.Doc()
    doc.clientID = clientID
    doc.getText('t').insert(0, 'a')
    return Y.encodeStateAsUpdate(doc)
  }
  const push = (ref, updates) => a.send('1', ref, topic, 'update',
    { data: [...Y.mergeUpdates(updates)] })
  /* From the highest id each needs one comparison; a late one of a higher id
   * passes all of them. */
  push('3', Array.from({ length: 200 }, (_, i) => by(i + 1)))
  assert.deepEqual(await a.drainQueue(), [])
  await refused(a, 'update_conflicts', () => push('4', [by(5000), by(6000)]))
  push('5', [by(7000)])
  assert.deepEqual(await a.drainQueue(), [])
  assert.equal(docOf((await member(t, topic)).state).getText('t').length, 201)
})

test('awareness: one state, all states, their number', async t => {
  const topic = freshTopic()
  const a = await member(t, topic)
  const say = (...entries) => a.binary(binaryPush('1', '2', topic, 'yjs', awarenessMessage(entries)))
  await refused(a, 'awareness_bytes', () => say([1, 1, 'x'.repeat(300)]))
  await refused(a, 'awareness_bytes', () => a.send('1', '2', topic, 'awareness', { x: 'y'.repeat(300) }))
  for (let id = 1; id <= 10; id++) say([id, 1, 'x'])
  assert.deepEqual(await a.drainQueue(), [])
  await refused(a, 'awareness_bytes', () => say([11, 1, 'x']))
})

test('a request head: 431, also for an upgrade', async () => {
  for (const path of ['/health', '/socket/websocket?vsn=2.0.0', '/socket/longpoll?vsn=2.0.0']) {
    const wire = await Wire.open(where)
    wire.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
      `X-Long: ${'h'.repeat(5000)}\r\n\r\n`)
    assert.equal((await readResponse(wire)).status, 431, path)
    wire.destroy()
  }
  assert.ok((await roomd.metrics()).value('roomd_limit_total{limit="head_bytes"}') >= 3)
})

test('long-poll sessions: a status that phoenix.js survives', async () => {
  for (let i = 0; i < 5; i++) await RawPoll.open(where)
  const { status } = await new RawPoll(where).poll()
  assert.equal(status, 500)
  assert.ok((await roomd.metrics()).value('roomd_limit_total{limit="longpoll_sessions"}') >= 1)
})

test('rooms', async t => {
  const d = await ownRoomd(t, { rooms: 3, room_empty: '0s' })
  const held = await RawSocket.open(d.where())
  const other = await RawSocket.open(d.where())
  const topics = [freshTopic(), freshTopic(), freshTopic()]
  for (const [i, topic] of topics.entries()) {
    assert.equal((await tryJoin(held, topic, String(i))).status, 'ok')
  }
  const { status, response } = await tryJoin(other, freshTopic())
  assert.deepEqual([status, response], ['error', { reason: 'too many rooms' }])
  assert.equal((await d.metrics()).value('roomd_limit_total{limit="rooms"}'), 1)
  assert.equal((await tryJoin(other, topics[0])).status, 'ok', 'a room that is there')
  held.send('1', '99', topics[1], 'phx_leave')
  await d.waitLog(/shutting down empty room/)
  assert.equal((await tryJoin(other, freshTopic())).status, 'ok', 'room again')
  held.destroy()
  other.destroy()
  await d.stop()
})
