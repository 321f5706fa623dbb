/* SPDX-License-Identifier: MIT */
/* Long-poll and time: windows that end with nothing, sessions that die. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { sharedRoomd } from '../support/roomd.mjs'
import { freshTopic, openHook } from '../support/clients.mjs'
import { phoenix } from '../support/modules.mjs'
import { eventually } from '../support/harness.mjs'

const roomd = await sharedRoomd({ longpoll_window: '1s', longpoll_session: '2s' })
const where = roomd.where()

test('a window that ends with nothing: 204 with the token, not before its time', async () => {
  const lp = await RawPoll.open(where)
  for (let i = 0; i < 2; i++) {
    const began = Date.now()
    const { status, body } = await lp.poll()
    assert.equal(status, 204)
    assert.deepEqual(body.messages, [])
    assert.equal(typeof body.token, 'string')
    assert.ok(Date.now() - began >= 900, `${Date.now() - began} ms`)
    lp.token = body.token
  }
})

test('polling keeps a session longer than its timeout', async () => {
  const lp = await RawPoll.open(where)
  const until = Date.now() + 4500
  while (Date.now() < until) assert.equal((await lp.poll()).status, 204)
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  assert.equal((await lp.next())[1], '1')
})

test('a session without polls dies: the others see it leave, its client gets 410', async t => {
  const topic = freshTopic()
  const stay = await RawSocket.open(where)
  t.after(() => stay.destroy())
  stay.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await stay.json()
  const lp = await RawPoll.open(where)
  await lp.send('1', '1', topic, 'phx_join')
  const came = await stay.json()
  const left = await stay.json()
  assert.deepEqual(left[4].leaves, came[4].joins)
  assert.equal((await lp.poll()).status, 410)
  assert.equal((await lp.post(['[null,"1","phoenix","heartbeat",{}]'])).status, 410)
  const m = await roomd.metrics()
  assert.ok(m.value('roomd_longpoll_expired_total') >= 1)
})

test('POSTs alone do not keep a session for ever', async () => {
  const lp = await RawPoll.open(where)
  let status = 200
  const until = Date.now() + 12000
  while (status === 200 && Date.now() < until) {
    status = (await lp.post(['[null,"1","phoenix","heartbeat",{}]'])).status
  }
  assert.equal(status, 410)
})

test('phoenix.js whose session died reconnects with 3410 and rejoins', async t => {
  /* A client that stops polling for a while, as a laptop that sleeps. */
  class Sleepy extends phoenix.LongPoll {
    poll () {
      if (Sleepy.asleep) Sleepy.waiting = () => super.poll()
      else super.poll()
    }
  }
  const hook = openHook(t, roomd.url('/socket'), freshTopic(), {})
  hook.socket.replaceTransport(Sleepy)
  hook.socket.connect()
  await hook.joined()
  const expired = (await roomd.metrics()).value('roomd_longpoll_expired_total')
  Sleepy.asleep = true
  while ((await roomd.metrics()).value('roomd_longpoll_expired_total') === expired);
  const closes = []
  hook.socket.onClose(e => closes.push(e.code))
  Sleepy.asleep = false
  Sleepy.waiting()
  await hook.joined(2)
  assert.deepEqual(closes, [3410])
  await eventually('connected', () => hook.socket.isConnected(), [[hook, 'change']])
})
