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

/* The board's clock is ours: as much time as we say, however slow the machine.
 * While the pointer moves all the time, its place is sent 20 times a second. */
test('a hand that moves all the time is sent twenty times a second, and its last place always', async t => {
  const room = freshRoom()
  const a = await BoardPage.open(t, at(room), wide)
  const b = await BoardPage.open(t, at(room), { ...wide, clock: true })
  await a.live('WebSocket')
  await b.live('WebSocket')
  await b.page.clock.pauseAt(new Date('2030-01-01T00:00:00Z'))
  const sent = await b.page.evaluate(() => {
    window.sent = 0
    const { send } = WebSocket.prototype
    WebSocket.prototype.send = function (data) {
      if (typeof data !== 'string') window.sent++
      return send.call(this, data)
    }
    return window.sent
  })
  assert.equal(sent, 0)
  const move = (x, y) => b.page.evaluate(([x, y]) => {
    const world = document.getElementById('world')
    const box = world.getBoundingClientRect()
    world.dispatchEvent(new PointerEvent('pointermove', {
      bubbles: true, clientX: box.left + box.width * x / 1600, clientY: box.top + box.height * y / 1000
    }))
  }, [x, y])
  /* Two seconds, the pointer moving 100 times in each. */
  for (let i = 0; i < 200; i++) {
    await move(100 + i, 200)
    await b.page.clock.runFor(10)
  }
  await b.page.clock.runFor(100)
  const count = await b.page.evaluate(() => window.sent)
  assert.ok(count >= 38 && count <= 42, `${count} frames in two seconds`)
  await a.until(() => document.querySelector('.hand')?.style.transform === 'translate(299px, 200px)')
  console.log(`# ${count} frames in two seconds`)
})

test('a reload restores the board; without a network it goes on, and merges on return', async t => {
  const room = freshRoom()
  const a = await BoardPage.open(t, at(room), wide)
  const b = await BoardPage.open(t, at(room, '&transport=longpoll'), wide)
  await a.live('WebSocket')
  await b.live('Long-poll')
  await a.note(400, 200, 'before')
  await b.until(() => document.querySelector('.note textarea')?.value === 'before')
  await a.live()
  await a.page.reload()
  await a.live('WebSocket')
  assert.deepEqual((await a.notes()).map(([text]) => text), ['before'])
  await a.workOffline()
  await b.workOffline()
  await a.untilReading('Transport', 'Offline')
  await b.untilReading('Transport', 'Offline')
  await a.note(900, 200, 'from a')
  await a.tool('Pen').click()
  await a.page.mouse.move(...await a.at(200, 600))
  await a.page.mouse.down()
  await a.page.mouse.move(...await a.at(700, 800), { steps: 8 })
  await a.page.mouse.up()
  await b.note(900, 600, 'from b')
  await b.page.locator('.note textarea').first().click()
  await b.page.keyboard.press('End')
  await b.page.keyboard.type(', and on')
  await a.until(() => /on this page$/.test([...document.querySelectorAll('.readings dd')].at(-1).textContent))
  const drawn = await a.page.evaluate(inked)
  assert.ok(drawn > 0)
  assert.equal(await b.page.evaluate(inked), 0)
  await a.workOffline(false)
  await b.workOffline(false)
  const all = ['before, and on', 'from a', 'from b']
  for (const page of [a, b]) {
    await page.until(want => JSON.stringify([...document.querySelectorAll('.note textarea')].map(e => e.value).sort()) === want, JSON.stringify(all))
    await page.until(inked, drawn)
    await page.live()
  }
  assert.deepEqual(await a.notes(), await b.notes())
})

test('the editor and the board of one room are two rooms', async t => {
  const room = freshRoom()
  const a = await BoardPage.open(t, at(room), wide)
  const b = await BoardPage.open(t, roomd.url(`/demo/editor/?room=${room}`), wide)
  await a.live()
  await b.live()
  await a.note(400, 200, 'on the board')
  await a.live()
  await a.untilPeople(1)
  await b.untilPeople(1)
  assert.equal(await b.page.locator('#people li').count(), 1)
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
