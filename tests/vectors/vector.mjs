/* SPDX-License-Identifier: MIT */
/* What generate.mjs writes with: a file in the making, and a client. */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Y } from '../diff/npm.mjs'

export const here = path.dirname(fileURLToPath(import.meta.url))
export const fromHex = text => new Uint8Array(Buffer.from(text, 'hex'))
export const hex = bytes => Buffer.from(bytes).toString('hex') || '-'
export const EMPTY_SV = new Uint8Array([0])

/* One file in the making: every method writes lines and keeps the oracle. */
export class Vector {
  constructor (name, about) {
    this.name = name
    this.lines = [`# ${about}`]
  }

  say (...words) {
    this.lines.push(words.join(' '))
  }

  open (mode = 'gc') {
    this.doc = new Y.Doc({ gc: mode === 'gc', guid: 'oracle' })
    this.doc.clientID = 999999937
    this.say('doc', mode)
  }

  apply (...updates) {
    for (const update of updates) {
      Y.applyUpdate(this.doc, update)
      const { pendingStructs, pendingDs } = this.doc.store
      this.say('update', hex(update),
        pendingStructs || pendingDs ? 'pending' : 'done')
    }
  }

  reject (bytes) {
    this.say('reject', hex(bytes))
  }

  check () {
    this.say('state', hex(Y.encodeStateAsUpdate(this.doc)))
    this.say('vector', hex(Y.encodeStateVector(this.doc)))
  }

  each (updates) {
    for (const update of updates) {
      this.apply(update)
      this.check()
    }
  }

  diff (sv) {
    const bytes = sv instanceof Map ? Y.encodeStateVector(sv) : sv
    this.say('diff', hex(bytes), hex(Y.encodeStateAsUpdate(this.doc, bytes)))
  }

  json (spec) {
    const out = {}
    for (const part of spec.split(',')) {
      const [name, kind] = part.split(':')
      const type = kind === 'text' ? this.doc.getText(name)
        : kind === 'array' ? this.doc.getArray(name)
          : kind === 'map' ? this.doc.getMap(name)
            : this.doc.getXmlFragment(name)
      out[name] = type.toJSON()
    }
    this.say('json', spec, JSON.stringify(out))
  }

  write () {
    fs.writeFileSync(path.join(here, `${this.name}.vec`),
      this.lines.join('\n') + '\n')
  }
}

/** A client with a fixed id that records its updates. */
export const client = (id, opts = {}) => {
  const doc = new Y.Doc({ guid: `client-${id}`, ...opts })
  doc.clientID = id
  const updates = []
  doc.on('update', (update, origin) => {
    if (origin !== 'network') updates.push(update)
  })
  return {
    doc,
    updates,
    hear: (...list) => {
      for (const u of list) Y.applyUpdate(doc, u, 'network')
    }
  }
}
