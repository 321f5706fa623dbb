/* SPDX-License-Identifier: MIT */
/* Phoenix's channel protocol on a WebSocket, frame by frame. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, OP, frame, binaryPush, binaryDecode } from '../support/net.mjs'
import { sharedRoomd } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { textUpdate, docOf, syncUpdate, syncStep1, parseMessage } from '../support/updates.mjs'

const roomd = await sharedRoomd({ channels_per_socket: 4, idle_timeout: '30s' })
const where = roomd.where()
const V1 = '/socket/websocket?vsn=1.0.0'

async function open (t, path, options) {
  const ws = await RawSocket.open(where, path, options)
  t.after(() => ws.destroy())
  return ws
}

/* Joins; returns what came with it. */
async function join (ws, topic, ref = '1') {
  ws.send(ref, ref, topic, 'phx_join')
  const reply = await ws.json()
  assert.deepEqual(reply.slice(0, 4), [ref, ref, topic, 'phx_reply'])
  assert.equal(reply[4].status, 'ok')
  const rest = await ws.drainQueue()
  return { reply, rest: rest.map(m => JSON.parse(m)) }
}

const error = (joinRef, ref, topic, reason) => [joinRef, ref, topic, 'phx_reply',
  { status: 'error', response: { reason } }]

test('heartbeat: the exact bytes', async t => {
  const ws = await open(t)
  ws.text('[null,"5","phoenix","heartbeat",{}]')
  assert.equal(await ws.next(),
    '[null,"5","phoenix","phx_reply",{"status":"ok","response":{}}]')
})

test('join of an empty room: the exact reply, then presence_diff, then presence_state', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  ws.send('3', '4', topic, 'phx_join')
  const text = await ws.next()
  assert.equal(text,
    `["3","4","${topic}","phx_reply",{"status":"ok","response":{"state":[]}}]`)
  const diff = await ws.json()
  assert.deepEqual(diff.slice(0, 4), [null, null, topic, 'presence_diff'])
  const state = await ws.json()
  assert.deepEqual(state.slice(0, 4), ['3', null, topic, 'presence_state'])
  assert.deepEqual(diff[4].joins, state[4])
  assert.deepEqual(diff[4].leaves, {})
  assert.deepEqual(await ws.drainQueue(), [])
})

test('extra elements after the fifth are ignored, whitespace is not a matter', async t => {
  const ws = await open(t)
  ws.text(' [ null , "1" , "phoenix" , "heartbeat" , {} , 6 , [7] ]\n')
  assert.equal((await ws.json())[1], '1')
})

test('escapes in topic and refs come back as the same strings', async t => {
  const ws = await open(t)
  const topic = freshTopic() + ' "ü\\\u0001\u{1f600}'
  const { reply } = await join(ws, topic, 'r"\\\u00e9')
  assert.equal(reply[2], topic)
  ws.text('["r\\u0022\\\\\\u00e9","2","' +
    JSON.stringify(topic).slice(1, -1).replace('ü', '\\u00fc') +
    '","phx_leave",{}]')
  assert.deepEqual(await ws.json(), ['r"\\\u00e9', '2', topic, 'phx_reply',
    { status: 'ok', response: {} }])
})

test('integer refs are echoed as integers', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  ws.text(`[1,2,"${topic}","phx_join",{}]`)
  const reply = await ws.json()
  assert.deepEqual(reply.slice(0, 2), [1, 2])
  await ws.drainQueue()
  ws.text(`[1,3,"${topic}","phx_leave",{}]`)
  assert.deepEqual(await ws.json(),
    [1, 3, topic, 'phx_reply', { status: 'ok', response: {} }])
  assert.deepEqual(await ws.json(), [1, 1, topic, 'phx_close', {}])
  ws.text('[null,77,"phoenix","heartbeat",{}]')
  assert.equal((await ws.json())[1], 77)
})

test('an event on a topic nobody joined', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  ws.send('1', '1', topic, 'update', { data: [] })
  assert.deepEqual(await ws.json(), error(null, '1', topic, 'unmatched topic'))
  ws.send(null, null, topic, 'whatever')
  assert.deepEqual(await ws.json(), error(null, null, topic, 'unmatched topic'))
})

test('phx_leave on a topic nobody joined is ok and echoes join_ref', async t => {
  const ws = await open(t)
  ws.send('8', '9', 'room:nowhere', 'phx_leave')
  assert.deepEqual(await ws.json(), ['8', '9', 'room:nowhere', 'phx_reply',
    { status: 'ok', response: {} }])
})

