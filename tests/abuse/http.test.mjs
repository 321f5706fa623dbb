/* SPDX-License-Identifier: MIT */
/* Abuse of HTTP: slow requests, bombs in the head, smuggling, stolen tokens,
 * polls that nobody reads. */
import { assert } from '../support/harness.mjs'
import { RawSocket, Wire, binaryPush, readResponse, requestText, upgradeText } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { freshTopic } from '../support/clients.mjs'
import { syncUpdate, textUpdate } from '../support/updates.mjs'
import { SCALE, HEADER, abuse, drip, many } from './stage.mjs'

console.log(HEADER)

abuse('slowloris, head', { limits: 'head_timeout', keys: { head_timeout: '2s' } },
  async d => {
    const n = 200 * SCALE
    const wires = await many(n, 50, () => Wire.open(d.where()))
    wires.forEach(w => w.write('GET / HTTP/1.1\r\nHost: x\r\n'))
    await drip(wires, i => `X-${i}: y\r\n`, 100)
    return `${n} heads that never end: closed after head_timeout`
  })

abuse('slowloris, byte by byte from the first', { limits: 'head_timeout', keys: { head_timeout: '2s' } },
  async d => {
    const n = 200 * SCALE
    const wires = await many(n, 50, () => Wire.open(d.where()))
    const text = `GET /${'a'.repeat(10000)}`
    await drip(wires, i => text[i], 20)
    return `${n} connections, 50 bytes/s each: closed after head_timeout`
  })

abuse('slowloris, body', { limits: 'request_timeout', keys: { request_timeout: '2s' } },
  async d => {
    const n = 200 * SCALE
    const lp = await RawPoll.open(d.where())
    const wires = await many(n, 50, () => Wire.open(d.where()))
    wires.forEach(w => w.write(requestText('POST', lp.url(),
      { 'Content-Length': 100000, 'Content-Type': 'application/x-ndjson' })))
    await drip(wires, () => 'x', 100)
    return `${n} bodies that never end: closed after request_timeout`
  })

abuse('connections that say nothing', { limits: 'head_timeout', keys: { head_timeout: '2s' } },
  async d => {
    const n = 1000 * SCALE
    const wires = await many(n, 100, () => Wire.open(d.where()))
    await Promise.all(wires.map(w => w.rest()))
    return `${n} silent connections: closed after head_timeout`
  })

abuse('connect and reset', {}, async d => {
  const n = 2000 * SCALE
  await many(n, 100, async i => {
    const w = await Wire.open(d.where())
    if (i % 2) w.write('GET / HT')
    w.socket.resetAndDestroy ? w.socket.resetAndDestroy() : w.destroy()
  })
  return `${n} connections reset at once: forgotten`
})

const statusOf = async (d, bytes) => {
  const w = await Wire.open(d.where())
  try {
    w.write(bytes)
    return (await readResponse(w)).status
  } finally {
    w.destroy()
  }
}

abuse('header and URI bombs', { limits: 'head_bytes' }, async d => {
  const bombs = [
    ['GET', `/${'a'.repeat(1 << 20)}`, {}],
    ['GET', `/socket/longpoll?vsn=2.0.0&${'x=y&'.repeat(100000)}`, {}],
    ['GET', '/', { Cookie: 'c'.repeat(1 << 20) }],
    ['GET', '/', Object.fromEntries(Array.from({ length: 20000 }, (_, i) => [`X-${i}`, 'y']))],
    ['GET', '/', { [`X-${'n'.repeat(100000)}`]: 'y' }],
    ['A'.repeat(100000), '/', {}]
  ]
  const seen = {}
  await many(60 * SCALE, 6, async i => {
    const [method, path, headers] = bombs[i % bombs.length]
    const status = await statusOf(d, requestText(method, path, headers)).catch(() => 'closed')
    seen[status] = (seen[status] || 0) + 1
  })
  const fine = await statusOf(d, requestText('GET', '/health',
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`X-${i}`, 'y'.repeat(100)]))))
  assert.equal(fine, 200)
  assert.ok(Object.keys(seen).every(s => ['431', '400', 'closed'].includes(s)), JSON.stringify(seen))
  return `heads up to 1 MB: ${Object.entries(seen).map(([s, n]) => `${n} x ${s}`).join(', ')}`
})

const smuggles = {
  'CL and TE': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  'TE and CL': 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  'two CL': 'Content-Length: 0\r\nContent-Length: 40\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  'CL list': 'Content-Length: 0, 40\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  'CL sign': 'Content-Length: +5\r\n\r\nhello',
  'CL hex': 'Content-Length: 0x5\r\n\r\nhello',
  'CL huge': 'Content-Length: 99999999999999999999999\r\n\r\nhello',
  'CL negative': 'Content-Length: -1\r\n\r\nhello',
  'TE unknown': 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'TE twice': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n',
  'TE list': 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'TE odd space': 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n',
  'TE folded': 'X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'TE vertical tab': 'Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n',
  'bare LF': 'X: y\nContent-Length: 5\r\n\r\nhello',
  'NUL in a value': 'X: a\0b\r\n\r\n',
  'two Hosts': 'Host: y\r\n\r\n'
}

