/* SPDX-License-Identifier: MIT */
/*
 * The differential test of reading: while a random history goes into libyjs
 * (tests/diff/driver) and into npm yjs, both are asked
 *
 *   - what every type is and holds: JSON, toString(), toDelta(), entries,
 *     values, single elements, parents (text equal, not only alike)
 *   - snapshots in both formats, and whether they contain an update
 *   - documents as they were at snapshots, also such as were cut by hand
 *   - relative positions at random indexes, and where all positions made so
 *     far are by now
 *
 *   node tests/diff/reads.mjs --driver PATH [--seeds N] [--start S]
 *        [--stride N] [--profile NAME,...] [--oom P] [--max-failures N]
 *        [--say SECONDS]        how far it has come, every so often
 *
 * Everything follows from the seed. The last line is "N passed, M failed".
 */
import { Y } from './npm.mjs'
import { Prng } from './prng.mjs'
import { MIXED_ROOT, PROFILES, ROOTS } from './edits.mjs'
import { makeHistory } from './history.mjs'
import { makeValueHistory } from './hostile.mjs'
import { Driver, OP } from './driver.mjs'
import { shrink } from './shrink.mjs'
import { describeUpdate } from './update.mjs'

const READ = {
  READ: 40, SNAPSHOT: 41, PAST: 42, CONTAINS: 43, RESOLVE: 44
}
const NAMES = Object.fromEntries(
  Object.entries({ ...OP, ...READ }).map(([name, op]) => [op, name]))
const STATUS = { RANGE: -5, STATE: -9 }
const KINDS = [Y.Array, Y.Map, Y.Text, Y.XmlElement, Y.XmlFragment, Y.XmlHook,
  Y.XmlText]

const args = {
  seeds: '100', start: '1', stride: '1', oom: '0.03', 'max-failures': '3',
  profile: [...Object.keys(PROFILES), 'values'].join(',')
}
for (let i = 2; i < process.argv.length; i += 2) {
  args[process.argv[i].replace(/^--/, '')] = process.argv[i + 1]
}

/* The engine prints the digits of a bigint, JSON.stringify throws. */
const json = value => {
  const text = JSON.stringify(value, (key, v) =>
    typeof v === 'bigint' ? `@bigint ${v}@` : v)
  return text === undefined ? 'null'
    : text.replace(/"@bigint (-?\d+)@"/g, '$1')
}

const hex = bytes => Buffer.from(bytes).toString('hex')
const u32 = n => {
  const b = Buffer.alloc(4)
  b.writeUInt32LE(n)
  return b
}
const sized = bytes => [u32(bytes.length), bytes]

/* ------------------------------------------------------------- the oracle */

const kindOf = type => KINDS.indexOf(type.constructor)
const isText = type => type instanceof Y.Text
const isList = type => type instanceof Y.Array || type instanceof Y.XmlFragment
const isMap = type =>
  type instanceof Y.Map || type instanceof Y.XmlElement || isText(type)

const openRoots = (doc, spec) => Object.entries(spec).map(([name, kind]) =>
  kind === 'text' ? doc.getText(name)
    : kind === 'array' ? doc.getArray(name)
      : kind === 'map' ? doc.getMap(name) : doc.getXmlFragment(name))

/* What tests/diff/driver_read.c says of one type; the types below it are put
 * into `queue`, the bytes of positions into `positions`. */
