/* SPDX-License-Identifier: MIT */
/*
 * libyjs beside npm yjs in one run: a trace of one-edit updates, the workloads
 * B1 to B3, inserts at random places of a big document. A readable table, then
 * one line of JSON. Whatever both make is compared byte by byte.
 *
 *   node --expose-gc bench-yjs.mjs --yjs TOOL --edits PROGRAM --dir SCRATCH
 *        [--updates 260000] [--n 6000] [--runs 21] [--rounds 11] [--seed 1]
 *        [--write FILE]
 *
 * The trace is measured in turns, libyjs and then npm yjs: a machine that is
 * slow for some seconds is slow for both. A ratio is the median of the turns'.
 */
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Y } from '../diff/npm.mjs'
import { encodeLog, makeTrace } from './trace.mjs'
import { makeWorkloads } from './workloads.mjs'
import * as m from './measure.mjs'
import { writeSection } from './section.mjs'

const args = { updates: 260000, n: 6000, runs: 21, rounds: 11, seed: 1 }
for (let i = 2; i < process.argv.length; i += 2) {
  args[process.argv[i].slice(2)] = process.argv[i + 1]
}
for (const k of ['updates', 'n', 'runs', 'rounds', 'seed']) {
  args[k] = Number(args[k])
}
fs.mkdirSync(args.dir, { recursive: true })

const file = name => path.join(args.dir, name)
const tool = (...argv) =>
  execFileSync(args.yjs, argv, { maxBuffer: 1 << 30 })
const bench = (...argv) => JSON.parse(tool('bench', ...argv))
const say = text => process.stderr.write(`${text}\n`)

let wrong = 0
const compare = (what, a, b) => {
  if (Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0) return
  say(`${what}: libyjs and npm yjs differ`)
  wrong++
}

/* ------------------------------------------------------------- the trace */

const MERGED = 2000 // npm's merge is quadratic: only so many are merged by it

const benchTrace = () => {
  say(`trace: ${args.updates} updates, seed ${args.seed}`)
  const { updates, state } = makeTrace(args.seed, args.updates)
  const few = updates.slice(0, MERGED)
  fs.writeFileSync(file('trace.log'), encodeLog(updates))
  fs.writeFileSync(file('trace.few'), encodeLog(few))
  fs.writeFileSync(file('trace.doc'), state)
  compare('trace', tool('log', file('trace.log')), state)
  const doc = m.load([state])
  const sv = Y.encodeStateVector(doc)
  const half = new Map([...Y.decodeStateVector(sv)]
    .map(([client, clock]) => [client, clock >> 1]))
  const halfVector = Y.encodeStateVector(half)
  const { runs } = args
  const turn = () => {
    const c = bench('--log', file('trace.log'), '--doc', file('trace.doc'),
      '--runs', `${runs}`)
    const cFew = bench('--log', file('trace.few'), '--runs', `${runs}`)
    const npm = {
      apply_doc: m.measure(runs, () => m.load([state])),
      apply_log: m.measure(3, () => m.load(updates)),
      encode: m.measure(runs, () => Y.encodeStateAsUpdate(doc)),
      diff: m.measure(runs, () => Y.encodeStateAsUpdate(doc, halfVector)),
      state_vector: m.measure(runs, () => Y.encodeStateVector(doc)),
      merge_few: m.measure(3, () => Y.mergeUpdates(few)),
      bytes_per_doc: m.heapOf(state),
      bytes_empty: m.heapOfEmpty()
    }
    return { c: { ...c, merge_few: cFew.merge_log }, npm }
  }
  return Array.from({ length: args.rounds }, (_, i) => {
    say(`trace: turn ${i + 1} of ${args.rounds}`)
    return turn()
  })
}

const TARGETS = {
  apply_doc: ['load the document', 10],
  apply_log: ['apply the log one by one', 20],
  encode: ['encode the full state', 40],
  diff: ['encode for a peer with half', null],
  state_vector: ['encode the state vector', null],
  merge_few: [`merge ${MERGED} updates`, null],
  merge_log: ['merge the whole log', null],
  bytes_per_doc: ['heap of the document, kB', null],
  bytes_empty: ['heap of an empty one, kB', null]
}

