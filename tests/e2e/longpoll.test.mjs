/* SPDX-License-Identifier: MIT */
/* The long-poll transport, request by request. Windows and sessions are short
 * here; what takes their full time is in longpoll-time.test.mjs. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, binaryDecode, binaryPush, readResponse, requestText, request } from '../support/net.mjs'
import { RawPoll, settled } from '../support/longpoll.mjs'
import { sharedRoomd, ownRoomd, startRoomd } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'
import { textUpdate, docOf, syncStep1, syncUpdate, parseMessage } from '../support/updates.mjs'
import { Y } from '../support/modules.mjs'

const roomd = await sharedRoomd({ longpoll_window: '18s', poll_bytes: 200000, body_bytes: 1000000 })
const where = roomd.where()
const open = options => RawPoll.open(where, options)

/* Joins and drops what comes with it. */
async function join (lp, topic, ref = '1') {
  await lp.send(ref, ref, topic, 'phx_join')
  const reply = await lp.next()
  assert.deepEqual(reply.slice(0, 4), [ref, ref, topic, 'phx_reply'])
  assert.equal(reply[4].status, 'ok')
  assert.equal((await lp.next())[3], 'presence_diff')
  assert.equal((await lp.next())[3], 'presence_state')
  return reply[4].response
}

/* Everything queued so far; a barrier message is answered behind it. */
async function drainQueue (lp) {
  await lp.send(null, 'barrier', 'no:topic', 'x')
  const before = []
  for (;;) {
    const m = await lp.next()
    if (m[1] === 'barrier') return before
    before.push(m)
  }
}

async function wsJoin (t, topic) {
  const ws = await RawSocket.open(where)
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await ws.json()
  return ws
}

test('open, heartbeat, join, update from both sides, leave', async t => {
  const topic = freshTopic()
  const lp = await open()
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal(await lp.nextText(),
    '[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]')
  assert.deepEqual(await join(lp, topic, '2'), { state: [] })
  const ws = await wsJoin(t, topic)
  assert.equal((await lp.next())[3], 'presence_diff')
  const update = textUpdate('polled')
  await lp.send('2', '3', topic, 'update', { data: [...update] })
  assert.deepEqual(await ws.json(), [null, null, topic, 'update', { data: [...update] }])
  const back = textUpdate('pushed')
  ws.send('1', '4', topic, 'update', { data: [...back] })
  assert.deepEqual(await lp.next(), [null, null, topic, 'update', { data: [...back] }])
  await lp.send('2', '5', topic, 'phx_leave')
  assert.deepEqual(await lp.next(),
    ['2', '5', topic, 'phx_reply', { status: 'ok', response: {} }])
  assert.deepEqual(await lp.next(), ['2', '2', topic, 'phx_close', {}])
})

test('every response renews the token that phoenix.js takes from it', async () => {
  const lp = await open()
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  const { body } = await lp.poll()
  assert.equal(body.status, 200)
  assert.equal(typeof body.token, 'string')
  lp.token = body.token
  await lp.send(null, '2', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '2')
})

test('the token may come as a header instead', async () => {
  const lp = await open()
  const headers = { 'X-Phoenix-LongPoll-Token': lp.token }
  const path = lp.url(null)
  assert.equal((await lp.post(['[null,"1","phoenix","heartbeat",{}]'],
    { headers, path })).status, 200)
  const { status, body } = await lp.poll({ headers, path })
  assert.equal(status, 200)
  assert.equal(JSON.parse(body.messages[0])[1], '1')
})

test('the POST is acknowledged after its lines were handled, joins included', async () => {
  const lp = await open()
  const topic = freshTopic()
  await lp.post([JSON.stringify(['1', '1', topic, 'phx_join', {}])])
  const { body } = await lp.poll()
  assert.deepEqual(JSON.parse(body.messages[0]).slice(0, 4), ['1', '1', topic, 'phx_reply'])
})

test('350 lines in one POST: none is lost, in order', async () => {
  const lp = await open()
  const lines = Array.from({ length: 350 },
    (_, i) => JSON.stringify([null, String(i), 'no:topic', 'x', {}]))
  assert.equal((await lp.post(lines)).status, 200)
  for (let i = 0; i < 350; i++) assert.equal((await lp.next())[1], String(i))
})