test('a topic or event of the wrong type gets unmatched topic, the socket lives', async t => {
  const ws = await open(t)
  for (const [topic, event] of [[5, '"x"'], ['null', '"x"'], ['{"a":[1]}', '"x"'],
    ['"room:q"', '7'], ['"room:q"', 'null'], ['["x"]', '[]'], ['true', 'false']]) {
    ws.text(`[null,"1",${topic},${event},{}]`)
    const reply = await ws.json()
    assert.deepEqual(reply,
      error(null, '1', JSON.parse(topic), 'unmatched topic'))
  }
  await ws.drainQueue()
})

test('leave: ok reply, then phx_close with ref = join_ref; then the topic is unjoined', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  await join(ws, topic, '6')
  ws.send('6', '7', topic, 'phx_leave')
  assert.deepEqual(await ws.json(),
    ['6', '7', topic, 'phx_reply', { status: 'ok', response: {} }])
  assert.deepEqual(await ws.json(), ['6', '6', topic, 'phx_close', {}])
  ws.send('6', '8', topic, 'awareness', {})
  assert.deepEqual(await ws.json(), error(null, '8', topic, 'unmatched topic'))
})

test('rejoin: new reply, phx_close with the old join_ref, then the new pushes', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  await join(ws, topic, '1')
  ws.send('2', '2', topic, 'phx_join')
  const got = [await ws.json(), await ws.json(), await ws.json(), await ws.json()]
  assert.deepEqual(got.map(m => [m[0], m[1], m[3]]), [
    ['2', '2', 'phx_reply'], ['1', '1', 'phx_close'],
    [null, null, 'presence_diff'], ['2', null, 'presence_state']])
  assert.deepEqual(got[2][4].leaves, {}, 'a rejoiner never sees its old meta leave')
  const metas = Object.values(got[3][4]).flatMap(p => p.metas)
  assert.equal(metas.length, 1, 'one meta, the new one')
  assert.deepEqual(await ws.drainQueue(), [])
})

test('stale join_ref: message and leave are dropped without a reply', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  await join(ws, topic, '1')
  await join(ws, topic, '2')
  ws.send('1', '5', topic, 'update', { data: [1, 2, 3] })
  ws.send('1', '6', topic, 'phx_leave')
  assert.deepEqual(await ws.drainQueue(), [])
  ws.send('2', '7', topic, 'phx_leave')
  assert.equal((await ws.json())[1], '7')
})

test('null join_ref on a message and on phx_leave is valid', async t => {
  const ws = await open(t)
  const other = await open(t)
  const topic = freshTopic()
  await join(ws, topic, '1')
  await join(other, topic, '1')
  await ws.drainQueue()
  ws.send(null, '2', topic, 'awareness', { n: 1 })
  assert.deepEqual(await other.json(), [null, null, topic, 'awareness', { n: 1 }])
  ws.send(null, '3', topic, 'phx_leave')
  assert.deepEqual(await ws.json(),
    ['1', '3', topic, 'phx_reply', { status: 'ok', response: {} }])
  assert.deepEqual(await ws.json(), ['1', '1', topic, 'phx_close', {}])
})

test('join with a null join_ref: null in the reply, later its ref', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  ws.send(null, '4', topic, 'phx_join')
  const reply = await ws.json()
  assert.deepEqual(reply.slice(0, 2), [null, '4'])
  const rest = (await ws.drainQueue()).map(m => JSON.parse(m))
  assert.equal(rest.find(m => m[3] === 'presence_state')[0], '4')
  ws.send(null, '5', topic, 'phx_leave')
  assert.deepEqual((await ws.json()).slice(0, 2), ['4', '5'])
})

test('relayed JSON arrives as it was written, and only at the others', async t => {
  const ws = await open(t)
  const other = await open(t)
  const topic = freshTopic()
  await join(ws, topic)
  await join(other, topic)
  await ws.drainQueue()
  const payload = '{"a":[1,2.5e-3,-0,"\\u00e9\\ud83d\\ude00",null,true,{"":{}}],"big":12345678901234567890}'
  ws.text(`["1","2","${topic}","awareness",${payload}]`)
  const text = await other.next()
  assert.equal(text, `[null,null,"${topic}","awareness",${payload}]`)
  assert.deepEqual(await ws.drainQueue(), [])
})

test('update with {"data":[ints]}: to the others as update, and into the state', async t => {
  const ws = await open(t)
  const other = await open(t)
  const topic = freshTopic()
  await join(ws, topic)
  await join(other, topic)
  await ws.drainQueue()
  const update = textUpdate('hello')
  ws.send('1', '2', topic, 'update', { data: [...update] })
  const got = await other.json()
  assert.deepEqual(got, [null, null, topic, 'update', { data: [...update] }])
  assert.deepEqual(await ws.drainQueue(), [], 'no reply, no echo')
  const late = await open(t)
  const { reply } = await join(late, topic)
  assert.equal(docOf(reply[4].response.state).getText('t').toString(), 'hello')
})

