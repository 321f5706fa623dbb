/* SPDX-License-Identifier: MIT */
/* Whose connection it is: trusted_proxies, X-Forwarded-For, Forwarded, and the
 * PROXY protocol ahead of the first request. tests/proxies does the same
 * through the real programs. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, readResponse, requestText } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { ownRoomd, runToEnd, writeConf } from '../support/roomd.mjs'

const V4 = Buffer.from('c0000207c6336401dc0401bb', 'hex') // 192.0.2.7
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
const v2 = (command, family, body) => Buffer.concat([SIGNATURE,
  Buffer.of(command, family, body.length >> 8, body.length & 255), body])
const v1 = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n'

/* The address that the log names for the next session that opens. */
async function logged (roomd, from) {
  const [, peer] = await roomd.waitLog(
    /(?:websocket|longpoll) opened connection=\d+ peer=(\S*)/, { from })
  return peer.replace(/"/g, '')
}

async function addressOf (roomd, headers) {
  const from = roomd.log.length
  const ws = await RawSocket.open(roomd.where(), undefined, { headers })
  const byWebSocket = await logged(roomd, from)
  ws.destroy()
  const then = roomd.log.length
  await RawPoll.open(roomd.where(), { headers })
  assert.equal(await logged(roomd, then), byWebSocket, 'both transports agree')
  return byWebSocket
}

test('without trusted_proxies nobody is believed', async t => {
  const roomd = await ownRoomd(t)
  assert.equal(await addressOf(roomd, { 'X-Forwarded-For': '192.0.2.1' }), '127.0.0.1')
  assert.equal(await addressOf(roomd, { Forwarded: 'for=192.0.2.1' }), '127.0.0.1')
})

test('a trusted proxy names the client; what the client claims is not believed', async t => {
  const roomd = await ownRoomd(t, { trusted_proxies: '127.0.0.1 10.0.0.0/8' })
  assert.equal(await addressOf(roomd, {}), '127.0.0.1')
  assert.equal(await addressOf(roomd, { 'X-Forwarded-For': '192.0.2.1' }), '192.0.2.1')
  assert.equal(await addressOf(roomd,
    { 'X-Forwarded-For': '127.0.0.1, 192.0.2.1, 10.1.2.3' }), '192.0.2.1')
  assert.equal(await addressOf(roomd, { Forwarded: 'for=192.0.2.1' }), '127.0.0.1')
})

test('an untrusted peer is not believed though others are trusted', async t => {
  const roomd = await ownRoomd(t, { trusted_proxies: '10.0.0.0/8' })
  assert.equal(await addressOf(roomd, { 'X-Forwarded-For': '192.0.2.1' }), '127.0.0.1')
})

test('forwarded_header = forwarded, and a reload that changes its mind', async t => {
  const roomd = await ownRoomd(t,
    { trusted_proxies: 'loopback', forwarded_header: 'forwarded' })
  const both = { Forwarded: 'for="[2001:db8::1]:99";proto=https', 'X-Forwarded-For': '192.0.2.1' }
  assert.equal(await addressOf(roomd, both), '2001:db8::1')
  writeConf({ trusted_proxies: 'private' }, roomd.confFile.split('/').pop())
  roomd.signal('SIGHUP')
  await roomd.waitLog(/reloaded/)
  assert.equal(await addressOf(roomd, both), '127.0.0.1')
})

const PROXIED = { trusted_proxies: '127.0.0.1', proxy_protocol: 'on' }

for (const [name, header, expected] of [
  ['version 1', v1, '192.0.2.7'],
  ['version 1, unknown', 'PROXY UNKNOWN\r\n', '127.0.0.1'],
  ['version 2', v2(0x21, 0x11, V4), '192.0.2.7'],
  ['version 2 with TLVs', v2(0x21, 0x11, Buffer.concat([V4, Buffer.from('04000120', 'hex')])), '192.0.2.7'],
  ['version 2, local', v2(0x20, 0, Buffer.alloc(0)), '127.0.0.1']]) {
  test(`the PROXY protocol, ${name}: WebSocket, long-poll, keep-alive, drop by drop`, async t => {
    const roomd = await ownRoomd(t, PROXIED)
    let from = roomd.log.length
    const wire = await Wire.open(roomd.where())
    wire.write(header)
    const ws = await RawSocket.handshake(null, undefined, { wire, early: null })
    ws.checkAccepted()
    ws.send(null, '1', 'phoenix', 'heartbeat')
    assert.equal((await ws.json())[1], '1')
    assert.equal(await logged(roomd, from), expected)
    ws.destroy()

    const http = await Wire.open(roomd.where())
    await http.writeDropByDrop(header)
    for (let i = 0; i < 3; i++) { // the connection stays what it is
      from = roomd.log.length
      http.write(requestText('GET', '/socket/longpoll?vsn=2.0.0'))
      assert.equal(JSON.parse((await readResponse(http)).body).status, 410)
      assert.equal(await logged(roomd, from), expected)
    }
    from = roomd.log.length
    const late = await RawSocket.handshake(null, undefined, { wire: http })
    late.checkAccepted()
    assert.equal(await logged(roomd, from), expected)
    late.destroy()
  })
}

test('the PROXY protocol: a lie, half a header and none are refused and counted', async t => {
  const roomd = await ownRoomd(t, { ...PROXIED, head_timeout: '300ms' })
  for (const bad of ['PROXY TCP4 192.0.2.7\r\n', v2(0x21, 0x11, V4.subarray(1)),
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'PROXY ' + 'x'.repeat(200)]) {
    const wire = await Wire.open(roomd.where())
    wire.write(bad)
    assert.equal((await wire.rest()).length, 0)
  }
  const half = await Wire.open(roomd.where())
  half.write(v1.slice(0, 20))
  assert.equal((await half.rest()).length, 0)
  const wire = await Wire.open(roomd.where())
  wire.write(Buffer.concat([Buffer.from('PROXY UNKNOWN\r\n'), requestText('GET', '/metrics')]))
  const text = (await readResponse(wire)).body.toString()
  wire.destroy()
  assert.match(text, /refused_total\{reason="proxy_header"\} 4\n/)
  assert.match(text, /limit_total\{limit="head_timeout"\} 1\n/)
})

test('the PROXY protocol is not spoken with those who are not trusted', async t => {
  const roomd = await ownRoomd(t, { trusted_proxies: '10.0.0.1', proxy_protocol: 'on' })
  assert.equal(await addressOf(roomd, {}), '127.0.0.1')
  const wire = await Wire.open(roomd.where())
  wire.write(Buffer.concat([Buffer.from(v1), requestText('GET', '/')]))
  assert.equal((await readResponse(wire)).status, 400)
  wire.destroy()
})

test('roomd --health-check speaks it too when its own address is trusted', async t => {
  for (const keys of [PROXIED, { ...PROXIED, trusted_proxies: 'loopback' },
    { ...PROXIED, trusted_proxies: '10.0.0.1' }, {}]) {
    const roomd = await ownRoomd(t, { ...keys, bind: '127.0.0.1' })
    const { code, stderr } = await runToEnd(
      ['--health-check', '--config', roomd.confFile, '--port', String(roomd.port)])
    assert.equal(code, 0, stderr)
  }
})

test('proxy_protocol without trusted_proxies is a mistake', async () => {
  const { code, stderr } = await runToEnd(['--check-config', '--set', 'proxy_protocol=on'])
  assert.notEqual(code, 0)
  assert.match(stderr, /proxy_protocol: on needs trusted_proxies/)
})
