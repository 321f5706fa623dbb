/* SPDX-License-Identifier: MIT */
/* Who is closed, with which code, and who is not. phoenix.js of older versions
 * never reconnects after 1000: that code must never come first from us. */
import { assert, test } from '../support/harness.mjs'
import { RawSocket, OP, frame, binaryPush } from '../support/net.mjs'
import { sharedRoomd } from '../support/roomd.mjs'
import { freshTopic } from '../support/clients.mjs'

const roomd = await sharedRoomd({ frame_bytes: 65536, idle_timeout: '2s', json_depth: 32 })
const where = roomd.where()

async function closeCode (t, path, send) {
  const ws = await RawSocket.open(where, path)
  t.after(() => ws.destroy())
  await send(ws)
  const { close, before } = await ws.closed()
  await ws.wire.rest()
  return { close, before }
}

const V2 = '/socket/websocket?vsn=2.0.0'
const V1 = '/socket/websocket?vsn=1.0.0'

const deep = n => '['.repeat(n) + ']'.repeat(n)

for (const [what, text] of [['nothing', ''], ['a blank', ' '], ['an open brace', '{'],
  ['an object', '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}'],
  ['an empty array', '[]'], ['four elements', '[null,"1","phoenix","heartbeat"]'],
  ['a string', '"x"'], ['null', 'null'], ['a number', '12'],
  ['something behind', '[null,"1","phoenix","heartbeat",{}]x'],
  ['a second value', '[null,"1","phoenix","heartbeat",{}][]'],
  ['a missing bracket', '[null,"1","phoenix","heartbeat",{}'],
  ['a trailing comma', '[null,"1","phoenix","heartbeat",{},]'],
  ['NaN', '[null,"1","phoenix","heartbeat",{"a":NaN}]'],
  ['Infinity', '[null,"1","phoenix","heartbeat",{"a":-Infinity}]'],
  ['a bad number', '[null,"1","phoenix","heartbeat",{"a":1.}]'],
  ['a leading zero', '[null,"1","phoenix","heartbeat",{"a":01}]'],
  ['a bad escape', '[null,"1","phoenix","heartbeat",{"a":"\\x"}]'],
  ['a raw control character', '[null,"1","phoenix","heartbeat",{"a":"\n"}]'],
  ['single quotes', "[null,'1','phoenix','heartbeat',{}]"],
  ['a comment', '[null,"1","phoenix","heartbeat",{}/* */]'],
  ['a byte order mark', '\ufeff[null,"1","phoenix","heartbeat",{}]']]) {
  test(`V2 text, unreadable: ${what}: 1011`, async t => {
    const { close, before } = await closeCode(t, V2, ws => ws.text(text))
    assert.equal(close, 1011)
    assert.deepEqual(before, [])
  })
}

test('V2 text nested too deep: 1011, a little less deep: answered', async t => {
  const beat = d => `[null,"1","phoenix","heartbeat",${d}]`
  const { close } = await closeCode(t, V2, ws => ws.text(beat(deep(20000))))
  assert.equal(close, 1011)
  const ws = await RawSocket.open(where, V2)
  ws.text(beat(deep(25)))
  assert.equal((await ws.json())[1], '1')
  ws.destroy()
})

test('text that is not UTF-8: 1011, or 1007 as the RFC has it', async t => {
  for (const bad of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80]]) {
    const { close } = await closeCode(t, V2, ws => ws.text(Buffer.concat([
      Buffer.from('[null,"1","phoenix","heartbeat",{"a":"'), Buffer.from(bad),
      Buffer.from('"}]')])))
    assert.ok([1007, 1011].includes(close), `close ${close}`)
  }
})

for (const [what, bytes] of [['kind 1', [1, 0, 1, 1, 1, 49, 116, 101]],
  ['kind 2', [2, 1, 1, 116, 101]], ['kind 255', [255, 0, 0, 0, 0]],
  ['empty', []], ['only a kind', [0]], ['half a head', [0, 0, 0]],
  ['lengths beyond the end', [0, 255, 255, 255, 255, 1, 2, 3]],
  ['one byte short', [0, 0, 1, 1, 2, 49, 116, 101]],
  ['a topic that is not UTF-8', [0, 0, 1, 1, 1, 49, 0xff, 101]]]) {
  test(`V2 binary, unreadable: ${what}: 1011`, async t => {
    const { close, before } = await closeCode(t, V2,
      ws => ws.binary(Buffer.from(bytes)))
    assert.equal(close, 1011)
    assert.deepEqual(before, [])
  })
}

for (const missing of ['topic', 'event', 'payload', 'ref']) {
  test(`V1 without ${missing}: 1011`, async t => {
    const m = { topic: 'phoenix', event: 'heartbeat', payload: {}, ref: '1' }
    delete m[missing]
    const { close } = await closeCode(t, V1, ws => ws.text(JSON.stringify(m)))
    assert.equal(close, 1011)
  })
}

test('V1: an array, or a V2 binary frame: 1011', async t => {
  assert.equal((await closeCode(t, V1,
    ws => ws.text('[null,"1","phoenix","heartbeat",{}]'))).close, 1011)
  assert.equal((await closeCode(t, V1,
    ws => ws.binary(binaryPush('', '1', 'phoenix', 'heartbeat', '{}')))).close, 1011)
})

test('what came before the unreadable message is answered first', async t => {
  const { close, before } = await closeCode(t, V2, ws => ws.wire.write(Buffer.concat([
    frame(OP.text, '[null,"1","phoenix","heartbeat",{}]'),
    frame(OP.text, '[null,"2","phoenix","heartbeat",{}]'),
    frame(OP.text, 'oops'),
    frame(OP.text, '[null,"3","phoenix","heartbeat",{}]')])))
  assert.equal(close, 1011)
  assert.deepEqual(before.map(m => JSON.parse(m)[1]), ['1', '2'])
})

