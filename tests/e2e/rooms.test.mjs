/* SPDX-License-Identifier: MIT */
/* Rooms: documents that merge, bad input, expiry, presence, what is logged. */
import { assert, LIMIT_MS, SLOW, test } from '../support/harness.mjs'
import { RawSocket, binaryPush, binaryDecode } from '../support/net.mjs'
import { ownRoomd, sharedRoomd } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { makeUpdate, textUpdate, docOf, syncStep1, syncStep2, syncUpdate, parseMessage, readVector } from '../support/updates.mjs'

const roomd = await sharedRoomd({ room_empty: '1s' })
const where = roomd.where()

async function member (t, topic, { ref = '1', params = '' } = {}) {
  const ws = await RawSocket.open(where, `/socket/websocket?vsn=2.0.0${params}`)
  t.after(() => ws.destroy())
  ws.send(ref, ref, topic, 'phx_join')
  const reply = await ws.json()
  assert.equal(reply[4].status, 'ok')
  ws.state = reply[4].response.state
  const rest = (await ws.drainQueue()).map(m => JSON.parse(m))
  ws.presence = rest.find(m => m[3] === 'presence_state')[4]
  return ws
}

const stateOf = async (t, topic) => (await member(t, topic)).state

/* ---- documents ---- */

test('the state is one update: everything of everyone, byte for byte what npm yjs makes', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  const reference = new Y.Doc()
  for (let i = 0; i < 20; i++) {
    const u = makeUpdate(d => {
      d.getText('t').insert(0, `part ${i}; `)
      d.getMap('m').set('k', i)
      d.getArray('a').push([i, { deep: [i] }, new Uint8Array([i])])
      if (i % 3 === 0) d.getText('t').delete(0, 2)
    }, 1000 + i).update
    ws.send('1', String(i), topic, 'update', { data: [...u] })
    Y.applyUpdate(reference, u)
  }
  await ws.drainQueue()
  const state = Buffer.from(await stateOf(t, topic))
  assert.deepEqual(state, Buffer.from(Y.encodeStateAsUpdate(reference)))
})

test('each joiner gets the document of its moment, however quickly they come', async t => {
  const topic = freshTopic()
  const first = await member(t, topic)
  for (let i = 0; i < 5; i++) {
    first.send('1', '2', topic, 'update', { data: [...textUpdate(`part ${i};`, 50 + i)] })
    first.send('1', '3', topic, 'nonsense', {})
    while ((await first.json())[1] !== '3');
    const text = docOf(await stateOf(t, topic)).getText('t').toString()
    for (let k = 0; k <= i; k++) assert.ok(text.includes(`part ${k};`), `joiner ${i}: ${text}`)
  }
})

test('updates out of order wait for their past, and the state carries them', async t => {
  const topic = freshTopic()
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', u => updates.push(u))
  for (let i = 0; i < 6; i++) doc.getText('t').insert(doc.getText('t').length, `${i}`)
  doc.getText('t').delete(1, 2)
  const ws = await member(t, topic)
  const seen = await member(t, topic)
  for (const u of [...updates].reverse()) ws.send('1', '2', topic, 'update', { data: [...u] })
  await ws.drainQueue()
  assert.equal(docOf(...(await seen.drainQueue()).map(m => JSON.parse(m))
    .filter(m => m[3] === 'update').map(m => m[4].data)).getText('t').toString(), '0345')
  assert.equal(docOf(await stateOf(t, topic)).getText('t').toString(), '0345')
})

test('a pending update is not lost to a late joiner', async t => {
  const topic = freshTopic()
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', u => updates.push(u))
  doc.getText('t').insert(0, 'a')
  doc.getText('t').insert(1, 'b')
  const ws = await member(t, topic)
  ws.send('1', '2', topic, 'update', { data: [...updates[1]] })
  await ws.drainQueue()
  const late = await member(t, topic)
  assert.equal(docOf(late.state, updates[0]).getText('t').toString(), 'ab')
})

test('the same update twice: no second effect', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  const u = textUpdate('once')
  for (let i = 0; i < 3; i++) ws.send('1', '2', topic, 'update', { data: [...u] })
  await ws.drainQueue()
  assert.equal(docOf(await stateOf(t, topic)).getText('t').toString(), 'once')
})

test('an update of one megabyte', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  const text = 'Ünï\u{1f600} '.repeat(110000)
  const u = textUpdate(text)
  assert.ok(u.length > 1000000)
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(u)))
  await ws.drainQueue()
  assert.equal(docOf(await stateOf(t, topic)).getText('t').toString(), text)
})

