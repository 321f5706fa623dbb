/* SPDX-License-Identifier: MIT */
/* npm y-phoenix-channel, unmodified, alone and in mixed company. */
import { assert, test, eventually } from '../support/harness.mjs'
import { sharedRoomd, startRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { Y } from '../support/modules.mjs'
import { converged, freshTopic, openHook, openProvider, synced } from '../support/clients.mjs'

const roomd = await sharedRoomd({ longpoll_window: '2s', awareness_grace: '2s' })

const view = d => [d.getText('t').toJSON(), d.getText('t').toDelta(), d.getMap('m').toJSON(),
  d.getArray('a').toJSON(), d.getXmlFragment('x').toString()]

/* A small generator: the seed is printed when a test fails. */
function random (seed) {
  let s = seed >>> 0
  return n => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0
    return Math.floor(s / 4294967296 * n)
  }
}

const words = ['a', 'bc', 'déf', '\u{1f600}', 'long text ', '\n', '']

/* npm yjs breaks a surrogate pair that is split, and not on every client in
 * the same way: these edits keep pairs whole. */
function boundary (text, at) {
  return /[\udc00-\udfff]/.test(text.toString()[at] || '') ? at + 1 : at
}

function range (text, rnd) {
  const from = boundary(text, rnd(text.length))
  const to = boundary(text, Math.min(text.length, from + 1 + rnd(5)))
  return [from, to - from]
}

function editOnce (doc, rnd) {
  const text = doc.getText('t')
  const array = doc.getArray('a')
  const map = doc.getMap('m')
  const xml = doc.getXmlFragment('x')
  switch (rnd(12)) {
    case 0: case 1: case 2:
      return text.insert(boundary(text, rnd(text.length + 1)), words[rnd(words.length)])
    case 3:
      return text.length && text.delete(...range(text, rnd))
    case 4:
      return text.length && text.format(...range(text, rnd), { bold: rnd(2) ? true : null })
    case 5: return array.insert(rnd(array.length + 1), [rnd(100), { k: words[rnd(words.length)] }, null])
    case 6:
      if (array.length === 0) return
      return array.delete(rnd(array.length), 1)
    case 7: return map.set(`k${rnd(5)}`, rnd(2) ? rnd(1000) / 7 : words[rnd(words.length)])
    case 8: return map.delete(`k${rnd(5)}`)
    case 9: {
      const inner = new Y.Map()
      map.set('nested', inner)
      return inner.set('deep', new Uint8Array([rnd(256), 2, 3]))
    }
    case 10: {
      const el = new Y.XmlElement('p')
      xml.insert(rnd(xml.length + 1), [el])
      el.setAttribute('n', String(rnd(9)))
      return el.insert(0, [new Y.XmlText('xml')])
    }
    default:
      return doc.transact(() => { for (let i = 0; i < 4; i++) editOnce(doc, rnd) })
  }
}

for (const transport of ['websocket', 'longpoll']) {
  test(`provider over ${transport}: sync, edit, late joiner, awareness`, async t => {
    const topic = freshTopic('y_doc_room:')
    const a = openProvider(t, roomd.ws(), topic, { transport })
    const b = openProvider(t, roomd.ws(), topic, { transport })
    await Promise.all([synced(a), synced(b)])
    a.doc.getText('t').insert(0, 'hello')
    await converged([a.doc, b.doc], view, () => b.doc.getText('t').length === 5)
    a.awareness.setLocalStateField('user', { name: 'Ann' })
    await eventually('awareness', () =>
      b.awareness.getStates().get(a.doc.clientID)?.user?.name === 'Ann',
    [[b.awareness, 'change']])
    /* A state at clock 0, as each begins, is taken by no peer. */
    b.awareness.setLocalStateField('user', { name: 'Bo' })
    await eventually('awareness', () =>
      a.awareness.getStates().get(b.doc.clientID)?.user?.name === 'Bo',
    [[a.awareness, 'change']])
    const late = openProvider(t, roomd.ws(), topic, { transport })
    await synced(late)
    assert.equal(late.doc.getText('t').toString(), 'hello')
    await eventually('all awareness known', () => late.awareness.getStates().has(a.doc.clientID) &&
      late.awareness.getStates().has(b.doc.clientID), [[late.awareness, 'change']])
    a.disconnect()
    await eventually('awareness of the one who left to go', () =>
      !b.awareness.getStates().has(a.doc.clientID), [[b.awareness, 'change']])
  })

  test(`provider over ${transport}: edits made before the first connect are kept`, async t => {
    const topic = freshTopic('y_doc_room:')
    const doc = new Y.Doc()
    doc.getText('t').insert(0, 'from before')
    const a = openProvider(t, roomd.ws(), topic, { transport, doc })
    await synced(a)
    const b = openProvider(t, roomd.ws(), topic, { transport })
    await eventually('the text', () => b.doc.getText('t').toString() === 'from before',
      [[b.doc, 'update']])
  })

  test(`provider over ${transport}: restart of the daemon loses nothing that a client has`, async t => {
    const topic = freshTopic('y_doc_room:')
    const one = await startRoomd()
    const a = openProvider(t, one.ws(), topic, { transport })
    const b = openProvider(t, one.ws(), topic, { transport })
    await Promise.all([synced(a), synced(b)])
    a.doc.getText('t').insert(0, 'kept ')
    await converged([a.doc, b.doc], view, () => b.doc.getText('t').length > 0)
    await one.stop()
    a.doc.getText('t').insert(0, 'offline a ')
    b.doc.getText('t').insert(0, 'offline b ')
    const two = await startRoomd({}, { port: one.port })
    t.after(() => two.stop())
    await converged([a.doc, b.doc], view, () =>
      ['kept', 'offline a', 'offline b'].every(w => a.doc.getText('t').toString().includes(w)))
    const late = openProvider(t, two.ws(), topic, { transport })
    await synced(late)
    await eventually('everything', () =>
      late.doc.getText('t').toString() === a.doc.getText('t').toString(), [[late.doc, 'update']])
  })
}

