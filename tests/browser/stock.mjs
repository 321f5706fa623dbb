/* SPDX-License-Identifier: MIT */
/*
 * Stock phoenix.js in a page that holds nothing else: npm's build as it is,
 * with longPollFallbackMs, in one room of the application's own protocol
 * (CONTRACTS section 1). The page keeps the updates it was given; the test
 * makes a document of them.
 */
import path from 'node:path'
import { LIMIT_MS, assert } from '../support/harness.mjs'
import { Y, folder } from '../support/modules.mjs'
import { browser } from './browser.mjs'

const script = path.join(folder, 'phoenix', 'priv', 'static', 'phoenix.js')

export class StockPage {
  /* `at`: a URL that gives the page its origin; options: of the context. */
  static async open (t, at, options = {}) {
    const self = new StockPage()
    self.context = options.context || await (await browser()).newContext(
      { ignoreHTTPSErrors: true, ...options })
    self.context.setDefaultTimeout(LIMIT_MS)
    self.page = await self.context.newPage()
    t.after(() => self.context.close())
    self.uncaught = []
    self.page.on('pageerror', e => self.uncaught.push(e.stack))
    t.after(() => assert.deepEqual(self.uncaught, [], 'nothing is thrown'))
    await self.page.goto(at)
    return self
  }

  /* Connects and joins; resolves when the join was answered. */
  async join (endPoint, topic, options = {}) {
    if (!await this.page.evaluate(() => 'Phoenix' in window)) {
      await this.page.addScriptTag({ path: script })
    }
    await this.page.evaluate(([endPoint, topic, options]) => {
      const { Socket } = window.Phoenix
      window.updates = []
      window.socket = new Socket(endPoint, { longPollFallbackMs: 2500, ...options })
      window.socket.connect()
      window.channel = window.socket.channel(topic, {})
      window.channel.on('update', ({ data }) => window.updates.push(data))
      window.channel.join().receive('ok', ({ state }) => {
        window.joins = (window.joins || 0) + 1
        if (state.length) window.updates.push(state)
      })
    }, [endPoint, topic, options])
  }

  push (update) {
    return this.page.evaluate(data => window.channel.push('update', { data }),
      Array.from(update)).then(() => {})
  }

  transport () {
    return this.page.evaluate(() =>
      window.socket.transport === window.Phoenix.LongPoll ? 'longpoll' : 'websocket')
  }

  /* Until the text of the room's document, as this page knows it, is that. */
  async shows (text) {
    const limit = Date.now() + 2 * LIMIT_MS
    for (let seen = 0; ;) {
      const updates = await this.page.evaluate(() => window.updates)
      const doc = new Y.Doc()
      for (const u of updates) Y.applyUpdate(doc, new Uint8Array(u))
      if (doc.getText('t').toString() === text) return
      if (Date.now() > limit) assert.equal(doc.getText('t').toString(), text)
      seen = updates.length
      await this.page.waitForFunction(n => window.updates.length !== n, seen)
    }
  }
}
