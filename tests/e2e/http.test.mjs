/* SPDX-License-Identifier: MIT */
/* Everything on the port that is not a socket: probes, metrics, files, heads
 * as slow, long and broken as peers send them. */
import fs from 'node:fs'
import path from 'node:path'
import { assert, test, waitFor } from '../support/harness.mjs'
import { Wire, RawSocket, frame, OP, readResponse, requestText, upgradeText } from '../support/net.mjs'
import { sharedRoomd, ownRoomd, scratchDir } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'

const www = scratchDir('www')
fs.writeFileSync(path.join(path.dirname(www), 'outside.txt'), 'outside')
fs.writeFileSync(path.join(www, 'index.html'), '<!doctype html><title>x</title>')
fs.writeFileSync(path.join(www, 'big.js'), '/*' + 'x'.repeat(300000) + '*/')
fs.writeFileSync(path.join(www, 'empty.txt'), '')
fs.writeFileSync(path.join(www, '.hidden'), 'hidden')
fs.writeFileSync(path.join(www, 'a b+ü.svg'), '<svg/>')
fs.mkdirSync(path.join(www, 'sub'))
fs.writeFileSync(path.join(www, 'sub', 'page.css'), 'a{}')
fs.writeFileSync(path.join(www, 'sub', 'index.html'), '<p>sub')
fs.writeFileSync(path.join(www, '404.html'), '<!doctype html><link href="./a.css"><a href="./">no such page</a>')
fs.symlinkSync(path.join(path.dirname(www), 'outside.txt'), path.join(www, 'link.txt'))
fs.symlinkSync('/etc', path.join(www, 'etc'))

const roomd = await sharedRoomd({ head_timeout: '2s', keepalive_timeout: '2s', www })
const where = roomd.where()

for (const at of ['/health', '/ready']) {
  test(`GET and HEAD ${at}`, async () => {
    const get = await roomd.request('GET', at)
    assert.equal(get.status, 200)
    assert.match(get.headers['content-type'], /^application\/json/)
    assert.match(get.headers['cache-control'] || '', /no-store/)
    assert.equal(typeof JSON.parse(get.body.toString()), 'object')
    assert.ok(get.body.length < 200, 'tiny')
    const head = await roomd.request('HEAD', at)
    assert.equal(head.status, 200)
    assert.equal(head.headers['content-length'], String(get.body.length))
  })
}

test('other methods on the probes are refused with 405 and Allow', async () => {
  for (const at of ['/health', '/ready', '/metrics', '/index.html']) {
    const r = await roomd.request('DELETE', at)
    assert.equal(r.status, 405, at)
    assert.match(r.headers.allow || '', /GET/)
  }
})

