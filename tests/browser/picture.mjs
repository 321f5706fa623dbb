/* SPDX-License-Identifier: MIT */
/*
 * ROOMD=BUILD/roomd node tests/browser/picture.mjs docs/tasks.png
 * makes the README's picture: the task list in two browsers, one on each
 * transport.
 */
import fs from 'node:fs'
import { startRoomd } from '../support/roomd.mjs'
import { TaskPage, browser, www } from './browser.mjs'

const [,, file] = process.argv
const undo = []
const t = { after: fn => undo.push(fn) }
const roomd = await startRoomd({ www })
const size = { viewport: { width: 980, height: 560 }, deviceScaleFactor: 1 }
const open = more => TaskPage.open(t, roomd.url(`/demo/tasks/?room=bakery${more}`), size)
const name = async (page, text) => {
  await page.page.getByRole('textbox', { name: 'Your name' }).fill(text)
  await page.page.keyboard.press('Tab')
}

const a = await open('')
const b = await open('&transport=longpoll')
await a.live('WebSocket')
await b.live('Long-poll')
await name(a, 'Ada')
await name(b, 'Grace')
for (const text of ['Order flour and yeast', 'Ask Bo about the keys', 'Repair the oven door', 'Water the basil', 'Wash the aprons']) {
  await a.add(text)
}
await b.until(() => document.querySelectorAll('.task').length === 5)
await b.done('Water the basil').check()
await b.edit('Repair the oven door')
await a.edit('Ask Bo about the keys')
for (const page of [a, b]) {
  await page.live()
  await page.until(() => document.querySelector('.editor') && document.querySelectorAll('#people li').length === 2)
  await page.page.mouse.move(1, 1)
}
const shots = []
for (const page of [a, b]) shots.push((await page.page.screenshot()).toString('base64'))
const frame = await (await browser()).newPage({ viewport: { width: 1100, height: 820 } })
await frame.setContent(`<style>
  body { margin: 0; background: #d9ded7; width: 1100px; height: 820px; position: relative; overflow: hidden }
  img { position: absolute; box-shadow: 0 2px 4px #0003, 0 16px 40px #0003; border-radius: 4px }
</style>${shots.map((shot, i) => `<img src="data:image/png;base64,${shot}" style="left:${24 + i * 72}px;top:${24 + i * 212}px">`).join('')}`)
await frame.screenshot({ path: file })
console.log(`${file}: ${fs.statSync(file).size} bytes`)
for (const fn of undo.reverse()) await fn()
await (await browser()).close()
await roomd.stop()
process.exit(0)
