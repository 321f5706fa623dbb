/* SPDX-License-Identifier: MIT */
/* Abuse by messages: slow and huge frames, JSON bombs, base64 garbage, floods
 * of topics, joins, awareness and updates. */
import { assert } from '../support/harness.mjs'
import { OP, RawSocket, binaryPush, frame } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { freshTopic } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'
import { awarenessMessage, docOf, makeUpdate, syncStep1, syncUpdate, textUpdate } from '../support/updates.mjs'
import { SCALE, HEADER, abuse, drip, many } from './stage.mjs'

console.log(HEADER)

async function member (d, topic, path) {
  const ws = await RawSocket.open(d.where(), path)
  ws.send('1', '1', topic, 'phx_join')
  const reply = await ws.json()
  ws.state = reply[4].response.state
  await ws.drainQueue()
  return ws
}

/* How the daemon answers one message: a close code, or the reply's reason. */
async function answerTo (d, send) {
  const ws = await RawSocket.open(d.where())
  try {
    send(ws)
    ws.send(null, 'after', 'no:topic', 'x')
    const m = await ws.next()
    if (typeof m !== 'string') return m.close
    const [, ref, , , payload] = JSON.parse(m)
    return ref === 'after' ? 'ignored' : payload.response.reason || payload.status
  } finally {
    ws.destroy()
  }
}

async function tally (d, bombs) {
  const seen = {}
  for (const send of bombs) {
    const answer = await answerTo(d, send)
    seen[answer] = (seen[answer] || 0) + 1
  }
  return Object.entries(seen).map(([a, n]) => `${n} x ${a}`).join(', ')
}

abuse('slow WebSocket frames', { limits: 'message_timeout', keys: { message_timeout: '1s' } },
  async d => {
    const n = 100 * SCALE
    const sockets = await many(n, 25, () => RawSocket.open(d.where()))
    const bytes = frame(OP.text, 'x'.repeat(100000))
    const wires = sockets.map(s => s.wire)
    wires.forEach(w => w.socket.on('end', () => w.socket.end()))
    await drip(wires, i => bytes.subarray(i, i + 1), 20)
    return `${n} messages sent byte by byte: closed with 1002 after message_timeout`
  })

abuse('frames that are announced and never come', { limits: 'frame_bytes' }, async d => {
  const codes = await many(50 * SCALE, 10, async () => {
    const ws = await RawSocket.open(d.where())
    const head = Buffer.from([0x81, 0xff, 0, 0, 0, 16, 0, 0, 0, 0, 1, 2, 3, 4])
    ws.wire.write(Buffer.concat([head, Buffer.alloc(2000)]))
    const { close } = await ws.next()
    ws.destroy()
    return close
  })
  assert.ok(codes.every(c => c === 1009), `${codes}`)
  return '64 GB announced: 1009, nothing is reserved for it'
})

const text = s => ws => ws.text(s)
const wrap = payload => `[null,"1","no:topic","x",${payload}]`

abuse('JSON bombs', { limits: 'json_depth', seconds: 120 }, async d => {
  const deep = n => wrap('['.repeat(n) + ']'.repeat(n))
  return tally(d, [
    text(deep(100)), text(deep(100000)), text(deep(1000000)), text('['.repeat(5000000)),
    text(wrap('{"a":'.repeat(100000) + '1' + '}'.repeat(100000))),
    text(wrap(`[${'{},'.repeat(2000000)}{}]`)),
    text(wrap(`{${Array.from({ length: 300000 }, (_, i) => `"k${i}":${i}`)}}`)),
    text(wrap(`{${'"a":1,'.repeat(500000)}"a":2}`)),
    text(wrap('9'.repeat(5000000))), text(wrap('1e999999999')), text(wrap(`0.${'1'.repeat(3000000)}`)),
    text(wrap('NaN')), text(wrap('Infinity')), text(wrap('1.')), text(wrap('-')), text(wrap('01')),
    text(wrap('"\\ud800"')), text(wrap('"\\udc00\\ud800"')), text(wrap('"\\ud83d\\u0041"')),
    text(wrap(`"${'\\u0000'.repeat(500000)}"`)), text(wrap(`"${'\\\\'.repeat(3000000)}"`)),
    text('{"topic":"t"}'), text('[1,2,3]'), text(''), text('null'), text(wrap('"unterminated')),
    text(`[${'null,'.repeat(1000000)}null]`),
    ws => ws.text(Buffer.from(wrap('"\xff\xfe"'), 'latin1')),
    ws => ws.text(Buffer.from(wrap('"\xed\xa0\x80"'), 'latin1')),
    ws => ws.text(JSON.stringify([null, '1', 't'.repeat(1 << 20), 'x', {}])),
    ws => ws.text(JSON.stringify([null, 'r'.repeat(1 << 20), 'no:topic', 'x', {}]))
  ])
})