test('binary: y-messages in kind 0 frames, to y members as broadcasts of kind 2', async t => {
  const ws = await open(t)
  const other = await open(t)
  const plain = await open(t)
  const topic = freshTopic('y_doc_room:')
  for (const s of [ws, other, plain]) await join(s, topic, '1')
  for (const s of [ws, other, plain]) await s.drainQueue()
  /* A member that has spoken yjs gets yjs. */
  other.binary(binaryPush('1', '2', topic, 'yjs_sync', syncStep1(new Y.Doc())))
  const step2 = binaryDecode(await other.bytes())
  assert.equal(step2.event, 'yjs')
  assert.equal(parseMessage(step2.payload).type, 'step2')
  assert.equal(parseMessage(binaryDecode(await other.bytes()).payload).type, 'step1')
  assert.deepEqual(await other.drainQueue(), [])
  const update = textUpdate('binary')
  ws.binary(binaryPush('1', '3', topic, 'yjs', syncUpdate(update)))
  const got = binaryDecode(await other.bytes())
  assert.deepEqual([got.kind, got.topic, got.event], [2, topic, 'yjs'])
  const m = parseMessage(got.payload)
  assert.equal(m.type, 'update')
  assert.equal(docOf(m.data).getText('t').toString(), 'binary')
  const asUpdate = await plain.json()
  assert.deepEqual(asUpdate.slice(0, 4), [null, null, topic, 'update'])
  assert.equal(docOf(asUpdate[4].data).getText('t').toString(), 'binary')
  assert.deepEqual(await ws.drainQueue(), [])
})

test('heartbeat, join and leave as binary frames; the replies are text', async t => {
  const ws = await open(t)
  const topic = freshTopic()
  ws.binary(binaryPush('', '1', 'phoenix', 'heartbeat', '{}'))
  assert.equal(await ws.next(),
    '[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]')
  ws.binary(binaryPush('', '2', topic, 'phx_join', '{}'))
  const reply = await ws.json()
  assert.deepEqual(reply.slice(0, 2), ['', '2'], 'an empty join_ref is not null')
  await ws.drainQueue()
  ws.binary(binaryPush('', '3', topic, 'phx_leave', ''))
  assert.deepEqual((await ws.json()).slice(0, 4), ['', '3', topic, 'phx_reply'])
})

test('fields of 255 bytes in a binary frame', async t => {
  const ws = await open(t)
  const ref = 'r'.repeat(255)
  ws.binary(binaryPush(ref, ref, 'phoenix', 'heartbeat', ''))
  assert.equal((await ws.json())[1], ref)
  const event = 'e'.repeat(255)
  const topic = 't'.repeat(255)
  ws.binary(binaryPush('', ref, topic, event, ''))
  assert.deepEqual(await ws.json(), error(null, ref, topic, 'unmatched topic'))
})

test('one channel too many: error reply with its join_ref; leaving and rejoining free a slot', async t => {
  const ws = await open(t)
  const topics = [1, 2, 3, 4].map(() => freshTopic())
  for (const [i, topic] of topics.entries()) await join(ws, topic, String(i + 1))
  const extra = freshTopic()
  ws.send('9', '9', extra, 'phx_join')
  assert.deepEqual(await ws.json(), error('9', '9', extra, 'too many channels joined'))
  await join(ws, topics[2], '10')
  ws.send('10', '11', topics[2], 'phx_leave')
  await ws.drainQueue()
  await join(ws, extra, '12')
  const m = await roomd.metrics()
  assert.ok(m.value('roomd_limit_total{limit="channels_per_socket"}') >= 1)
})

test('a topic longer than allowed is refused by a reply, not by a close', async t => {
  const ws = await open(t)
  const topic = 'room:' + 'x'.repeat(3000)
  ws.send('1', '1', topic, 'phx_join')
  const reply = await ws.json()
  assert.equal(reply[3], 'phx_reply')
  assert.equal(reply[4].status, 'error')
  await ws.drainQueue()
})

/* ---- V1 ---- */

