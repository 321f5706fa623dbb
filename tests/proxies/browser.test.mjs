/* SPDX-License-Identifier: MIT */
/* Chromium behind real proxies, where it is about the browser: a page of
 * another site, whose cookie must be a partitioned one; and what the
 * connection check says behind programs that buffer, refuse and cut. */
import fs from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'
import { assert, test, waitFor } from '../support/harness.mjs'
import { sharedRoomd, sourceDir } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { freshTopic, openHook } from '../support/clients.mjs'
import { Program, blackHole } from './program.mjs'

const roomd = await sharedRoomd({
  www: `${sourceDir}/www/dist`, trusted_proxies: '127.0.0.1', longpoll_window: '1s'
})
const servers = { 4000: roomd.port, 4001: roomd.port, 4009: await blackHole() }
if (!process.env.CHROMIUM) {
  console.log('ok 1 - Chromium # SKIP it is not installed')
  process.exit(0)
}
const { StockPage } = await import('../browser/stock.mjs')
const { Page } = await import('../browser/browser.mjs')

/* TLS in front of a port. */
async function tlsFront (t, port) {
  const pem = fs.readFileSync(process.env.PROXIES_PEM)
  const sockets = new Set()
  const server = tls.createServer({ cert: pem, key: pem }, client => {
    const up = net.connect(port, '127.0.0.1')
    for (const s of [client, up]) {
      sockets.add(s)
      s.on('error', () => {}).on('close', () => { client.destroy(); up.destroy() })
    }
    client.pipe(up).pipe(client)
  })
  server.on('tlsClientError', () => {})
  await waitFor('the TLS front', resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const s of sockets) s.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  return server.address().port
}

test('a page of another site: its WebSockets are cut, it is known by a partitioned cookie', async t => {
  const cut = await Proxy.start(roomd.where(), { mode: 'cut' })
  t.after(() => cut.stop())
  const port = await tlsFront(t, cut.port)
  const site = await Program.start('nginx', 'nginx.conf', servers)
  const topic = freshTopic()
  const peer = openHook(t, roomd.ws(), topic, {})
  await peer.joined()
  peer.doc.getText('t').insert(0, 'elsewhere')
  const page = await StockPage.open(t, `https://localhost:${site.ports[8443]}/health`)
  const from = roomd.log.length
  await page.join(`wss://127.0.0.1:${port}/socket`, topic)
  await roomd.waitLog(/die young.* by=cookie/, { from })
  await page.shows('elsewhere')
  await page.page.waitForFunction(() => window.socket.transport === window.Phoenix.LongPoll)
  const [cookie] = await page.context.cookies(`https://127.0.0.1:${port}/socket/websocket`)
  assert.equal(cookie.name, 'roomd_client')
  assert.deepEqual([cookie.sameSite, cookie.secure, cookie.httpOnly, cookie.expires], ['None', true, true, -1])
})

const state = (page, id) => page.page.locator(`[data-check="${id}"]`).getAttribute('data-state')

for (const [kind, file, port, what, bad] of [
  ['nginx', 'nginx.conf', 8080, 'Everything works', []],
  ['nginx', 'nginx-plain.conf', 8081, 'It works, by long-poll', ['ws-open', 'buffer']],
  ['nginx', 'nginx-filter.conf', 8083, 'It works, by long-poll', ['ws-open']],
  ['haproxy', 'haproxy-filter.cfg', 8080, 'It works, by long-poll', ['ws-live']]]) {
  test(`the connection check behind ${kind}, ${file} ${port}: ${what}`, async t => {
    const proxy = await Program.start(kind, file, servers)
    const page = await Page.open(t, `${proxy.url(port)}/doctor/?seconds=2`, { noisy: true })
    await page.until(() => document.documentElement.dataset.done === '1')
    assert.equal(await page.page.getByRole('heading', { level: 1 }).textContent(), what)
    /* Where it is cut, a slow machine is in an earlier check by then. */
    const ids = bad.includes('ws-live') ? [] : ['ws-open', 'ws-live']
    for (const id of [...ids, 'buffer', 'lp-open', 'lp-large', 'lp-wait']) {
      const expected = bad.includes(id) ? (id === 'buffer' ? 'warn' : 'bad') : 'ok'
      if (bad.includes('ws-open') && id === 'ws-live') continue
      assert.equal(await state(page, id), expected, id)
    }
  })
}
