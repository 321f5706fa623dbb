/* SPDX-License-Identifier: MIT */
/* WebSockets that open and are cut again and again: by whom the server knows
 * the client, when it refuses it, and that stock phoenix.js then falls back.
 * The cookie in a browser: tests/browser/flapping.test.mjs. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, readResponse } from '../support/net.mjs'
import { ownRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { MemoryStorage, converged, freshTopic, openHook, transportOf } from '../support/clients.mjs'

const PATH = '/socket/websocket?vsn=2.0.0'
const cookieOf = ws => (ws.response.headers['set-cookie'] || '').split(';')[0]

/* Opens a WebSocket and cuts it; resolves when the server knows. */
async function die (roomd, path, headers) {
  const from = roomd.log.length
  const ws = await RawSocket.open(roomd.where(), path, { headers })
  ws.destroy()
  await roomd.waitLog(/websocket closed connection=\d+ code=1006/, { from })
  return ws
}

async function refused (roomd, path, headers) {
  const ws = await RawSocket.handshake(roomd.where(), path, { headers })
  if (ws.response.status === 101) { // leaves with a Close: that is no flap
    ws.sendFrame(8, Buffer.of(3, 233))
    await ws.closed()
    ws.destroy()
    return false
  }
  ws.destroy()
  assert.equal(ws.response.status, 429)
  assert.ok(Number(ws.response.headers['retry-after']) > 0)
  return true
}

for (const [by, path, headers] of [
  ['client_id', `${PATH}&client_id=abc`, {}],
  ['cookie', PATH, { Cookie: 'a=b; roomd_client=xyz; c=d' }],
  ['token', PATH, { 'Sec-WebSocket-Protocol': 'phoenix, base64url.bearer.phx.dG9rZW4' }],
  ['user_id', `${PATH}&user_id=ada`, {}]]) {
  test(`a client known by its ${by} is refused after flap_deaths, others are not`, async t => {
    const roomd = await ownRoomd(t, { flap_deaths: 3 })
    for (let i = 0; i < 3; i++) {
      assert.equal(await refused(roomd, path, headers), false, `after ${i}`)
      await die(roomd, path, headers)
    }
    assert.equal(await refused(roomd, path, headers), true)
    assert.equal(await refused(roomd, PATH, {}), false, 'one without a name')
    assert.equal(await refused(roomd, `${PATH}&client_id=other`, headers), false)
    assert.equal(await refused(roomd, `${PATH}&user_id=other`, {}), false)
    await roomd.waitLog(new RegExp(
      `websockets of a client die young.* by=${by} deaths=3 seconds=600`))
    await roomd.waitLog(/connect refused reason=flapping/)
    const m = await roomd.metrics()
    assert.equal(m.value('roomd_flapping_clients'), 1)
    assert.equal(m.value('roomd_flapping_total'), 1)
    assert.equal(m.value('roomd_refused_total{reason="flapping"}'), 1)
  })
}

test('an address alone is never refused', async t => {
  const roomd = await ownRoomd(t, { flap_deaths: 2 })
  for (let i = 0; i < 10; i++) await die(roomd, PATH, {})
  assert.equal(await refused(roomd, PATH, {}), false)
  const m = await roomd.metrics()
  assert.equal(m.value('roomd_websockets_died_young_total{client="unknown"}') >= 10, true)
  assert.equal(m.value('roomd_flapping_total'), 0)
})

test('one user_id at two addresses is two clients', async t => {
  const roomd = await ownRoomd(t, { flap_deaths: 2, trusted_proxies: 'loopback' })
  const at = address => ({ 'X-Forwarded-For': address })
  for (let i = 0; i < 2; i++) await die(roomd, `${PATH}&user_id=u`, at('192.0.2.1'))
  assert.equal(await refused(roomd, `${PATH}&user_id=u`, at('192.0.2.1')), true)
  assert.equal(await refused(roomd, `${PATH}&user_id=u`, at('192.0.2.2')), false)
})

test('a Close, a long life and the end of the watch: no flaps', async t => {
  const roomd = await ownRoomd(t, { flap_deaths: 1, flap_life: '100ms' })
  const path = `${PATH}&client_id=c`
  const polite = await RawSocket.open(roomd.where(), path)
  polite.sendFrame(8, Buffer.of(3, 233)) // 1001, as a page that is left
  await polite.closed()
  assert.equal(await refused(roomd, path, {}), false)
  const roomy = await ownRoomd(t, { flap_deaths: 1, flap_life: '100ms', idle_timeout: '300ms' })
  const long = await RawSocket.open(roomy.where(), path)
  assert.equal((await long.closed()).close, 1002) // lived for 300 ms
  long.destroy()
  assert.equal(await refused(roomy, path, {}), false)
  const off = await ownRoomd(t, { flap_deaths: 0 })
  for (let i = 0; i < 6; i++) {
    assert.equal(cookieOf(await die(off, path, { Origin: 'http://localhost' })), '')
  }
  assert.equal(await refused(off, path, {}), false)
})