test('trailing newline, CRLF, blank end, chunked body', async () => {
  const lp = await open()
  const line = i => `[null,"${i}","no:topic","x",{}]`
  const bodies = [`${line(1)}\n`, `${line(2)}\r\n${line(3)}\r\n`, `${line(4)}\n${line(5)}\r\n`]
  for (const b of bodies) assert.equal((await lp.post(b)).status, 200)
  const wire = await Wire.open(where)
  wire.write(requestText('POST', lp.url(), {
    'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked'
  }))
  for (const c of [line(6).slice(0, 7), line(6).slice(7) + '\n' + line(7)]) {
    wire.write(`${c.length.toString(16)}\r\n${c}\r\n`)
  }
  wire.write('0\r\n\r\n')
  assert.equal(lp.check(await readResponse(wire)).status, 200)
  wire.destroy()
  for (let i = 1; i <= 7; i++) assert.equal((await lp.next())[1], String(i))
})

test('another content type: the whole body is one text message', async () => {
  const lp = await open()
  let n = 0
  for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
    const { status } = await lp.post(`[null,"${++n}",\n"phoenix","heartbeat",{}]`,
      { headers: { 'Content-Type': type } })
    assert.equal(status, 200)
    assert.equal((await lp.next())[1], String(n))
  }
})

test('a text line may contain escapes and UTF-8, and be long', async t => {
  const lp = await open()
  const topic = freshTopic()
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  const payload = { a: 'é\u{1f600}\n"\\', long: 'y'.repeat(60000) }
  await lp.send('1', '2', topic, 'awareness', payload)
  assert.deepEqual((await ws.json())[4], payload)
})

test('quotes, backslashes and control characters survive the double encoding down', async t => {
  const lp = await open()
  const topic = freshTopic()
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  const payload = { '"\\': '\u0000\u0001\u001f\u007f\u2028\b\f\n\r\t/<é\u{1f600}' }
  ws.send('1', '2', topic, 'awareness', payload)
  assert.deepEqual((await lp.next())[4], payload)
})

test('binary up: a base64 line is a binary frame', async t => {
  const lp = await open()
  const topic = freshTopic('y_doc_room:')
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  const frame = binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('b64 up')))
  assert.equal((await lp.post([frame.toString('base64'),
    '[null,"3","phoenix","heartbeat",{}]'])).status, 200)
  const m = await ws.json()
  assert.equal(docOf(m[4].data).getText('t').toString(), 'b64 up')
})

test('binary down to a stock client: V2 text with an array of integers', async t => {
  const lp = await open()
  const topic = freshTopic('y_doc_room:')
  await join(lp, topic)
  await lp.post([binaryPush('1', '2', topic, 'yjs_sync', syncStep1(new Y.Doc())).toString('base64')])
  const step2 = await lp.next()
  assert.deepEqual(step2.slice(1, 4), [null, topic, 'yjs'])
  assert.ok(Array.isArray(step2[4]) && step2[4].every(b => Number.isInteger(b) && b >= 0 && b < 256))
  assert.equal(parseMessage(step2[4]).type, 'step2')
  assert.equal(parseMessage((await lp.next())[4]).type, 'step1')
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('down'))))
  const m = await lp.next()
  assert.deepEqual(m.slice(0, 4), [null, null, topic, 'yjs'])
  const { type, data } = parseMessage(new Uint8Array(m[4]))
  assert.equal(type, 'update')
  assert.equal(docOf(data).getText('t').toString(), 'down')
})

test('binary down with lp_binary=base64: each frame a base64 string', async t => {
  const lp = await open({ params: 'lp_binary=base64' })
  const topic = freshTopic('y_doc_room:')
  await join(lp, topic)
  await lp.post([binaryPush('1', '2', topic, 'yjs_sync', syncStep1(new Y.Doc())).toString('base64')])
  for (const type of ['step2', 'step1']) {
    const text = await lp.nextText()
    assert.match(text, /^[A-Za-z0-9+/]+=*$/)
    const m = binaryDecode(Buffer.from(text, 'base64'))
    assert.deepEqual([m.topic, m.event], [topic, 'yjs'])
    assert.equal(parseMessage(m.payload).type, type)
  }
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('down'))))
  const m = binaryDecode(Buffer.from(await lp.nextText(), 'base64'))
  assert.equal(m.kind, 2)
  assert.equal(parseMessage(m.payload).type, 'update')
})

