/* SPDX-License-Identifier: MIT */
/* Networks as they are: restarts, proxies without WebSockets, cut lines, a path
 * of another site. */
import http from 'node:http'
import net from 'node:net'
import { assert } from '../support/harness.mjs'
import { ownRoomd, sharedRoomd, startRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { BoardPage, EditorPage, freshRoom, Page, TaskPage, test, www } from './browser.mjs'

const roomd = await sharedRoomd({ www })
const at = (base, room, more = '') => `${base}/demo/tasks/?room=${room}${more}`

test('the daemon restarts in mid-edit: nothing is lost, each page is back on its transport', async t => {
  const room = freshRoom()
  const one = await startRoomd({ www })
  const a = await TaskPage.open(t, at(one.url(), room), { noisy: true })
  const b = await TaskPage.open(t, at(one.url(), room, '&transport=longpoll'), { noisy: true })
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.add('before')
  await b.shows(['[ ] before'])
  await one.stop()
  await a.untilReading('Transport', 'Connecting')
  await a.add('while it was away, a')
  await b.add('while it was away, b')
  await b.done('before').check()
  const two = await startRoomd({ www }, { port: one.port })
  t.after(() => two.stop())
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.until(() => document.querySelectorAll('.task').length === 3)
  const all = await a.list()
  assert.deepEqual([...all].sort(), ['[ ] while it was away, a', '[ ] while it was away, b', '[x] before'].sort())
  await b.shows(all)
  const late = await TaskPage.open(t, at(two.url(), room))
  await late.shows(all)
  await a.page.close()
  await b.page.close()
  await late.page.close()
})

test('a text survives a restart, also on a page that was reloaded meanwhile', async t => {
  const room = freshRoom()
  const one = await startRoomd({ www })
  const where = base => `${base}/demo/editor/?room=${room}`
  const a = await EditorPage.open(t, where(one.url()), { noisy: true })
  await a.live()
  await a.text.click()
  await a.page.keyboard.type('kept on the device')
  await a.live()
  await one.stop()
  await a.page.keyboard.type(', edited without a server')
  await a.until(() => /kept here|saving/.test([...document.querySelectorAll('.readings dd')].at(-1).textContent))
  const two = await startRoomd({ www }, { port: one.port })
  t.after(() => two.stop())
  await a.page.reload()
  await a.shows(['kept on the device, edited without a server'])
  await a.live()
  const b = await EditorPage.open(t, where(two.url()))
  await b.shows(['kept on the device, edited without a server'])
  await a.page.close()
  await b.page.close()
})

for (const mode of ['forbid', 'reset', 'hang', 'swallow']) {
  test(`a proxy that meets WebSockets with "${mode}": the page falls back by itself`, async t => {
    const proxy = await Proxy.start(roomd.where(), { mode })
    t.after(() => proxy.stop())
    const room = freshRoom()
    const direct = await TaskPage.open(t, at(roomd.url(), room))
    const behind = await TaskPage.open(t, at(proxy.url(), room), { noisy: true })
    await direct.live('WebSocket')
    await behind.live('Long-poll')
    await behind.add('from behind the proxy')
    await direct.shows(['[ ] from behind the proxy'])
    await direct.add('to behind the proxy')
    await behind.shows(['[ ] from behind the proxy', '[ ] to behind the proxy'])
    assert.ok(proxy.upgrades > 0)
  })
}

test('a proxy that cuts lines again and again: everything arrives, once', async t => {
  const proxy = await Proxy.start(roomd.where())
  t.after(() => proxy.stop())
  const room = freshRoom()
  const direct = await TaskPage.open(t, at(roomd.url(), room))
  const cut = await TaskPage.open(t, at(proxy.url(), room), { noisy: true })
  await direct.live()
  await cut.live('WebSocket')
  const expected = []
  for (let i = 0; i < 5; i++) {
    await cut.add(`task ${i}`)
    proxy.kill()
    expected.push(`[ ] task ${i}`)
    await direct.shows(expected)
    await cut.untilReading('Reconnects', String(i + 1))
  }
  /* By then the server may have sent it to long-poll, as a flapping one. */
  await cut.live()
  await cut.shows(expected)
})

test('a proxy that begins to forbid WebSockets: the page moves to long-poll, and back when it may', async t => {
  const proxy = await Proxy.start(roomd.where())
  t.after(() => proxy.stop())
  const a = await TaskPage.open(t, at(proxy.url(), freshRoom()), { noisy: true })
  await a.live('WebSocket')
  proxy.mode = 'forbid'
  proxy.kill()
  await a.live('Long-poll')
  await a.add('still here')
  await a.live('Long-poll')
  proxy.mode = 'pass'
  await a.page.evaluate(() => dispatchEvent(new Event('online')))
  await a.live('WebSocket')
  await a.shows(['[ ] still here'])
})

/* nginx's `location /edit/ { proxy_pass http://roomd/; }` in miniature. */
async function subPathProxy (t, target) {
  const strip = url => url.startsWith('/edit/') ? url.slice('/edit'.length) : null
  const server = http.createServer((req, res) => {
    const path = strip(req.url)
    if (path === null) return res.writeHead(404).end()
    req.pipe(http.request({ ...target, path, method: req.method, headers: req.headers }, up => {
      res.writeHead(up.statusCode, up.headers)
      up.pipe(res)
    }).on('error', () => res.destroy()))
  })
  server.on('upgrade', (req, client, head) => {
    const path = strip(req.url)
    if (path === null) return client.destroy()
    const up = net.connect(target, () => {
      up.write(`GET ${path} HTTP/1.1\r\n` + req.rawHeaders.reduce((text, value, i) =>
        text + (i % 2 ? `${value}\r\n` : `${value}: `), '') + '\r\n')
      up.write(head)
      up.pipe(client).pipe(up)
    })
    up.on('error', () => client.destroy())
    client.on('error', () => up.destroy())
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise(resolve => {
    server.close(resolve)
    if (server.closeAllConnections) server.closeAllConnections()
  }))
  return `http://127.0.0.1:${server.address().port}/edit`
}

test('editor, board, status and what is missing, below a path of another site', async t => {
  const own = await ownRoomd(t, { www, status_key: 'public' })
  const base = await subPathProxy(t, own.where())
  const room = freshRoom()
  const one = await EditorPage.open(t, `${base}/demo/editor/?room=${room}`)
  const two = await EditorPage.open(t, `${base}/demo/editor/?room=${room}&transport=longpoll`)
  await one.live('WebSocket')
  await two.live('Long-poll')
  await one.text.click()
  await one.page.keyboard.type('below')
  await two.shows(['below'])
  const left = await BoardPage.open(t, `${base}/demo/board/?room=${room}`)
  const right = await BoardPage.open(t, `${base}/demo/board/?room=${room}&transport=longpoll`)
  await left.live('WebSocket')
  await right.live('Long-poll')
  await left.note(400, 200, 'below')
  await right.until(() => document.querySelector('.note textarea')?.value === 'below')
  const status = await Page.open(t, `${base}/status/`)
  await status.until(text => document.querySelector('#rooms')?.textContent.includes(text), `board:${room}`)
  await status.until(() => document.querySelectorAll('.uplot canvas').length === 5)
  const doctor = await Page.open(t, `${base}/doctor/?seconds=1`)
  await doctor.until(() => document.documentElement.dataset.done)
  const missing = await Page.open(t, `${base}/no/such/`, { expected: /404/ })
  await missing.page.getByRole('main').getByRole('link', { name: 'Tasks' }).click()
  await missing.page.waitForURL(`${base}/demo/tasks/`)
  for (const page of [one, two, left, right, status, doctor, missing]) await page.page.close()
})

test('below a path of another site', async t => {
  const base = await subPathProxy(t, roomd.where())
  const room = freshRoom()
  const a = await TaskPage.open(t, `${base}/`)
  await a.page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Tasks' }).click()
  await a.page.waitForURL(/\/edit\/demo\/tasks\//)
  await a.page.goto(at(base, room))
  const b = await TaskPage.open(t, at(base, room, '&transport=longpoll'))
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.add('sub')
  await b.shows(['[ ] sub'])
  await b.page.close()
  await a.page.close()
})
