/* SPDX-License-Identifier: MIT */
/*
 * make bench: runs every scenario against roomd, and against nchan where it
 * can be compared, and writes docs/PERFORMANCE.md with its pictures: about
 * 25 minutes, five runs of most (BENCH_RUNS=N: others). BENCH=quick takes
 * about three, one smaller run of each, and writes below the build tree.
 * Repetitions go round by round, so that what disturbs the machine for a while
 * disturbs all figures alike.
 *
 *   run.mjs [--only NAME,NAME] [--growth NAME,NAME] [--report] [--out FOLDER]
 *
 * --report writes the documents again from the results of the last run, which
 * are kept in the build tree. With --only, nothing is written but these;
 * --growth measures rows of that table anew and puts them beside the last run.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import {
  scenarios, growth, growthFigures, ramp, crowd, allocators
} from './scenarios.mjs'
import {
  startRoomd, startNchan, stop, load, runJson, program, paths, haveNchan,
  nchanVersion, findLibrary
} from './servers.mjs'
import { flame, havePerf } from './flame.mjs'
import { budget, haveCallgrind } from './budget.mjs'
import { report } from './report.mjs'

const quick = process.env.BENCH === 'quick'
const RUNS = quick ? 1 : +(process.env.BENCH_RUNS || 5)
const option = name => {
  const at = process.argv.indexOf(name)
  return at < 0 ? null : process.argv[at + 1]
}
const only = option('--only')?.split(',')
const grown = option('--growth')?.split(',')
const out = path.resolve(option('--out') || (quick
  ? path.join(paths.buildDir, 'tests', 'bench', 'quick')
  : path.join(paths.sourceDir, 'docs')))
const keep = path.join(paths.buildDir, 'tests', 'bench', 'results.json')
const began = Date.now()

const say = text => console.log(
  `${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`)

/* The last value of an argument counts. */
const args = (s, more) => more ? [...s.args, ...more] : s.args

async function once (which, list, settings, seconds) {
  const server = await (which === 'nchan' ? startNchan() : startRoomd({ settings }))
  const wire = which === 'nchan' ? ['--wire', 'nchan'] : []
  try {
    return await load(server, [...list, ...wire], seconds)
  } finally {
    await stop(server)
  }
}

/* A run that fails is told and left out; it does not end the others. */
async function attempt (name, job) {
  try {
    return await job()
  } catch (error) {
    say(`${name}: FAILED: ${error.message}`)
    failures.push(`${name}: ${error.message.split('\n')[0]}`)
    return null
  }
}

const failures = []

function brief (r) {
  if (!r) return ''
  const parts = []
  if (r.deliveries_per_cpu_s) {
    parts.push(`${Math.round(r.deliveries_per_cpu_s)} deliveries/CPU s`,
      `p99 ${r.p99_ms} ms`)
  } else {
    parts.push(`${Math.round(r.bytes_per_connection)} bytes each`,
      `${Math.round(r.connect_rate)} joins/s`)
  }
  if (r.lost) parts.push(`${r.lost} LOST`)
  return parts.join(', ')
}

async function runScenarios (results) {
  for (let round = 0; round < RUNS; round++) {
    for (const [name, s] of Object.entries(scenarios)) {
      if ((only && !only.includes(name)) || round >= (s.runs || RUNS)) continue
      if (quick && s.quick === null) continue
      for (const which of s.servers || ['roomd']) {
        if (which === 'nchan' && (!haveNchan || round >= (s.nchan || RUNS))) {
          continue
        }
        const r = await attempt(`${name} ${which}`, () =>
          once(which, args(s, quick && s.quick), s.settings || [], s.seconds))
        if (r) ((results[name] ||= {})[which] ||= []).push(r)
        say(`${round + 1}/${RUNS} ${name} ${which}: ${brief(r)}`)
      }
    }
  }
}

async function runGrowth (results) {
  for (const [name, g] of Object.entries(growth)) {
    if (grown && !grown.includes(name)) continue
    for (const figure of Object.keys(growthFigures(name))) delete results[figure]
    for (const [i, [size, list]] of g.steps.entries()) {
      const r = await attempt(`growth ${name} ${size}`, () =>
        once('roomd', list, g.settings || []))
      if (!r) continue
      for (const [figure, f] of Object.entries(growthFigures(name))) {
        const value = f.value ? f.value(r, 2 ** i) : r[f.field]
        ;(results[figure] ||= []).push({ size, value })
        say(`growth ${figure} ${size}: ${value.toPrecision(4)} ${f.unit}`)
      }
    }
  }
}

