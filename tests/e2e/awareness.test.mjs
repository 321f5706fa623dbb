/* SPDX-License-Identifier: MIT */
/* Awareness in the y-protocols sense: who owns an id, and when it goes. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, binaryPush, binaryDecode } from '../support/net.mjs'
import { sharedRoomd, ownRoomd } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { awarenessMessage, parseMessage, queryAwareness, syncStep1 } from '../support/updates.mjs'

const roomd = await sharedRoomd({ awareness_grace: '1500ms' })

class YMember {
  static async join (t, topic, d = roomd) {
    const m = new YMember()
    m.topic = topic
    m.ws = await RawSocket.open(d.where())
    t.after(() => m.ws.destroy())
    m.ws.send('1', '1', topic, 'phx_join')
    assert.equal((await m.ws.json())[4].status, 'ok')
    await m.ws.drainQueue()
    m.send(syncStep1(new Y.Doc()))
    m.known = (await m.ws.drainQueue()).filter(Buffer.isBuffer)
      .map(f => parseMessage(binaryDecode(f).payload))
    return m
  }

  send (message) { this.ws.binary(binaryPush('1', '9', this.topic, 'yjs', message)) }
  say (...entries) { this.send(awarenessMessage(entries)) }

  /* The next awareness or query, presence and the like left out. */
  async next () {
    for (;;) {
      const m = await this.ws.next()
      if (Buffer.isBuffer(m)) return parseMessage(binaryDecode(m).payload)
    }
  }

  /* Awareness queued so far. */
  async queued () {
    return (await this.ws.drainQueue()).filter(Buffer.isBuffer)
      .map(f => parseMessage(binaryDecode(f).payload))
  }
}

test('awareness reaches the others, not the sender; a joiner gets all, one message a frame', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  a.say([11, 1, { name: 'a' }], [12, 5, { list: [1, null, 'ü'] }])
  const got = await b.next()
  assert.deepEqual(got.entries.sort(), [[11, 1, { name: 'a' }], [12, 5, { list: [1, null, 'ü'] }]])
  assert.deepEqual(await a.queued(), [])
  const c = await YMember.join(t, topic)
  assert.deepEqual(c.known.map(m => m.type), ['step2', 'step1', 'awareness'])
  assert.deepEqual(c.known[2].entries.sort(), got.entries)
  assert.equal(c.known[2].rest, 0)
})

test('a query is answered with all awareness known', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  a.say([21, 3, { x: 1 }])
  a.send(queryAwareness())
  const [m] = await a.queued()
  assert.deepEqual(m.entries, [[21, 3, { x: 1 }]])
})

test('clocks: greater is taken, equal and smaller are not, equal with null is', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  const all = async () => {
    b.send(queryAwareness())
    const m = await b.next()
    return m.entries
  }
  a.say([31, 5, 'five'])
  assert.deepEqual((await b.next()).entries, [[31, 5, 'five']])
  a.say([31, 4, 'four'])
  a.say([31, 5, 'other five'])
  await a.queued()
  assert.deepEqual(await b.queued(), [])
  assert.deepEqual(await all(), [[31, 5, 'five']])
  a.say([31, 6, 'six'])
  assert.deepEqual((await b.next()).entries, [[31, 6, 'six']])
  a.say([31, 6, null])
  assert.deepEqual((await b.next()).entries, [[31, 6, null]])
  a.say([31, 6, 'back'])
  await a.queued()
  assert.deepEqual((await b.queued()).filter(m => m.type === 'awareness'), [])
  a.say([31, 7, 'seven'])
  assert.deepEqual((await b.next()).entries, [[31, 7, 'seven']])
})

test('when a connection ends its states go after the grace period', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  a.say([41, 3, { name: 'a' }])
  await b.next()
  const began = Date.now()
  a.ws.destroy()
  assert.deepEqual((await b.next()).entries, [[41, 3, null]])
  assert.ok(Date.now() - began >= 1300, 'not before the grace period')
  const c = await YMember.join(t, topic)
  assert.ok(!c.known.some(m => m.type === 'awareness' && m.entries.some(e => e[2] !== null)))
})

test('a state renewed by a new connection within the grace period stays', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  /* 52 is not renewed: its removal tells when the grace period is over. */
  a.say([51, 5, 'a'], [52, 5, 'a'])
  await b.next()
  a.ws.destroy()
  const again = await YMember.join(t, topic)
  again.say([51, 5, 'a'])
  for (;;) {
    const m = await b.next()
    assert.ok(m.entries.every(e => e[0] !== 51 || e[2] !== null), 'no flicker')
    if (m.entries.some(e => e[0] === 52 && e[2] === null)) break
  }
  b.send(queryAwareness())
  assert.deepEqual((await b.next()).entries, [[51, 5, 'a']])
})

test('an id belongs to its latest writer: the late death of an old connection removes nobody', async t => {
  const topic = freshTopic()
  const old = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  old.say([61, 5, 'old'], [62, 5, 'marker'])
  await b.next()
  const fresh = await YMember.join(t, topic)
  fresh.say([61, 6, 'fresh'])
  assert.deepEqual((await b.next()).entries, [[61, 6, 'fresh']])
  old.ws.destroy()
  assert.deepEqual((await b.next()).entries, [[62, 5, null]])
  fresh.ws.destroy()
  assert.deepEqual((await b.next()).entries, [[61, 6, null]])
})

test('a client that returns after its removal gets its own null, then a query', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  a.say([71, 8, 'a'])
  await b.next()
  a.ws.destroy()
  assert.deepEqual((await b.next()).entries, [[71, 8, null]])
  const back = await YMember.join(t, topic)
  back.say([71, 8, 'a'])
  const first = await back.next()
  const second = await back.next()
  assert.deepEqual([first.type, first.entries], ['awareness', [[71, 8, null]]])
  assert.equal(second.type, 'query')
  back.say([71, 9, 'a'])
  assert.deepEqual((await b.next()).entries, [[71, 9, 'a']])
})

test('states that nobody renews expire', async t => {
  const d = await ownRoomd(t, { awareness_timeout: '1s' })
  const topic = freshTopic()
  const a = await YMember.join(t, topic, d)
  const b = await YMember.join(t, topic, d)
  const began = Date.now() // this client may be slow to see what comes back
  a.say([81, 2, 'a'])
  await b.next()
  const m = await b.next()
  assert.deepEqual(m.entries, [[81, 2, null]])
  assert.ok(Date.now() - began >= 800)
  await d.stop()
})

test('leaving the channel removes as disconnecting does', async t => {
  const topic = freshTopic()
  const a = await YMember.join(t, topic)
  const b = await YMember.join(t, topic)
  a.say([91, 1, 'a'])
  await b.next()
  a.ws.send('1', '2', topic, 'phx_leave')
  assert.deepEqual((await b.next()).entries, [[91, 1, null]])
})

test('removals without end do not fill the memory: tombstones are capped', async t => {
  const d = await ownRoomd(t, { awareness_tombstones: 16 })
  const topic = freshTopic()
  const a = await YMember.join(t, topic, d)
  for (let i = 0; i < 3000; i++) {
    a.say([100000 + i, 1, 'x'])
    a.say([100000 + i, 1, null])
  }
  a.say([5, 1, 'last'])
  a.send(queryAwareness())
  const answers = await a.queued()
  const last = answers[answers.length - 1]
  assert.ok(last.entries.filter(e => e[2] !== null).every(e => e[0] === 5))
  assert.ok(last.entries.length <= 17)
  await d.stop()
})
