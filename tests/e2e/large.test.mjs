/* SPDX-License-Identifier: MIT */
/* Large documents: many joiners share one encoding, whoever does not read
 * costs little, and nobody misses an edit made meanwhile. */
import fs from 'node:fs'
import { MEASURES_MEMORY, assert, test } from '../support/harness.mjs'
import { RawSocket, binaryDecode, binaryPush } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { ownRoomd, sharedRoomd } from '../support/roomd.mjs'
import { converged, freshTopic, openHook, openProvider, synced } from '../support/clients.mjs'
import { docOf, makeUpdate, parseMessage, syncStep1, syncUpdate, textUpdate } from '../support/updates.mjs'
import { Y } from '../support/modules.mjs'
import { Proxy } from '../support/proxy.mjs'

const roomd = await sharedRoomd()
const where = roomd.where()
const MB = 1 << 20

/* Resident memory of the daemon, in bytes. */
function resident () {
  const status = fs.readFileSync(`/proc/${roomd.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]) * 1024
}

async function member (t, topic) {
  const ws = await RawSocket.open(where)
  t.after(() => ws.destroy())
  ws.send('1', '1', topic, 'phx_join')
  const state = (await ws.json())[4].response.state
  await ws.drainQueue()
  return Object.assign(ws, { state })
}

/* A document of about so many bytes, in the room. */
async function filled (t, topic, bytes) {
  const ws = await member(t, topic)
  const made = makeUpdate(d => {
    for (let i = 0; i < bytes / 65536; i++) {
      d.getArray(i % 2 ? 'a' : 'b').push([`${i}:`.padEnd(65536, 'x')])
    }
  })
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(made.update)))
  assert.deepEqual(await ws.drainQueue(), [], 'taken')
  return Object.assign(ws, { made })
}

test('thirty joiners that do not read share the document', async t => {
  const topic = freshTopic()
  await filled(t, topic, 3 * MB)
  await member(t, topic) // what one costs is there now
  const before = resident()
  const idle = []
  for (let i = 0; i < 30; i++) {
    const ws = await RawSocket.open(where, undefined)
    t.after(() => ws.destroy())
    ws.wire.socket.pause()
    ws.send('1', '1', topic, 'phx_join')
    idle.push(ws)
  }
  const watch = await member(t, topic)
  const grown = resident() - before
  console.log(`# 30 joiners of 3 MB that do not read: ${(grown / MB).toFixed(1)} MB`)
  assert.ok(!MEASURES_MEMORY || grown < 30 * MB, `${grown} bytes`)
  /* Edits between joins do not make a copy each. */
  for (let i = 0; i < 30; i++) {
    watch.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate(`edit ${i}`))))
    await watch.drainQueue()
    const ws = await RawSocket.open(where)
    t.after(() => ws.destroy())
    ws.wire.socket.pause()
    ws.send('1', '1', topic, 'phx_join')
    await watch.drainQueue()
  }
  const more = resident() - before
  console.log(`# 60, with an edit between each two of the latter: ${(more / MB).toFixed(1)} MB`)
  assert.ok(!MEASURES_MEMORY || more < 60 * MB, `${more} bytes`)
}, { limit: 60000 })

test('a joiner gets the snapshot and what came after it', async t => {
  const topic = freshTopic()
  const ws = await filled(t, topic, 4 * MB)
  await member(t, topic) // makes the snapshot, which is kept for 5 s
  const doc = ws.made.doc
  for (let i = 0; i < 3; i++) {
    const edit = textUpdate(`late ${i}`)
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(edit)))
    await ws.drainQueue()
    const late = await RawSocket.open(where)
    t.after(() => late.destroy())
    late.send('1', '1', topic, 'phx_join')
    const [reply, next] = [await late.json(), await late.json()]
    assert.equal(reply[3], 'phx_reply')
    /* On a machine that took longer than that there is nothing to add. */
    if (next[3] === 'update') assert.deepEqual(next.slice(0, 2), ['1', null])
    else assert.equal(next[3], 'presence_diff')
    const have = docOf(reply[4].response.state, next[3] === 'update' ? next[4].data : [0, 0])
    assert.equal(have.getArray('a').length, doc.getArray('a').length)
    assert.equal([...have.getText('t').toString().matchAll(/late/g)].length, i + 1)
  }
})

test('phoenix.js joins a large document that is being edited', async t => {
  const topic = freshTopic()
  const ws = await filled(t, topic, MB)
  const first = openHook(t, roomd.ws(), topic)
  await first.joined()
  first.doc.getMap('m').set('a', 1)
  await ws.drainQueue()
  const others = [openHook(t, roomd.ws(), topic),
    openHook(t, roomd.url('/socket'), topic, { transport: 'longpoll' })]
  await Promise.all(others.map(h => h.joined()))
  first.doc.getMap('m').set('b', 2)
  await converged([first.doc, ...others.map(h => h.doc)],
    d => [d.getArray('a').length, d.getMap('m').toJSON()],
    () => others[1].doc.getMap('m').get('b') === 2)
}, { limit: 60000 })

test('long-poll: a large document in one message', async t => {
  const topic = freshTopic()
  const ws = await filled(t, topic, 4 * MB)
  const lp = await RawPoll.open(where)
  await lp.send('1', '1', topic, 'phx_join')
  const { body } = await lp.poll({ headers: { 'Accept-Encoding': 'gzip' } })
  const reply = JSON.parse(body.messages[0])
  assert.equal(docOf(reply[4].response.state).getArray('a').length,
    ws.made.doc.getArray('a').length)
}, { limit: 60000 })

