/* SPDX-License-Identifier: MIT */
/*
 * Feeds one history to the oracle and to the driver and compares every reply.
 * The requests are made while the oracle runs (the state vectors that are
 * asked for come from its state), then sent in one go.
 */
import { isDeepStrictEqual } from 'node:util'
import { Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { oddStateVector, randomStateVector } from './history.mjs'
import { JSON_SPEC, OP, Oracle, toldUpdates } from './driver.mjs'

const SLOT = 0
const COPY = 1

/**
 * What is asked, and the oracle's answers: a list of { step, request, want }.
 * `probes` are state vectors to diff against after every step (shrinking
 * keeps the one that showed the failure); without them random ones are drawn.
 */
const script = (history, options) => {
  const oracle = new Oracle()
  const r = new Prng(history.seed, 'probes')
  const list = []
  const ask = (step, request) => {
    const want = oracle.run(request)
    list.push({ step, request, want })
  }
  const open = {
    op: OP.OPEN, keepDeleted: history.keepDeleted, clientId: history.clientId
  }
  const empty = new Uint8Array(0)
  const n = history.updates.length
  /* the state costs more to encode than the update to apply: what a step did
   * shows in some later state as well */
  const density = options.probes ? 1 : 6 / n
  const { v2, told } = history
  let thrown = null
  let applied = 0
  ask(-1, { ...open, slot: SLOT })
  if (told) ask(-1, { op: OP.WATCH, slot: SLOT })
  for (let step = 0; step < n; step++) {
    const op = v2 ? OP.APPLY_V2
      : options.oom && r.chance(options.oom) ? OP.APPLY_OOM : OP.APPLY
    const update = history.updates[step]
    try {
      ask(step, {
        op,
        slot: SLOT,
        data: v2 ? Y.convertUpdateFormatV1ToV2(update) : update
      })
    } catch (err) {
      thrown = err
      break
    }
    applied++
    if (told) {
      ask(step, { op: OP.TOLD, slot: SLOT })
      /* it may have been memory for the telling that was lacking */
      if (op === OP.APPLY_OOM) list.at(-1).want.data = null
    }
    if (step < n - 1 && !r.chance(density)) continue
    ask(step, { op: OP.STATE, slot: SLOT, data: empty })
    if (v2) ask(step, { op: OP.STATE_V2, slot: SLOT, data: empty })
    ask(step, { op: OP.VECTOR, slot: SLOT })
    const vectors = options.probes ?? []
    if (!options.probes && r.chance(0.5)) {
      const doc = oracle.docs.get(SLOT)
      for (let i = r.range(1, 2); i > 0; i--) {
        vectors.push(options.lenient ? oddStateVector(r, doc)
          : randomStateVector(r, doc))
      }
    }
    for (const sv of vectors) {
      ask(step, { op: OP.STATE, slot: SLOT, data: sv })
      if (v2) ask(step, { op: OP.STATE_V2, slot: SLOT, data: sv })
    }
    if (!options.probes) vectors.length = 0
    ask(step, { op: OP.CHECK, slot: SLOT })
  }
  if (thrown === null) {
    /* what a late joiner gets, loaded into a new document */
    const state = Y.encodeStateAsUpdate(oracle.docs.get(SLOT))
    try {
      ask(n, { ...open, slot: COPY })
      ask(n, { op: OP.APPLY, slot: COPY, data: state })
      ask(n, { op: OP.STATE, slot: COPY, data: empty })
      /* last: reading turns the oracle's roots into what they are read as,
       * and some hostile content cannot be read */
      ask(n, { op: OP.JSON, slot: COPY, data: Buffer.from(JSON_SPEC) })
      ask(n, { op: OP.JSON, slot: SLOT, data: Buffer.from(JSON_SPEC) })
    } catch (err) {
      thrown = err
    }
    ask(n, { op: OP.CLOSE, slot: COPY })
  }
  ask(n, { op: OP.CLOSE, slot: SLOT })
  return { list, thrown, applied }
}

/* JSON.stringify throws on a bigint; the engine prints its decimal digits,
 * which JSON.parse rounds in the same way. */
export const plainJson = value => JSON.stringify(value, (key, v) =>
  typeof v === 'bigint' ? Number(v) : v)

const sameJson = (want, bytes) => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return isDeepStrictEqual(JSON.parse(plainJson(want)), JSON.parse(text))
  } catch {
    return false
  }
}

/* The engine keeps values of embeds and formats as JSON, so -0 and infinities
 * that a hostile text spells are 0 and null also in v2, as they are in v1. */
const ODD = ['7d40', '7c7f800000', '7cff800000'].map(n => Buffer.from(n, 'hex'))
const sameThroughV1 = (want, got) => {
  const a = toldUpdates(want)
  const b = toldUpdates(got)
  return a.length === b.length && a.every((u, i) => u.local === b[i].local &&
    u.v1.equals(b[i].v1) && (u.v2.equals(b[i].v2) ||
      (ODD.some(n => Buffer.from(u.v2).includes(n)) &&
       Buffer.from(Y.convertUpdateFormatV1ToV2(u.v1)).equals(b[i].v2))))
}

const mismatch = ({ request, want }, got, lenient) => {
  if (got.status !== want.status) return `status ${got.status}`
  switch (request.op) {
    case OP.TOLD:
      return want.data === null || want.data.equals(got.data) ||
        (lenient && sameThroughV1(want.data, got.data))
        ? null : 'the update told differs'
    case OP.STATE:
    case OP.STATE_V2:
    case OP.VECTOR:
      return Buffer.compare(Buffer.from(want.data), got.data) === 0
        ? null : 'bytes differ'
    case OP.APPLY:
    case OP.APPLY_OOM:
    case OP.APPLY_V2:
      return Boolean(got.data[1]) === want.pending ? null
        : `pending is ${got.data[1]}`
    case OP.JSON:
      return sameJson(want.json, got.data) ? null : 'JSON differs'
    default:
      return null
  }
}

/**
 * Resolves to null (equal), { skipped } when Yjs itself threw before anything
 * was compared, or a failure { history, step, request, want, got, reason }.
 * `lenient`: the engine may refuse an update; nothing after that is compared.
 */
export const checkHistory = async (history, driver, options = {}) => {
  const { list, thrown, applied } = script(history, options)
  if (thrown !== null && applied === 0) return { skipped: thrown }
  let replies
  try {
    replies = await driver.exec(list.map(entry => entry.request))
  } catch (err) {
    return { history, step: -1, reason: err.message, died: true }
  }
  for (let i = 0; i < list.length; i++) {
    const entry = list[i]
    const got = replies[i]
    const { op } = entry.request
    if (options.lenient) {
      const applying = op === OP.APPLY || op === OP.APPLY_OOM
      if (applying && got.status < 0) return { refused: got.status }
      /* what hostile content looks like to a reader is nobody's business */
      if (op === OP.JSON) continue
    }
    const reason = mismatch(entry, got, options.lenient)
    if (reason !== null) {
      return { history, step: entry.step, ...entry, got, reason }
    }
  }
  return thrown === null ? null : { skipped: thrown }
}
