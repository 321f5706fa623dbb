/* SPDX-License-Identifier: MIT */
/* Whose connection it is, through the real programs: a client at 127.0.0.2
 * that claims to be somebody else in every header there is. */
import { assert, test } from '../support/harness.mjs'
import { sharedRoomd, sourceDir } from '../support/roomd.mjs'
import { RawSocket, Wire } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { Program, blackHole } from './program.mjs'

const common = { www: `${sourceDir}/www/dist`, trusted_proxies: '127.0.0.1' }
const roomd = await sharedRoomd(common)
const proxied = await sharedRoomd({ ...common, proxy_protocol: 'on' })
const suspicious = await sharedRoomd({ ...common, trusted_proxies: '10.0.0.1' })
const servers = { 4000: roomd.port, 4001: proxied.port, 4009: await blackHole() }

const LIES = {
  'X-Forwarded-For': '203.0.113.9',
  Forwarded: 'for=203.0.113.9',
  'X-Real-IP': '203.0.113.9'
}

async function logged (server, from) {
  const [, peer] = await server.waitLog(
    /(?:websocket|longpoll) opened connection=\d+ peer=(\S*)/, { from })
  return peer
}

async function seenBy (server, where, webSockets) {
  const seen = []
  let from = server.log.length
  if (webSockets) {
    const wire = await Wire.open({ ...where, localAddress: '127.0.0.2' })
    const ws = await RawSocket.handshake(null, undefined, { wire, headers: LIES })
    assert.equal(ws.response.status, 101)
    seen.push(await logged(server, from))
    ws.destroy()
  }
  from = server.log.length
  await RawPoll.open({ ...where, localAddress: '127.0.0.2' }, { headers: LIES })
  seen.push(await logged(server, from))
  return seen
}

for (const [kind, file, port, webSockets] of [
  ['nginx', 'nginx.conf', 8080, true], ['haproxy', 'haproxy.cfg', 8080, true],
  ['apache', 'apache.conf', 8080, true], ['caddy', 'Caddyfile', 8080, true],
  ['squid', 'squid-reverse.conf', 8080, false]]) {
  test(`${kind} names the client, and what the client claims is not believed`, async () => {
    const proxy = await Program.start(kind, file, servers)
    for (const peer of await seenBy(roomd, proxy.where(port), webSockets)) {
      assert.equal(peer, '127.0.0.2')
    }
  })
}

test('a proxy that is not trusted is taken for the client', async () => {
  const proxy = await Program.start('nginx', 'nginx.conf', { ...servers, 4000: suspicious.port })
  assert.deepEqual(await seenBy(suspicious, proxy.where(8080), true), ['127.0.0.1', '127.0.0.1'])
})

for (const [version, port] of [[2, 8081], [1, 8082]]) {
  test(`haproxy's PROXY protocol version ${version} names the client`, async () => {
    const proxy = await Program.start('haproxy', 'haproxy.cfg', servers)
    assert.deepEqual(await seenBy(proxied, proxy.where(port), true), ['127.0.0.2', '127.0.0.2'])
  })
}
