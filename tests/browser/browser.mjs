/* SPDX-License-Identifier: MIT */
/*
 * Headless Chromium for the page tests, and the page as its users see it:
 * everything is found by role and name. What the browser logs as an error
 * fails the test that did not expect it.
 */
import fs from 'node:fs'
import path from 'node:path'
import { afterAll, assert, LIMIT_MS } from '../support/harness.mjs'
import { loadPlaywright } from '../support/modules.mjs'

const { chromium } = await loadPlaywright()

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

export class TaskPage {
  /* options: those of a Playwright context, and `noisy`: errors in the log
   * (of a network that is broken on purpose) are expected. */
  static async open (t, url, { noisy = false, ...options } = {}) {
    const context = await (await browser()).newContext(options)
    context.setDefaultTimeout(LIMIT_MS)
    t.after(() => context.close())
    const self = new TaskPage()
    self.page = await context.newPage()
    self.errors = []
    self.page.on('pageerror', e => self.errors.push(`uncaught ${e.stack}`))
    self.page.on('console', m => {
      if (m.type() === 'error' && !noisy) self.errors.push(m.text())
    })
    t.after(() => assert.deepEqual(self.errors, [], 'nothing in the console'))
    await self.page.goto(url)
    return self
  }

  /* Resolves when `check(argument)`, which runs in the page, is true. */
  until (check, argument) {
    return this.page.waitForFunction(check, argument, { timeout: LIMIT_MS * 2 })
  }

  async live (transport) {
    await this.until(t => document.documentElement.dataset.state === 'live' &&
      (!t || document.getElementById('transport').textContent === t), transport)
  }

  async add (title) {
    await this.page.getByRole('textbox', { name: 'New task' }).fill(title)
    await this.page.getByRole('button', { name: 'Add' }).click()
  }

  title (name) { return this.page.getByRole('textbox', { name: `Title: ${name}`, exact: true }) }
  done (name) { return this.page.getByRole('checkbox', { name: `Done: ${name}`, exact: true }) }

  async remove (name) {
    await this.page.getByRole('button', { name: `Delete ${name}`, exact: true }).click()
  }

  /* ["[x] title", ...] */
  list () { return this.page.evaluate(TaskPage.read) }

  async shows (expected) {
    try {
      await this.until(want => JSON.stringify([...document.querySelectorAll('#tasks li')]
        .map(li => `${li.children[0].checked ? '[x]' : '[ ]'} ${li.children[1].value}`)) === want,
      JSON.stringify(expected))
    } catch (err) {
      assert.deepEqual(await this.list(), expected)
      throw err
    }
  }

  async screenshot (name) {
    if (!process.env.SCREENSHOTS) return
    fs.mkdirSync(process.env.SCREENSHOTS, { recursive: true })
    await this.page.screenshot({
      path: path.join(process.env.SCREENSHOTS, `${name}.png`)
    })
  }
}

TaskPage.read = () => [...document.querySelectorAll('#tasks li')]
  .map(li => `${li.children[0].checked ? '[x]' : '[ ]'} ${li.children[1].value}`)