const describeType = (type, ask, queue, positions) => {
  const lines = [`T ${kindOf(type)} ${type._length}`]
  const value = (prefix, v) => {
    if (v instanceof Y.AbstractType) queue.push(v)
    lines.push(`${prefix} ${json(v)}`)
  }
  if (type instanceof Y.XmlElement) lines.push(`N ${json(type.nodeName)}`)
  if (type instanceof Y.XmlHook) lines.push(`N ${json(type.hookName)}`)
  if (type._item !== null) {
    const key = type._item.parentSub
    lines.push(`P ${kindOf(type.parent)} ${key === null ? '-' : json(key)}`)
  }
  lines.push(`J ${json(type.toJSON())}`)
  if (isText(type) || type instanceof Y.XmlFragment) {
    /* in UTF-8 there is no half of a pair */
    lines.push(`S ${json(Buffer.from(type.toString()).toString())}`)
  }
  if (isText(type)) lines.push(`D ${json(type.toDelta())}`)
  if (isMap(type)) {
    let n = 0
    type._map.forEach((item, key) => {
      if (item.deleted) return
      n++
      value(`E ${json(key)}`, item.content.getContent()[item.length - 1])
    })
    lines.push(`C ${n}`)
  }
  if (isText(type) || isList(type)) {
    for (let item = type._start; item !== null; item = item.right) {
      if (item.deleted || !item.countable) continue
      if (isText(type) && item.content instanceof Y.ContentString) {
        value('V', item.content.str)
      } else {
        for (const v of item.content.getContent()) value('V', v)
      }
    }
  }
  if (isList(type)) {
    for (let i = 0; i < 3 && type._length > 0; i++) {
      const index = ask.random() % type._length
      lines.push(`G ${index} ${json(type.get(index))}`)
    }
  }
  for (let i = 0; i < ask.positions; i++) {
    const index = ask.random() % (type._length + 2)
    const assoc = ask.random() % 4 - 2
    const bytes = Y.encodeRelativePosition(
      Y.createRelativePositionFromTypeIndex(type, index, assoc))
    positions.push(bytes)
    lines.push(`R ${index} ${assoc} ${hex(bytes)}`)
  }
  return lines
}

const describeDoc = (doc, ask, positions) => {
  let state = ask.seed
  ask.random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 8
  }
  const queue = openRoots(doc, ask.spec)
  const lines = []
  for (let i = 0; i < queue.length; i++) {
    lines.push(...describeType(queue[i], ask, queue, positions))
  }
  return lines.join('\n') + '\n'
}

const place = (doc, bytes) => {
  const at = Y.createAbsolutePositionFromRelativePosition(
    Y.decodeRelativePosition(bytes), doc, false)
  if (at === null) return 'null'
  const item = at.type._item
  if (item !== null) return `${item.id.client} ${item.id.clock} at ${at.index}`
  const [name] = [...doc.share].find(([, type]) => type === at.type)
  return `root ${name} at ${at.index}`
}

const DECODE = [null, Y.decodeSnapshot, Y.decodeSnapshotV2]
const ENCODE = [null, Y.encodeSnapshot, Y.encodeSnapshotV2]

const equalBytes = (a, b) => Buffer.compare(a, b) === 0

/* Does a cut at the snapshot's clocks fall between the halves of a pair? */
const cutsPair = (doc, snapshot) => [...snapshot.sv].some(([client, clock]) =>
  (doc.store.clients.get(client) ?? []).some(s =>
    s.content instanceof Y.ContentString && clock > s.id.clock &&
    clock < s.id.clock + s.length &&
    /[\ud800-\udbff]/.test(s.content.str[clock - s.id.clock - 1])))

/*
 * { status } or { data }, or null: cannot be asked. Yjs splits what it looks
 * at and merges it again, which may leave traces: so it gets a copy, if there
 * is one with the same structs, for a GC is never split.
 */
const past = (doc, fmt, keep, bytes) => {
  if (doc.gc) return { status: STATUS.STATE }
  const snapshot = DECODE[fmt](bytes)
  const state = Y.encodeStateAsUpdate(doc)
  let from = new Y.Doc({ gc: false, guid: 'copy' })
  Y.applyUpdate(from, state)
  /* what waits is in the state of both, and may be more in the copy */
  if (!equalBytes(Y.encodeStateAsUpdate(from), state) ||
      !equalBytes(Y.encodeStateVector(from), Y.encodeStateVector(doc))) {
    if (cutsPair(doc, snapshot)) return null
    from = doc
  }
  const fresh = new Y.Doc({ gc: !keep, guid: 'past' })
  fresh.clientID = 5
  let answer
  try {
    Y.createDocFromSnapshot(from, snapshot, fresh)
    answer = { data: Y.encodeStateAsUpdate(fresh) }
  } catch {
    answer = { status: STATUS.RANGE }
  }
  return equalBytes(Y.encodeStateAsUpdate(doc), state) ? answer
    : { ...answer, spoilt: true }
}

