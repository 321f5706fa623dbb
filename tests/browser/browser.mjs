/* SPDX-License-Identifier: MIT */
/*
 * Headless Chromium for the page tests, and the pages as their users see them:
 * everything is found by role and name. What the browser logs as an error
 * fails the test that did not expect it; so does a request to anywhere but the
 * server under test.
 */
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, assert, LIMIT_MS as SHORT_MS, test as plainTest } from '../support/harness.mjs'
import { loadPlaywright } from '../support/modules.mjs'
import { sourceDir } from '../support/roomd.mjs'

const { chromium } = await loadPlaywright()

/* Several Chromiums on a machine that also compiles: what takes a moment alone
 * may take half a minute. A wait ends with its event, so this costs nothing. */
const LIMIT_MS = 4 * SHORT_MS
export const test = (name, fn, { limit = 240000 } = {}) => plainTest(name, fn, { limit })

/* The pages as built; for startRoomd. */
export const www = path.join(sourceDir, 'www', 'dist')
let rooms = 0
export const freshRoom = () => `t${process.pid}-${++rooms}`

let running = null

export async function browser () {
  if (running === null) {
    running = await chromium.launch({
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update',
        '--disable-sync', '--disable-dev-shm-usage']
    })
    afterAll(() => running.close())
  }
  return running
}

export class Page {
  /* options: those of a Playwright context, `context` to share one, and
   * `noisy`: errors in the log (of a network that is broken on purpose) are
   * expected; `expected`: those that match are; `clock`: the page's time can
   * be stopped. */
  static async open (t, url, { noisy = false, expected, context, clock, ...options } = {}) {
    const self = new this()
    if (!context) {
      context = await (await browser()).newContext(options)
      context.setDefaultTimeout(LIMIT_MS)
      t.after(() => context.close())
    }
    self.context = context
    self.page = await context.newPage()
    if (clock) await self.page.clock.install()
    self.errors = []
    const { origin } = new URL(url)
    self.page.on('pageerror', e => self.errors.push(`uncaught ${e.stack}`))
    self.page.on('console', m => {
      if (m.type() === 'error' && !noisy && !expected?.test(m.text())) self.errors.push(m.text())
    })
    self.page.on('request', r => {
      if (!r.url().startsWith(origin) && !/^(blob|data):/.test(r.url())) {
        self.errors.push(`request to ${r.url()}`)
      }
    })
    t.after(() => assert.deepEqual(self.errors, [], 'nothing in the console'))
    await self.page.goto(url)
    return self
  }

  /* Resolves when `check(argument)`, which runs in the page, is true. */
  until (check, argument) {
    return this.page.waitForFunction(check, argument, { timeout: LIMIT_MS })
  }

  button (name) { return this.page.getByRole('button', { name, exact: true }) }

  /* One of the readings of the connection panel. */
  reading (name) {
    return this.page.evaluate(n => [...document.querySelectorAll('.readings div')]
      .find(row => row.firstElementChild.textContent === n)?.lastElementChild.textContent, name)
  }

  untilReading (name, value) {
    return this.until(([n, v]) => [...document.querySelectorAll('.readings div')]
      .some(row => row.firstElementChild.textContent === n && row.lastElementChild.textContent === v), [name, value])
  }

  /* Connected over 'WebSocket' or 'Long-poll', and in step. */
  async live (transport) {
    await this.untilReading('Changes', 'All saved')
    if (transport) await this.untilReading('Transport', transport)
  }

  async lockDown (on = true) {
    const box = this.page.getByRole('switch', { name: /locked-down/ })
    await (on ? box.check() : box.uncheck())
  }

  async workOffline (on = true) {
    const box = this.page.getByRole('switch', { name: /offline/ })
    await (on ? box.check() : box.uncheck())
  }

  untilPeople (count) {
    return this.until(n => document.querySelector('#people h2 span')?.textContent === String(n), count)
  }

  /* Nothing on the page is wider than the window. */
  async fits () {
    const [needs, has] = await this.page.evaluate(() =>
      [document.documentElement.scrollWidth, document.documentElement.clientWidth])
    assert.ok(needs <= has, `${this.page.url()} needs ${needs} px of ${has}`)
  }

  async screenshot (name) {
    if (!process.env.SCREENSHOTS) return
    fs.mkdirSync(process.env.SCREENSHOTS, { recursive: true })
    await this.page.screenshot({
      path: path.join(process.env.SCREENSHOTS, `${name}.png`)
    })
  }
}