test('step1 is answered with step2 and step1, step2 even when empty', async t => {
  const topic = freshTopic('y_doc_room:')
  const ws = await member(t, topic)
  for (const event of ['yjs_sync', 'yjs']) {
    ws.binary(binaryPush('1', '2', topic, event, syncStep1(new Y.Doc())))
    const frames = [binaryDecode(await ws.bytes()), binaryDecode(await ws.bytes())]
    for (const f of frames) {
      assert.deepEqual([f.kind, f.join_ref, f.topic, f.event], [0, '1', topic, 'yjs'])
    }
    const [two, one] = frames.map(f => parseMessage(f.payload))
    assert.deepEqual([two.type, one.type, two.rest, one.rest], ['step2', 'step1', 0, 0])
    assert.deepEqual(two.data, Buffer.of(0, 0))
    assert.equal(readVector(one.data).size, 0)
  }
})

test('step2 holds exactly what the vector lacks; the step1 of the server asks for the rest', async t => {
  const topic = freshTopic()
  const mine = new Y.Doc()
  mine.clientID = 7
  mine.getText('t').insert(0, 'mine')
  const ws = await member(t, topic)
  const theirs = makeUpdate(d => d.getArray('a').push([1, 2]), 8).update
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(theirs)))
  ws.binary(binaryPush('1', '3', topic, 'yjs_sync', syncStep1(mine)))
  const two = parseMessage(binaryDecode(await ws.bytes()).payload)
  const one = parseMessage(binaryDecode(await ws.bytes()).payload)
  assert.deepEqual(two.data, theirs)
  assert.deepEqual([...readVector(one.data)], [[8, 2]])
  ws.binary(binaryPush('1', '4', topic, 'yjs', syncStep2(mine, one.data)))
  await ws.drainQueue()
  const state = docOf(await stateOf(t, topic))
  assert.equal(state.getText('t').toString(), 'mine')
  assert.deepEqual(state.getArray('a').toArray(), [1, 2])
})

test('step2 of one member reaches the others', async t => {
  const topic = freshTopic('y_doc_room:')
  const a = await member(t, topic)
  const b = await member(t, topic)
  await a.drainQueue()
  const { doc } = makeUpdate(d => d.getText('t').insert(0, 'step2'))
  a.binary(binaryPush('1', '2', topic, 'yjs', syncStep2(doc)))
  const m = await b.json()
  assert.equal(docOf(m[4].data).getText('t').toString(), 'step2')
})

test('awareness as JSON reaches every other member, those who speak yjs too', async t => {
  const topic = freshTopic()
  const a = await member(t, topic)
  const b = await member(t, topic)
  b.binary(binaryPush('1', '2', topic, 'yjs_sync', syncStep1(new Y.Doc())))
  await b.drainQueue()
  a.send('1', '3', topic, 'awareness', { cursor: 3 })
  await a.drainQueue()
  assert.deepEqual((await b.drainQueue()).map(m => JSON.parse(m)),
    [[null, null, topic, 'awareness', { cursor: 3 }]])
})

/* ---- bad input ---- */

const good = textUpdate('good', 5)
const badData = {
  'no data': {},
  'data of another type': { data: 'AAAA' },
  null: { data: null },
  'an object': { data: { 0: 1 } },
  'an empty array': { data: [] },
  'numbers over 255': { data: [256] },
  'negative numbers': { data: [-1, 0] },
  fractions: { data: [1.5, 0] },
  strings: { data: ['0', '0'] },
  'nested arrays': { data: [[0], 0] },
  'one byte short': { data: [...good.subarray(0, -1)] },
  'a lying count': { data: [255, 255, 255, 255, 15, 1, 1, 0] },
  'a lying length': { data: [1, 1, 1, 0, 4, 1, 1, 116, 255, 255, 255, 255, 15, 65] },
  'an unknown content': { data: [1, 1, 1, 0, 31, 1, 1, 116, 1, 65, 0] },
  'text that is not UTF-8': { data: [1, 1, 1, 0, 4, 1, 1, 116, 2, 0xff, 0xfe, 0] },
  'an endless varint': { data: Array(40).fill(255) },
  noise: { data: Array.from({ length: 300 }, (_, i) => i * 7919 % 256) }
}