/* ---------------------------------------------------------- the questions */

/* Less than the snapshot saw: clocks inside structs, some deletes only. */
const cutSnapshot = (r, snapshot) => {
  const sv = new Map()
  for (const [client, clock] of snapshot.sv) {
    if (r.chance(0.2)) continue
    sv.set(client, r.chance(0.5) ? clock : r.below(clock + 1))
  }
  if (r.chance(0.05)) sv.set(r.range(1, 60), r.range(0, 3))
  const ds = Y.createDeleteSet()
  for (const [client, ranges] of snapshot.ds.clients) {
    const some = ranges.filter(() => r.chance(0.7))
    if (some.length > 0) ds.clients.set(client, some)
  }
  return Y.createSnapshot(ds, sv)
}

/* [{ step, request, want, status }] of one history. */
const script = history => {
  const r = new Prng(history.seed, `reads/${history.profile}`)
  const keepDeleted = history.keepDeleted || r.chance(0.4)
  const doc = new Y.Doc({ gc: !keepDeleted, guid: 'oracle' })
  doc.clientID = history.clientId
  const spec = { ...ROOTS, [MIXED_ROOT]: r.pick(['map', 'text']) }
  const specText = Object.entries(spec)
    .map(([name, kind]) => `${name}:${kind}`).join(',')
  const list = []
  const snapshots = []
  const positions = []
  const openFrom = r.chance(0.5) ? 0 : r.below(history.updates.length)
  let step = -1
  let spoilt = false
  const ask = (op, data, { status = 0, data: want } = {}) => {
    const oom = op >= READ.READ && r.chance(Number(args.oom)) ? 128 : 0
    list.push({
      step, want, status, request: { op: op | oom, slot: 0, data: Buffer.concat(data) }
    })
  }
  const read = n => {
    const question = { spec, seed: r.u32(), positions: n }
    const made = []
    let text
    try {
      text = Buffer.from(describeDoc(doc, question, made))
    } catch { /* String() of an object that has a property toString */ }
    ask(READ.READ, [Buffer.from([n]), u32(question.seed), Buffer.from(specText)],
      { data: text })
    while (made.length > 8) made.splice(r.below(made.length), 1)
    positions.push(...made)
    while (positions.length > 40) positions.splice(r.below(40), 1)
  }
  const snap = () => {
    const fmt = r.range(1, 2)
    const snapshot = Y.snapshot(doc)
    ask(READ.SNAPSHOT, [Buffer.from([fmt])],
      { data: ENCODE[fmt](snapshot) })
    snapshots.push(snapshot)
    if (snapshots.length > 12) snapshots.splice(r.below(12), 1)
    const old = r.chance(0.4) ? cutSnapshot(r, r.pick(snapshots))
      : r.pick(snapshots)
    const bytes = ENCODE[fmt](old)
    const keep = r.chance(0.4)
    const then = r.chance(0.6) ? past(doc, fmt, keep, bytes) : null
    if (then !== null) {
      ask(READ.PAST, [Buffer.from([fmt, keep ? 1 : 0]), bytes], then)
    }
    spoilt = then?.spoilt
    const v1 = r.pick(history.updates)
    const update = fmt === 1 ? v1 : Y.convertUpdateFormatV1ToV2(v1)
    ask(READ.CONTAINS, [Buffer.from([fmt]), ...sized(bytes), update],
      { data: Buffer.from(Y.snapshotContainsUpdate(old, v1) ? '1' : '0') })
  }
  const resolve = () => {
    if (positions.length === 0) return
    ask(READ.RESOLVE, positions.flatMap(sized), {
      data: Buffer.from(positions.map(p => `${place(doc, p)}\n`).join(''))
    })
  }
  list.push({
    step,
    status: 0,
    request: { op: OP.OPEN, slot: 0, keepDeleted, clientId: history.clientId }
  })
  const n = history.updates.length
  const density = n <= 20 ? 0.5 : 10 / n
  for (step = 0; step < n; step++) {
    Y.applyUpdate(doc, history.updates[step])
    ask(OP.APPLY, [history.updates[step]])
    if (step < n - 1 && !r.chance(density)) continue
    /* what is read becomes what it is read as: not too early in all of them */
    if (step >= openFrom) read(r.below(3))
    resolve()
    snap()
    if (spoilt) break
    ask(OP.STATE, [], { data: Y.encodeStateAsUpdate(doc) })
    ask(OP.CHECK, [])
  }
  ask(OP.CLOSE, [])
  return list
}