async function runLines (results) {
  for (const which of haveNchan ? ['roomd', 'nchan'] : ['roomd']) {
    results.ramp[which] = []
    results.crowd[which] = []
    for (const rate of quick ? ramp.quick : ramp.rates) {
      const r = await attempt(`ramp ${which} ${rate}`, () => once(which,
        [...ramp.args, '--rate', rate * 10, '--seconds', 1.5], []))
      if (r) results.ramp[which].push({ rate, ...r })
      say(`ramp ${which} ${rate}/s a room: ${brief(r)}`)
    }
    for (const count of quick ? crowd.quick : crowd.counts) {
      const r = await attempt(`crowd ${which} ${count}`, () => once(which,
        ['--connections', count, ...crowd.args], []))
      if (r) results.crowd[which].push({ count, ...r })
      say(`crowd ${which} ${count}: ${brief(r)}`)
    }
  }
}

async function runAllocators (results) {
  for (let round = 0; round < allocators.loads; round++) {
    for (const [name, library] of Object.entries(allocators.libraries)) {
      const preload = library && findLibrary(library)
      if (library && !preload) continue
      const one = async list => {
        const server = await startRoomd(
          { settings: allocators.settings, preload })
        try {
          return await load(server, list)
        } finally {
          await stop(server)
        }
      }
      const all = results[name] ||= { loads: [] }
      if (round === 0) {
        all.memory = await attempt(`allocator ${name}`,
          () => one(allocators.args))
        say(`allocator ${name}: ${brief(all.memory)}`)
      }
      const r = await attempt(`allocator ${name}`, () => one(allocators.load))
      if (r) all.loads.push(r)
      say(`${round + 1}/${allocators.loads} allocator ${name}: ${brief(r)}`)
    }
  }
}

/* What the kernel alone takes, and the inner loops, each time in a row. */
async function runPrograms (results) {
  for (let round = 0; round < RUNS; round++) {
    const floor = (...list) => runJson(program('floor'), list.map(String))
    results.floor.push({
      paced: await floor(1000, 145, 1, 99, 8000, 1),
      small: await floor(1000, 145, 1, 4, 150, 1),
      busy: await floor(1000, 145, 1, 4, 20, 1),
      saturated: await floor(1000, 145, 0.5, 99, 0, 16)
    })
    results.micro.push(await runJson(program('micro'), []))
    say(`floor ${JSON.stringify(results.floor.at(-1))} ` +
      `micro ${JSON.stringify(results.micro.at(-1))}`)
  }
}

async function runFlames (results) {
  if (!havePerf) return
  const flames = {
    fanout: [[...scenarios['fanout-saturated'].args],
      'saturated fan-out, 10 rooms of 100'],
    rooms: [[...scenarios['rooms-all'].args],
      '200 rooms of 5, 20 messages/s from each member']
  }
  for (const [name, [list, title]] of Object.entries(flames)) {
    results.flames[name] = await attempt(`flame ${name}`, () =>
      flame(list, title, path.join(out, `flame-${name}.svg`)))
    say(`flame graph ${name}: ${JSON.stringify(results.flames[name])}`)
  }
}

function command (name, list) {
  const r = spawnSync(name, list, { encoding: 'utf8', cwd: paths.sourceDir })
  return r.status === 0 ? r.stdout.trim() : ''
}

function machine () {
  const release = fs.readFileSync('/etc/os-release', 'utf8')
  return {
    cpu: os.cpus()[0].model,
    cores: os.cpus().length,
    memory_gib: os.totalmem() / 2 ** 30,
    kernel: os.release(),
    system: /PRETTY_NAME="?([^"\n]*)/.exec(release)[1],
    congestion: fs.readFileSync(
      '/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim(),
    compiler: command('gcc', ['--version']).split('\n')[0],
    nchan: haveNchan ? nchanVersion() : '',
    commit: command('git', ['log', '-1', '--format=%h %cs']),
    date: new Date().toISOString().slice(0, 16).replace('T', ' ')
  }
}

async function measure () {
  const results = {
    quick,
    runs: RUNS,
    machine: machine(),
    load_before: os.loadavg()[0],
    scenarios: {},
    growth: {},
    ramp: {},
    crowd: {},
    floor: [],
    micro: [],
    flames: {},
    allocators: {},
    failures
  }
  fs.mkdirSync(out, { recursive: true })
  await runScenarios(results.scenarios)
  if (!only) {
    await runPrograms(results)
    await runLines(results)
    if (!quick) {
      await runGrowth(results.growth)
      await runAllocators(results.allocators)
      await attempt('flames', () => runFlames(results))
    }
    if (haveCallgrind) results.budget = await attempt('budget', budget)
  }
  results.load_after = os.loadavg()[0]
  results.minutes = (Date.now() - began) / 60000
  return results
}

let results
if (process.argv.includes('--report') || grown) {
  results = JSON.parse(fs.readFileSync(keep, 'utf8'))
  if (grown) await runGrowth(results.growth)
} else {
  results = await measure()
}
if (!process.argv.includes('--report')) {
  fs.writeFileSync(keep, JSON.stringify(results, null, 1))
}
const text = report(results, out, !only)
console.log(text)
if (!only) console.log(`written: ${path.join(out, 'PERFORMANCE.md')}`)
process.exit(failures.length ? 1 : 0)
