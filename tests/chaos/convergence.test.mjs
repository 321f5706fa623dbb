/* SPDX-License-Identifier: MIT */
/* Twenty unmodified clients of both kinds, on both transports, edit one room
 * through a bad network. When it is good again all of them, and whoever comes
 * then, have every edit that anybody made, which an oracle has noted. */
import { assert, eventually, test, SLOW } from '../support/harness.mjs'
import { Chaos, seeded } from '../support/chaos.mjs'
import { ownRoomd } from '../support/roomd.mjs'
import { Hook, freshTopic, openProvider, openSocket, same } from '../support/clients.mjs'
import { Y } from '../support/modules.mjs'

const SEED = Number(process.env.SEED || 1)
const SECONDS = process.env.MINUTES ? Number(process.env.MINUTES) * 60 : 12
const CLIENTS = 20

/* Each edit is applied in twenty documents of this one process. */
const EDIT_MS = SECONDS > 60 ? 100 : 40

/* Comparing twenty documents at each update would take longer than the rest. */
const clock = ms => ({
  on: (_event, ask) => { ask.timer = setInterval(ask, ms) },
  off: (_event, ask) => clearInterval(ask.timer)
})

const pick = (random, list) => list[Math.floor(random() * list.length)]

const faults = random => ({
  delay: random() * 40,
  jitter: random() * 60,
  rate: pick(random, [0, 0, 200e3, 50e3]),
  cutAfter: random() < 0.5 ? 500 + random() * 60e3 : 0,
  reset: random() < 0.5,
  halfOpen: random() < 0.1 ? 500 + random() * 4000 : 0
})

/* Impatient, so that a test of seconds sees many reconnects. */
const impatient = {
  timeout: 4000,
  heartbeatIntervalMs: 2000,
  longpollerTimeout: 5000,
  reconnectAfterMs: tries => [10, 50, 100, 200][tries - 1] || 400,
  rejoinAfterMs: () => 200
}

/* The README's client: it gives back what the server lacks. */
function giveBack (hook) {
  hook.channel.joinPush.receive('ok', ({ state }) => {
    const known = new Uint8Array(state.length ? state : [0, 0])
    const lacking = Y.encodeStateAsUpdate(hook.doc, Y.encodeStateVectorFromUpdate(known))
    if (lacking.length > 2) hook.channel.push('update', { data: Array.from(lacking) })
  })
  return hook
}

function edit (random, doc, i) {
  const text = doc.getText('text')
  const kind = random()
  if (kind < 0.5) text.insert(Math.floor(random() * (text.length + 1)), `<${i}>`)
  else if (kind < 0.65 && text.length > 20) text.delete(Math.floor(random() * (text.length - 5)), 3)
  else if (kind < 0.8) doc.getMap('map').set(`k${Math.floor(random() * 10)}`, i)
  else if (kind < 0.95) doc.getArray('array').push([i])
  else doc.getArray('array').push(['large'.repeat(2000)])
}

const view = doc => [doc.getText('text').toString(), doc.getMap('map').toJSON(), doc.getArray('array').length]

test(`${CLIENTS} clients converge after ${SECONDS} s of faults, seed ${SEED}`, async t => {
  /* Twenty documents share this process: sessions outlive its pauses. */
  const d = await ownRoomd(t, { longpoll_window: '2s', longpoll_session: '15s', idle_timeout: '15s' })
  const random = seeded(SEED + 1)
  const chaos = await Chaos.start(d.where(), { seed: SEED, draw: faults })
  t.after(() => chaos.stop())
  const topic = freshTopic()
  const oracle = new Y.Doc()
  const docs = []
  let edits = 0
  for (let i = 0; i < CLIENTS; i++) {
    const transport = i % 2 ? 'longpoll' : 'websocket'
    const at = transport === 'longpoll' ? chaos.url('/socket') : chaos.ws()
    const doc = new Y.Doc()
    if (i % 4 < 2) giveBack(new Hook(openSocket(t, at, { transport, ...impatient }), topic, doc))
    else openProvider(t, at, topic, { doc, transport, ...impatient })
    doc.on('update', (update, _origin, _doc, tr) => {
      if (tr.local) Y.applyUpdate(oracle, update)
    })
    docs.push(doc)
  }
  const typing = setInterval(() => edit(random, pick(random, docs), edits++), EDIT_MS)
  const cutting = setInterval(() => chaos.cut(0.3), 2500)
  const over = Date.now() + SECONDS * 1000
  await eventually('the end of the faults', () => Date.now() >= over,
    [[clock(50), 'tick']], SECONDS * 1000 * 2 + 60000)
  clearInterval(typing)
  clearInterval(cutting)
  const opened = chaos.accepted
  chaos.draw = () => ({})
  chaos.cut(1)
  const began = Date.now()
  await eventually('all to have everything', () => same([oracle, ...docs], view),
    [[clock(500), 'tick']], 120000 * SLOW)
  const late = giveBack(new Hook(openSocket(t, d.ws()), topic))
  await late.until('the late one has everything', () => same([oracle, late.doc], view))
  const m = await d.metrics()
  console.log(`# ${edits} edits by ${CLIENTS} clients over ${opened} connections in ${SECONDS} s; ` +
    `equal to the oracle ${((Date.now() - began) / 1000).toFixed(1)} s after the faults ended; ` +
    `closed by the server: idle ${m.value('roomd_limit_total{limit="idle_timeout"}')}, ` +
    `sessions expired ${m.value('roomd_longpoll_expired_total')}`)
  assert.ok(opened > CLIENTS * 2, 'there were faults')
}, { limit: SECONDS * 2000 + 200000 })

test('half-open peers are reaped', async t => {
  const d = await ownRoomd(t, { idle_timeout: '1s', longpoll_session: '2s', longpoll_window: '1s' })
  const chaos = await Chaos.start(d.where(), { draw: () => ({ halfOpen: 1000 }) })
  t.after(() => chaos.stop())
  const { RawSocket } = await import('../support/net.mjs')
  const { RawPoll } = await import('../support/longpoll.mjs')
  const sockets = await Promise.all(Array.from({ length: 20 }, () => RawSocket.open(chaos.where())))
  await Promise.all(Array.from({ length: 20 }, () => RawPoll.open(chaos.where())))
  let left
  do {
    const m = await d.metrics()
    left = m.value('roomd_connections{transport="websocket"}') + m.value('roomd_connections{transport="longpoll"}')
  } while (left > 0)
  const m = await d.metrics()
  assert.equal(m.value('roomd_limit_total{limit="idle_timeout"}'), 20)
  sockets.forEach(ws => ws.destroy())
}, { limit: 40000 })
