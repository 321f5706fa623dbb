/* SPDX-License-Identifier: MIT */
/*
 * The page: shows the tasks and the room, turns what the user does into
 * changes of the document. Parameters: ?room=NAME, ?transport=longpoll or
 * websocket (default: WebSocket, falling back to long-poll), ?name=NAME.
 */
import * as Y from './vendor/yjs.mjs'
import { Room } from './room.js'
import { Tasks } from './tasks.js'

const $ = id => document.getElementById(id)
const params = new URLSearchParams(location.search)
const transport = ['longpoll', 'websocket'].includes(params.get('transport'))
  ? params.get('transport')
  : 'auto'
const roomName = params.get('room') || 'tasks'

/* Names only tell tabs apart; two of one name are two people. */
function chooseName () {
  if (params.get('name')) return params.get('name').slice(0, 40)
  const pick = words => words[crypto.getRandomValues(new Uint32Array(1))[0] % words.length]
  const name = sessionStorage.getItem('name') ||
    `${pick(['Brisk', 'Calm', 'Clever', 'Gentle', 'Lucky', 'Merry', 'Quiet', 'Swift', 'Witty'])} ` +
    pick(['Badger', 'Crane', 'Fox', 'Heron', 'Lynx', 'Otter', 'Owl', 'Seal', 'Wren'])
  sessionStorage.setItem('name', name)
  return name
}

const doc = new Y.Doc()
const tasks = new Tasks(doc)
const user = `${chooseName()}#${doc.clientID.toString(36)}`
const nameOf = key => key.split('#')[0]

/* Relative to the page, so that it also works below a path. */
const endPoint = new URL('socket', document.baseURI)
endPoint.protocol = endPoint.protocol.replace('http', 'ws')
const room = new Room({ endPoint: endPoint.href, name: roomName, user, transport, doc })

const hues = new Map() // presence key -> one of eight colours

/* A colour that nobody else here has, while there are enough. */
function hueOf (key) {
  if (!hues.has(key)) {
    let n = 0
    for (const c of key) n = (n * 31 + c.codePointAt(0)) >>> 0
    const taken = new Set([...hues.values()].slice(-7))
    while (hues.size < 8 && taken.has(n % 8)) n++
    hues.set(key, n % 8)
  }
  return `who-${hues.get(key)}`
}

/* ---- the room ---- */

const editing = new Map() // presence key -> id of the task it edits

function showStatus () {
  const words = { live: 'Live', connecting: 'Connecting', failed: 'Refused' }
  $('status').dataset.state = room.state
  $('state-text').textContent = words[room.state] +
    (room.reason ? `: ${room.reason}` : '')
  $('transport').textContent = room.state === 'failed' ? '' : room.transport
  document.documentElement.dataset.state = room.state
}

function showPeople () {
  const keys = room.people
  const shown = keys.slice(0, 7)
  $('people').replaceChildren(...shown.map(key => {
    const face = document.createElement('li')
    const name = nameOf(key)
    face.className = `face ${hueOf(key)}`
    face.textContent = name.split(/\s+/).map(w => [...w][0] || '').slice(0, 2).join('').toUpperCase()
    face.title = key === user ? `${name} (you)` : name
    face.setAttribute('aria-label', face.title)
    return face
  }))
  const others = keys.length - (keys.includes(user) ? 1 : 0)
  $('people-text').textContent = keys.length === 0
    ? ''
    : others === 0
      ? 'Only you are here'
      : `You and ${others} ${others === 1 ? 'other' : 'others'}`
  for (const known of [editing, hues]) {
    for (const key of known.keys()) if (!keys.includes(key)) known.delete(key)
  }
}

let told = null

function tellEditing (task) {
  told = task
  room.tell({ user, editing: task })
}

room.addEventListener('awareness', ({ detail }) => {
  if (typeof detail?.user !== 'string') return
  if (typeof detail.editing === 'string') editing.set(detail.user, detail.editing)
  else editing.delete(detail.user)
  showTasks()
})

let knownPeople = ''
room.addEventListener('change', () => {
  showStatus()
  showPeople()
  showTasks()
  /* Whoever is new does not know what we are editing. */
  const people = room.people.join('\n')
  if (people !== knownPeople && told !== null) tellEditing(told)
  knownPeople = people
})

/* ---- the tasks ---- */

const rows = new Map() // task id -> { li, task }