const traceTable = turns => m.table(
  ['', 'libyjs', 'npm yjs', 'ratio', 'lowest to highest', 'target'],
  Object.entries(TARGETS).map(([key, [name, target]]) => {
    const unit = key.startsWith('bytes') ? 1e3 : 1
    const a = m.median(turns.map(t => t.c[key])) / unit
    const goal = { merge_log: '200 ms', bytes_per_doc: '1100 kB',
      bytes_empty: '1 kB' }[key] ?? (target ? `${target}x` : '')
    if (!turns[0].npm[key]) return [name, m.show(a), '-', '-', '-', goal]
    const b = m.median(turns.map(t => t.npm[key])) / unit
    const ratios = turns.map(t => t.npm[key] / t.c[key])
    return [name, m.show(a), m.show(b), `${m.show(m.median(ratios))}x`,
      `${m.show(Math.min(...ratios))} to ${m.show(Math.max(...ratios))}`, goal]
  }))

/* ------------------------------------------------------------- workloads */

const editRun = (name, setup, runs) => {
  const argv = ['--ops', file(`${name}.ops`), '--runs', `${runs}`,
    '--clients', m.CLIENTS.join(','), '--out', file(`${name}.state`)]
  if (setup) argv.push('--setup', file(`${name}.setup`))
  const out = JSON.parse(execFileSync(args.edits, argv))
  return { ms: out.ms, state: fs.readFileSync(file(`${name}.state`)) }
}

const benchWorkload = workload => {
  const { name, mode } = workload
  const runs = Math.min(args.runs, 5)
  const setup = m.setupOf(workload)
  const first = m.run(workload, setup)
  const npm = m.median(Array.from({ length: 3 },
    () => m.run(workload, setup).ms))
  const log = setup ? [setup, ...first.updates] : first.updates
  fs.writeFileSync(file(`${name}.log`), encodeLog(log))
  compare(`${name}, received`, tool('log', file(`${name}.log`)),
    Y.encodeStateAsUpdate(m.load(log)))
  if (setup) fs.writeFileSync(file(`${name}.setup`), setup)
  const row = { name, about: workload.about, npm, bytes: first.state.length }
  if (mode === 'many') {
    row.c = bench('--log', file(`${name}.log`), '--runs', `${runs}`).apply_log
  } else if (args.edits) {
    fs.writeFileSync(file(`${name}.ops`), m.encodeOps(workload))
    const { ms, state } = editRun(name, setup, runs)
    compare(`${name}, edited`, state, first.state)
    row.c = ms
  }
  row.ratio = row.c ? row.npm / row.c : null
  return row
}

const workloadTable = rows => m.table(
  ['', 'what', 'libyjs ms', 'npm yjs ms', 'ratio'],
  rows.map(r => [r.name, r.about, m.show(r.c), m.show(r.npm),
    r.ratio ? `${m.show(r.ratio)}x` : '-']))

/* ------------------------------------------------------------------ main */

const trace = benchTrace()
const rows = []
for (const w of makeWorkloads(args.n)) {
  say(`${w.name}: ${w.about}`)
  rows.push(benchWorkload(w))
}
const slower = rows.filter(r => r.ratio !== null && r.ratio < 1)
const quick = rows.filter(r => r.ratio >= 5)
const text = `\
One run on ${os.cpus()[0].model.trim()}, node ${process.version}, npm yjs \
13.6.33; medians of ${args.runs} runs in each of ${args.rounds} turns,
milliseconds unless it says otherwise. The trace: seed ${args.seed}, \
${trace[0].c.updates} one-edit updates of 6
authors; the document they make is an update of \
${Math.round(trace[0].c.update_bytes / 1e3)} kB in ${trace[0].c.structs} structs.

${traceTable(trace)}

crdt-benchmarks' workloads, N = ${args.n}: the local edits, and their updates
applied by the other document (B3: updates applied).

${workloadTable(rows)}

${quick.length} of ${rows.length} at least five times as fast as npm yjs, \
${slower.length} slower.
`
console.log(text)
console.log(JSON.stringify({ trace, workloads: rows, wrong }))
if (args.write) writeSection(args.write, 'bench-yjs', text)
process.exit(wrong > 0 || slower.length > 0 ? 1 : 0)