abuse('base64 and binary garbage', {}, async d => {
  const lp = await RawPoll.open(d.where())
  const noise = n => Buffer.from(Array.from({ length: n }, (_, i) => (i * 7919 + 13) % 251))
  const lines = ['====', 'A', 'AB', 'ABC', 'AAAA====', 'not base64!', 'A'.repeat(100001), `${'A'.repeat(4)}\0`,
    noise(3000).toString('base64'), '\x7f\x00', 'é'.repeat(1000), Buffer.alloc(100000).toString('base64'),
    Buffer.from([0, 255, 255, 255, 255]).toString('base64')]
  const seen = {}
  for (const line of lines) {
    const { status } = await lp.post([line])
    seen[status] = (seen[status] || 0) + 1
  }
  await lp.send(null, '1', 'phoenix', 'heartbeat')
  const binary = await tally(d, [0, 1, 4, 5, 100, 70000].map(n => ws => ws.binary(noise(n)))
    .concat([ws => ws.binary(Buffer.from([0, 200, 200, 200, 200, 1])), ws => ws.binary(Buffer.from([3, 0, 0, 0, 0]))]))
  return `long-poll lines: ${Object.entries(seen).map(([s, n]) => `${n} x ${s}`)}, the session lives; frames: ${binary}`
})

abuse('an ndjson body of a million lines', { limits: 'client_rate' }, async d => {
  const lp = await RawPoll.open(d.where())
  const began = performance.now()
  const one = await lp.post('\n'.repeat(1000000))
  const two = await lp.post(`${'A'.repeat(4)}\n`.repeat(1000000))
  const beats = JSON.stringify([null, '1', 'phoenix', 'heartbeat', {}])
  const flood = await lp.begin('POST', {
    headers: { 'Content-Type': 'application/x-ndjson' }, body: `${beats}\n`.repeat(150000)
  })
  let refused
  do refused = (await lp.post([beats])).status
  while (refused === 200)
  flood.wire.destroy()
  return `blank: ${one.status}; unreadable: ${two.status} at the first; 150,000 heartbeats in 7 MB: handled, ` +
    `the answer waits and the next POST is ${refused} (${((performance.now() - began) / 1000).toFixed(1)} s)`
})

abuse('a flood of topics', { limits: 'channels_per_socket', keys: { room_empty: '1s' } }, async d => {
  const sockets = await many(20 * SCALE, 5, () => RawSocket.open(d.where()))
  await Promise.all(sockets.map(async (ws, k) => {
    for (let i = 0; i < 500; i++) ws.send(String(i), String(i), `flood:${k}:${i}`, 'phx_join')
    const answers = (await ws.drainQueue()).map(m => JSON.parse(m)).filter(m => m[3] === 'phx_reply')
    assert.equal(answers.filter(m => m[4].status === 'ok').length, 100)
    ws.destroy()
  }))
  return `${sockets.length} x 500 topics: 100 joined each, the rest get an error reply`
})

