/* SPDX-License-Identifier: MIT */
/*
 * Histories of people who type: runs of single letters, some of them surrogate
 * pairs, backspace and delete held down, a jump now and then, each key an
 * update of its own, nearly in the order they were pressed. It is what the
 * engine has a short way for (src/yjs/typing.c), and much that is almost that:
 * texts with formats, nested and XML texts, a text that somebody deletes, two
 * who type at one place, updates again or too late, a letter that claims
 * another place than its own.
 */
import { Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { buildUpdate, parseUpdate } from './update.mjs'

const LETTERS = 'abcdefghij  \n'
const WIDE = ['é', '語', '😀', '👍', '𝒳', 'e\u0301']

const TEXTS = {
  root: doc => doc.getText('text'),
  xml: doc => {
    const root = doc.getXmlFragment('xml')
    if (root.length === 0) root.insert(0, [new Y.XmlText()])
    return root.get(0)
  },
  nested: doc => {
    const root = doc.getMap('map')
    if (!root.has('t')) root.set('t', new Y.Text())
    return root.get('t')
  }
}

class Typist {
  constructor (world, index) {
    const { r } = world
    this.world = world
    this.inbox = []
    this.doc = new Y.Doc({ gc: r.chance(0.8), guid: `typist-${index}` })
    do {
      this.doc.clientID = r.chance(0.5) ? r.range(1, 60) : r.u32()
    } while (world.taken.has(this.doc.clientID))
    world.taken.add(this.doc.clientID)
    this.at = 0
    this.doc.on('update', (update, origin) => {
      if (origin !== 'network') world.emitted(this, update)
    })
  }

  text () {
    try {
      return TEXTS[this.world.where](this.doc)
    } catch {
      return null /* somebody deleted it */
    }
  }

  letter () {
    const { r, wide } = this.world
    if (r.chance(wide)) return r.pick(WIDE)
    const n = r.chance(0.08) ? r.range(2, 12) : 1
    let out = ''
    while (out.length < n) out += LETTERS[r.below(LETTERS.length)]
    return out
  }

  key (kind, text) {
    const { r } = this.world
    const n = r.chance(0.05) ? r.range(2, 5) : 1
    this.at = Math.min(this.at, text.length)
    if (kind === 'type') {
      const letter = this.letter()
      if (this.at === text.length || !r.chance(0.01)) {
        text.insert(this.at, letter)
      } else {
        text.insert(this.at, letter, r.pick([{ b: true }, { b: null }, {}]))
      }
      this.at += letter.length
    } else if (kind === 'replace' && this.at + n <= text.length) {
      this.doc.transact(() => {
        text.delete(this.at, n)
        text.insert(this.at, this.letter())
      })
    } else if (kind === 'backspace' && this.at >= n) {
      this.at -= n
      text.delete(this.at, n)
    } else if (kind === 'delete' && this.at + n <= text.length) {
      text.delete(this.at, n)
    }
  }

  /* one thing somebody does: a burst of keys, or something rare */
  act () {
    const { r, formats } = this.world
    const text = this.text()
    if (text === null || text === undefined) return
    if (this.world.crowded) this.at = Math.max(0, text.length - 1)
    else if (r.chance(0.4)) this.at = r.below(text.length + 1)
    if (formats && text.length > 2 && r.chance(0.15)) {
      const from = r.below(text.length - 1)
      text.format(from, r.range(1, text.length - from),
        { b: r.pick([true, null]) })
    }
    if (r.chance(0.01) && this.world.where === 'nested') {
      return this.doc.getMap('map').set('t', new Y.Text())
    }
    const kind = r.weighted({ type: 10, backspace: 6, delete: 4, replace: 1 })
    for (let n = r.range(1, 12); n > 0; n--) {
      this.key(kind, text)
      if (r.chance(0.05)) this.listen()
    }
  }

  listen () {
    for (const update of this.inbox.splice(0)) {
      const id = this.doc.clientID
      Y.applyUpdate(this.doc, update, 'network')
      this.doc.clientID = id
    }
  }
}

class World {
  constructor (seed, options) {
    const r = this.r = new Prng(seed, 'typing')
    this.taken = new Set()
    this.log = []
    this.where = r.pick(Object.keys(TEXTS))
    this.wide = r.pick([0, 0, 0.05, 0.5])
    this.formats = r.chance(0.2)
    this.crowded = r.chance(0.2) /* all at one place */
    this.typists = []
    const n = options.clients ?? r.range(1, 4)
    for (let i = 0; i < n; i++) this.typists.push(new Typist(this, i))
    this.steps = options.steps ?? r.range(5, 40)
  }

  emitted (from, update) {
    this.log.push(update)
    for (const t of this.typists) if (t !== from) t.inbox.push(update)
  }

  run () {
    const { r } = this
    this.typists[0].text()
    for (const t of this.typists) t.listen()
    const chatty = r.pick([1, 1, 0.5, 0.1])
    for (let i = 0; i < this.steps; i++) {
      const t = r.pick(this.typists)
      if (r.chance(chatty)) t.listen()
      t.act()
    }
  }
}

/* A letter or a range that claims something else. */
const tamper = (r, bytes) => {
  const update = parseUpdate(bytes)
  const s = update.clients[0]?.structs[0]
  const range = update.deletes[0]?.ranges[0]
  if (s?.right && r.chance(0.7)) s.right[1] += r.pick([-1, 1, 2])
  else if (s?.right && s.origin) s.info &= ~64
  else if (s?.origin) s.origin[1] -= r.range(1, 3)
  else if (range) range[1] += r.range(1, 2)
  if (s?.right?.[1] < 0 || s?.origin?.[1] < 0) return bytes
  return buildUpdate(update)
}

export const makeTypingHistory = (seed, options = {}) => {
  const world = new World(seed, options)
  world.run()
  const r = new Prng(seed, 'delivery/typing')
  const odd = r.chance(0.15)
  const repeated = r.chance(0.2)
  const late = r.chance(0.2)
  const updates = world.log.flatMap(u => {
    const one = odd && r.chance(0.1) ? tamper(r, u) : u
    return repeated && r.chance(0.1) ? [one, one] : [one]
  })
  for (let i = 1; late && i < updates.length; i++) {
    if (!r.chance(0.05)) continue
    const j = Math.max(0, i - r.range(1, 4))
    updates.splice(j, 0, ...updates.splice(i, 1))
  }
  return {
    seed,
    profile: 'typing',
    keepDeleted: r.chance(0.1),
    v2: r.chance(0.1),
    told: r.chance(0.3),
    odd,
    clientId: 999999937,
    updates
  }
}