/* ------------------------------------------------------------- comparison */

const check = async (history, driver) => {
  const list = script(history)
  let replies
  try {
    replies = await driver.exec(list.map(entry => entry.request))
  } catch (err) {
    return { history, step: -1, reason: err.message }
  }
  for (let i = 0; i < list.length; i++) {
    const { request, want, status, step } = list[i]
    const got = replies[i]
    const reason = got.status !== status ? `status ${got.status}, not ${status}`
      : want && !equalBytes(Buffer.from(want), got.data) ? 'bytes differ' : null
    if (reason !== null) {
      return { history, step, ...list[i], got: got.data, reason }
    }
  }
  return { history, asked: list.length }
}

const firstDifference = (want, got) => {
  const a = want.toString().split('\n')
  const b = got.toString().split('\n')
  const i = a.findIndex((line, k) => line !== b[k])
  return [a.slice(Math.max(0, i - 6), i + 1).join('\n'), `got ${b[i]}`].join('\n')
}

const report = ({ history, step, request, want, got, reason }) => {
  console.log(`FAIL seed ${history.seed} profile ${history.profile} step ${step}` +
    ` ${request ? NAMES[request.op & 127] : ''}: ${reason}`)
  if (!request) return
  console.log(` request ${hex(request.data ?? [])}`)
  history.updates.forEach((u, i) => {
    if (i <= step) console.log(`  update ${i} ${hex(u)}\n${describeUpdate(u)}`)
  })
  if (!want) return
  if (request.op === READ.READ || request.op === READ.RESOLVE) {
    console.log(firstDifference(want, got))
  } else {
    console.log(` want ${hex(want)}\n${describeUpdate(want)}`)
    console.log(` got  ${hex(got)}\n${describeUpdate(got)}`)
  }
}

const main = async () => {
  const { log } = console
  for (const name of ['error', 'warn', 'info', 'debug']) console[name] = () => {}
  console.log = line => String(line).startsWith('[yjs]') || log(line)
  const driver = new Driver(args.driver)
  const [start, n] = [Number(args.start), Number(args.seeds)]
  let [passed, failed, asked, said] = [0, 0, 0, Date.now()]
  for (let seed = start; seed < start + n; seed += Number(args.stride)) {
    if (args.say && Date.now() - said > 1000 * Number(args.say)) {
      said = Date.now()
      console.log(`seeds below ${seed} done, ${passed} histories passed`)
    }
    for (const profile of args.profile.split(',')) {
      const history = profile === 'values' ? makeValueHistory(seed, {})
        : makeHistory(seed, profile, {})
      if (history.updates.length === 0) continue
      const result = await check(history, driver)
      if (result.reason === undefined) {
        passed++
        asked += result.asked
        continue
      }
      report(await shrink(result, h => check(h, driver), 600))
      if (++failed >= Number(args['max-failures'])) seed = Infinity
      if (seed === Infinity) break
    }
  }
  driver.close()
  console.log(`seeds ${start} to ${start + n - 1}, ${asked} answers compared`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

process.exitCode = await main()
