/* SPDX-License-Identifier: MIT */
/*
 * The task list as a Yjs type: doc.getArray('tasks') of maps
 * { id, title: Y.Text, done: boolean }. Nothing here knows of the page or of
 * the network.
 */
import * as Y from './vendor/yjs.mjs'

export const LOCAL = Symbol('edited on this page')

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(9)),
  b => b.toString(36).padStart(2, '0')).join('')

export class Tasks {
  constructor (doc) {
    this.doc = doc
    this.list = doc.getArray('tasks')
    this.undo = new Y.UndoManager(this.list, {
      trackedOrigins: new Set([LOCAL]),
      captureTimeout: 0
    })
  }

  onChange (callback) { this.list.observeDeep(callback) }

  /* [{ id, title, done, type }]; what others wrote may have any shape. */
  all () {
    return this.list.toArray().filter(t => t instanceof Y.Map).map(type => ({
      id: String(type.get('id')),
      title: String(type.get('title') ?? ''),
      done: type.get('done') === true,
      type
    }))
  }

  change (edit) { this.doc.transact(edit, LOCAL) }

  add (title) {
    this.change(() => {
      const task = new Y.Map()
      task.set('id', newId())
      task.set('title', new Y.Text(title))
      task.set('done', false)
      this.list.push([task])
    })
  }

  setDone (task, done) { this.change(() => task.type.set('done', done)) }

  /* Changes only what differs, so that two people can edit one title. */
  setTitle (task, next) {
    const text = task.type.get('title')
    if (!(text instanceof Y.Text)) {
      this.change(() => task.type.set('title', new Y.Text(next)))
      return
    }
    const { start, removed, added } = difference(text.toString(), next)
    this.change(() => {
      if (removed > 0) text.delete(start, removed)
      if (added) text.insert(start, added)
    })
  }

  remove (ids) {
    this.undo.stopCapturing()
    this.change(() => {
      for (let i = this.list.length - 1; i >= 0; i--) {
        const task = this.list.get(i)
        if (task instanceof Y.Map && ids.has(String(task.get('id')))) {
          this.list.delete(i, 1)
        }
      }
    })
  }
}

const isLow = code => code >= 0xdc00 && code < 0xe000
const isHigh = code => code >= 0xd800 && code < 0xdc00

/* One replacement that makes `next` of `prev`, never inside a surrogate pair. */
export function difference (prev, next) {
  const most = Math.min(prev.length, next.length)
  let start = 0
  while (start < most && prev[start] === next[start]) start++
  if (start > 0 && isHigh(prev.charCodeAt(start - 1))) start--
  let end = 0
  while (end < most - start &&
    prev[prev.length - 1 - end] === next[next.length - 1 - end]) end++
  if (end > 0 && isLow(prev.charCodeAt(prev.length - end))) end--
  return {
    start,
    removed: prev.length - start - end,
    added: next.slice(start, next.length - end)
  }
}