for (const [what, payload] of Object.entries(badData)) {
  test(`update with ${what}: error reply, document untouched, nothing broadcast, the room lives`, async t => {
    const topic = freshTopic()
    const ws = await member(t, topic)
    const other = await member(t, topic)
    ws.send('1', '2', topic, 'update', { data: [...good] })
    await other.drainQueue()
    await ws.drainQueue()
    const before = Buffer.from(await stateOf(t, topic))
    await ws.drainQueue()
    await other.drainQueue()
    const rejected = 'roomd_updates_total{result="rejected"}'
    const count = (await roomd.metrics()).value(rejected)
    ws.send('1', '3', topic, 'update', payload)
    const reply = await ws.json()
    assert.deepEqual(reply.slice(0, 4), ['1', '3', topic, 'phx_reply'])
    assert.equal(reply[4].status, 'error')
    assert.equal(typeof reply[4].response.reason, 'string')
    assert.deepEqual(await other.drainQueue(), [], 'nothing broadcast')
    assert.deepEqual(Buffer.from(await stateOf(t, topic)), before, 'untouched')
    assert.ok((await roomd.metrics()).value(rejected) > count, 'counted')
    await ws.drainQueue()
    await other.drainQueue()
    ws.send('1', '4', topic, 'update', { data: [...textUpdate('more')] })
    assert.equal((await other.json())[3], 'update', 'the room lives')
  })
}

test('a payload that is no object: error reply or nothing, never a crash', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  for (const p of ['null', '[]', '5', '"x"', '{}', '{"data":{}}', 'true']) {
    ws.text(`["1","2","${topic}","update",${p}]`)
    const reply = await ws.json()
    assert.equal(reply[4].status, 'error', p)
  }
})

const whole = syncUpdate(good)
const badMessages = {
  empty: [],
  'an unknown type': [9, 1, 2],
  'an unknown sync step': [0, 7, 0],
  'a sync without step': [0],
  'a lying length': [0, 2, 255, 255, 255, 255, 15, 1],
  'a cut update': [...whole.subarray(0, -3)],
  'a bad update inside': [0, 2, 4, 1, 1, 1, 200],
  'a bad state vector': [0, 0, 3, 255, 255, 255],
  'a cut awareness': [1, 10, 1, 5],
  'awareness that is not JSON': [1, 6, 1, 5, 1, 2, 123, 34],
  'awareness with a lying count': [1, 5, 255, 255, 255, 255, 15]
}
for (const [what, bytes] of Object.entries(badMessages)) {
  test(`y message: ${what}: nothing is broadcast, the member and the room live`, async t => {
    const topic = freshTopic('y_doc_room:')
    const ws = await member(t, topic)
    const other = await member(t, topic)
    other.send('1', '2', topic, 'update', { data: [...textUpdate('there')] })
    await other.drainQueue()
    await ws.drainQueue()
    ws.binary(binaryPush('1', '2', topic, 'yjs', Buffer.from(bytes)))
    for (const m of await ws.drainQueue()) {
      const reply = JSON.parse(m)
      assert.deepEqual([reply[1], reply[3], reply[4].status], ['2', 'phx_reply', 'error'])
    }
    assert.deepEqual(await other.drainQueue(), [])
    ws.binary(binaryPush('1', '3', topic, 'yjs', whole))
    assert.equal((await other.json())[3], 'update')
  })
}

test('events nobody knows do no harm', async t => {
  const topic = freshTopic()
  const ws = await member(t, topic)
  const other = await member(t, topic)
  await ws.drainQueue()
  for (const event of ['nonsense', 'phx_reply', 'phx_error', 'presence_state', '', 'yjs_server_down', 'heartbeat']) {
    ws.send('1', '2', topic, event, { a: 1 })
    ws.binary(binaryPush('1', '2', topic, event, [1, 2]))
  }
  await ws.drainQueue()
  assert.deepEqual(await other.drainQueue(), [])
  ws.send('1', '3', topic, 'update', { data: [...good] })
  assert.equal((await other.json())[3], 'update')
})

/* ---- expiry ---- */

test('an empty room ends after its time, a join in that time keeps it', async t => {
  const topic = freshTopic()
  const first = await member(t, topic)
  first.send('1', '2', topic, 'update', { data: [...textUpdate('kept')] })
  await first.drainQueue()
  const from = roomd.log.length
  first.destroy()
  await roomd.waitLog(new RegExp(`left.*${topic}|${topic}.*left|connection left`), { from })
  const second = await member(t, topic)
  assert.equal(docOf(second.state).getText('t').toString(), 'kept')
  second.send('1', '3', topic, 'phx_leave')
  await second.drainQueue()
  await roomd.waitLog(new RegExp(`shutting down empty room.*${topic}`))
  const third = await member(t, topic)
  assert.deepEqual(third.state, [])
})

