/* SPDX-License-Identifier: MIT */
/* Before the first message: versions, tokens, origins, on both transports. */
import { assert, test, eventually } from '../support/harness.mjs'
import { RawSocket, request } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { sharedRoomd, ownRoomd } from '../support/roomd.mjs'
import { openSocket, openHook, freshTopic } from '../support/clients.mjs'

const roomd = await sharedRoomd()
const where = roomd.where()

/* 1 or 2: the version a socket with this query speaks; 0: refused. */
async function spoken (query) {
  const ws = await RawSocket.handshake(where, `/socket/websocket${query}`)
  try {
    if (ws.response.status !== 101) {
      assert.equal(ws.response.status, 403)
      return 0
    }
    ws.checkAccepted()
    ws.text('[null,"1","phoenix","heartbeat",{}]')
    const m = await ws.next()
    if (typeof m === 'string') return 2
    assert.equal(m.close, 1011)
    return 1
  } finally { ws.destroy() }
}

async function spokenByPoll (query) {
  const lp = new RawPoll(where, { vsn: null, params: query.slice(1) })
  const { status, body } = await lp.poll()
  if (status === 403) return 0
  assert.equal(status, 410)
  lp.token = body.token
  const { status: sent } = await lp.post(['[null,"1","phoenix","heartbeat",{}]'])
  return sent === 200 ? 2 : 1
}

for (const [query, version] of [
  ['', 1], ['?vsn=1.0.0', 1], ['?vsn=1.0.9', 1], ['?vsn=2.0.0', 2],
  ['?vsn=2.0.7', 2], ['?vsn=2.0.1-rc.1', 2], ['?vsn=2.0.0%2Bb', 2],
  ['?vsn=2.0.0-rc.1', 0], ['?vsn=2', 0], ['?vsn=2.0', 0], ['?vsn=3.0.0', 0],
  ['?vsn=1.1.0', 0], ['?vsn=2.1.0', 0], ['?vsn=0.9.0', 0], ['?vsn=', 0],
  ['?vsn=v2.0.0', 0], ['?vsn=2.0.0.0', 0], ['?vsn=02.0.0', 0],
  ['?vsn=2.0.00', 0], ['?vsn=%202.0.0', 0], ['?vsn=2.0.0%00', 0],
  ['?vsn=2.0.0&vsn=1.0.0', 1], ['?vsn=1.0.0&vsn=2.0.0', 2],
  ['?a=b&vsn=2.0.0&c', 2], ['?%76sn=2.0.0', 2],
  [`?vsn=2.0.${'9'.repeat(18)}`, 2]]) {
  test(`vsn ${query.slice(0, 40) || 'missing'}: ${version ? `V${version}` : 'refused'}`, async () => {
    assert.equal(await spoken(query), version, 'WebSocket')
    assert.equal(await spokenByPoll(query), version, 'long-poll')
  })
}

test('the auth token of a WebSocket: any length, the answer is phoenix', async () => {
  for (const token of ['t', 'x'.repeat(48), 'y'.repeat(400), 'z'.repeat(3000)]) {
    const b64 = Buffer.from(token).toString('base64').replace(/=/g, '')
    const ws = await RawSocket.open(where, undefined, {
      headers: { 'Sec-WebSocket-Protocol': `phoenix, base64url.bearer.phx.${b64}` }
    })
    assert.equal(ws.response.headers['sec-websocket-protocol'], 'phoenix')
    ws.send(null, '1', 'phoenix', 'heartbeat')
    assert.equal((await ws.json())[1], '1')
    ws.destroy()
  }
})

test('without protocols none is answered; phoenix alone is answered', async () => {
  const none = await RawSocket.open(where)
  assert.equal(none.response.headers['sec-websocket-protocol'], undefined)
  none.destroy()
  const one = await RawSocket.open(where, undefined,
    { headers: { 'Sec-WebSocket-Protocol': 'phoenix' } })
  assert.equal(one.response.headers['sec-websocket-protocol'], 'phoenix')
  one.destroy()
})

test('the token is never logged', async t => {
  const secret = 'very-secret-token-that-must-not-show'
  const b64 = Buffer.from(secret).toString('base64').replace(/=/g, '')
  const own = await ownRoomd(t, { log_level: 'debug' })
  const ws = await RawSocket.open(own.where(), undefined, {
    headers: { 'Sec-WebSocket-Protocol': `phoenix, base64url.bearer.phx.${b64}` }
  })
  ws.send(null, '1', 'phoenix', 'heartbeat')
  await ws.json()
  const lp = await RawPoll.open(own.where(), { headers: { 'X-Phoenix-AuthToken': secret } })
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  await lp.next()
  ws.destroy()
  await own.stop()
  assert.ok(!own.log.includes(secret) && !own.log.includes(b64) &&
    !own.log.includes(lp.token), 'no secret in the log')
})

for (const transport of ['websocket', 'longpoll']) {
  test(`phoenix.js with authToken over ${transport}`, async t => {
    const hook = openHook(t, roomd[transport === 'websocket' ? 'ws' : 'url']('/socket'),
      freshTopic(), { transport, authToken: 'ä?'.repeat(0) + 'tok>en'.repeat(40) })
    await hook.joined()
  })
}