test('what is remembered is forgotten in time, and bounded', async t => {
  const roomd = await ownRoomd(t, { flap_deaths: 1, flap_memory: '200ms', flap_clients: 2 })
  await die(roomd, `${PATH}&client_id=1`, {})
  assert.equal(await refused(roomd, `${PATH}&client_id=1`, {}), true)
  for (let wait = true; wait;) wait = await refused(roomd, `${PATH}&client_id=1`, {})
  assert.equal((await roomd.metrics()).value('roomd_flapping_clients') <= 1, true)
  const many = await ownRoomd(t, { flap_deaths: 1, flap_clients: 2 })
  for (const id of [1, 2, 3]) await die(many, `${PATH}&client_id=${id}`, {})
  assert.equal(await refused(many, `${PATH}&client_id=1`, {}), false)
  const m = await many.metrics()
  assert.equal(m.value('roomd_limit_total{limit="flap_clients"}') >= 1, true)
  assert.equal(m.value('roomd_flapping_clients') <= 2, true)
})

test('the cookie: for browsers that have none, one page or another site', async t => {
  const roomd = await ownRoomd(t)
  const set = async headers => (await RawSocket.open(roomd.where(), PATH, { headers }))
    .response.headers['set-cookie']
  const host = { Host: 'rooms.example.com' }
  assert.match(await set({ ...host, Origin: 'http://rooms.example.com' }),
    /^roomd_client=[\w-]{22}; HttpOnly; SameSite=Lax$/)
  assert.match(await set({ Host: 'rooms.example.com:4000', Origin: 'https://rooms.example.com' }),
    /; HttpOnly; SameSite=Lax$/)
  assert.match(await set({ ...host, Origin: 'https://other.example' }),
    /; HttpOnly; SameSite=None; Secure; Partitioned$/)
  assert.match(await set({ ...host, Origin: 'http://other.example' }), /SameSite=Lax$/)
  assert.equal(await set(host), undefined, 'no browser')
  assert.equal(await set({ ...host, Origin: 'http://x', Cookie: 'roomd_client=abc' }), undefined)
  const a = await set({ ...host, Origin: 'http://x' })
  assert.notEqual(a, await set({ ...host, Origin: 'http://x' }))
})

test('a late upgrade on a kept-alive connection sets it too', async t => {
  const roomd = await ownRoomd(t)
  const wire = await Wire.open(roomd.where())
  // pipelined behind another request: the HTTP library answers this one
  wire.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
  const ws = await RawSocket.handshake(null, PATH, { wire, headers: { Origin: 'http://x' } })
  assert.equal(ws.response.status, 200)
  const late = new RawSocket(wire)
  late.response = await readResponse(wire)
  assert.equal(late.response.status, 101)
  assert.match(late.response.headers['set-cookie'], /^roomd_client=/)
  wire.destroy()
})

test('stock phoenix.js behind a proxy that cuts WebSockets falls back and syncs', async t => {
  const roomd = await ownRoomd(t)
  const proxy = await Proxy.start(roomd.where(), { mode: 'cut' })
  t.after(() => proxy.stop())
  const topic = freshTopic()
  const direct = openHook(t, roomd.ws(), topic, {})
  const storage = new MemoryStorage()
  const options = {
    longPollFallbackMs: 2500, sessionStorage: storage, params: { client_id: 'laptop-7' }
  }
  const began = Date.now()
  const behind = openHook(t, proxy.ws(), topic, options)
  await roomd.waitLog(/connect refused reason=flapping/)
  await roomd.waitLog(/longpoll opened/)
  const fellBack = Date.now() - began
  await behind.until('long-poll', () => transportOf(behind.socket) === 'longpoll')
  await direct.joined()
  direct.doc.getText('t').insert(0, 'from the socket ')
  behind.doc.getText('t').insert(0, 'from the poll ')
  await converged([direct.doc, behind.doc], d => d.getText('t').toString(),
    () => direct.doc.getText('t').length === 30)
  console.log(`# fell back after ${fellBack} ms and ${proxy.upgrades} upgrades`)
  assert.ok(proxy.upgrades <= 8, `${proxy.upgrades} upgrades`)
  // the next page load: refused at once
  const before = proxy.upgrades
  const again = openHook(t, proxy.ws(), topic, { ...options, sessionStorage: new MemoryStorage() })
  await again.joined()
  assert.equal(transportOf(again.socket), 'longpoll')
  assert.equal(proxy.upgrades, before + 1)
})