test('the others in the room see a crashed connection leave', async t => {
  const topic = freshTopic()
  const stay = await RawSocket.open(where, V2)
  t.after(() => stay.destroy())
  stay.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await stay.json()
  await closeCode(t, V2, async ws => {
    ws.send('1', '1', topic, 'phx_join')
    for (let i = 0; i < 3; i++) await ws.json()
    ws.text('oops')
  })
  const came = await stay.json()
  const left = await stay.json()
  assert.deepEqual([came[3], left[3]], ['presence_diff', 'presence_diff'])
  assert.deepEqual(left[4].leaves, came[4].joins)
})

test('oversize: 1009, whole, fragmented, or only announced', async t => {
  const big = Buffer.alloc(70000, 0x20)
  assert.equal((await closeCode(t, V2, ws => ws.text(big))).close, 1009)
  assert.equal((await closeCode(t, V2, ws => ws.binary(big))).close, 1009)
  assert.equal((await closeCode(t, V2, ws => {
    ws.sendFrame(OP.text, big.subarray(0, 40000), { fin: false })
    ws.sendFrame(OP.more, big.subarray(0, 40000), { fin: false })
  })).close, 1009)
  assert.equal((await closeCode(t, V2, ws => ws.wire.write(Buffer.from(
    [0x82, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4])))).close, 1009)
  const m = await roomd.metrics()
  assert.ok(m.value('roomd_limit_total{limit="frame_bytes"}') >= 4)
})

test('just under the limit is read', async t => {
  const ws = await RawSocket.open(where, V2)
  t.after(() => ws.destroy())
  const text = `[null,"1","phoenix","heartbeat",{"x":"${'y'.repeat(65000)}"}]`
  ws.text(text)
  assert.equal((await ws.json())[1], '1')
})

test('broken framing ends the connection with 1002, never with 1000', async t => {
  for (const bytes of [
    frame(OP.text, '[]', { mask: false }), // clients must mask
    Buffer.from([0xf1, 0x80, 1, 2, 3, 4]), // reserved bits
    Buffer.from([0x83, 0x80, 1, 2, 3, 4]), // reserved opcode
    Buffer.from([0x80, 0x80, 1, 2, 3, 4]), // continuation of nothing
    Buffer.from([0x09, 0x80, 1, 2, 3, 4]), // a fragmented ping
    Buffer.from([0x89, 0xfe, 0, 126, 1, 2, 3, 4])]) { // a ping over 125 bytes
    const ws = await RawSocket.open(where, V2)
    t.after(() => ws.destroy())
    ws.wire.write(bytes)
    const rest = await ws.wire.rest()
    if (rest.length >= 4) {
      assert.equal(rest[0], 0x88, `a close frame, got ${rest.toString('hex')}`)
      const code = rest.readUInt16BE(2)
      assert.ok([1002, 1007, 1009, 1011].includes(code), `code ${code}`)
    }
  }
})

test('idle: 1002; traffic of either kind keeps a connection', async t => {
  const quiet = await RawSocket.open(where, V2)
  const busy = await RawSocket.open(where, V2)
  t.after(() => { quiet.destroy(); busy.destroy() })
  const began = Date.now()
  let beats = 0
  const timer = setInterval(() =>
    busy.send(null, String(++beats), 'phoenix', 'heartbeat'), 300)
  try {
    const { close } = await quiet.closed()
    assert.equal(close, 1002)
    assert.ok(Date.now() - began >= 1500)
    while (Number((await busy.json())[1]) < beats);
  } finally { clearInterval(timer) }
  assert.ok(beats >= 4)
  const { close } = await busy.closed()
  assert.equal(close, 1002)
})

test('a peer that vanishes with a reset frees its place', async t => {
  const topic = freshTopic()
  const stay = await RawSocket.open(where, V2)
  t.after(() => stay.destroy())
  stay.send('1', '1', topic, 'phx_join')
  for (let i = 0; i < 3; i++) await stay.json()
  const gone = await RawSocket.open(where, V2)
  gone.send('1', '1', topic, 'phx_join')
  await gone.json()
  assert.equal((await stay.json())[3], 'presence_diff')
  gone.wire.socket.resetAndDestroy ? gone.wire.socket.resetAndDestroy() : gone.destroy()
  const left = await stay.json()
  assert.equal(Object.keys(left[4].leaves).length, 1)
})

test('a close of the library\'s own is ours, and no 1006', async t => {
  const closed = async code => (await roomd.metrics()).value(`roomd_closed_total{code="${code}"}`)
  for (const [what, bytes] of [['a reserved bit', [0xc1, 0x81, 0, 0, 0, 0, 65]],
    ['an opcode nobody knows', [0x83, 0x81, 0, 0, 0, 0, 65]]]) {
    const [before, lost] = [await closed(1002), await closed(1006)]
    const from = roomd.log.length
    const ws = await RawSocket.open(where)
    t.after(() => ws.destroy())
    ws.wire.write(Buffer.from(bytes))
    await roomd.waitLog(/websocket closed/, { from })
    assert.match(roomd.log.slice(from), /websocket closed connection=\d+ code=1002 by=us/, what)
    assert.equal(await closed(1002), before + 1, what)
    assert.equal(await closed(1006), lost, what)
  }
  const from = roomd.log.length
  const ws = await RawSocket.open(where)
  ws.destroy()
  await roomd.waitLog(/websocket closed connection=\d+ code=1006 by=peer/, { from })
})