test('gzip when the client accepts it', async t => {
  const lp = await open()
  const topic = freshTopic()
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  const update = textUpdate('compress me '.repeat(3000))
  ws.send('1', '2', topic, 'update', { data: [...update] })
  const { body, response } = await lp.poll({ headers: { 'Accept-Encoding': 'gzip, deflate' } })
  assert.equal(response.headers['content-encoding'], 'gzip')
  assert.ok(response.encoded.length * 3 < response.body.length)
  assert.deepEqual(JSON.parse(body.messages[0])[4].data, [...update])
  for (const refuse of [{}, { 'Accept-Encoding': 'identity' },
    { 'Accept-Encoding': 'gzip;q=0, br' }]) {
    ws.send('1', '3', topic, 'update', { data: [...textUpdate('x'.repeat(9000))] })
    const plain = await lp.poll({ headers: refuse })
    assert.equal(plain.response.headers['content-encoding'], undefined)
    assert.equal(plain.body.messages.length, 1)
  }
})

test('V1 over long-poll', async t => {
  const lp = await open({ vsn: '1.0.0' })
  const topic = freshTopic()
  const say = m => lp.post([JSON.stringify({ topic, payload: {}, ...m })])
  /* phoenix.js's V1 lines start with a brace: they are text all the same
   * when the body is not ndjson. */
  const { status } = await lp.post(
    JSON.stringify({ topic, event: 'phx_join', payload: {}, ref: '1' }),
    { headers: { 'Content-Type': 'application/json' } })
  assert.equal(status, 200)
  const reply = await lp.next()
  assert.deepEqual([reply.event, reply.ref, reply.payload.status], ['phx_reply', '1', 'ok'])
  assert.equal((await lp.next()).event, 'presence_diff')
  assert.equal((await lp.next()).event, 'presence_state')
  assert.equal(typeof say, 'function')
})

test('an unreadable line: an error at once, the lines before count, the session lives', async () => {
  const lp = await open()
  for (const bad of ['oops', '[1,2', '[]', '!!!!', 'AAA', '[null,"1","phoenix","heartbeat",{]']) {
    const began = Date.now()
    const { status } = await lp.post(['[null,"a","no:topic","x",{}]', bad,
      '[null,"b","no:topic","x",{}]'])
    assert.notEqual(status, 200, bad)
    assert.ok(Date.now() - began < 5000)
    assert.equal((await lp.next())[1], 'a')
  }
  assert.deepEqual(await drainQueue(lp), [])
})

test('two polls at once: the newer gets the messages, the older ends with 204', async () => {
  const lp = await open()
  const first = await lp.begin('GET')
  const second = await lp.begin('GET')
  const third = await lp.begin('GET')
  const olds = await Promise.all([settled(first.answer), settled(second.answer)])
  assert.deepEqual(olds.map(o => o.status), [204, 204])
  assert.ok(olds.every(o => o.body.messages.length === 0 && o.body.token))
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  const { status, body } = await third.answer
  assert.equal(status, 200)
  assert.equal(JSON.parse(body.messages[0])[1], '1')
})

test('a POST next to an open poll', async () => {
  const lp = await open()
  const poll = await lp.begin('GET')
  await lp.send(null, '7', 'phoenix', 'heartbeat')
  assert.equal(JSON.parse((await poll.answer).body.messages[0])[1], '7')
})

test('many messages of one turn come in one answer', async () => {
  const lp = await open()
  await lp.post(Array.from({ length: 50 }, (_, i) => `[null,"${i}","no:topic","x",{}]`))
  const { body } = await lp.poll()
  assert.equal(body.messages.length, 50)
})

test('an aborted poll loses nothing, aborted before or while the answer is made', async t => {
  const lp = await open()
  const topic = freshTopic()
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  let sent = 0
  for (let round = 0; round < 40; round++) {
    const { wire } = await lp.begin('GET')
    const push = () => ws.send('1', '2', topic, 'awareness', { n: sent++ })
    if (round % 4 === 0) push()
    if (round % 2) wire.destroy()
    else if (wire.socket.resetAndDestroy) wire.socket.resetAndDestroy()
    else wire.destroy()
    push()
    if (round % 4 === 1) push()
    await ws.drainQueue()
  }
  const seen = new Set()
  while (seen.size < sent) seen.add((await lp.next())[4].n)
  assert.equal(Math.max(...seen), sent - 1)
})