/* The y-messages that come until step1, which is the last of a sync. */
async function untilStep1 (ws) {
  const got = []
  for (;;) {
    const m = await ws.next()
    if (typeof m === 'string') {
      got.push({ type: 'text', text: m })
      continue
    }
    const { event, payload } = binaryDecode(m)
    assert.equal(event, 'yjs')
    got.push({ ...parseMessage(payload), size: payload.length })
    if (got[got.length - 1].type === 'step1') return got
  }
}

test('y-protocols: a large document comes in pieces, none waits for a later one, step2 is the last', async t => {
  const topic = freshTopic('y:')
  const ws = await filled(t, topic, 4 * MB)
  /* Many authors, whose edits refer to each other. */
  const docs = Array.from({ length: 5 }, () => new Y.Doc())
  for (let i = 0; i < 400; i++) {
    const doc = docs[i % 5]
    doc.getText('t').insert(Math.floor(doc.getText('t').length / 2), `${i}`.padEnd(2000, '.'))
    Y.applyUpdate(docs[(i + 1) % 5], Y.encodeStateAsUpdate(doc))
  }
  const last = docs[400 % 5]
  ws.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(Y.encodeStateAsUpdate(last))))
  await ws.drainQueue()
  const late = await member(t, topic)
  late.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
  late.send(null, 'beat', 'phoenix', 'heartbeat')
  const got = await untilStep1(late)
  const pieces = got.filter(m => m.type === 'update')
  assert.ok(pieces.length >= 20, `${pieces.length} pieces`)
  assert.ok(pieces.every(m => m.size < 256 * 1024))
  assert.deepEqual(got.filter(m => m.type !== 'text').slice(-2).map(m => m.type), ['step2', 'step1'])
  const beat = got.findIndex(m => m.type === 'text' && m.text.includes('"beat"'))
  assert.ok(beat >= 0 && beat < got.length - 5, `the heartbeat was answered as number ${beat} of ${got.length}`)
  const doc = new Y.Doc()
  for (const m of got.filter(m => m.data && m.type !== 'step1')) {
    Y.applyUpdate(doc, new Uint8Array(m.data))
    assert.equal(doc.store.pendingStructs, null, 'nothing waits')
  }
  assert.equal(doc.getText('t').toString(), last.getText('t').toString())
  assert.equal(doc.getArray('a').length, ws.made.doc.getArray('a').length)
}, { limit: 60000 })

test('a hundred y-protocols joiners that do not read share the pieces', async t => {
  const topic = freshTopic('y:')
  await filled(t, topic, 4 * MB)
  const before = resident()
  for (let i = 0; i < 100; i++) {
    const ws = await RawSocket.open(where)
    t.after(() => ws.destroy())
    ws.wire.socket.pause()
    ws.send('1', '1', topic, 'phx_join')
    ws.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
  }
  const watch = await member(t, topic)
  await watch.drainQueue()
  const grown = resident() - before
  console.log(`# 100 y-protocols joiners of 4 MB that do not read: ${(grown / MB).toFixed(1)} MB`)
  assert.ok(!MEASURES_MEMORY || grown < 60 * MB, `${grown}`)
}, { limit: 60000 })

test('y-phoenix-channel syncs a large document on both transports while others edit', async t => {
  const topic = freshTopic('y:')
  const ws = await filled(t, topic, 3 * MB)
  const writer = openProvider(t, roomd.ws(), topic)
  await synced(writer)
  const typing = setInterval(() => writer.doc.getArray('late').push(['x']), 5)
  t.after(() => clearInterval(typing))
  const others = [openProvider(t, roomd.ws(), topic),
    openProvider(t, roomd.url('/socket'), topic, { transport: 'longpoll' })]
  await Promise.all(others.map(synced))
  for (const p of others) assert.equal(p.doc.getArray('a').length, ws.made.doc.getArray('a').length, 'synced means all of it')
  clearInterval(typing)
  await converged([writer, ...others].map(p => p.doc), d => [d.getArray('a').length, d.getArray('late').length])
}, { limit: 60000 })

test('a provider that does not keep up syncs again in place and stays connected', async t => {
  const d = await ownRoomd(t, { queue_bytes: '512k' })
  const proxy = await Proxy.start(d.where())
  t.after(() => proxy.stop())
  const topic = freshTopic('y:')
  const slow = openProvider(t, proxy.ws(), topic)
  const fast = openProvider(t, d.ws(), topic)
  await Promise.all([synced(slow), synced(fast)])
  const resyncs = async () => (await d.metrics()).value('roomd_resyncs_total')
  for (const pair of proxy.pairs) pair.upstream.pause()
  let n = 0
  while (await resyncs() === 0) {
    for (let i = 0; i < 20; i++) fast.doc.getArray('a').push(['e'.repeat(20000) + n++])
    await new Promise(resolve => fast.socket.ping(resolve))
  }
  for (let i = 0; i < 100; i++) fast.doc.getArray('a').push([n++])
  for (const pair of proxy.pairs) pair.upstream.resume()
  await converged([slow.doc, fast.doc], x => x.getArray('a').length,
    () => slow.doc.getArray('a').length === n)
  fast.doc.getArray('a').push(['live again'])
  await converged([slow.doc, fast.doc], x => x.getArray('a').length,
    () => slow.doc.getArray('a').length === n + 1)
  const m = await d.metrics()
  assert.equal(m.value('roomd_closed_total{code="1013"}'), 0, 'nobody was disconnected')
  assert.equal(m.value('roomd_connections_opened_total{transport="websocket"}'), 2)
}, { limit: 60000 })
