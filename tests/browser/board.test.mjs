/* SPDX-License-Identifier: MIT */
/* The board in real browsers: notes, ink, hands, robots. */
import { assert } from '../support/harness.mjs'
import { sharedRoomd } from '../support/roomd.mjs'
import { BoardPage, freshRoom, test, www } from './browser.mjs'

const roomd = await sharedRoomd({ www })
const at = (room, more = '') => roomd.url(`/demo/board/?room=${room}${more}`)
const wide = { viewport: { width: 1500, height: 1000 } }

/* How many pixels of the ink are not transparent; or whether so many are. */
const inked = want => {
  const canvas = document.getElementById('ink')
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  let n = 0
  for (let i = 3; i < data.length; i += 4) if (data[i]) n++
  return want === undefined ? n : n === want
}

test('notes are made, written on, moved and thrown away for both', async t => {
  const room = freshRoom()
  const a = await BoardPage.open(t, at(room), wide)
  const b = await BoardPage.open(t, at(room, '&transport=longpoll'), wide)
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.note(400, 200, 'milk')
  await b.until(() => document.querySelector('.note textarea')?.value === 'milk')
  await b.page.locator('.note textarea').click()
  await b.page.keyboard.press('End')
  await a.page.keyboard.press('Home')
  await Promise.all([a.page.keyboard.type('oat '), b.page.keyboard.type(' 2 l')])
  for (const page of [a, b]) await page.until(() => document.querySelector('.note textarea').value === 'oat milk 2 l')
  const grab = await a.page.locator('.note .grab').boundingBox()
  await a.page.mouse.move(grab.x + 20, grab.y + 10)
  await a.page.mouse.down()
  await a.page.mouse.move(grab.x + 320, grab.y + 210, { steps: 5 })
  await a.page.mouse.up()
  const [[, moved]] = await a.notes()
  await b.until(want => document.querySelector('.note').style.transform === want, moved)
  assert.notEqual(moved, 'translate(270px, 185px)')
  await b.page.locator('.note .grab').press('ArrowLeft')
  await a.until(was => document.querySelector('.note').style.transform !== was, moved)
  await b.button('Delete this note').click()
  await a.until(() => !document.querySelector('.note'))
  await b.button('Undo').click()
  await a.until(() => document.querySelector('.note textarea')?.value === 'oat milk 2 l')
})

test('ink is seen while it is drawn, undone by whoever drew it', async t => {
  const room = freshRoom()
  const a = await BoardPage.open(t, at(room), wide)
  const b = await BoardPage.open(t, at(room), wide)
  await a.live()
  await b.live()
  await a.tool('Pen').click()
  await a.page.mouse.move(...await a.at(200, 300))
  await a.page.mouse.down()
  await a.page.mouse.move(...await a.at(500, 500), { steps: 10 })
  await b.until(inked)
  await a.page.mouse.move(...await a.at(900, 300), { steps: 10 })
  await a.page.mouse.up()
  await a.live()
  const drawn = await a.page.evaluate(inked)
  await b.until(inked, drawn)
  await b.button('Undo').click()
  await a.button('Undo').click()
  await b.until(inked, 0)
})

test('hands move on the other page; a page that leaves takes its hand along', async t => {
  const room = freshRoom()
  const a = await BoardPage.open(t, at(room), wide)
  const b = await BoardPage.open(t, at(room, '&transport=longpoll'), wide)
  await a.live()
  await b.live()
  await b.page.mouse.move(...await b.at(300, 300))
  await a.until(() => document.querySelector('.hand')?.style.transform === 'translate(300px, 300px)')
  assert.equal(await a.page.getAttribute('.hand', 'data-transport'), 'longpoll')
  await b.page.mouse.move(...await b.at(1200, 700), { steps: 3 })
  await a.until(() => document.querySelector('.hand').style.transform === 'translate(1200px, 700px)')
  await b.page.close()
  await a.until(() => !document.querySelector('.hand'))
})

test('robots make a load that the page shows, and go again', async t => {
  const a = await BoardPage.open(t, at(freshRoom()), wide)
  await a.live()
  const range = a.page.getByRole('slider')
  await range.focus()
  for (let i = 0; i < 3; i++) await a.page.keyboard.press('ArrowRight')
  await a.until(() => document.querySelectorAll('.hand').length === 3)
  await a.until(() => Number(/^(\d+) messages\/s in/.exec(document.querySelector('.load p').textContent)?.[1]) > 30)
  await a.page.keyboard.press('Home')
  await a.until(() => document.querySelectorAll('.hand').length === 0)
})

test('by keyboard alone', async t => {
  const a = await BoardPage.open(t, at(freshRoom()), wide)
  await a.live()
  await a.tool('Note').focus()
  await a.page.keyboard.press('Enter')
  await a.until(() => document.activeElement.matches('.note textarea'))
  await a.page.keyboard.type('typed')
  await a.page.locator('.note .grab').focus()
  const [[, before]] = await a.notes()
  await a.page.keyboard.press('Shift+ArrowRight')
  await a.until(was => document.querySelector('.note').style.transform !== was, before)
  await a.page.keyboard.press('Delete')
  await a.until(() => !document.querySelector('.note'))
})