test('awareness survives a reconnect within the grace period, without flicker', async t => {
  const proxy = await Proxy.start(roomd.where())
  t.after(() => proxy.stop())
  const topic = freshTopic('y_doc_room:')
  const a = openProvider(t, proxy.ws(), topic)
  const b = openProvider(t, roomd.ws(), topic)
  await Promise.all([synced(a), synced(b)])
  a.awareness.setLocalStateField('name', 'A')
  b.awareness.setLocalStateField('name', 'B')
  const known = () => b.awareness.getStates().get(a.doc.clientID)?.name === 'A'
  const back = () => a.awareness.getStates().get(b.doc.clientID)?.name === 'B'
  await eventually('awareness', known, [[b.awareness, 'change']])
  await eventually('awareness', back, [[a.awareness, 'change']])
  const removed = []
  /* b hears null for itself when it is asked to raise its clock. */
  b.awareness.on('change', c => removed.push(...c.removed.filter(id => id !== b.doc.clientID)))
  proxy.kill()
  await eventually('a to be disconnected', () => !a.synced, [[a, 'sync']])
  await synced(a)
  assert.ok(known())
  assert.deepEqual(removed, [])
  /* The renewal would come 15 s later. */
  await eventually('to see the other again', back, [[a.awareness, 'change']], 10000)
})

test('all connections cut at once: everybody sees everybody again, before any renewal', async t => {
  const proxy = await Proxy.start(roomd.where())
  t.after(() => proxy.stop())
  const topic = freshTopic('y_doc_room:')
  const all = [1, 2, 3, 4].map(() => openProvider(t, proxy.ws(), topic))
  await Promise.all(all.map(synced))
  for (const p of all) p.awareness.setLocalStateField('name', p.doc.clientID)
  const everybody = () => all.every(p => all.every(q =>
    p.awareness.getStates().get(q.doc.clientID)?.name === q.doc.clientID))
  const changes = all.map(p => [p.awareness, 'change'])
  await eventually('awareness', everybody, changes)
  proxy.kill()
  await eventually('nobody', () => all.some(p => p.awareness.getStates().size === 1), changes)
  await Promise.all(all.map(synced))
  await eventually('awareness again', everybody, changes, 10000)
})

test('after a restart everybody sees everybody, before any renewal', async t => {
  const topic = freshTopic('y_doc_room:')
  const one = await startRoomd()
  const all = [1, 2, 3].map(() => openProvider(t, one.ws(), topic))
  await Promise.all(all.map(synced))
  for (const p of all) {
    for (let i = 0; i < 12; i++) p.awareness.setLocalStateField('cursor', i)
    p.awareness.setLocalStateField('name', p.doc.clientID)
  }
  const everybody = () => all.every(p => all.every(q =>
    p.awareness.getStates().get(q.doc.clientID)?.name === q.doc.clientID))
  const changes = all.map(p => [p.awareness, 'change'])
  await eventually('awareness', everybody, changes)
  await one.stop()
  await eventually('nobody', () => all.every(p => p.awareness.getStates().size === 1), changes)
  const two = await startRoomd({}, { port: one.port })
  t.after(() => two.stop())
  await Promise.all(all.map(synced))
  await eventually('awareness again', everybody, changes, 10000)
})

