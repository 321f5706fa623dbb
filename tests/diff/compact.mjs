/* SPDX-License-Identifier: MIT */
/*
 * The differential test of compaction: the updates of random histories, merged
 * and by themselves, without what they delete. Whoever applies that must come
 * to the same document as by the original: npm yjs from nothing, and npm yjs
 * that has a part of the history already, byte by byte; libyjs as well.
 *
 *   node tests/diff/compact.mjs --driver PATH [--seeds N] [--start S]
 *        [--profile NAME,...] [--max-failures N]
 *
 * Everything follows from the seed. The last line is "N passed, M failed".
 */
import { Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { PROFILES, ROOTS } from './edits.mjs'
import { makeHistory } from './history.mjs'
import { Driver } from './driver.mjs'
import { describeUpdate } from './update.mjs'

const COMPACT = 30

const args = {
  seeds: '100', start: '1', 'max-failures': '5',
  profile: Object.keys(PROFILES).join(',')
}
for (let i = 2; i < process.argv.length; i += 2) {
  args[process.argv[i].replace(/^--/, '')] = process.argv[i + 1]
}

const load = updates => {
  const doc = new Y.Doc()
  for (const u of updates) Y.applyUpdate(doc, u)
  return doc
}

const isWhole = doc =>
  doc.store.pendingStructs === null && doc.store.pendingDs === null

const json = doc => {
  for (const [name, kind] of Object.entries(ROOTS)) {
    if (!doc.share.has(name)) continue
    try {
      if (kind === 'map') doc.getMap(name)
      else if (kind === 'array') doc.getArray(name)
      else if (kind === 'text') doc.getText(name)
      else doc.getXmlFragment(name)
    } catch {}
  }
  /* the order of a map's keys is that of their arrival, and no state */
  return JSON.stringify(doc.toJSON(), (key, value) => {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value !== 'object' || value === null || Array.isArray(value) ||
        ArrayBuffer.isView(value)) return value
    return Object.fromEntries(
      Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
  })
}

let [compared, smaller, bytesIn, bytesOut] = [0, 0, 0, 0]

/* Why they differ, or null. */
const compare = (a, b) => {
  if (!isWhole(a)) return null
  if (!isWhole(b)) return 'something waits'
  compared++
  const [x, y] = [a, b].map(d => Buffer.from(Y.encodeStateAsUpdate(d)))
  if (Buffer.compare(x, y) !== 0) {
    return `state\n${describeUpdate(x)}\nis\n${describeUpdate(y)}`
  }
  return json(a) === json(b) ? null : 'JSON'
}

const compactAll = async (driver, updates, r) => {
  const v2 = updates.map(() => r.chance(0.2))
  const replies = await driver.exec(updates.map((u, i) => ({
    op: COMPACT,
    slot: 0,
    data: Buffer.concat([
      Buffer.from([(v2[i] ? 2 : 1) | (r.chance(0.05) ? 128 : 0)]),
      v2[i] ? Y.convertUpdateFormatV1ToV2(u) : u])
  })))
  return replies.map((reply, i) => {
    if (reply.status !== 0) throw new Error(`status ${reply.status}`)
    return v2[i] ? Y.convertUpdateFormatV2ToV1(reply.data)
      : Uint8Array.from(reply.data)
  })
}

/* A reason, or null. */
const check = async (driver, seed, profile) => {
  const r = new Prng(seed, `compact/${profile}`)
  const { updates } = makeHistory(seed, profile, {})
  if (updates.length === 0) return null
  const some = updates.filter(() => r.chance(0.6))
  const merged = [updates, some, updates.slice(r.below(updates.length))]
    .filter(list => list.length > 0).map(list => Y.mergeUpdates(list))
  const kept = new Y.Doc({ gc: false })
  for (const u of updates) Y.applyUpdate(kept, u)
  if (isWhole(kept)) merged.push(Y.encodeStateAsUpdate(kept))
  const compact = await compactAll(driver, [...merged, ...updates], r)
  for (let i = 0; i < merged.length; i++) {
    bytesIn += merged[i].length
    bytesOut += compact[i].length
    if (compact[i].length < merged[i].length) smaller++
    const before = updates.slice(0, r.below(updates.length + 1))
    for (const first of [[], before]) {
      const why = compare(load([...first, merged[i]]),
        load([...first, compact[i]]))
      if (why) return `merged ${i} after ${first.length}: ${why}`
    }
  }
  return compare(load(updates), load(compact.slice(merged.length)))
}

const main = async () => {
  for (const name of ['error', 'warn', 'info', 'debug']) console[name] = () => {}
  const driver = new Driver(args.driver)
  let [passed, failed] = [0, 0]
  const start = Number(args.start)
  for (let seed = start; seed < start + Number(args.seeds); seed++) {
    for (const profile of args.profile.split(',')) {
      const why = await check(driver, seed, profile).catch(err => err.message)
      if (why === null) passed++
      else {
        console.log(`FAIL seed ${seed} profile ${profile}: ${why}`)
        if (++failed >= Number(args['max-failures'])) break
      }
    }
    if (failed >= Number(args['max-failures'])) break
  }
  driver.close()
  console.log(`seeds ${start} to ${start + Number(args.seeds) - 1}, ` +
    `${compared} documents compared, ${bytesIn} bytes became ${bytesOut}`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 && compared > 0 && smaller > 0 ? 0 : 1
}

process.exitCode = await main()
