/* SPDX-License-Identifier: MIT */
/*
 * The differential test: random histories, the same updates in the same order
 * to libyjs (tests/diff/driver) and to npm yjs, everything that either can
 * encode compared byte by byte.
 *
 *   node tests/diff/run.mjs --driver PATH [--seeds N] [--start S]
 *        [--profile all|text|map|array|xml|nested|format|mixed|values|raw|typing|edits|every]
 *        [--clients N] [--steps N] [--oom P] [--no-shrink] [--max-failures N]
 *        [--budget N]          runs that shrinking a failure may take
 *        [--part K/N]          the Kth of N parts of the range, from 0 on
 *        [--progress SECONDS]  a line about every so often
 *        [--save DIR]          failing histories as JSON files
 *        [--replay FILE]       run one saved history
 *        [--self-test]         show that planted faults are found
 *
 * Every history follows from its printed seed and profile. The last line is
 * "N passed, M failed"; the exit status is 1 when M is not 0.
 */
import fs from 'node:fs'
import path from 'node:path'
import { PROFILES } from './edits.mjs'
import { DELIVERIES, makeHistory } from './history.mjs'
import { makeHostileHistory, makeValueHistory } from './hostile.mjs'
import { checkHistory, plainJson } from './check.mjs'
import { shrink } from './shrink.mjs'
import { makeTypingHistory } from './typing.mjs'
import {
  checkWrites, makeWriteHistory, sayWrites, shrinkWrites
} from './writes.mjs'
import { Driver, OP, OP_NAMES, toldUpdates } from './driver.mjs'
import { Y } from './npm.mjs'
import { describeUpdate } from './update.mjs'
import { selfTest } from './selftest.mjs'

/* what is not made by clients alone */
const EXTRA = {
  values: makeValueHistory,
  raw: makeHostileHistory,
  typing: makeTypingHistory,
  edits: makeWriteHistory
}

const FLAGS = new Set(['no-shrink', 'self-test'])

const parseArgs = argv => {
  const out = {
    seeds: '200', start: '1', profile: 'every', oom: '0', 'max-failures': '5',
    budget: '3000', part: '0/1'
  }
  for (let i = 0; i < argv.length; i++) {
    if (!argv[i].startsWith('--')) throw new Error(`what is ${argv[i]}?`)
    const name = argv[i].slice(2)
    out[name] = FLAGS.has(name) ? true : argv[++i]
  }
  return out
}

const args = parseArgs(process.argv.slice(2))

const profiles = args.profile === 'every'
  ? [...Object.keys(PROFILES), ...Object.keys(EXTRA)] : args.profile.split(',')
for (const p of profiles) {
  if (!(p in EXTRA) && !(p in PROFILES)) {
    console.error(`unknown profile ${p}`)
    process.exit(2)
  }
}

const build = (seed, profile) => {
  const options = { oom: Number(args.oom) }
  if (args.clients) options.clients = Number(args.clients)
  if (args.steps) options.steps = Number(args.steps)
  return profile in EXTRA ? EXTRA[profile](seed, options)
    : makeHistory(seed, profile, options)
}

const hex = bytes => Buffer.from(bytes).toString('hex')

/* The lines that are only in one of the two, and what all lines are below. */
const sayDifference = (want, got) => {
  const a = describeUpdate(want).split('\n')
  const b = describeUpdate(got).split('\n')
  const [inA, inB] = [new Set(a), new Set(b)]
  for (const line of a) {
    if (!inB.has(line)) console.log(`-${line}`)
    else if (!line.startsWith('    ')) console.log(` ${line}`)
  }
  for (const line of b) if (!inA.has(line)) console.log(`+${line}`)
}

const inV1 = bytes => {
  try {
    return Y.convertUpdateFormatV2ToV1(bytes)
  } catch {
    return bytes
  }
}

const report = failure => {
  const { history, step, request, want, got, reason } = failure
  const say = line => console.log(line)
  say(`FAIL seed ${history.seed} profile ${history.profile} ` +
      `gc ${!history.keepDeleted} v2 ${history.v2 ?? false} step ${step} of ${history.updates.length}: ` +
      `${request ? OP_NAMES[request.op] : 'exec'}: ${reason}`)
  history.updates.forEach((update, i) => {
    if (history.updates.length > 30 && i < step - 10) return
    say(` update ${i}: ${hex(update)}`)
    say(describeUpdate(update))
  })
  if (!request) return
  if (request.op === OP.STATE && request.data.length > 0) {
    say(` asked with state vector ${hex(request.data)}`)
  }
  if (request.op === OP.JSON) {
    say(` want ${plainJson(want.json)}`)
    say(` got  ${Buffer.from(got.data).toString()}`)
  } else if (request.op === OP.TOLD) {
    for (const [name, data] of [['want', want.data], ['got', got.data]]) {
      for (const update of toldUpdates(data)) {
        say(` ${name} v1 ${hex(update.v1)} v2 ${hex(update.v2)}`)
        say(describeUpdate(update.v1))
      }
    }
  } else if (want.data) {
    say(` want ${hex(want.data)}`)
    say(` got  ${hex(got.data)} (status ${got.status})`)
    if (request.op === OP.STATE) sayDifference(want.data, got.data)
    if (request.op === OP.STATE_V2 && got.status === 0) {
      sayDifference(...[want.data, got.data].map(inV1))
    }
  }
}

const save = failure => {
  if (!args.save) return
  const { history } = failure
  fs.mkdirSync(args.save, { recursive: true })
  const file = path.join(args.save, `${history.profile}-${history.seed}.json`)
  fs.writeFileSync(file, JSON.stringify({
    ...history,
    probe: failure.probe && hex(failure.probe),
    updates: history.updates?.map(hex)
  }, null, 1) + '\n')
  console.log(` saved as ${file}`)
}