function makeRow (task) {
  const li = $('task').content.firstElementChild.cloneNode(true)
  const row = { li, task }
  const [done, title, , remove] = li.children
  done.addEventListener('change', () => {
    hideToast()
    tasks.setDone(row.task, done.checked)
  })
  title.addEventListener('input', () => {
    hideToast()
    tasks.setTitle(row.task, title.value)
  })
  title.addEventListener('focus', () => tellEditing(row.task.id))
  title.addEventListener('blur', () => {
    tellEditing(null)
    if (title.value.trim() === '' && rows.has(row.task.id)) removeTasks([row.task])
  })
  title.addEventListener('keydown', e => {
    if (e.key === 'Enter' || e.key === 'Escape') title.blur()
  })
  remove.addEventListener('click', () => removeTasks([row.task]))
  return row
}

/* A title that others change while it is edited here keeps the caret. */
function showTitle (input, title) {
  if (input.value === title) return
  if (document.activeElement !== input) {
    input.value = title
    return
  }
  const before = input.value
  let start = 0
  while (start < before.length && before[start] === title[start]) start++
  const shift = at => at <= start ? at : Math.max(start, at + title.length - before.length)
  const [from, to] = [shift(input.selectionStart), shift(input.selectionEnd)]
  input.value = title
  input.setSelectionRange(from, to)
}

function updateRow ({ li, task }) {
  const [done, title, editor, remove] = li.children
  const name = task.title || 'task without a title'
  done.checked = task.done
  done.setAttribute('aria-label', `Done: ${name}`)
  title.setAttribute('aria-label', `Title: ${name}`)
  remove.setAttribute('aria-label', `Delete ${name}`)
  remove.title = 'Delete'
  showTitle(title, task.title)
  const who = [...editing].find(([key, id]) => id === task.id && key !== user)
  const hue = who ? hueOf(who[0]) : ''
  li.className = `task ${hue} ${who ? 'edited' : ''}`.trim()
  editor.hidden = !who
  editor.textContent = who ? nameOf(who[0]) : ''
}

function showTasks () {
  const all = tasks.all()
  const ids = new Set(all.map(t => t.id))
  for (const [id, { li }] of rows) {
    if (!ids.has(id)) {
      rows.delete(id)
      li.remove()
    }
  }
  let place = $('tasks').firstElementChild
  for (const task of all) {
    if (!rows.has(task.id)) rows.set(task.id, makeRow(task))
    const row = rows.get(task.id)
    row.task = task
    updateRow(row)
    if (row.li === place) place = place.nextElementSibling
    else $('tasks').insertBefore(row.li, place)
  }
  const done = all.filter(t => t.done).length
  const open = all.length - done
  $('count').textContent = `${open} open, ${done} done`
  $('bottom').hidden = all.length === 0
  $('empty').hidden = all.length > 0 || room.state !== 'live'
  $('clear').hidden = done === 0
}

tasks.onChange(showTasks)

/* ---- what the user does ---- */

$('add').addEventListener('submit', e => {
  e.preventDefault()
  const title = $('new-task').value.trim()
  if (title === '') return
  hideToast()
  tasks.add(title)
  $('new-task').value = ''
  $('new-task').focus()
})

$('clear').addEventListener('click', () =>
  removeTasks(tasks.all().filter(t => t.done)))

let toastTimer

/* Undo takes back the last change, so the offer ends with the next one. */
function hideToast () {
  clearTimeout(toastTimer)
  $('toast').hidden = true
}

function removeTasks (gone) {
  tasks.remove(new Set(gone.map(t => t.id)))
  $('toast-text').textContent = gone.length === 1
    ? `Deleted \u201c${gone[0].title || 'untitled'}\u201d`
    : `Deleted ${gone.length} tasks`
  $('toast').hidden = false
  clearTimeout(toastTimer)
  toastTimer = setTimeout(hideToast, 8000)
}

$('toast-undo').addEventListener('click', () => {
  hideToast()
  tasks.undo.undo()
})

/* ---- links ---- */

function linkTo (id, changes, current) {
  const query = new URLSearchParams(params)
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) query.delete(key)
    else query.set(key, value)
  }
  $(id).href = `?${query}`
  if (current) $(id).setAttribute('aria-current', 'true')
}

linkTo('other-tab', { room: roomName, name: null })
linkTo('by-websocket', { transport: null }, transport !== 'longpoll')
linkTo('by-longpoll', { transport: 'longpoll' }, transport === 'longpoll')
linkTo('new-room', { room: Math.random().toString(36).slice(2, 8) })

$('room').textContent = roomName
document.title = `${roomName}: tasks, together`
showStatus()
showTasks()
room.connect()