test('an answer that was only partly written is given again', async t => {
  const big = await ownRoomd(t, { poll_bytes: 8000000, queue_bytes: 32000000 })
  const lp = await RawPoll.open(big.where())
  const topic = freshTopic()
  await lp.send('1', '1', topic, 'phx_join')
  const ws = await RawSocket.open(big.where())
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await ws.json()
  const updates = []
  for (let i = 0; i < 16; i++) {
    updates.push(textUpdate(`${i} ` + 'z'.repeat(400000)))
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(updates[i])))
  }
  await ws.drainQueue()
  const wire = await Wire.open({ ...big.where(), pauseReads: true })
  wire.write(requestText('GET', lp.url(), { Accept: 'application/json' }))
  const probe = await big.metrics()
  assert.ok(probe)
  wire.socket.resetAndDestroy ? wire.socket.resetAndDestroy() : wire.destroy()
  for (let i = 0; i < 16;) {
    const m = await lp.next()
    if (m[3] !== 'update') continue
    assert.ok(Buffer.from(m[4].data).equals(updates[i++]), 'in order, unharmed')
  }
  await big.stop()
})

test('the bytes of one answer are bounded; nothing is lost over many', async t => {
  const lp = await open()
  const topic = freshTopic()
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  for (let i = 0; i < 60; i++) {
    ws.send('1', '2', topic, 'awareness', { i, x: 'w'.repeat(20000) })
  }
  await ws.drainQueue()
  let i = 0
  let answers = 0
  while (i < 60) {
    const { status, body, response } = await lp.poll()
    assert.equal(status, 200)
    answers++
    assert.ok(response.body.length <= 200000 + 1000, `${response.body.length} bytes`)
    for (const m of body.messages) assert.equal(JSON.parse(m)[4].i, i++)
  }
  assert.ok(answers >= 6)
})

test('one message larger than the bound still comes', async t => {
  const lp = await open()
  const topic = freshTopic()
  await join(lp, topic)
  const ws = await wsJoin(t, topic)
  await drainQueue(lp)
  const update = textUpdate('w'.repeat(700000))
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(update)))
  assert.ok(Buffer.from((await lp.next())[4].data).equals(update))
})

test('200 parked polls all get one message', async t => {
  const topic = freshTopic()
  const all = []
  for (let i = 0; i < 200; i++) {
    const lp = await open()
    await lp.send('1', '1', topic, 'phx_join')
    all.push(lp)
  }
  /* The last of them knows who is there: nobody is still to be told of. */
  while ((await all.at(-1).next())[3] !== 'presence_state');
  for (const lp of all) await drainQueue(lp)
  const polls = await Promise.all(all.map(lp => lp.begin('GET')))
  t.after(() => polls.forEach(p => p.wire.destroy()))
  while ((await roomd.metrics()).value('roomd_longpoll_parked') < 200);
  const ws = await RawSocket.open(where)
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  for (const p of polls) {
    const { status, body } = await p.answer
    assert.equal(status, 200)
    assert.equal(JSON.parse(body.messages[0])[3], 'presence_diff')
  }
}, { limit: 60000 })

test('a parked poll whose client left is noticed', async () => {
  const lp = await open()
  const before = (await roomd.metrics()).value('roomd_longpoll_parked')
  const { wire } = await lp.begin('GET')
  while ((await roomd.metrics()).value('roomd_longpoll_parked') !== before + 1);
  wire.destroy()
  while ((await roomd.metrics()).value('roomd_longpoll_parked') !== before);
})

/* ---- tokens ---- */

test('a token that is not ours: 410 to GET and POST', async t => {
  const lp = await open()
  const t0 = lp.token
  const other = await ownRoomd(t, {}, { env: { SECRET_KEY_BASE: 'another-secret-'.repeat(6) } })
  const foreign = (await RawPoll.open(other.where())).token
  await other.stop()
  const flip = i => {
    const c = t0[i] === 'A' ? 'B' : 'A'
    return t0.slice(0, i) + c + t0.slice(i + 1)
  }
  for (const token of ['x', 'null', ' ', '%00', t0.slice(0, -2), t0 + 'A', flip(0),
    flip(t0.length >> 1), flip(t0.length - 4), foreign, 'A'.repeat(5000), '.'.repeat(100)]) {
    const path = lp.url(token)
    assert.equal((await lp.poll({ path })).status, 410, `GET ${token}`)
    assert.equal((await lp.post(['[null,"1","phoenix","heartbeat",{}]'], { path })).status,
      410, `POST ${token}`)
  }
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '1', 'the session itself lives')
})

test('a POST without a token: 410', async () => {
  const lp = new RawPoll(where)
  assert.equal((await lp.post(['[null,"1","phoenix","heartbeat",{}]'])).status, 410)
})

