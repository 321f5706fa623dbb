/* SPDX-License-Identifier: MIT */
/* Large documents: many joiners share one encoding, whoever does not read
 * costs little, and nobody misses an edit made meanwhile. */
import fs from 'node:fs'
import { assert, test } from '../support/harness.mjs'
import { RawSocket, binaryPush } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { sharedRoomd } from '../support/roomd.mjs'
import { converged, freshTopic, openHook } from '../support/clients.mjs'
import { docOf, makeUpdate, syncUpdate, textUpdate } from '../support/updates.mjs'

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
      d.getArray('a').push([`${i}:`.padEnd(65536, 'x')])
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
  assert.ok(grown < 30 * MB, `${grown} bytes`)
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
  assert.ok(more < 60 * MB, `${more} bytes`)
}, { limit: 60000 })

test('a joiner gets the snapshot and what came after it', async t => {
  const topic = freshTopic()
  const ws = await filled(t, topic, MB)
  await member(t, topic) // makes the snapshot
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
    assert.deepEqual(next.slice(0, 4), ['1', null, topic, 'update'], 'before any presence')
    const have = docOf(reply[4].response.state, next[4].data)
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