export class TaskPage extends Page {
  async add (text) {
    await this.page.getByRole('textbox', { name: 'New task' }).fill(text)
    await this.button('Add').click()
  }

  row (text) { return this.page.getByRole('listitem').filter({ hasText: text }) }
  done (text) { return this.page.getByRole('checkbox', { name: `Done: ${text}`, exact: true }) }
  grip (text) { return this.page.getByRole('button', { name: `Move ${text}: arrow up, arrow down`, exact: true }) }

  async edit (text) {
    await this.button(`Edit ${text}`).click()
    return this.page.getByRole('textbox', { name: 'Task text' })
  }

  async remove (text) { await this.button(`Delete ${text}`).click() }

  /* ["[x] text", ...] */
  list () { return this.page.evaluate(TaskPage.read) }

  async shows (expected) {
    try {
      await this.until(want => JSON.stringify([...document.querySelectorAll('.task')]
        .map(li => `${li.querySelector('[type=checkbox]').checked ? '[x]' : '[ ]'} ` +
          (li.querySelector('input.text')?.value ?? li.querySelector('.text').lastChild.data))) === want,
      JSON.stringify(expected))
    } catch (err) {
      assert.deepEqual(await this.list(), expected)
      throw err
    }
  }
}

TaskPage.read = () => [...document.querySelectorAll('.task')]
  .map(li => `${li.querySelector('[type=checkbox]').checked ? '[x]' : '[ ]'} ` +
    (li.querySelector('input.text')?.value ?? li.querySelector('.text').lastChild.data))

export class EditorPage extends Page {
  get text () { return this.page.getByRole('textbox', { name: 'Document' }) }

  /* The document's paragraphs, without the others' carets. */
  read () { return this.page.evaluate(EditorPage.read) }

  async shows (expected) {
    try {
      await this.until(want => JSON.stringify((() => {
        const copy = document.querySelector('.prose').cloneNode(true)
        copy.querySelectorAll('.caret').forEach(e => e.remove())
        return [...copy.children].map(e => e.textContent)
      })()) === want, JSON.stringify(expected))
    } catch (err) {
      assert.deepEqual(await this.read(), expected)
      throw err
    }
  }

  /* The text as drawn, less what is this page's own: others' carets and
   * ranges, what the browser needs to place ours, and how a block looks that
   * is selected here, or was (an empty class stays behind). */
  html () {
    return this.page.evaluate(() => {
      const copy = document.querySelector('.prose').cloneNode(true)
      copy.querySelectorAll('.caret, .ProseMirror-separator, .ProseMirror-trailingBreak').forEach(e => e.remove())
      copy.querySelectorAll('.caret-range').forEach(e => e.replaceWith(...e.childNodes))
      copy.querySelectorAll('.ProseMirror-selectednode, [class=""]').forEach(e => {
        e.classList.remove('ProseMirror-selectednode')
        if (!e.className) e.removeAttribute('class')
        e.removeAttribute('draggable')
      })
      copy.normalize()
      return copy.innerHTML
    })
  }

  /* What a click on one of the downloads gives. */
  async take (name) {
    const [download] = await Promise.all([this.page.waitForEvent('download'), this.button(name).click()])
    return { name: download.suggestedFilename(), bytes: fs.readFileSync(await download.path()) }
  }
}

EditorPage.read = () => {
  const copy = document.querySelector('.prose').cloneNode(true)
  copy.querySelectorAll('.caret').forEach(e => e.remove())
  return [...copy.children].map(e => e.textContent)
}

export class BoardPage extends Page {
  tool (name) { return this.button(name) }

  async box () { return this.page.locator('#world').boundingBox() }

  /* A place of the board's 1600 by 1000 on the screen. */
  async at (x, y) {
    const box = await this.box()
    return [box.x + box.width * x / 1600, box.y + box.height * y / 1000]
  }

  async note (x, y, text) {
    await this.tool('Note').click()
    await this.page.mouse.click(...await this.at(x, y))
    await this.until(() => document.activeElement.matches('.note textarea'))
    await this.page.keyboard.type(text)
  }

  notes () {
    return this.page.evaluate(() => [...document.querySelectorAll('.note')]
      .map(e => [e.querySelector('textarea').value, e.style.transform]).sort())
  }
}