abuse('join and leave storms', { limits: 'client_rate', seconds: 90 }, async d => {
  const topic = freshTopic()
  const n = 3000
  const sockets = await many(8, 8, () => RawSocket.open(d.where()))
  await Promise.all(sockets.map(async ws => {
    for (let i = 0; i < n; i++) {
      ws.send(`${i}`, `${i}`, topic, 'phx_join')
      ws.send(`${i}`, `l${i}`, topic, 'phx_leave')
    }
  }))
  const began = Date.now()
  while (Date.now() - began < 3000) await d.metrics()
  sockets.forEach(ws => ws.destroy())
  return `8 x ${n} joins and leaves of one room: read at the client's rate`
})

abuse('awareness floods', { limits: ['client_rate', 'awareness_bytes'] }, async d => {
  const topic = freshTopic()
  const victim = await member(d, topic)
  victim.binary(binaryPush('1', '2', topic, 'yjs', awarenessMessage([[1, 1, { user: 'victim' }]])))
  await victim.drainQueue()
  const bad = await member(d, topic)
  for (let i = 2; i < 8000; i++) {
    bad.binary(binaryPush('1', '2', topic, 'yjs', awarenessMessage([[i, 1, { x: 'y'.repeat(200) }]])))
  }
  const began = Date.now()
  while (Date.now() - began < 2500) await d.metrics()
  bad.destroy()
  victim.destroy()
  return '8,000 client ids by one member: those over awareness_bytes get an error reply, the sender is slowed down'
})

abuse('forged awareness ids', {}, async d => {
  const topic = freshTopic()
  const [victim, bad] = [await member(d, topic), await member(d, topic)]
  const say = (ws, ...entries) => ws.binary(binaryPush('1', '2', topic, 'yjs', awarenessMessage(entries)))
  say(victim, [1, 1, { user: 'victim' }])
  await victim.drainQueue()
  const forged = [[1, 2 ** 53, {}], [1, 0, {}], [2 ** 53 - 1, 1, {}], [1, 2, { user: 'victim?' }], [1, 2, null]]
  for (const entry of forged) say(bad, entry)
  bad.binary(binaryPush('1', '2', topic, 'yjs', Buffer.from([1, 4, 1, 1, 1, 200])))
  await bad.drainQueue()
  say(victim, [1, 3, { user: 'victim' }])
  const late = await member(d, topic)
  late.binary(binaryPush('1', '2', topic, 'yjs', syncStep1(new Y.Doc())))
  const heard = (await late.drainQueue()).filter(m => typeof m !== 'string').map(m => m.toString('latin1'))
  assert.ok(heard.some(m => m.includes('"victim"')), 'the victim is there again')
  ;[victim, bad, late].forEach(ws => ws.destroy())
  return 'malformed ones refused; a stolen id is the owner\'s again with its next renewal (awareness is not authenticated)'
})

abuse('presence metas of any size', { limits: 'head_bytes' }, async d => {
  const topic = freshTopic()
  const who = ['x'.repeat(255), '', '%00', '%22%7D%5D', '%F0%9F%92%A3', '%FF%FE', '__proto__', 'a%0Ab']
  for (const user of who) {
    const ws = await member(d, topic, `/socket/websocket?vsn=2.0.0&user_id=${user}`)
    ws.destroy()
  }
  const long = await RawSocket.handshake(d.where(), `/socket/websocket?vsn=2.0.0&user_id=${'x'.repeat(256)}`)
  assert.equal(long.response.status, 403)
  long.wire.destroy()
  const ws = await RawSocket.handshake(d.where(), `/socket/websocket?vsn=2.0.0&user_id=${'x'.repeat(100000)}`)
  assert.equal(ws.response.status, 431)
  ws.wire.destroy()
  const big = await RawSocket.open(d.where())
  big.send('1', '1', topic, 'phx_join', { meta: 'm'.repeat(10 << 20) })
  assert.equal((await big.json())[4].status, 'ok')
  big.destroy()
  return 'a user id over 255 bytes: 403; one that is no text: anonymous; join parameters are not kept'
})

