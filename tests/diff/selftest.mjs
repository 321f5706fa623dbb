/* SPDX-License-Identifier: MIT */
/*
 * Shows that the differential test can fail: the oracle plays the driver, with
 * one fault planted at a time, and each fault must be found and shrunk to a
 * few updates. Without a fault nothing may be found.
 */
import { isDeepStrictEqual } from 'node:util'
import { Y } from './npm.mjs'
import { PROFILES } from './edits.mjs'
import { checkHistory } from './check.mjs'
import { OP, Oracle } from './driver.mjs'
import { makeHistory } from './history.mjs'
import { shrink } from './shrink.mjs'
import { buildUpdate, parseUpdate } from './update.mjs'
import { selfTestWrites } from './writes.mjs'

class Twin {
  constructor (fault) {
    this.fault = fault
  }

  answer (oracle, request) {
    let reply = this.fault.request
      ? oracle.run(this.fault.request(request)) : oracle.run(request)
    if (this.fault.reply) reply = this.fault.reply(request, reply)
    if (request.op === OP.APPLY || request.op === OP.APPLY_OOM) {
      return { status: reply.status, data: [0, reply.pending ? 1 : 0] }
    }
    if (request.op === OP.JSON) {
      return { status: 0, data: Buffer.from(JSON.stringify(reply.json)) }
    }
    return { ...reply, data: Buffer.from(reply.data) }
  }

  async exec (requests) {
    const oracle = new Oracle()
    return requests.map(request => this.answer(oracle, request))
  }
}

const onApply = change => request => request.op === OP.APPLY
  ? { ...request, data: change(request.data) } : request

const FAULTS = {
  none: {},
  'deletes of client 0 mod 3 are lost': {
    request: onApply(bytes => {
      const update = parseUpdate(bytes)
      update.deletes = update.deletes.filter(d => d.id % 3 !== 0)
      return buildUpdate(update)
    })
  },
  'right origins are ignored': {
    request: onApply(bytes => {
      const update = parseUpdate(bytes)
      for (const client of update.clients) {
        for (const s of client.structs) {
          if (s.origin && s.right && s.info & 64) s.info &= ~64
        }
      }
      return buildUpdate(update)
    })
  },
  'garbage is kept': {
    request: q => q.op === OP.OPEN ? { ...q, keepDeleted: !q.keepDeleted } : q
  },
  'a diff inside a struct starts at the struct': {
    request: q => {
      if (q.op !== OP.STATE || q.data.length === 0) return q
      const sv = Y.decodeStateVector(q.data)
      for (const [client, clock] of sv) sv.set(client, clock - clock % 2)
      return { ...q, data: Y.encodeStateVector(sv) }
    }
  },
  'pending is never said': {
    reply: (q, reply) => ({ ...reply, pending: false })
  },
  'JSON loses a root': {
    reply: (q, reply) => reply.json
      ? { ...reply, json: { ...reply.json, text: '' } } : reply
  }
}

/* the twin knows v1 only */
const plain = seed => ({ ...makeHistory(seed, 'text'), v2: false })

const findFault = async (name, fault) => {
  const twin = new Twin(fault)
  const check = (history, probes) => checkHistory(history, twin, { probes })
  for (let seed = 1; seed <= 60; seed++) {
    const failure = await checkHistory(plain(seed), twin)
    if (failure?.reason === undefined) continue
    const probe = failure.request.op === OP.STATE &&
      failure.request.data.length > 0 ? failure.request.data : undefined
    return shrink({ ...failure, probe }, check, 500)
  }
  return null
}

/* A printed seed must say everything, whatever ran before it. */
const repeats = () => {
  const bytes = seed => Object.keys(PROFILES).map(profile =>
    makeHistory(seed, profile).updates.map(u => Buffer.from(u).toString('hex')))
  const first = [1, 2, 3].map(bytes)
  return isDeepStrictEqual([3, 2, 1].map(bytes).reverse(), first)
}

export const selfTest = async () => {
  let good = repeats()
  console.log(`${good ? 'ok' : 'not ok'} - a seed gives the same history again`)
  for (const [name, fault] of Object.entries(FAULTS)) {
    const failure = await findFault(name, fault)
    const size = failure === null ? 0 : failure.history.updates.length
    const ok = name === 'none' ? failure === null
      : failure !== null && failure.shrunk && size <= 6
    console.log(`${ok ? 'ok' : 'not ok'} - ${name}: ` + (failure === null
      ? 'nothing found'
      : `seed ${failure.history.seed}, ${size} updates: ${failure.reason}`))
    good &&= ok
  }
  for (const [name, ok] of await selfTestWrites()) {
    console.log(`${ok ? 'ok' : 'not ok'} - ${name}`)
    good &&= ok
  }
  return good
}