const fromHex = text => new Uint8Array(Buffer.from(text, 'hex'))

/* The same of a history of edits (tests/diff/writes.mjs). */
const examineWrites = async (failure, driver) => {
  if (!args['no-shrink']) {
    failure = await shrinkWrites(failure, driver, Number(args.budget))
  }
  sayWrites(failure, line => console.log(line), describeUpdate)
  save(failure)
}

const check = (history, driver, options) => history.profile === 'edits'
  ? checkWrites(history, driver) : checkHistory(history, driver, options)

const examine = async (failure, driver, options) => {
  if (failure.history.profile === 'edits') {
    return examineWrites(failure, driver)
  }
  const state = [OP.STATE, OP.STATE_V2].includes(failure.request?.op)
  const probe = state && failure.request.data.length
    ? failure.request.data : undefined
  failure = { ...failure, probe }
  if (!args['no-shrink']) {
    const check = (history, probes) =>
      checkHistory(history, driver, { ...options, probes })
    failure = await shrink(failure, check, Number(args.budget))
  }
  report(failure)
  save(failure)
}

const replay = async (file, driver) => {
  const saved = JSON.parse(fs.readFileSync(file, 'utf8'))
  const history = { ...saved, updates: saved.updates?.map(fromHex) }
  const probes = saved.probe ? [fromHex(saved.probe)] : []
  const options = { lenient: optionsFor(saved).lenient }
  const failure = await check(history, driver, { ...options, probes })
  if (failure === null || failure.reason === undefined) return true
  await examine(failure, driver, options)
  return false
}

const optionsFor = ({ profile, odd }) =>
  ({ oom: Number(args.oom), lenient: profile === 'raw' || odd })

/* Starts all histories of one seed: what the driver is asked of them travels
 * while those of the next seed are made. */
const startSeed = (seed, driver) => profiles.map(profile => {
  const history = build(seed, profile)
  return { history, result: check(history, driver, optionsFor(history)) }
})

class Counts {
  constructor () {
    this.passed = this.failed = this.refused = this.skipped = this.updates = 0
    this.said = Date.now()
  }

  add (history, result) {
    this.updates += (history.updates ?? history.steps).length
    this.passed++
    if (result?.refused) this.refused++
    if (result?.skipped) this.skipped++
  }

  /* one line now and then, which tests/diff/long.mjs adds up: the seeds of
   * this part below `seed` are done */
  progress (seed, every) {
    if (Date.now() - this.said < every * 1000) return
    this.said = Date.now()
    console.log(`progress seed ${seed} passed ${this.passed} ` +
      `failed ${this.failed} updates ${this.updates}`)
  }
}

const finishSeed = async (started, driver, count) => {
  for (const { history, result } of started) {
    const options = optionsFor(history)
    let outcome = await result
    /* whoever made the driver die took others along: each again by itself */
    if (outcome?.died) outcome = await check(history, driver, options)
    if (outcome?.reason === undefined) {
      count.add(history, outcome)
      continue
    }
    count.failed++
    await examine(outcome, driver, options)
    if (count.failed >= Number(args['max-failures'])) return false
  }
  return true
}

/* The seeds of our part: runs of those that share their clients. */
const ownSeeds = function * () {
  const [part, parts] = args.part.split('/').map(Number)
  const start = Number(args.start)
  for (let seed = start; seed < start + Number(args.seeds); seed++) {
    const run = Math.floor(seed / DELIVERIES) - Math.floor(start / DELIVERIES)
    if (run % parts === part) yield seed
  }
}

const runAll = async driver => {
  const count = new Counts()
  let started = []
  for (const seed of [...ownSeeds(), null]) {
    const next = seed === null ? [] : startSeed(seed, driver)
    if (!await finishSeed(started, driver, count)) {
      console.log('too many failures, stopping')
      await Promise.all(next.map(entry => entry.result))
      break
    }
    started = next
    if (seed !== null && args.progress) {
      count.progress(seed, Number(args.progress))
    }
  }
  return count
}

/* Yjs logs what it finds strange in hostile updates; one line each is kept
 * out of the way of the report. */
const quiet = () => {
  for (const name of ['log', 'error', 'warn', 'info', 'debug']) {
    const real = console[name].bind(console)
    console[name] = (...a) => {
      const ours = name === 'log' && !String(a[0]).includes('[yjs]')
      if (ours || process.env.DIFF_VERBOSE) real(...a)
    }
  }
}

const main = async () => {
  if (args['self-test']) {
    quiet()
    return await selfTest() ? 0 : 1
  }
  if (!args.driver) {
    console.error('--driver PATH is needed')
    return 2
  }
  fs.accessSync(args.driver, fs.constants.X_OK)
  quiet()
  const driver = new Driver(path.resolve(args.driver))
  let count
  if (args.replay) {
    const ok = await replay(args.replay, driver)
    count = { passed: ok ? 1 : 0, failed: ok ? 0 : 1, updates: 0 }
  } else {
    count = await runAll(driver)
    console.log(`seeds ${args.start} to ` +
      `${Number(args.start) + Number(args.seeds) - 1}, profiles ` +
      `${profiles.join(' ')}, ${count.updates} updates, hostile: ` +
      `${count.refused} refused by libyjs, ${count.skipped} by yjs`)
  }
  driver.close()
  console.log(`${count.passed} passed, ${count.failed} failed`)
  return count.failed === 0 ? 0 : 1
}

process.exitCode = await main()