abuse('a flood of tiny updates', { limits: 'client_rate' }, async d => {
  const topic = freshTopic()
  const [bad, other] = [await member(d, topic), await member(d, topic)]
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', u => updates.push(u))
  for (let i = 0; i < 12000; i++) doc.getText('t').insert(i, 'x')
  bad.wire.write(Buffer.concat(updates.map(u => frame(OP.binary, binaryPush('1', '2', topic, 'yjs', syncUpdate(u))))))
  let n = 0
  const began = Date.now()
  while (Date.now() - began < 3000) {
    const m = await other.json()
    if (m[3] === 'update') n++
  }
  assert.ok(n >= 5000 && n < 9000, `${n} in 3 s`)
  ;[bad, other].forEach(ws => ws.destroy())
  return `12,000 at once: the burst of 5,000, then 500 a second (${n} in 3 s), none lost`
})

abuse('crafted updates', {}, async d => {
  const topic = freshTopic()
  const bad = await member(d, topic)
  const good = textUpdate('good', 7)
  bad.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(good)))
  const varint = n => {
    const out = []
    for (; n > 127; n = Math.floor(n / 128)) out.push(n % 128 + 128)
    return [...out, n]
  }
  const big = varint(2 ** 53 - 1)
  const crafted = [
    [...big, ...big], [1, ...big, 1, 0], [1, 1, ...big, ...big, 0, 5, 0], [1, 1, 9, 0, 8, 1, 1, 116, ...big, 125, 1, 0],
    [1, 1, 9, ...varint(2 ** 53 - 2), 4, 1, 1, 116, 1, 97, 0], [1, 1, 9, 0, 0, ...big, 0], [1, 1, 9, 0, 10, ...big, 0],
    [0, 1, 9, ...big], [0, 1, 9, 1, 0, ...big], [0, ...big], [1, 1, 9, 0, 0x84, 9, 0, 1, 97, 0],
    [1, 1, 9, 0, 4, 0, 9, 0, 1, 97, 0], [1, 2, 9, 0, 0x84, 8, 0, 1, 97, 0x84, 8, 5, 1, 98, 0],
    [1, 1, 9, 0, 4, 1, 1, 116, 4, 0xf0, 0x9f, 0x92, 0], [...Array(100000).fill(0x80), 0],
    [1, ...varint(1 << 20), 9, 0, ...Array(1 << 20).fill(0)]
  ].map(bytes => Buffer.from(bytes))
  const { update } = makeUpdate(doc => {
    for (let i = 0; i < 20000; i++) doc.getMap('m').set('k', i)
  }, 11)
  for (let i = 0; i < 2000; i++) {
    const mutated = Buffer.from(update.subarray(0, 600))
    mutated[(i * 31) % mutated.length] ^= 1 << (i % 8)
    crafted.push(mutated)
  }
  for (const bytes of crafted) bad.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(bytes)))
  const replies = (await bad.drainQueue()).filter(m => typeof m === 'string' && m.includes('"error"'))
  const late = await member(d, topic)
  assert.equal(docOf(late.state).getText('t').toString(), 'good', 'the document is whole')
  ;[bad, late].forEach(ws => ws.destroy())
  return `${crafted.length} updates with lying counts, clocks and flipped bits: ${replies.length} error replies, the document is untouched`
})

abuse('updates that wait for ever', { limits: 'pending_bytes', keys: { pending_bytes: '1M' }, seconds: 90 }, async d => {
  const topic = freshTopic()
  const bad = await member(d, topic)
  for (let i = 0; i < 300; i++) {
    const doc = new Y.Doc()
    const updates = []
    doc.on('update', u => updates.push(u))
    doc.getText('t').insert(0, 'a')
    doc.getText('t').insert(1, 'b'.repeat(10000))
    bad.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(updates[1])))
  }
  await bad.drainQueue()
  bad.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate('still taken'))))
  const late = await member(d, topic)
  assert.equal(docOf(late.state).getText('t').toString(), 'still taken')
  ;[bad, late].forEach(ws => ws.destroy())
  return '300 updates whose past never comes: those over pending_bytes get an error reply, others are still taken'
})