/* A sanitizer's allocator keeps what is freed: the plain build shows this. */
if (SLOW === 1) {
  test('memory goes back to the system when rooms end', async t => {
    const own = await ownRoomd(t, { room_empty: '100ms' })
    const resident = async () => {
      const { body } = await own.request('GET', '/metrics')
      return Number(/^process_resident_memory_bytes (\S+)/m.exec(body)[1])
    }
    const { update } = makeUpdate(d => {
      for (let i = 0; i < 5000; i++) d.getMap('m').set(`key ${i}`, { i })
    }, 7)
    const before = await resident()
    const members = []
    for (let i = 0; i < 40; i++) {
      const ws = await RawSocket.open(own.where(), '/socket/websocket?vsn=2.0.0')
      ws.send('1', '1', `room:${i}`, 'phx_join')
      ws.send('1', '2', `room:${i}`, 'update', { data: [...update] })
      ws.send(null, '3', 'phoenix', 'heartbeat')
      while ((await ws.json())[1] !== '3');
      members.push(ws)
    }
    const full = await resident()
    assert.ok(full - before > 20e6, `grew by ${full - before}`)
    for (const ws of members) ws.destroy()
    const deadline = Date.now() + LIMIT_MS
    let after = full
    while (after - before > (full - before) / 4) {
      assert.ok(Date.now() < deadline, `still ${after - before} of ${full - before}`)
      after = await resident()
    }
  })
}

test('the log has what the operators look for', async t => {
  const topic = freshTopic()
  const from = roomd.log.length
  const a = await member(t, topic, { params: '&user_id=someone%0Aforged=1' })
  await member(t, topic)
  a.destroy()
  for (const words of [/room created/, /user joined.*count=2/, /client joined/,
    /connection left/]) {
    await roomd.waitLog(words, { from })
  }
  assert.ok(roomd.log.slice(from).includes(topic))
  assert.ok(!/^forged/m.test(roomd.log), 'peers cannot forge lines')
})

/* ---- presence ---- */

test('presence: a joiner sees itself in the diff first, then in the state; others get the diff', async t => {
  const topic = freshTopic()
  const a = await member(t, topic, { params: '&user_id=a' })
  const b = await RawSocket.open(where, '/socket/websocket?vsn=2.0.0&user_id=b')
  t.after(() => b.destroy())
  b.send('5', '5', topic, 'phx_join')
  await b.json()
  const diff = await b.json()
  const state = await b.json()
  assert.deepEqual([diff[3], state[3]], ['presence_diff', 'presence_state'])
  assert.deepEqual(Object.keys(diff[4].joins), ['b'])
  assert.deepEqual(Object.keys(state[4]).sort(), ['a', 'b'])
  assert.deepEqual(state[4].b, diff[4].joins.b, 'the same phx_ref, to be deduplicated')
  assert.deepEqual(await a.json(), diff)
  b.destroy()
  const left = await a.json()
  assert.deepEqual(left[4], { joins: {}, leaves: diff[4].joins })
})

test('presence: one user with two connections has two metas under one key', async t => {
  const topic = freshTopic()
  const a = await member(t, topic, { params: '&user_id=same' })
  const b = await member(t, topic, { params: '&user_id=same' })
  assert.equal(b.presence.same.metas.length, 2)
  const refs = b.presence.same.metas.map(m => m.phx_ref)
  assert.equal(new Set(refs).size, 2)
  await a.drainQueue()
  b.destroy()
  const left = await a.json()
  assert.deepEqual(left[4].leaves.same.metas.map(m => m.phx_ref), [refs[1]])
})

test('presence on a rejoin: others see leave, then join', async t => {
  const topic = freshTopic()
  const a = await member(t, topic, { params: '&user_id=a' })
  const b = await member(t, topic, { params: '&user_id=b' })
  const old = b.presence.b.metas[0].phx_ref
  await a.drainQueue()
  b.send('2', '2', topic, 'phx_join')
  await b.drainQueue()
  const diffs = (await a.drainQueue()).map(m => JSON.parse(m))
  assert.ok(diffs.every(d => d[3] === 'presence_diff'))
  const steps = diffs.flatMap(d => [
    ...Object.values(d[4].leaves).flatMap(p => p.metas.map(m => ['leave', m.phx_ref])),
    ...Object.values(d[4].joins).flatMap(p => p.metas.map(m => ['join', m.phx_ref]))])
  assert.deepEqual(steps.map(s => s[0]), ['leave', 'join'])
  assert.equal(steps[0][1], old)
  assert.notEqual(steps[1][1], old)
})

test('presence keys of any kind are only keys', async t => {
  const topic = freshTopic()
  for (const key of ['__proto__', 'constructor', '"', 'ü', ' ']) {
    const ws = await member(t, topic, { params: `&user_id=${encodeURIComponent(key)}` })
    assert.ok(Object.prototype.hasOwnProperty.call(ws.presence, key), key)
  }
})

test('anonymous members get names of their own', async t => {
  const topic = freshTopic()
  await member(t, topic)
  const b = await member(t, topic)
  const keys = Object.keys(b.presence)
  assert.equal(keys.length, 2)
  keys.forEach(k => assert.match(k, /^anon-\d+$/))
})