test('awareness comes back after a removal (null at the same clock, then a query)', async t => {
  const proxy = await Proxy.start(roomd.where())
  t.after(() => proxy.stop())
  const topic = freshTopic('y_doc_room:')
  const a = openProvider(t, proxy.ws(), topic, { reconnectAfterMs: () => 4000 })
  const b = openProvider(t, roomd.ws(), topic)
  await Promise.all([synced(a), synced(b)])
  a.awareness.setLocalStateField('name', 'A')
  const known = () => b.awareness.getStates().get(a.doc.clientID)?.name === 'A'
  await eventually('awareness', known, [[b.awareness, 'change']])
  proxy.kill()
  await eventually('the removal', () => !known(), [[b.awareness, 'change']])
  await synced(a)
  await eventually('the return', known, [[b.awareness, 'change']])
})

/* Members of every kind in one room. */
const KINDS = [
  ['hook', 'websocket'], ['hook', 'longpoll'],
  ['provider', 'websocket'], ['provider', 'longpoll']
]

function openKind (t, d, topic, [kind, transport]) {
  if (kind === 'hook') {
    const hook = openHook(t, d.ws(), topic, { transport })
    return { doc: hook.doc, ready: hook.joined(), close: () => hook.channel.leave() }
  }
  const p = openProvider(t, d.ws(), topic, { transport })
  return { doc: p.doc, ready: synced(p), close: () => p.disconnect() }
}

test('three clients, three ways in, one of them late', async t => {
  const topic = freshTopic()
  const hook = openKind(t, roomd, topic, KINDS[0])
  const provider = openKind(t, roomd, topic, KINDS[3])
  await Promise.all([hook.ready, provider.ready])
  hook.doc.getText('t').insert(0, 'from the hook. ')
  provider.doc.getText('t').insert(0, 'from the provider. ')
  await converged([hook.doc, provider.doc], view, () =>
    /hook/.test(provider.doc.getText('t')) && /provider/.test(hook.doc.getText('t')))
  const late = openKind(t, roomd, topic, KINDS[1])
  await late.ready
  late.doc.getText('t').insert(0, 'late. ')
  await converged([hook.doc, provider.doc, late.doc], view, () =>
    /late/.test(hook.doc.getText('t')) && /late/.test(provider.doc.getText('t')))
})

const seeds = process.env.SEED
  ? [Number(process.env.SEED)]
  : [1, 2, Date.now() % 1000000]
for (const seed of seeds) {
  test(`random edits by six members of all kinds converge, and a late one sees all; SEED=${seed}`, async t => {
    const rnd = random(seed)
    const topic = freshTopic()
    const members = [...KINDS, KINDS[0], KINDS[3]].map(k => openKind(t, roomd, topic, k))
    await Promise.all(members.map(m => m.ready))
    const docs = members.map(m => m.doc)
    /* Each turn of the loop some edit; what others sent arrives in between. */
    for (let round = 0; round < 60; round++) {
      for (const doc of docs) if (rnd(3) > 0) editOnce(doc, rnd)
      await new Promise(resolve => setImmediate(resolve))
    }
    docs.forEach((d, i) => d.getMap('done').set(String(i), true))
    await converged(docs, view, () => docs.every(d => d.getMap('done').size === docs.length))
    for (const kind of KINDS) {
      const late = openKind(t, roomd, topic, kind)
      await late.ready
      await converged([late.doc, docs[0]], view)
    }
  }, { limit: 60000 })
}

test('members that come and go while others edit', async t => {
  const rnd = random(99)
  const topic = freshTopic()
  const stay = openKind(t, roomd, topic, KINDS[2])
  const stay2 = openKind(t, roomd, topic, KINDS[1])
  await Promise.all([stay.ready, stay2.ready])
  for (let round = 0; round < 12; round++) {
    const guest = openKind(t, roomd, topic, KINDS[round % 4])
    editOnce(stay.doc, rnd)
    await guest.ready
    guest.doc.getMap('done').set(`guest${round}`, true)
    editOnce(stay2.doc, rnd)
    await eventually('the word of the guest', () => stay.doc.getMap('done').has(`guest${round}`),
      [[stay.doc, 'update']])
    guest.close()
  }
  await converged([stay.doc, stay2.doc], view, () =>
    stay2.doc.getMap('done').size === 12)
})
