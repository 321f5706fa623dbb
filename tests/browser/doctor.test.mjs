/* SPDX-License-Identifier: MIT */
/* The connection check: what it says where everything works, and behind
 * proxies that refuse, drop, swallow and cut WebSockets. */
import { assert } from '../support/harness.mjs'
import { sharedRoomd } from '../support/roomd.mjs'
import { Proxy } from '../support/proxy.mjs'
import { axeSource } from '../support/modules.mjs'
import { Page, test, www } from './browser.mjs'

const roomd = await sharedRoomd({ www, longpoll_window: '1s' })

class DoctorPage extends Page {
  /* `times`: how often it was asked to check. */
  finished (times = 1) {
    return this.until(n => document.documentElement.dataset.done === String(n), times)
  }

  verdict () { return this.page.getByRole('heading', { level: 1 }).textContent() }
  /* { id: state } of all checks. */
  states () {
    return this.page.evaluate(() => Object.fromEntries([...document.querySelectorAll('[data-check]')]
      .map(li => [li.dataset.check, li.dataset.state])))
  }

  text (id) { return this.page.locator(`[data-check="${id}"] p`).textContent() }
  report () { return this.page.locator('#report').textContent() }
}

const open = (t, base, options = {}) => DoctorPage.open(t, `${base}/doctor/?seconds=2`, options)

async function behind (t, mode) {
  const proxy = await Proxy.start(roomd.where(), { mode })
  t.after(() => proxy.stop())
  const page = await open(t, proxy.url(), { noisy: true })
  await page.finished()
  return page
}

test('where all is well: every check works, and the report can be copied', async t => {
  const page = await open(t, roomd.url(), { permissions: ['clipboard-read', 'clipboard-write'] })
  await page.finished()
  const states = await page.states()
  assert.deepEqual(Object.entries(states).filter(([, s]) => s !== 'ok'), [])
  assert.equal(Object.keys(states).length, 12)
  assert.equal(await page.verdict(), 'Everything works')
  assert.match(await page.text('path'), /127\.0\.0\.1/)
  assert.match(await page.text('buffer'), /5 pieces/)
  await page.page.getByRole('button', { name: 'Copy report' }).click()
  await page.page.getByText('Copied.').waitFor()
  const copied = await page.page.evaluate(() => navigator.clipboard.readText())
  assert.match(copied, /^Connection check of http/)
  assert.match(copied, /\[works\] +A WebSocket stays open \(WebSocket\): for 2/)
  assert.match(copied, /What the server saw: \{"version":/)
  await page.page.getByRole('button', { name: 'Check again' }).click()
  await page.finished(2)
  assert.equal(await page.verdict(), 'Everything works')
})

test('without WebSockets: it works by long-poll, and the network team is told what to do', async t => {
  const page = await behind(t, 'forbid')
  assert.equal(await page.verdict(), 'It works, by long-poll')
  const states = await page.states()
  assert.equal(states['ws-open'], 'bad')
  assert.equal(states['ws-live'], 'skip')
  for (const id of ['reach', 'lp-open', 'lp-echo', 'lp-large', 'lp-wait']) assert.equal(states[id], 'ok', id)
  const report = await page.report()
  assert.match(report, /For the network team:\n- Please let WebSocket connections through to ws:\/\/127\.0\.0\.1:\d+\/socket\/websocket/)
  await page.page.getByRole('heading', { name: 'For the network team' }).waitFor()
})

for (const [mode, id, said, verdict] of [
  ['hang', 'ws-open', /no answer to the handshake/, 'It works, by long-poll'],
  ['swallow', 'ws-echo', /no answer to a message/, 'It works, by long-poll']]) {
  test(`a proxy that meets WebSockets with "${mode}"`, async t => {
    const page = await behind(t, mode)
    assert.equal(await page.verdict(), verdict)
    assert.equal((await page.states())[id], 'bad')
    assert.match(await page.text(id), said)
    assert.match(await page.report(), /For the network team/)
  }, { limit: 90000 })
}

/* On a slow machine the cut comes into an earlier check. */
test('a proxy that cuts WebSockets after a moment', async t => {
  const page = await behind(t, 'cut')
  assert.equal(await page.verdict(), 'It works, by long-poll')
  const states = await page.states()
  const id = ['ws-echo', 'ws-large', 'ws-live'].find(id => states[id] === 'bad')
  assert.match(await page.text(id), /^cut after .*\(code 1006\)$/)
  assert.match(await page.report(), /For the network team:\n- WebSocket connections to ws:.* are cut after/)
})

test('a server that went away, and a page of something else in its place', async t => {
  const proxy = await Proxy.start(roomd.where())
  const page = await open(t, proxy.url(), { noisy: true })
  await page.finished()
  await page.page.route('**/doctor.json?*', route => route.fulfill({ contentType: 'text/html', body: '<form>' }))
  await page.page.getByRole('button', { name: 'Check again' }).click()
  await page.finished(2)
  assert.equal(await page.verdict(), 'The server does not answer')
  await page.page.locator('#verdict').getByText('login page of this network').waitFor()
  await proxy.stop()
  await page.page.unroute('**/doctor.json?*')
  await page.page.getByRole('button', { name: 'Check again' }).click()
  await page.finished(3)
  assert.equal(await page.verdict(), 'The server does not answer')
  assert.match(await page.report(), /\[fails\] +The server answers/)
})

test('legible in either theme, on a desk and on a phone', async t => {
  const proxy = await Proxy.start(roomd.where(), { mode: 'forbid' })
  t.after(() => proxy.stop())
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries({
      desktop: { width: 1280, height: 800 }, phone: { width: 360, height: 740 }
    })) {
      const page = await open(t, size === 'phone' ? proxy.url() : roomd.url(),
        { noisy: true, viewport, colorScheme, hasTouch: size === 'phone' })
      await page.finished()
      await page.fits()
      await page.screenshot(`doctor-${size}-${colorScheme}`)
      await page.page.evaluate(axeSource())
      const { violations } = await page.page.evaluate(() => window.axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
      }))
      assert.deepEqual(violations.filter(v => ['serious', 'critical'].includes(v.impact))
        .map(v => [v.id, v.nodes[0].html]), [])
    }
  }
}, { limit: 120000 })
