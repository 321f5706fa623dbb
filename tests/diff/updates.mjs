/* SPDX-License-Identifier: MIT */
/*
 * The differential test of what needs no document, and of format v2: updates
 * of random histories, converted, merged in any choice and order, diffed
 * against random state vectors, asked for their state vector and their clocks,
 * in both formats, by libyjs (tests/diff/driver) and by npm yjs; and whole
 * documents fed and read in v2.
 *
 *   node tests/diff/updates.mjs --driver PATH [--seeds N] [--start S]
 *        [--profile NAME,...] [--oom P] [--max-failures N]
 *
 * Everything follows from the seed. The last line is "N passed, M failed".
 */
import { Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { PROFILES } from './edits.mjs'
import { makeHistory, randomStateVector } from './history.mjs'
import { makeValueHistory } from './hostile.mjs'
import { Driver, OP } from './driver.mjs'
import { describeUpdate } from './update.mjs'

const OPS = {
  APPLY_V2: 10, STATE_V2: 11, CONVERT: 12, MERGE: 13, DIFF: 14,
  UPDATE_VECTOR: 15, META: 16
}
const NAMES = Object.fromEntries(
  Object.entries({ ...OP, ...OPS }).map(([name, op]) => [op, name]))

const args = {
  seeds: '100', start: '1', oom: '0.05', 'max-failures': '5',
  profile: [...Object.keys(PROFILES), 'values'].join(',')
}
for (let i = 2; i < process.argv.length; i += 2) {
  args[process.argv[i].replace(/^--/, '')] = process.argv[i + 1]
}

const hex = bytes => Buffer.from(bytes).toString('hex')
const u32 = n => {
  const b = Buffer.alloc(4)
  b.writeUInt32LE(n)
  return b
}
const sized = bytes => [u32(bytes.length), bytes]

/* The functions of Yjs by format. */
const BY_FORMAT = {
  1: {
    merge: Y.mergeUpdates,
    diff: Y.diffUpdate,
    vector: Y.encodeStateVectorFromUpdate,
    meta: Y.parseUpdateMeta
  },
  2: {
    merge: Y.mergeUpdatesV2,
    diff: Y.diffUpdateV2,
    vector: Y.encodeStateVectorFromUpdateV2,
    meta: Y.parseUpdateMetaV2
  }
}

const metaBytes = ({ from, to }) => {
  const clients = [...from.keys()].sort((a, b) => a - b)
  const out = Buffer.alloc(24 * clients.length)
  clients.forEach((client, i) => {
    out.writeBigUInt64LE(BigInt(client), 24 * i)
    out.writeBigUInt64LE(BigInt(from.get(client)), 24 * i + 8)
    out.writeBigUInt64LE(BigInt(to.get(client)), 24 * i + 16)
  })
  return out
}

const hasGc = update =>
  Y.decodeUpdate(update).structs.some(s => s.constructor === Y.GC)

/* The questions about one history: [{ request, want, about }]. */
const questions = (history, r) => {
  const list = []
  const ask = (op, data, want, slot = 0) =>
    list.push({ request: { op, slot, data: Buffer.concat(data) }, want })
  const fmt = f => Buffer.from([r.chance(Number(args.oom)) ? f | 128 : f])
  const v1 = history.updates
  const v2 = v1.map(u => Y.convertUpdateFormatV1ToV2(u))
  const doc = new Y.Doc({ gc: !history.keepDeleted, guid: 'oracle' })
  doc.clientID = history.clientId
  for (let i = 0; i < v1.length; i++) {
    ask(OPS.CONVERT, [fmt(1), Buffer.from([2]), v1[i]], v2[i])
    ask(OPS.CONVERT, [fmt(2), Buffer.from([1]), v2[i]],
      Y.convertUpdateFormatV2ToV1(v2[i]))
  }
  for (const u of v1) Y.applyUpdate(doc, u)
  if (v1.length === 0) return list
  for (let i = r.range(2, 6); i > 0; i--) {
    const f = r.range(1, 2)
    const from = f === 1 ? v1 : v2
    const n = r.chance(0.1) ? from.length : r.range(0, 8)
    let some = Array.from({ length: n }, () => r.pick(from))
    if (r.chance(0.3)) some = from.slice(0, n)
    /* beyond, a GC against an item is a matter of the sort */
    if (some.length > 63 && v1.some(hasGc)) some = some.slice(0, 63)
    const merged = BY_FORMAT[f].merge(some)
    ask(OPS.MERGE, [fmt(f), ...some.flatMap(sized)], merged)
    for (const update of [merged, r.pick(from)]) {
      const sv = randomStateVector(r, doc)
      const diffed = BY_FORMAT[f].diff(update, sv)
      ask(OPS.DIFF, [fmt(f), ...sized(sv), update], diffed)
      ask(OPS.UPDATE_VECTOR, [fmt(f), diffed], BY_FORMAT[f].vector(diffed))
      ask(OPS.META, [fmt(f), diffed], metaBytes(BY_FORMAT[f].meta(diffed)))
    }
  }
  /* a document keeps values of embeds and formats as JSON: no -0, no NaN */
  if (history.profile !== 'values') documents(history, r, v2, list)
  return list
}

/* The history into a document in v2, and out again in both formats. */
const documents = (history, r, v2, list) => {
  const doc = new Y.Doc({ gc: !history.keepDeleted, guid: 'oracle' })
  doc.clientID = history.clientId
  const ask = (op, data, want) =>
    list.push({ request: { op, slot: 0, data }, want })
  list.push({
    request: {
      op: OP.OPEN,
      slot: 0,
      keepDeleted: history.keepDeleted,
      clientId: history.clientId
    }
  })
  v2.forEach((update, i) => {
    Y.applyUpdateV2(doc, update)
    ask(OPS.APPLY_V2, update)
    if (i < v2.length - 1 && r.chance(0.7)) return
    const sv = randomStateVector(r, doc)
    ask(OPS.STATE_V2, Buffer.alloc(0), Y.encodeStateAsUpdateV2(doc))
    ask(OPS.STATE_V2, sv, Y.encodeStateAsUpdateV2(doc, sv))
    ask(OP.STATE, Buffer.alloc(0), Y.encodeStateAsUpdate(doc))
  })
  list.push({ request: { op: OP.CLOSE, slot: 0, data: Buffer.alloc(0) } })
}

const describe = (request, bytes) => {
  try {
    const v2 = request.op === OPS.STATE_V2 || (request.data[0] & 127) === 2
    return describeUpdate(v2 ? Y.convertUpdateFormatV2ToV1(bytes) : bytes)
  } catch (err) {
    return String(err)
  }
}

const report = (seed, profile, { request, want }, reason, got) => {
  console.log(`FAIL seed ${seed} profile ${profile} ` +
    `${NAMES[request.op]}: ${reason}`)
  console.log(` request ${hex(request.data ?? [])}`)
  if (!want) return
  console.log(` want ${hex(want)}\n${describe(request, want)}`)
  console.log(` got  ${hex(got)}\n${describe(request, got)}`)
}

const check = async (driver, seed, profile) => {
  const history = profile === 'values' ? makeValueHistory(seed, {})
    : makeHistory(seed, profile, {})
  const list = questions(history, new Prng(seed, `updates/${profile}`))
  const replies = await driver.exec(list.map(entry => entry.request))
  for (let i = 0; i < list.length; i++) {
    const { want } = list[i]
    const got = replies[i]
    const reason = got.status !== 0 ? `status ${got.status}`
      : want && Buffer.compare(Buffer.from(want), got.data) !== 0
        ? 'bytes differ' : null
    if (reason !== null) {
      report(seed, profile, list[i], reason, got.data)
      return -1
    }
  }
  return list.length
}

const main = async () => {
  for (const name of ['error', 'warn', 'info', 'debug']) console[name] = () => {}
  const driver = new Driver(args.driver)
  let [passed, failed, asked] = [0, 0, 0]
  const start = Number(args.start)
  for (let seed = start; seed < start + Number(args.seeds); seed++) {
    for (const profile of args.profile.split(',')) {
      const n = await check(driver, seed, profile)
      asked += Math.max(n, 0)
      if (n >= 0) passed++
      else if (++failed >= Number(args['max-failures'])) break
    }
    if (failed >= Number(args['max-failures'])) break
  }
  driver.close()
  console.log(`seeds ${args.start} to ${start + Number(args.seeds) - 1}, ` +
    `${asked} answers compared`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
