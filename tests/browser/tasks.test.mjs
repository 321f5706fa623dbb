/* SPDX-License-Identifier: MIT */
/* The demo page in real browsers: two and three at once, one of them by
 * long-poll only; restarts; proxies without WebSockets; small screens. */
import http from 'node:http'
import net from 'node:net'
import { assert, test } from '../support/harness.mjs'
import { sharedRoomd, startRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { TaskPage } from './browser.mjs'

const roomd = await sharedRoomd()
let rooms = 0
const freshRoom = () => `room-${process.pid}-${++rooms}`
const at = (base, room, more = '') => `${base}/?room=${room}${more}`

test('two pages, one by long-poll only, edit one list; a third joins late and sees everything', async t => {
  const room = freshRoom()
  const a = await TaskPage.open(t, at(roomd.url(), room, '&name=Ada Byron'))
  const b = await TaskPage.open(t, at(roomd.url(), room, '&name=Bo&transport=longpoll'))
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.add('Buy bread')
  await b.shows(['[ ] Buy bread'])
  await b.add('Pay the rent \u{1f3e0}')
  await a.shows(['[ ] Buy bread', '[ ] Pay the rent \u{1f3e0}'])
  await b.done('Buy bread').check()
  await a.shows(['[x] Buy bread', '[ ] Pay the rent \u{1f3e0}'])
  await a.title('Buy bread').fill('Buy rye bread')
  await b.shows(['[x] Buy rye bread', '[ ] Pay the rent \u{1f3e0}'])
  await a.add('To be deleted')
  await b.shows(['[x] Buy rye bread', '[ ] Pay the rent \u{1f3e0}', '[ ] To be deleted'])
  await b.remove('To be deleted')
  await a.shows(['[x] Buy rye bread', '[ ] Pay the rent \u{1f3e0}'])

  const c = await TaskPage.open(t, at(roomd.url(), room, '&name=Cy'))
  await c.shows(['[x] Buy rye bread', '[ ] Pay the rent \u{1f3e0}'])
  for (const page of [a, b, c]) {
    await page.until(() => document.getElementById('people-text').textContent === 'You and 2 others')
  }
  const names = await a.page.getByRole('listitem').evaluateAll(
    l => l.filter(e => e.className.includes('face')).map(e => e.title).sort())
  assert.deepEqual(names, ['Ada Byron (you)', 'Bo', 'Cy'])
  await c.page.close()
  await a.until(() => document.getElementById('people-text').textContent === 'You and 1 other')
})

test('two people type into one title at once: both keep what they typed, and their carets', async t => {
  const room = freshRoom()
  const a = await TaskPage.open(t, at(roomd.url(), room, '&name=Ada'))
  const b = await TaskPage.open(t, at(roomd.url(), room, '&name=Bo&transport=longpoll'))
  await a.live()
  await b.live()
  await a.add('middle')
  await b.shows(['[ ] middle'])
  await a.title('middle').focus()
  await b.until(() => [...document.querySelectorAll('.editor')].some(e => e.textContent === 'Ada' && !e.hidden))
  await b.title('middle').focus()
  await a.page.keyboard.press('Home')
  await b.page.keyboard.press('End')
  await Promise.all([a.page.keyboard.type('front \u{1f600} '), b.page.keyboard.type(' \u{1f680} end')])
  const all = ['[ ] front \u{1f600} middle \u{1f680} end']
  await a.shows(all)
  await b.shows(all)
  await a.page.keyboard.type('x')
  await b.page.keyboard.type('y')
  const both = ['[ ] front \u{1f600} xmiddle \u{1f680} endy']
  await a.shows(both)
  await b.shows(both)
})

test('deleting can be undone; completed tasks can be cleared; an emptied title deletes', async t => {
  const room = freshRoom()
  const a = await TaskPage.open(t, at(roomd.url(), room))
  const b = await TaskPage.open(t, at(roomd.url(), room))
  await a.live()
  await b.live()
  for (const title of ['one', 'two', 'three']) await a.add(title)
  await a.done('two').check()
  await a.remove('one')
  await b.shows(['[x] two', '[ ] three'])
  await a.page.getByRole('button', { name: 'Undo' }).click()
  await b.shows(['[ ] one', '[x] two', '[ ] three'])
  await b.page.getByRole('button', { name: 'Clear done' }).click()
  await a.shows(['[ ] one', '[ ] three'])
  await a.title('three').fill('')
  await a.page.keyboard.press('Enter')
  await b.shows(['[ ] one'])
})

test('by keyboard alone', async t => {
  const a = await TaskPage.open(t, at(roomd.url(), freshRoom()))
  await a.live()
  await a.page.keyboard.press('Tab')
  await a.page.keyboard.type('typed')
  await a.page.keyboard.press('Enter')
  await a.shows(['[ ] typed'])
  await a.page.keyboard.press('Tab') // Add
  await a.page.keyboard.press('Tab') // the box
  await a.page.keyboard.press('Space')
  await a.shows(['[x] typed'])
  await a.page.keyboard.press('Tab')
  await a.page.keyboard.press('Tab')
  await a.page.keyboard.press('Enter')
  await a.shows([])
})

test('the daemon restarts in mid-edit: nothing is lost, the pages find it again', async t => {
  const room = freshRoom()
  const one = await startRoomd()
  const a = await TaskPage.open(t, at(one.url(), room), { noisy: true })
  const b = await TaskPage.open(t, at(one.url(), room, '&transport=longpoll'), { noisy: true })
  await a.live()
  await b.live()
  await a.add('before')
  await b.shows(['[ ] before'])
  await one.stop()
  await a.until(() => document.documentElement.dataset.state === 'connecting')
  await a.add('while it was away, a')
  await b.add('while it was away, b')
  await b.done('before').check()
  const two = await startRoomd({}, { port: one.port })
  t.after(() => two.stop())
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.until(() => document.querySelectorAll('#tasks li').length === 3)
  await b.until(() => document.querySelectorAll('#tasks li').length === 3)
  const all = await a.list()
  assert.deepEqual([...all].sort(), ['[ ] while it was away, a', '[ ] while it was away, b', '[x] before'].sort())
  await b.shows(all)
  const late = await TaskPage.open(t, at(two.url(), room))
  await late.shows(all)
})

for (const mode of ['forbid', 'hang', 'swallow']) {
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
  return `http://127.0.0.1:${server.address().port}`
}

test('below a path of another site', async t => {
  const base = await subPathProxy(t, roomd.where())
  const room = freshRoom()
  const a = await TaskPage.open(t, at(`${base}/edit`, room))
  const b = await TaskPage.open(t, at(`${base}/edit`, room, '&transport=longpoll'))
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.add('sub')
  await b.shows(['[ ] sub'])
  await b.page.close()
  await a.page.close()
})

test('what others write into the list cannot break the page or run', async t => {
  const room = freshRoom()
  const a = await TaskPage.open(t, at(roomd.url(), room, '&name=%3Cimg%20src%3Dx%3E'))
  const b = await TaskPage.open(t, at(roomd.url(), room))
  await a.live()
  await b.live()
  await a.add('<img src=x onerror="document.title=1"> & "quotes"')
  await b.shows(['[ ] <img src=x onerror="document.title=1"> & "quotes"'])
  /* Members of other programs: shapes the page does not make. */
  await a.page.evaluate(async () => {
    const { Socket } = await import('./vendor/phoenix.mjs')
    const Y = await import('./vendor/yjs.mjs')
    const socket = new Socket(`ws://${location.host}/socket`)
    socket.connect()
    const channel = socket.channel(`room:${new URLSearchParams(location.search).get('room')}`)
    await new Promise(resolve => channel.join().receive('ok', resolve))
    const doc = new Y.Doc()
    const list = doc.getArray('tasks')
    const odd = new Y.Map()
    const plain = new Y.Map([['id', 7], ['title', 'a plain string'], ['done', 'yes']])
    list.push([1, null, 'text', { id: 'x' }, odd, plain, new Y.Text('t')])
    channel.push('update', { data: Array.from(Y.encodeStateAsUpdate(doc)) })
    channel.push('awareness', { user: {}, editing: [] })
    channel.push('awareness', [])
  })
  await b.until(() => [...document.querySelectorAll('.title')].some(e => e.value === 'a plain string'))
  await b.add('still works')
  await a.until(() => [...document.querySelectorAll('.title')].some(e => e.value === 'still works'))
  await b.title('a plain string').fill('edited')
  await a.until(() => [...document.querySelectorAll('.title')].some(e => e.value === 'edited'))
})

test('no part of the page is wider than a phone; pictures for the eye', async t => {
  const phone = { width: 360, height: 740 }
  const sizes = process.env.SCREENSHOTS
    ? { desktop: { width: 1100, height: 760 }, phone }
    : { phone }
  const room = 'kitchen'
  const others = []
  for (const name of ['Ada Byron', 'Bo Chen', 'Cy Young']) {
    others.push(await TaskPage.open(t, at(roomd.url(), room, `&name=${name}`)))
    await others[others.length - 1].live()
  }
  for (const title of ['Order flour and yeast', 'Repair the oven door before Friday, the spare part lies on the shelf above the sink',
    'Ask Bo about the keys', 'Water the basil', 'Wash the aprons']) await others[0].add(title)
  await others[1].live()
  await others[0].done('Water the basil').check()
  await others[1].title('Ask Bo about the keys').focus()
  for (const colorScheme of process.env.SCREENSHOTS ? ['light', 'dark'] : ['dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
      const page = await TaskPage.open(t, at(roomd.url(), room, '&name=Dee Ray'),
        { viewport, colorScheme, hasTouch: size === 'phone' })
      await page.live()
      await page.until(() => document.querySelectorAll('#tasks li').length === 5)
      const width = await page.page.evaluate(() => document.documentElement.scrollWidth)
      assert.ok(width <= viewport.width, `${width} px`)
      await others[1].title('Ask Bo about the keys').blur()
      await others[1].title('Ask Bo about the keys').focus()
      await page.until(() => document.querySelector('.editor:not([hidden])'))
      await page.screenshot(`tasks-${size}-${colorScheme}`)
      if (size === 'phone') {
        await page.remove('Wash the aprons')
        await page.screenshot(`toast-${size}-${colorScheme}`)
        await page.page.getByRole('button', { name: 'Undo' }).click()
        await others[0].until(() => document.querySelectorAll('#tasks li').length === 5)
      }
      await page.page.close()
      const empty = await TaskPage.open(t, at(roomd.url(), freshRoom()), { viewport, colorScheme })
      await empty.live()
      await empty.screenshot(`empty-${size}-${colorScheme}`)
      await empty.page.close()
    }
  }
}, { limit: 90000 })