test('/metrics is strict Prometheus text and counts', async () => {
  const r = await roomd.request('GET', '/metrics')
  assert.match(r.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const before = await roomd.metrics()
  const ws = await RawSocket.open(where)
  ws.send('1', '1', freshTopic(), 'phx_join')
  await ws.json()
  const after = await roomd.metrics()
  const now = 'roomd_connections{transport="websocket"}'
  assert.equal(after.value(now), before.value(now) + 1)
  assert.equal(after.value('roomd_rooms'), before.value('roomd_rooms') + 1)
  const inbound = 'roomd_messages_received_total'
  assert.equal(after.value(inbound), before.value(inbound) + 1)
  assert.ok([...after.families.values()].some(f => f.type === 'histogram' &&
    /loop/.test(f.name)), 'a loop lag histogram')
  ws.destroy()
})

test('static files: type, ETag, 304, HEAD', async () => {
  for (const [at, type, file] of [
    ['/', /^text\/html/, 'index.html'],
    ['/index.html', /^text\/html/, 'index.html'],
    ['/big.js', /^(text|application)\/javascript/, 'big.js'],
    ['/sub/page.css?v=1', /^text\/css/, 'sub/page.css'],
    ['/sub/', /^text\/html/, 'sub/index.html'],
    ['/empty.txt', /^text\/plain/, 'empty.txt'],
    ['/a%20b%2B%C3%BC.svg', /^image\/svg\+xml/, 'a b+ü.svg']]) {
    const get = await roomd.request('GET', at)
    assert.equal(get.status, 200, at)
    assert.match(get.headers['content-type'], type)
    assert.equal(get.headers['x-content-type-options'], 'nosniff')
    assert.deepEqual(get.body, fs.readFileSync(path.join(www, file)))
    assert.match(get.headers.etag, /^(W\/)?"[\x21\x23-\x7e]+"$/)
    const head = await roomd.request('HEAD', at)
    assert.equal(head.status, 200)
    assert.equal(head.headers['content-length'], String(get.body.length))
    assert.equal(head.headers.etag, get.headers.etag)
    for (const tag of [get.headers.etag, `"no", ${get.headers.etag}`, '*']) {
      const again = await roomd.request('GET', at,
        { headers: { 'If-None-Match': tag } })
      assert.equal(again.status, 304, `${at} with ${tag}`)
      assert.equal(again.headers.etag, get.headers.etag)
    }
    const changed = await roomd.request('GET', at,
      { headers: { 'If-None-Match': '"other"' } })
    assert.equal(changed.status, 200)
  }
})

test('a changed file has another ETag', async () => {
  const file = path.join(www, 'changing.txt')
  fs.writeFileSync(file, 'one')
  const one = await roomd.request('GET', '/changing.txt')
  fs.writeFileSync(file, 'three')
  const two = await roomd.request('GET', '/changing.txt')
  assert.equal(two.body.toString(), 'three')
  assert.notEqual(one.headers.etag, two.headers.etag)
})

test('nothing outside of the folder is served', async () => {
  for (const at of ['/../outside.txt', '/sub/../../outside.txt',
    '/%2e%2e/outside.txt', '/..%2foutside.txt', '/..%2Foutside.txt',
    '/sub/%2e%2e/%2e%2e/outside.txt', '/..%5coutside.txt', '/..\\outside.txt',
    '/%252e%252e/outside.txt', '//etc/passwd', '///etc/passwd', '/etc/passwd',
    '/link.txt', '/.hidden', '/%2ehidden', '/index.html%00.js', '/%00',
    '/%', '/%zz', '/%c0%ae%c0%ae/outside.txt', '/./../outside.txt',
    '/sub/..;/../outside.txt', '/' + '../'.repeat(40) + 'etc/passwd',
    '/' + 'a/'.repeat(3000)]) {
    const r = await roomd.request('GET', at)
    assert.ok([400, 403, 404, 414, 431].includes(r.status), `${at}: ${r.status}`)
    assert.ok(!r.body.includes('outside') && !r.body.includes('root:'), at)
  }
})

test('unknown paths are 404', async () => {
  for (const at of ['/nothing', '/socket', '/socket/', '/socket/other',
    '/healthy', '/health/x']) {
    assert.equal((await roomd.request('GET', at)).status, 404, at)
  }
})

test('a browser gets a page instead, whose addresses lead to the root from any depth', async () => {
  const html = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  for (const [at, base] of [['/nothing', './'], ['/no/such?x=/a/b', './../'],
    ['/no/such/', './../../'], ['//twice', './../'], ['/%2f%2e', './'],
    ['/' + 'a/'.repeat(500), './' + '../'.repeat(500)]]) {
    const r = await roomd.request('GET', at, { headers: html })
    assert.equal(r.status, 404, at)
    assert.equal(r.body.toString(), `<!doctype html><link href="${base}a.css"><a href="${base}">no such page</a>`, at)
    assert.equal(r.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(r.headers['content-security-policy'], /default-src 'self'/)
    assert.equal(r.headers['cache-control'], 'no-store')
    assert.equal((await roomd.request('HEAD', at, { headers: html })).headers['content-length'],
      String(r.body.length))
  }
  for (const accept of [undefined, '*/*', 'application/json']) {
    const r = await roomd.request('GET', '/nothing', { headers: accept ? { Accept: accept } : {} })
    assert.equal(r.status, 404)
    assert.equal(r.body.toString(), 'Not Found\n')
    assert.match(r.headers['content-type'], /^text\/plain/)
  }
})

test('a page for what is missing is given as it is where it has no addresses, and not where it is too large', async t => {
  const folder = scratchDir('www-404')
  const own = await ownRoomd(t, { www: folder })
  const get = () => own.request('GET', '/no/such' + '/a'.repeat(100), { headers: { Accept: 'text/html' } })
  assert.equal((await get()).body.toString(), 'Not Found\n')
  fs.writeFileSync(path.join(folder, '404.html'), '<p>plain')
  assert.equal((await get()).body.toString(), '<p>plain')
  fs.writeFileSync(path.join(folder, '404.html'), 'x'.repeat(65536))
  assert.equal((await get()).body.toString(), 'Not Found\n')
  fs.writeFileSync(path.join(folder, '404.html'), '<a href="./">'.repeat(5000))
  assert.equal((await get()).body.toString(), 'Not Found\n')
})

test('a plain GET of the WebSocket path is refused, not hung', async () => {
  const r = await roomd.request('GET', '/socket/websocket?vsn=2.0.0')
  assert.ok(r.status >= 400 && r.status < 500, `status ${r.status}`)
})

test('kept alive: many requests, also pipelined, on one connection', async () => {
  const wire = await Wire.open(where)
  for (let i = 0; i < 5; i++) {
    wire.write(requestText('GET', '/health'))
    assert.equal((await readResponse(wire)).status, 200)
  }
  wire.write(Buffer.concat([requestText('GET', '/health'),
    requestText('HEAD', '/ready'), requestText('GET', '/nothing')]))
  assert.equal((await readResponse(wire)).status, 200)
  assert.equal((await readResponse(wire, { head: true })).status, 200)
  assert.equal((await readResponse(wire)).status, 404)
  wire.destroy()
})

test('a request sent byte by byte is answered', async () => {
  const wire = await Wire.open(where)
  await wire.writeDropByDrop(requestText('GET', '/health'))
  assert.equal((await readResponse(wire)).status, 200)
  wire.destroy()
})

test('a handshake sent byte by byte, and frames byte by byte', async () => {
  const wire = await Wire.open(where)
  const { text, accept } = upgradeText('/socket/websocket?vsn=2.0.0')
  await wire.writeDropByDrop(text)
  const ws = new RawSocket(wire)
  ws.response = await readResponse(wire)
  ws.accept = accept
  ws.checkAccepted()
  await wire.writeDropByDrop(frame(OP.text,
    '[null,"1","phoenix","heartbeat",{}]'))
  assert.equal(await ws.next(),
    '[null,"1","phoenix","phx_reply",{"status":"ok","response":{}}]')
  ws.destroy()
})

test('a frame pipelined behind the handshake is not lost, whatever the size of the head', async () => {
  for (let pad = 0; pad < 120; pad++) {
    const ws = await RawSocket.open(where, undefined, {
      headers: { 'X-Pad': 'p'.repeat(pad * 37 % 4000 + pad) },
      early: frame(OP.text, `[null,"${pad}","phoenix","heartbeat",{}]`)
    })
    assert.equal((await ws.json())[1], String(pad))
    ws.destroy()
  }
})

test('half a frame pipelined behind the handshake', async () => {
  const whole = frame(OP.text, '[null,"1","phoenix","heartbeat",{}]')
  for (const cut of [1, 2, 5, 20]) {
    const ws = await RawSocket.open(where, undefined,
      { early: whole.subarray(0, cut) })
    ws.wire.write(whole.subarray(cut))
    assert.equal((await ws.json())[1], '1')
    ws.destroy()
  }
})

test('an upgrade on a connection that already served requests, as nginx and haproxy send it', async () => {
  for (let i = 0; i < 20; i++) {
    const wire = await Wire.open(where)
    for (let n = 0; n < i % 3 + 1; n++) {
      wire.write(requestText('GET', '/health'))
      assert.equal((await readResponse(wire)).status, 200)
    }
    const topic = freshTopic()
    const ws = await RawSocket.open(where, undefined, { wire })
    ws.send('1', '1', topic, 'phx_join')
    assert.equal((await ws.json())[4].status, 'ok')
    ws.send('1', '2', topic, 'phx_leave')
    ws.destroy()
  }
})

test('an upgrade pipelined behind another request', async () => {
  const wire = await Wire.open(where)
  const { text, accept } = upgradeText('/socket/websocket?vsn=2.0.0')
  wire.write(Buffer.concat([requestText('GET', '/health'), text]))
  assert.equal((await readResponse(wire)).status, 200)
  const ws = new RawSocket(wire)
  ws.response = await readResponse(wire)
  ws.accept = accept
  ws.checkAccepted()
  ws.send(null, '9', 'phoenix', 'heartbeat')
  assert.equal((await ws.json())[1], '9')
  ws.destroy()
})

test('an upgrade pipelined behind another request leaves no connection behind', async t => {
  const own = await ownRoomd(t)
  const wire = await Wire.open(own.where())
  const { text } = upgradeText('/socket/websocket?vsn=2.0.0')
  wire.write(Buffer.concat([requestText('GET', '/health'), text]))
  await readResponse(wire)
  assert.equal((await readResponse(wire)).status, 101)
  wire.write(frame(OP.close, Buffer.of(0x03, 0xe8)))
  await wire.rest() /* until the daemon has closed it */
  const http = 'roomd_connections{transport="http"}'
  const metrics = await own.metrics()
  assert.equal(metrics.value(http), 1, 'the request for the metrics itself')
  wire.destroy()
})

test('a peer that sends nothing is let go', async () => {
  const wire = await Wire.open(where)
  const began = Date.now()
  await wire.rest()
  assert.ok(Date.now() - began >= 1000, 'not before the deadline')
  wire.destroy()
})

for (const first of ['GET /health HTTP/1.1\r\n', 'GET /socket/websocket HTTP/1.1\r\n']) {
  test(`a head that trickles in for ever has an absolute deadline: ${first.trim()}`, async () => {
    const wire = await Wire.open(where)
    wire.write(first)
    const timer = setInterval(() => wire.ended || wire.write('X-A: b\r\n'), 100)
    try {
      await wire.rest()
    } finally {
      clearInterval(timer)
      wire.destroy()
    }
  })
}

test('a trickling head on a kept-alive connection has the deadline too', async () => {
  const wire = await Wire.open(where)
  wire.write(requestText('GET', '/health'))
  assert.equal((await readResponse(wire)).status, 200)
  wire.write('GET /health HTTP/1.1\r\n')
  const timer = setInterval(() => wire.ended || wire.write('X-A: b\r\n'), 100)
  try {
    await wire.rest()
  } finally {
    clearInterval(timer)
    wire.destroy()
  }
})

const UPGRADE = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='].join('\r\n')

test("a proxy's connection carries heads of any size behind a small one", async () => {
  for (const path of ['/health', '/socket/longpoll?vsn=2.0.0', '/socket/websocket?vsn=2.0.0']) {
    const wire = await Wire.open(where)
    wire.write('GET /health HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n')
    assert.equal((await readResponse(wire)).status, 200)
    wire.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nCookie: a=${'x'.repeat(14000)}\r\n` +
      (path.includes('websocket') ? UPGRADE + '\r\n' : '') + '\r\n')
    assert.equal((await readResponse(wire)).status, path.includes('websocket') ? 101 : 200, path)
    wire.destroy()
  }
})

test("a client's own connection takes a browser's upgrade behind a bare request", async () => {
  const wire = await Wire.open(where)
  wire.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal((await readResponse(wire)).status, 200)
  wire.write(`GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: x\r\n${UPGRADE}\r\n` +
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0\r\n' +
    `Accept-Language: en-US,en;q=0.9,de;q=0.8\r\nCookie: s=${'x'.repeat(900)}\r\n\r\n`)
  assert.equal((await readResponse(wire)).status, 101)
  wire.destroy()
})

test('later heads on a connection are read as strictly as the first', async () => {
  for (const [line, status] of [['Content-Length : 34', 400], ['Transfer-Encoding : chunked', 400],
    ['X-A: b\0c', 400], ['X-A: b\x01c', 400], ['Content-Length: 1\r\nContent-Length: 2', 400]]) {
    const wire = await Wire.open(where)
    wire.write(requestText('GET', '/health'))
    assert.equal((await readResponse(wire)).status, 200)
    wire.write(Buffer.from(`GET /health HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n`, 'latin1'))
    assert.equal((await readResponse(wire)).status, status, line)
    await wire.rest()
    wire.destroy()
  }
})

test('broken and oversized heads are refused and the daemon lives', async () => {
  for (const bytes of ['\r\n\r\n', 'NONSENSE\r\n\r\n', 'GET\r\n\r\n',
    'GET /health\r\n\r\n', 'GET /health HTTP/9.9\r\n\r\n', '\0\0\0\0\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'GET /socket/websocket?vsn=2.0.0 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    `GET /${'x'.repeat(40000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /socket/websocket?${'x'.repeat(40000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET /health HTTP/1.1\r\nHost: x\r\n${'X-Y: z\r\n'.repeat(9000)}\r\n`]) {
    const wire = await Wire.open(where)
    wire.write(Buffer.from(bytes, 'latin1'))
    wire.halfClose()
    const answer = (await wire.rest()).toString('latin1')
    assert.ok(!/^HTTP\/1\.1 (101|200)/.test(answer) || /^(\r\n)/.test(bytes),
      `${bytes.slice(0, 40)}: ${answer.slice(0, 100)}`)
    wire.destroy()
  }
  assert.equal((await roomd.request('GET', '/health')).status, 200)
})

test('IPv4 and IPv6 on one port', async () => {
  for (const host of ['127.0.0.1', '::1']) {
    const r = await waitFor(host, (resolve, reject) =>
      roomd.request('GET', '/health').then(resolve, reject))
    assert.equal(r.status, 200)
    const ws = await RawSocket.open({ host, port: roomd.port })
    ws.send(null, '1', 'phoenix', 'heartbeat')
    assert.equal((await ws.json())[1], '1')
    ws.destroy()
  }
})

test('more connections than allowed are turned away, then let in again', async t => {
  const small = await ownRoomd(t, { connections: 5, head_timeout: '20s' })
  const held = []
  for (let i = 0; i < 5; i++) held.push(await RawSocket.open(small.where()))
  const extra = await RawSocket.open(small.where())
  assert.equal((await extra.closed()).close, 1013)
  extra.destroy()
  await small.waitLog(/websocket closed.*code=1013/)
  const from = small.log.length
  held.pop().destroy()
  await small.waitLog(/websocket closed/, { from })
  const again = await RawSocket.open(small.where())
  again.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await again.json())[1], '1')
  again.destroy()
  held.forEach(s => s.destroy())
  await small.stop()
})