abuse('request smuggling', {}, async d => {
  const seen = {}
  for (const [name, rest] of Object.entries(smuggles)) {
    const w = await Wire.open(d.where())
    w.write(`POST /socket/longpoll?vsn=2.0.0 HTTP/1.1\r\nHost: x\r\n${rest}`)
    const all = (await w.rest(`the end of ${name}`)).toString('latin1')
    const answers = [...all.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(m => m[1])
    assert.ok(answers.length <= 1, `${name}: ${answers}`)
    assert.ok(!all.includes('roomd_'), `${name}: the second request was answered`)
    assert.ok(answers.every(s => s === '400' || s === '431'), `${name}: ${answers}`)
    seen[answers[0] || 'closed'] = (seen[answers[0] || 'closed'] || 0) + 1
  }
  return `${Object.keys(smuggles).length} shapes: ${Object.entries(seen)
    .map(([s, n]) => `${n} x ${s}`).join(', ')}, then closed; no second request is answered`
})

abuse('an upgrade inside a body', {}, async d => {
  const inside = upgradeText('/socket/websocket?vsn=2.0.0').text
  const lp = await RawPoll.open(d.where())
  const w = await Wire.open(d.where())
  w.write(requestText('POST', lp.url(), { 'Content-Type': 'application/x-ndjson' }, inside))
  const { status, body } = await readResponse(w)
  assert.equal(status, 200)
  assert.notEqual(JSON.parse(body).status, 101)
  w.write(requestText('GET', '/health'))
  assert.equal((await readResponse(w)).status, 200, 'the body was a body')
  w.destroy()
  /* An upgrade with a body: what follows would be read as frames. */
  for (const headers of [{ 'Content-Length': 10 }, { 'Transfer-Encoding': 'chunked' }]) {
    assert.equal(await statusOf(d, upgradeText('/socket/websocket?vsn=2.0.0', headers).text), 400)
  }
  return 'read as a body (500 in it); an upgrade that has a body: 400'
})

abuse('token forgery', {}, async d => {
  const lp = await RawPoll.open(d.where())
  const token = lp.token
  const other = await RawPoll.open(d.where())
  const forged = ['', 'x', 'null!', 'A'.repeat(token.length), token.slice(0, -1), `${token}A`,
    token.toLowerCase(), token.split('').reverse().join(''), '..', token.repeat(100).slice(0, 4000)]
  for (let i = 0; i < token.length; i++) {
    const c = token[i] === 'A' ? 'B' : 'A'
    forged.push(token.slice(0, i) + c + token.slice(i + 1))
  }
  forged.push(token.slice(0, token.length >> 1) + other.token.slice(token.length >> 1))
  let gone = 0
  await many(forged.length, 20, async i => {
    const { status, body } = await new RawPoll(d.where()).post(['x'], { path: lp.url(forged[i]) })
    assert.equal(status, 410, `token ${i}`)
    assert.equal(body.token, null)
    gone++
  })
  lp.token = token
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '1', 'the true one works')
  return `${gone} forged tokens: 410, as any session that is over`
})

abuse('token replay on another mount and another instance', {}, async (d, t) => {
  const lp = await RawPoll.open(d.where())
  const { startRoomd } = await import('../support/roomd.mjs')
  const elsewhere = await startRoomd()
  t.after(async () => { if (!elsewhere.exited) elsewhere.signal('SIGKILL') })
  const there = new RawPoll(elsewhere.where())
  assert.equal((await there.post(['x'], { path: lp.url() })).status, 410, 'another instance, same secret')
  await elsewhere.stop()
  for (const path of [`/admin/longpoll?vsn=2.0.0&token=${lp.token}`,
    `/socket/longpoll/?vsn=2.0.0&token=${lp.token}`, `//socket/longpoll?vsn=2.0.0&token=${lp.token}`]) {
    const r = await d.request('POST', path, { body: 'x' })
    assert.ok(r.status >= 400, `${path}: ${r.status}`)
  }
  return 'another instance with the same secret: 410; other paths: no such thing'
})

abuse('polls that nobody reads', { limits: 'response_timeout', keys: { response_timeout: '2s' } },
  async d => {
    const n = 40 * SCALE
    const topic = freshTopic()
    const ws = await RawSocket.open(d.where())
    ws.send('1', '1', topic, 'phx_join')
    await ws.json()
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('d'.repeat(4 << 20)))))
    await ws.drainQueue()
    const wires = await many(n, 10, async () => {
      const lp = await RawPoll.open(d.where())
      await lp.send('1', '1', topic, 'phx_join')
      const w = await Wire.open({ ...d.where(), pauseReads: true })
      w.write(requestText('GET', lp.url()))
      return w
    })
    const limit = 'roomd_limit_total{limit="response_timeout"}'
    while ((await d.metrics()).value(limit) < n);
    wires.forEach(w => w.destroy())
    ws.destroy()
    return `${n} polls of a 4 MB document: given up after response_timeout, its bytes are shared`
  })