for (const path of [V1, '/socket/websocket']) {
  test(`V1 (${path}): join, push, relay, leave`, async t => {
    const ws = await open(t, path)
    const other = await open(t)
    const topic = freshTopic()
    ws.text(JSON.stringify({ topic, event: 'phx_join', payload: {}, ref: '1' }))
    const reply = await ws.json()
    assert.deepEqual(reply, {
      topic,
      event: 'phx_reply',
      payload: { status: 'ok', response: { state: [] } },
      ref: '1'
    })
    const diff = await ws.json()
    assert.deepEqual([diff.topic, diff.event, diff.ref], [topic, 'presence_diff', null])
    const state = await ws.json()
    assert.deepEqual([state.event, state.ref], ['presence_state', null])
    assert.ok(!('join_ref' in state), 'join_ref never goes out')
    await join(other, topic)
    assert.equal((await ws.json()).event, 'presence_diff')
    const update = textUpdate('v1')
    ws.text(JSON.stringify({ topic, event: 'update', payload: { data: [...update] }, ref: '2' }))
    assert.deepEqual((await other.json())[4], { data: [...update] })
    const back = textUpdate('v2')
    other.send('1', '2', topic, 'update', { data: [...back] })
    assert.deepEqual(await ws.json(),
      { topic, event: 'update', payload: { data: [...back] }, ref: null })
    ws.text(JSON.stringify({ topic, event: 'phx_leave', payload: {}, ref: '3' }))
    assert.deepEqual(await ws.json(),
      { topic, event: 'phx_reply', payload: { status: 'ok', response: {} }, ref: '3' })
    assert.deepEqual(await ws.json(),
      { topic, event: 'phx_close', payload: {}, ref: null })
  })
}

test('V1: phx_close carries the join_ref a client sent', async t => {
  const ws = await open(t, V1)
  const topic = freshTopic()
  const say = m => ws.text(JSON.stringify({ topic, payload: {}, ...m }))
  say({ event: 'phx_join', ref: '1', join_ref: '1' })
  for (let i = 0; i < 3; i++) await ws.json()
  say({ event: 'phx_leave', ref: '2', join_ref: '1' })
  assert.equal((await ws.json()).ref, '2')
  assert.deepEqual(await ws.json(), { topic, event: 'phx_close', payload: {}, ref: '1' })
})

test('V1: a binary frame is read as JSON text; heartbeat; unknown keys', async t => {
  const ws = await open(t, V1)
  ws.binary('{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"3","more":[1]}')
  assert.deepEqual(await ws.json(), {
    topic: 'phoenix',
    event: 'phx_reply',
    payload: { status: 'ok', response: {} },
    ref: '3'
  })
})

test('V1: binary content reaches the client as JSON', async t => {
  const ws = await open(t, V1)
  const y = await open(t)
  const topic = freshTopic('y_doc_room:')
  ws.text(JSON.stringify({ topic, event: 'phx_join', payload: {}, ref: '1' }))
  for (let i = 0; i < 3; i++) await ws.json()
  await join(y, topic)
  await ws.json()
  y.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('bytes'))))
  const m = await ws.json()
  assert.equal(m.event, 'update')
  assert.equal(docOf(m.payload.data).getText('t').toString(), 'bytes')
})

/* ---- frames ---- */

test('a fragmented message with a ping between its fragments', async t => {
  const ws = await open(t)
  const text = '[null,"1","phoenix","heartbeat",{"x":"é"}]'
  const data = Buffer.from(text)
  const cut = data.indexOf(0xa9)
  ws.sendFrame(OP.text, data.subarray(0, 3), { fin: false })
  ws.sendFrame(OP.ping, 'inside')
  ws.sendFrame(OP.more, data.subarray(3, cut), { fin: false })
  ws.sendFrame(OP.more, data.subarray(cut), { fin: true })
  const got = [await ws.next(), await ws.next()]
  assert.deepEqual(got.find(m => m.pong), { pong: Buffer.from('inside') })
  assert.equal(JSON.parse(got.find(m => typeof m === 'string'))[1], '1')
})

test('many small messages in one write are all answered, in order', async t => {
  const ws = await open(t)
  const frames = []
  for (let i = 0; i < 500; i++) {
    frames.push(frame(OP.text, `[null,"${i}","phoenix","heartbeat",{}]`))
  }
  ws.wire.write(Buffer.concat(frames))
  for (let i = 0; i < 500; i++) assert.equal((await ws.json())[1], String(i))
})

test('a message of a megabyte arrives whole', async t => {
  const ws = await open(t)
  const other = await open(t)
  const topic = freshTopic()
  await join(ws, topic)
  await join(other, topic)
  await ws.drainQueue()
  const text = 'é'.repeat(500000)
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate(text))))
  const { data } = (await other.json())[4]
  assert.equal(docOf(data).getText('t').toString(), text)
})

test('a close from the client is echoed', async t => {
  for (const code of [1000, 1001, 4321]) {
    const ws = await open(t)
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    ws.sendFrame(OP.close, payload)
    assert.equal((await ws.closed()).close, code)
    await ws.wire.rest()
  }
})

test('behind the Close for a frame that is none comes nothing more', async t => {
  const [bad, other] = [await open(t), await open(t)]
  const topic = freshTopic()
  await join(bad, topic)
  await join(other, topic)
  bad.sendFrame(3, 'no such opcode')
  assert.equal((await bad.closed()).close, 1002)
  for (let i = 0; i < 20; i++) other.send('1', null, topic, 'awareness', { i })
  await other.drainQueue()
  assert.equal((await bad.wire.rest()).length, 0)
})
