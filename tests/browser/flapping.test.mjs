/* SPDX-License-Identifier: MIT */
/* Stock phoenix.js in Chromium behind a proxy that cuts every WebSocket: the
 * server knows the browser again by the cookie of the handshake's answer. */
import { assert, test } from '../support/harness.mjs'
import { ownRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { Y } from '../support/modules.mjs'
import { freshTopic, openHook } from '../support/clients.mjs'
import { StockPage } from './stock.mjs'

test('WebSockets cut after 100 to 500 ms: the page ends on long-poll, synced, and so does the next', async t => {
  const roomd = await ownRoomd(t)
  const proxy = await Proxy.start(roomd.where(), { mode: 'cut' })
  t.after(() => proxy.stop())
  const topic = freshTopic()
  const peer = openHook(t, roomd.ws(), topic, {})
  await peer.joined()
  peer.doc.getText('t').insert(0, 'from the peer')
  const page = await StockPage.open(t, proxy.url() + '/health')
  const began = Date.now()
  await page.join(proxy.ws(), topic)
  await roomd.waitLog(/die young.* by=cookie/)
  await roomd.waitLog(/longpoll opened/)
  console.log(`# on long-poll after ${Date.now() - began} ms and ${proxy.upgrades} upgrades`)
  await page.shows('from the peer')
  assert.equal(await page.transport(), 'longpoll')
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'and back ')
  await page.push(Y.encodeStateAsUpdate(doc))
  await peer.until('the page\'s update', () => peer.doc.getText('t').length === 22)

  // Another page of the same browser, with nothing in its sessionStorage.
  const upgrades = proxy.upgrades
  const next = await StockPage.open(t, proxy.url() + '/health', { context: page.context })
  await next.join(proxy.ws(), topic)
  await next.shows(peer.doc.getText('t').toString())
  assert.equal(await next.transport(), 'longpoll')
  assert.equal(proxy.upgrades, upgrades + 1, 'refused at its first upgrade')

  // Another browser behind the same address is nobody's neighbour.
  proxy.mode = 'pass'
  const other = await StockPage.open(t, proxy.url() + '/health')
  await other.join(proxy.ws(), topic, { longPollFallbackMs: 15000 })
  await other.shows(peer.doc.getText('t').toString())
  assert.equal(await other.transport(), 'websocket')
})