test('a token of a daemon that was restarted: 410', async () => {
  const one = await startRoomd()
  const lp = await RawPoll.open(one.where())
  await one.stop()
  const two = await startRoomd({}, { port: one.port })
  assert.equal((await lp.poll()).status, 410)
  assert.equal((await lp.post(['[null,"1","phoenix","heartbeat",{}]'])).status, 410)
  await two.stop()
})

/* ---- methods, CORS, limits ---- */

test('OPTIONS: 200, methods, echoed headers, max-age', async () => {
  const r = await request(where, 'OPTIONS', '/socket/longpoll?vsn=2.0.0', {
    headers: {
      Origin: 'https://app.example.com',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'content-type,x-phoenix-authtoken'
    }
  })
  assert.equal(r.status, 200)
  assert.equal(r.headers['access-control-allow-origin'], '*')
  assert.equal(r.headers['access-control-allow-headers'], 'content-type,x-phoenix-authtoken')
  assert.deepEqual(r.headers['access-control-allow-methods'].toLowerCase().split(/, */).sort(),
    ['get', 'options', 'post'])
  assert.equal(r.headers['access-control-max-age'], '3600')
})

test('a hostile header list in a preflight cannot split the response', async () => {
  const wire = await Wire.open(where)
  wire.write(requestText('OPTIONS', '/socket/longpoll', {
    Origin: 'https://a.example', 'Access-Control-Request-Headers': 'a,\x01b\x7f' + 'c'.repeat(3000)
  }))
  const r = await readResponse(wire)
  assert.ok([200, 400].includes(r.status))
  wire.destroy()
})

test('other methods: 400', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH']) {
    const r = await request(where, method, '/socket/longpoll?vsn=2.0.0')
    assert.equal(r.status, 400, method)
  }
})

test('a body over the limit is refused and the session lives', async () => {
  const lp = await open()
  const wire = await Wire.open(where)
  wire.write(requestText('POST', lp.url(), {
    'Content-Type': 'application/x-ndjson', 'Content-Length': 1100000
  }))
  for (let i = 0; i < 11 && !wire.ended; i++) wire.write('x'.repeat(100000))
  const r = await readResponse(wire)
  wire.destroy()
  if (r.status === 200) {
    assert.ok([400, 413, 500].includes(JSON.parse(r.body.toString()).status))
  } else {
    assert.ok([400, 413].includes(r.status))
  }
  const m = await roomd.metrics()
  assert.ok(m.value('roomd_limit_total{limit="body_bytes"}') >= 1)
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '1')
})

test('a chunked body over the limit is refused and the session lives', async () => {
  const lp = await open()
  const wire = await Wire.open(where)
  wire.write(requestText('POST', lp.url(), {
    'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked'
  }))
  const chunk = `10000\r\n${'y'.repeat(65536)}\r\n`
  for (let i = 0; i < 24 && !wire.ended; i++) wire.write(chunk)
  wire.write('0\r\n\r\n')
  const r = await readResponse(wire)
  wire.destroy()
  assert.ok(r.status !== 200 || JSON.parse(r.body.toString()).status !== 200)
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '1')
})

test('a body without an end is cut off, and costs no memory', async t => {
  const d = await ownRoomd(t, { request_timeout: '1s', body_bytes: '1M' })
  const lp = await RawPoll.open(d.where())
  const wire = await Wire.open(d.where())
  wire.write(requestText('POST', lp.url(), {
    'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked'
  }))
  const chunk = `10000\r\n${'y'.repeat(65536)}\r\n`
  const began = Date.now()
  while (!await new Promise(resolve => wire.socket.write(chunk, resolve)));
  assert.ok(Date.now() - began >= 900, 'not before its time')
  wire.destroy()
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '1')
  await d.stop()
})

test('polls and posts of many sessions on one kept-alive connection', async () => {
  const wire = await Wire.open(where)
  for (let i = 0; i < 10; i++) {
    const lp = new RawPoll(where)
    wire.write(requestText('GET', lp.url(), {}))
    lp.token = lp.check(await readResponse(wire)).body.token
    wire.write(requestText('POST', lp.url(), { 'Content-Type': 'application/x-ndjson' },
      `[null,"${i}","phoenix","heartbeat",{}]`))
    assert.equal(lp.check(await readResponse(wire)).status, 200)
    wire.write(requestText('GET', lp.url(), {}))
    const { body } = lp.check(await readResponse(wire))
    assert.equal(JSON.parse(body.messages[0])[1], String(i))
  }
  wire.destroy()
})
