/* SPDX-License-Identifier: MIT */
/* The server's side of /doctor: what arrived, an echo, a dripping response.
 * The page itself: tests/browser/doctor.test.mjs. */
import fs from 'node:fs'
import { assert, test } from '../support/harness.mjs'
import { RawSocket, Wire, requestText } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { ownRoomd, sharedRoomd } from '../support/roomd.mjs'

const roomd = await sharedRoomd({ trusted_proxies: 'loopback' })

test('/doctor.json tells what the request looks like here', async () => {
  const before = Date.now()
  const r = await roomd.request('GET', '/doctor.json', {
    headers: { 'X-Forwarded-For': '192.0.2.1', Via: '1.0 "quoted\xff\\"', 'User-Agent': 'u' }
  })
  assert.equal(r.status, 200)
  assert.match(r.headers['cache-control'], /no-store/)
  const seen = JSON.parse(r.body)
  assert.equal(seen.client, '192.0.2.1')
  assert.equal(seen.peer, '127.0.0.1')
  assert.equal(seen.http, '1.1')
  assert.equal(seen.headers.via, '1.0 "quoted?\\"')
  assert.equal(seen.headers.host, 'localhost')
  assert.equal(seen.headers.origin, undefined)
  assert.ok(seen.now_ms >= before - 2 && seen.now_ms <= Date.now() + 2)
  assert.equal(seen.longpoll_window_ms, 9000)
})

test('echo: any JSON of any size comes back, on both transports and versions', async () => {
  const big = { pad: 'x'.repeat(300000), n: [1, null, { a: '\u{1f600}"\\' }] }
  const ws = await RawSocket.open(roomd.where())
  for (const payload of [{}, big, 'text', 7, null, [[]]]) {
    ws.send(null, 'e', 'phoenix', 'echo', payload)
    assert.deepEqual(await ws.json(),
      [null, 'e', 'phoenix', 'phx_reply', { status: 'ok', response: payload }])
  }
  ws.destroy()
  const v1 = await RawSocket.open(roomd.where(), '/socket/websocket')
  v1.text(JSON.stringify({ topic: 'phoenix', event: 'echo', payload: big, ref: '1' }))
  assert.deepEqual((await v1.json()).payload, { status: 'ok', response: big })
  v1.destroy()
  const lp = await RawPoll.open(roomd.where())
  assert.equal((await lp.post([JSON.stringify([null, 'e', 'phoenix', 'echo', big])])).status, 200)
  const { body } = await lp.poll()
  assert.deepEqual(JSON.parse(body.messages[0])[4].response, big)
})

test('/doctor/drip comes in five pieces over more than a second; others are served meanwhile', async () => {
  const wire = await Wire.open(roomd.where())
  const began = Date.now()
  wire.write(requestText('GET', '/doctor/drip'))
  await wire.readUntil('drop 1\n', 'the first piece')
  const first = Date.now()
  await wire.readUntil('drop 2\n', 'the second')
  assert.ok(Date.now() - first >= 250)
  assert.equal((await roomd.request('GET', '/health')).status, 200)
  await wire.readUntil('drop 5\n', 'the last')
  assert.ok(Date.now() - began >= 1150)
  await wire.readUntil('0\r\n\r\n', 'the end')
  wire.write(requestText('GET', '/health')) // and the connection lives on
  await wire.readUntil('ok', 'an answer')
  wire.destroy()
})

test('clients that leave a dripping response, and a stop in the midst of some', async t => {
  const own = await ownRoomd(t)
  const wires = []
  for (let i = 0; i < 20; i++) {
    const wire = await Wire.open(own.where())
    wire.write(requestText('GET', '/doctor/drip'))
    wires.push(wire)
  }
  for (const wire of wires) await wire.readUntil('drop 2\n', 'two pieces')
  for (const wire of wires.slice(0, 10)) wire.destroy()
  assert.equal((await own.request('GET', '/health')).status, 200)
  for (const wire of wires.slice(10)) await wire.readUntil('drop 4\n', 'more')
  await own.stop()
})

test('switched off, there is no doctor, until a reload brings it back', async t => {
  const d = await ownRoomd(t, { doctor: 'off' })
  const statuses = () => Promise.all(
    ['/doctor.json', '/doctor/', '/doctor', '/doctor/drip', '/doctors', '/'].map(
      async at => (await d.request('GET', at)).status))
  assert.deepEqual(await statuses(), [404, 404, 404, 404, 404, 200])
  const text = fs.readFileSync(d.confFile, 'utf8')
  fs.writeFileSync(d.confFile, text.replace(/^doctor = off$/m, 'doctor = on'))
  d.signal('SIGHUP')
  await d.waitLog(/reloaded/)
  assert.deepEqual(await statuses(), [200, 200, 301, 200, 404, 200])
})