test('user_id of the socket parameters is the presence key', async t => {
  const topic = freshTopic()
  const hook = openHook(t, roomd.ws(), topic, { params: { user_id: 'anna "ü" 1' } })
  const polled = openHook(t, roomd.url('/socket'), topic,
    { transport: 'longpoll', params: { user_id: 'bert' } })
  const anon = openHook(t, roomd.ws(), topic)
  const keys = () => Object.keys(hook.presence.state).sort()
  await hook.until('three presences', () => keys().length === 3)
  assert.match(keys()[0], /^anna "ü" 1$|^anon-\d+$/)
  assert.ok(keys().includes('anna "ü" 1') && keys().includes('bert'))
  assert.ok(keys().some(k => /^anon-\d+$/.test(k)))
  for (const { metas } of Object.values(hook.presence.state)) {
    assert.equal(metas.length, 1)
    assert.match(metas[0].online_at, /^\d{10}$/)
    assert.ok(Math.abs(Number(metas[0].online_at) - Date.now() / 1000) < 100)
    assert.equal(typeof metas[0].phx_ref, 'string')
  }
  await polled.joined()
  await anon.joined()
})

/* ---- origin ---- */

async function wsStatus (d, origin, host) {
  const ws = await RawSocket.handshake(d.where(), undefined, {
    headers: {
      ...(host ? { Host: host } : {}),
      ...(origin === null ? {} : { Origin: origin })
    }
  })
  ws.destroy()
  return ws.response.status
}

async function lpStatus (d, origin, host) {
  const lp = new RawPoll(d.where(), {
    headers: {
      ...(host ? { Host: host } : {}),
      ...(origin === null ? {} : { Origin: origin })
    }
  })
  return (await lp.poll()).status
}

async function checkOrigins (d, cases, host) {
  for (const [origin, allowed] of cases) {
    assert.equal(await wsStatus(d, origin, host), allowed ? 101 : 403,
      `WebSocket from ${origin}`)
    assert.equal(await lpStatus(d, origin, host), allowed ? 410 : 403,
      `long-poll from ${origin}`)
  }
}

test('check_origin = true: our own host, any scheme and port', async t => {
  const d = await ownRoomd(t, { check_origin: 'true' },
    { env: { PHX_HOST: 'edit.example.org' } })
  await checkOrigins(d, [[null, true], ['https://edit.example.org', true],
    ['http://edit.example.org:8080', true], ['https://EDIT.example.org', true],
    ['https://example.org', false], ['https://evil.org', false],
    ['https://edit.example.org.evil.org', false],
    ['https://xedit.example.org', false], ['null', false],
    ['edit.example.org', false], ['', false]], 'edit.example.org')
  await d.stop()
})

test('check_origin as a list: scheme, port, wildcard', async t => {
  const d = await ownRoomd(t, {
    check_origin: 'https://a.example.com, //b.example.com, http://c.example.com:8080, //*.example.net'
  })
  await checkOrigins(d, [[null, true], ['https://a.example.com', true],
    ['http://a.example.com', false], ['http://b.example.com', true],
    ['https://b.example.com:444', true], ['http://c.example.com:8080', true],
    ['http://c.example.com', false], ['https://x.example.net', true],
    ['https://x.y.example.net', true], ['https://example.net', true],
    ['https://badexample.net', false], ['https://evil.com', false]])
  await d.stop()
})

test('check_origin = conn: the host the request was made to', async t => {
  const d = await ownRoomd(t, { check_origin: 'conn' })
  await checkOrigins(d, [[null, true], ['http://here.example.org:4000', true],
    ['https://evil.org', false]], 'here.example.org:4000')
  await d.stop()
})

test('check_origin = auto: everybody without a host name, the host name with one', async t => {
  const open = await ownRoomd(t)
  await checkOrigins(open, [[null, true], ['https://evil.org', true]])
  await open.stop()
  const named = await ownRoomd(t, {}, { env: { PHX_HOST: 'edit.example.org' } })
  await checkOrigins(named, [['https://edit.example.org', true], ['https://evil.org', false]])
  await named.stop()
})

test('check_origin = false lets everyone in', async t => {
  const d = await ownRoomd(t, { check_origin: 'false' })
  await checkOrigins(d, [[null, true], ['https://evil.org', true], ['null', true]])
  await d.stop()
})

test('an origin that is refused: phoenix.js sees an error, on both transports', async t => {
  const d = await ownRoomd(t, { check_origin: 'https://only.example.com' })
  const seen = []
  const socket = openSocket(t, d.url('/socket'), { transport: 'longpoll' })
  socket.onError(e => seen.push(e))
  await eventually('open without an Origin', () => socket.isConnected() || seen.length,
    [[{ on: (_n, f) => { socket.onOpen(f); socket.onError(f) }, off () {} }, 'x']])
  const options = await request(d.where(), 'OPTIONS', '/socket/longpoll?vsn=2.0.0', {
    headers: {
      Origin: 'https://evil.org',
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'x-a'
    }
  })
  assert.equal(options.status, 200)
  assert.equal(options.headers['access-control-allow-headers'], undefined,
    'a refused origin learns nothing')
})
