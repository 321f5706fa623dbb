/* SPDX-License-Identifier: MIT */
/*
 * A log of one-edit updates as a few people writing one text make it: bursts
 * of typing at one place, slips taken back letter by letter, held backspaces,
 * selections replaced, pastes, jumps. Two of them often type at once and see
 * each other's text only when both pause.
 *
 * Everything follows from the seed. Must never: look at a clock.
 */
import { Prng } from '../diff/prng.mjs'
import { Y } from '../diff/npm.mjs'

const SYLLABLES = ['an', 'ber', 'co', 'de', 'en', 'fi', 'gra', 'ho', 'in',
  'ka', 'lo', 'me', 'no', 'or', 'pre', 'qui', 'ra', 'sta', 'te', 'un', 'ver',
  'wi', 'xe', 'yo', 'zu', 'é', 'ü']

const word = prng => {
  let out = ''
  for (let n = prng.range(1, 4); n > 0; n--) out += prng.pick(SYLLABLES)
  return out
}

const prose = (prng, length) => {
  let out = ''
  while (out.length < length) {
    out += word(prng) + (prng.chance(0.08) ? ', ' : prng.chance(0.06)
      ? '.\n' : ' ')
  }
  return out.slice(0, length)
}

class Author {
  constructor (id, log) {
    this.doc = new Y.Doc()
    this.doc.clientID = id
    this.text = this.doc.getText('text')
    this.at = 0
    this.fresh = [] // what the others have not seen yet
    this.doc.on('update', (update, origin) => {
      if (origin === 'peer') return
      log.push(update)
      this.fresh.push(update)
    })
  }

  insert (string) {
    this.text.insert(this.at, string)
    this.at += string.length
  }

  remove (length) {
    length = Math.min(length, this.at)
    if (length === 0) return
    this.at -= length
    this.text.delete(this.at, length)
  }

  move (prng) {
    const length = this.text.length
    const where = prng.real()
    if (where < 0.45) this.at = Math.min(this.at, length)
    else if (where < 0.8) this.at = Math.max(0, length - prng.below(30))
    else this.at = prng.below(length + 1)
  }

  type (prng, length) {
    for (const letter of prose(prng, length)) {
      this.insert(letter)
      if (!prng.chance(0.012)) continue
      const slip = prng.range(1, 5)
      for (let i = 0; i < slip; i++) this.insert(prng.pick('etaoinshr'))
      for (let i = 0; i < slip; i++) this.remove(1)
    }
  }

  /** One thing a writer does between two pauses. */
  burst (prng) {
    this.move(prng)
    const what = prng.real()
    if (what < 0.30) {
      for (let n = prng.range(15, 85); n > 0; n--) this.remove(1)
    } else if (what < 0.34) {
      this.remove(prng.range(5, 120))
    } else if (what < 0.348) {
      this.insert(prose(prng, prng.range(60, 500)))
    }
    this.type(prng, prng.range(6, 46))
  }
}

/**
 * `edits` updates (a few more, to the end of a burst) and the document they
 * make: { updates: [Uint8Array], state: Uint8Array }.
 */
export const makeTrace = (seed, edits, people = 6) => {
  const prng = new Prng(seed, 'trace')
  const updates = []
  const authors = []
  for (let i = 0; i < people; i++) {
    authors.push(new Author(100000000 + prng.below(2000000000), updates))
  }
  while (updates.length < edits) {
    const active = prng.shuffle(authors.slice())
      .slice(0, prng.chance(0.3) ? 2 : 1)
    for (let n = prng.range(1, 6); n > 0; n--) prng.pick(active).burst(prng)
    for (const a of active) {
      if (a.fresh.length === 0) continue
      const news = Y.mergeUpdates(a.fresh)
      a.fresh = []
      for (const b of authors) {
        if (b !== a) Y.applyUpdate(b.doc, news, 'peer')
      }
    }
  }
  const state = Y.encodeStateAsUpdate(authors[0].doc)
  for (const a of authors) a.doc.destroy()
  return { updates, state }
}

/** A log as `yjs log` and `yjs bench` read it. */
export const encodeLog = updates => {
  let length = 0
  for (const u of updates) length += 4 + u.length
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  let at = 0
  for (const u of updates) {
    view.setUint32(at, u.length, true)
    out.set(u, at + 4)
    at += 4 + u.length
  }
  return out
}
