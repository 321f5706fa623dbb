/* SPDX-License-Identifier: MIT */
/* docs/PERFORMANCE.md and its pictures, from the results of a run and the
 * words of tests/bench/notes.md. The targets stand here, once. */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { plot } from './plot.mjs'
import { scenarios, growth, growthFigures } from './scenarios.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))

const median = list => {
  const sorted = [...list].sort((a, b) => a - b)
  return sorted.length ? sorted[Math.floor(sorted.length / 2)] : NaN
}

function format (value) {
  if (value === undefined || Number.isNaN(value)) return '-'
  if (Math.abs(value) >= 1000) {
    return Math.round(value).toLocaleString('en-US')
  }
  return String(+value.toPrecision(3))
}

const cell = text => String(text).replace(/\|/g, '\\|')
const table = (head, rows) => [
  `| ${head.join(' | ')} |`,
  `|${head.map((_, i) => i ? '---:' : '---').join('|')}|`,
  ...rows.map(row => `| ${row.map(cell).join(' | ')} |`)
].join('\n')

/* Figures of one scenario: `figure` is a field or a function of a run. */
function of (results, name, figure, which = 'roomd') {
  const runs = results.scenarios[name]?.[which] || []
  const take = typeof figure === 'function' ? figure : r => r[figure]
  return runs.map(take).filter(v => Number.isFinite(v))
}

const CPU = 'deliveries_per_cpu_s'
const leftPercent = r => 100 * (r.pss_joined_kib - r.pss_left_kib) /
  (r.pss_joined_kib - r.pss_start_kib)
const perSession = r => r.bytes_per_connection

/*
 * Each target: what, the words of the goal, scenario, figure, and what decides:
 * a number that must be reached (more) or kept (less), or a multiple of
 * nchan's figure in the same run.
 */
const targets = [
  ['Fan-out 10 x 100, saturated: deliveries per CPU s', 'at least 2.5 x nchan',
    'fanout-saturated', CPU, { timesNchan: 2.5 }],
  ['the same, absolute', 'about 450,000', 'fanout-saturated', CPU,
    { more: 450000 }],
  ['Fan-out 10 x 100 at 10 messages/s a room', 'at least 1.5 x nchan',
    'fanout-10', CPU, { timesNchan: 1.5 }],
  ['its p99, ms', 'under 1.5', 'fanout-10', 'p99_ms', { less: 1.5 }],
  ['200 rooms x 5, one member sends 20/s', '120,000 (6 x Phoenix)',
    'rooms-one', CPU, { more: 120000 }],
  ['200 rooms x 5, each member sends 20/s', '120,000 (6 x Phoenix)',
    'rooms-all', CPU, { more: 120000 }],
  ['One-to-one echo, 10/s in each of 500 rooms: updates per CPU s', '-',
    'echo-10', 'updates_per_cpu_s', {}],
  ['the same, saturated', '-', 'echo-saturated', 'updates_per_cpu_s', {}],
  ['JSON `update`, saturated', '224,000 (8 x Phoenix)', 'json-saturated', CPU,
    { more: 224000 }],
  ['Memory of an idle WebSocket, 100 a room, bytes', 'at most 3,072',
    'memory-100', 'bytes_per_connection', { less: 3072 }],
  ['with a room and document of its own, at rest, bytes', 'at most 4,608',
    'memory-own', 'bytes_per_connection', { less: 4608 }],
  ['the same while the document is open, bytes', '-', 'memory-own-open',
    'bytes_per_connection', {}],
  ['Memory of a parked long-poll session, bytes', 'at most 5,120',
    'longpoll-5000', perSession, { less: 5120 }],
  ['No connection: PSS, KiB', 'under 8,192', 'idle-empty', 'pss_start_kib',
    { less: 8192 }],
  ['No connection: RSS with all shared libraries, KiB', 'under 8,192',
    'idle-empty', 'rss_start_kib', { less: 8192 }],
  ['Memory given back after 10,000 left, %', 'at least 90',
    'memory-100', leftPercent, { more: 90 }],
  ['seconds until then', '-', 'memory-100', 'left_s', {}],
  ['Connect + join, per second', 'at least 10,000', 'connect',
    'connect_rate', { more: 10000 }],
  ['Connect + join, per CPU second of the server', '-', 'connect',
    r => r.connections / r.connect_cpu_s, {}],
  ['15,000 held at 2,000 joins/s: p99 join, ms', 'under 50', 'connect-paced',
    'join_p99_ms', { less: 50 }],
  ['50,000 rooms resident, a member each: bytes each', 'at most 2,048',
    'rooms-resident', 'bytes_per_room', { less: 2048 }],
  ['CPU over 50,000 idle rooms, % of a core', 'as over none',
    'rooms-resident', 'idle_cpu_percent', { idle: true }],
  ['Long-poll 5,000 in 50 rooms: deliveries per CPU s',
    '22,000 (20 x Phoenix)', 'longpoll-5000', CPU, { more: 22000 }],
  ['its p99, ms', 'under 20', 'longpoll-5000', 'p99_ms', { less: 20 }],
  ['Long-poll 990 in 10 rooms at 1/s', '22,000 (20 x Phoenix)',
    'longpoll-990-1', CPU, { more: 22000 }],
  ['Long-poll 990 in 10 rooms at 10/s', '154,000 (20 x Phoenix)',
    'longpoll-990-10', CPU, { more: 154000 }]
]

function reached (results, rule, value, nchan) {
  if (!Number.isFinite(value)) return 'not measured'
  let yes
  if (rule.more) yes = value >= rule.more
  else if (rule.less) yes = value <= rule.less
  else if (rule.timesNchan) {
    if (!Number.isFinite(nchan)) return 'not measured'
    yes = value >= rule.timesNchan * nchan
  } else if (rule.idle) {
    const empty = median(of(results, 'idle-empty', 'idle_cpu_percent'))
    yes = value < empty + 0.1
  } else return '-'
  return yes ? 'reached' : '**not reached**'
}

function targetTable (results) {
  return table(['figure', 'to reach', 'roomd', 'runs', 'lowest to highest',
    'nchan', 'ratio', ''], targets.map(([what, goal, name, figure, rule]) => {
    const ours = of(results, name, figure)
    const theirs = of(results, name, figure, 'nchan')
    const value = median(ours)
    const other = median(theirs)
    const empty = median(of(results, 'idle-empty', 'idle_cpu_percent'))
    const words = rule.idle ? `${goal}: ${format(empty)}, and 0.1` : goal
    return [what, words, format(value), ours.length || '-',
      ours.length > 1
        ? `${format(Math.min(...ours))} to ${format(Math.max(...ours))}`
        : '-',
      format(other),
      other > 0 ? (value / other).toFixed(2) : '-',
      reached(results, rule, value, other)]
  }))
}

/* The micro-benchmarks have targets as well. */
function microTable (results) {
  const rows = [['JSON array of integers to bytes, MB/s', 'decode_mb_s', 500],
    ['bytes to a JSON array, MB/s', 'encode_mb_s', 500],
    ['whole `update` frames, MB/s', 'frame_mb_s', null],
    ['whole `update` frames of 120 bytes, per CPU s', 'frames_per_cpu_s', null]]
  return table(['figure', 'to reach', 'measured', ''], rows.map(
    ([what, field, goal]) => {
      const value = median(results.micro.map(r => r[field]))
      return [what, goal || '-', format(value), goal
        ? value >= goal ? 'reached' : '**not reached**'
        : '-']
    }))
}

const columns = [
  ['deliveries/s', 'deliveries_per_s'], ['per CPU s', CPU],
  ['updates per CPU s', 'updates_per_cpu_s'],
  ['CPU %', 'cpu_percent'], ['p50 ms', 'p50_ms'], ['p99 ms', 'p99_ms'],
  ['p99.9 ms', 'p999_ms'], ['lost', 'lost'],
  ['PSS MiB', r => r.pss_end_kib / 1024],
  ['own CPU %', 'bench_cpu_percent']]

function detail (results, names) {
  const rows = []
  for (const name of names) {
    for (const which of scenarios[name]?.servers || ['roomd']) {
      if (!of(results, name, 'connections', which).length) continue
      rows.push([`${name}, ${which}`, ...columns.map(([, figure]) =>
        format(median(of(results, name, figure, which))))])
    }
  }
  return table(['', ...columns.map(c => c[0])], rows)
}

function joins (results, names) {
  const figures = [['joins/s', 'connect_rate'],
    ['joins per CPU s', r => r.connections / r.connect_cpu_s],
    ['p50 ms', 'join_p50_ms'], ['p99 ms', 'join_p99_ms'],
    ['bytes each', 'bytes_per_connection'],
    ['PSS MiB', r => r.pss_joined_kib / 1024]]
  const rows = []
  for (const name of names) {
    for (const which of scenarios[name].servers || ['roomd']) {
      if (!of(results, name, 'connections', which).length) continue
      rows.push([`${name}, ${which}`, ...figures.map(([, figure]) =>
        format(median(of(results, name, figure, which))))])
    }
  }
  return table(['', ...figures.map(f => f[0])], rows)
}

function growthTable (results) {
  const figures = Object.keys(growth).flatMap(name =>
    Object.entries(growthFigures(name)))
  return table(['figure', 'unit', '1x', '2x', '4x', '8x', '8x to 1x'],
    figures.filter(([name]) => results.growth[name]?.length)
      .map(([name, g]) => {
        const steps = results.growth[name]
        const cells = [0, 1, 2, 3].map(i => steps[i]
          ? `${format(steps[i].value)} (${steps[i].size})`
          : '-')
        return [name, g.unit, ...cells, steps.length > 1
          ? (steps.at(-1).value / steps[0].value).toFixed(2)
          : '-']
      }))
}

function floorTable (results) {
  const value = figure => median(results.floor.map(figure))
  const best = name => Math.max(value(r => r[name].send_per_cpu_s),
    value(r => r[name].sendmsg_per_cpu_s))
  const nchan = median(of(results, 'fanout-10', CPU, 'nchan'))
  const rows = [
    ['one message a send, 99 sends, a pause of 8 ms', best('paced'),
      'fanout-10', 1.5 * nchan],
    ['the same', best('paced'), 'longpoll-990-10', 154000],
    ['one message a send, 4 sends, a pause of 0.15 ms', best('small'),
      'rooms-one', 120000],
    ['one message a send, 4 sends, a pause of 0.02 ms', best('busy'),
      'rooms-all', 120000],
    ['16 messages a send, without pause',
      value(r => r.saturated.sendmsg_per_cpu_s), 'fanout-saturated', 450000]]
  return table(['bare sends of 145 bytes', 'per CPU s', 'to reach',
    'of the floor', 'roomd', 'of the floor'],
  rows.map(([what, floor, name, goal]) => {
    const ours = median(of(results, name, CPU))
    const share = v => Number.isFinite(v / floor)
      ? `${Math.round(100 * v / floor)} %`
      : '-'
    return [`${what}: ${name}`, format(floor), format(goal), share(goal),
      format(ours), share(ours)]
  }))
}

function budgetTable (budget) {
  const kinds = Object.keys(budget)
  const rows = Object.keys(budget[kinds[0]].parts).map(part =>
    [part, ...kinds.map(kind => format(budget[kind].parts[part]))])
  rows.push(['**sum**', ...kinds.map(kind => format(budget[kind].total))])
  rows.push(['per delivery', ...kinds.map(kind =>
    format(budget[kind].total / budget[kind].receivers))])
  return table(['instructions of one update', ...kinds], rows)
}

function allocatorTable (results) {
  return table(['allocator', 'bytes a connection', 'given back, %',
    'left, MiB', 'saturated fan-out, per CPU s', 'lowest to highest'],
  Object.entries(results.allocators).map(([name, { memory, loads }]) => {
    const speeds = loads.map(r => r[CPU])
    return [name, format(memory?.bytes_per_connection),
      format(memory ? leftPercent(memory) : NaN),
      format(memory?.pss_left_kib / 1024), format(median(speeds)),
      `${format(Math.min(...speeds))} to ${format(Math.max(...speeds))}`]
  }))
}

function flameText (results) {
  const rows = Object.entries(results.flames).filter(([, s]) => s).map(
    ([name, s]) => [`[${name}](flame-${name}.svg)`,
      ...['kernel', 'roomd', 'library', 'libc'].map(part =>
        `${Math.round(100 * s[part])} %`)])
  return rows.length
    ? table(['flame graph', 'kernel', 'roomd', 'lws, libuv, MHD', 'libc'],
      rows)
    : 'Not drawn in this run.'
}

/* Sections "## name" of the notes. */
function notes () {
  const text = fs.readFileSync(path.join(here, 'notes.md'), 'utf8')
  const parts = {}
  for (const part of text.split(/^## /m).slice(1)) {
    const end = part.indexOf('\n')
    parts[part.slice(0, end).trim()] = part.slice(end).trim()
  }
  return parts
}

function plots (results, out) {
  const names = ['roomd', 'nchan'].filter(n => results.ramp[n]?.length)
  const lines = (from, x, figures) => names.flatMap(name =>
    figures.map(([label, figure]) => ({
      name: `${name}${label}`,
      points: results[from][name].map(r => [r[x], figure(r)])
    })))
  fs.writeFileSync(path.join(out, 'latency.svg'), plot({
    title: 'Latency, 10 rooms of 100',
    x: 'messages a second in each room',
    y: 'milliseconds',
    log: true,
    lines: lines('ramp', 'rate', [[' p99', r => r.p99_ms],
      [' p50', r => r.p50_ms]])
  }))
  fs.writeFileSync(path.join(out, 'memory.svg'), plot({
    title: 'Memory, idle WebSockets, rooms of 50',
    x: 'connections',
    y: 'PSS, MiB',
    lines: lines('crowd', 'count', [['', r => r.pss_joined_kib / 1024]])
  }))
  fs.writeFileSync(path.join(out, 'cpu.svg'), plot({
    title: 'Server CPU, 10 rooms of 100',
    x: 'messages a second in each room',
    y: '% of a core',
    lines: lines('ramp', 'rate', [['', r => r.cpu_percent]])
  }))
}

function head (results) {
  const m = results.machine
  return `# Performance

Made by \`make bench\` on ${m.date} UTC from commit ${m.commit}; do not edit.
${results.quick
    ? 'A quick run: one run of each, smaller than the standard one.'
    : `Medians of ${results.runs} runs where nothing else is said, each ` +
      'against a\nfresh server; of nchan three, of growth and pictures one.'}

${table(['machine', ''], [
    ['processor', `${m.cores} x ${m.cpu}`],
    ['memory', `${m.memory_gib.toFixed(1)} GiB`],
    ['system', `${m.system}, Linux ${m.kernel}, TCP ${m.congestion}`],
    ['compiler', m.compiler],
    ['beside', m.nchan || 'nothing: nchan is not installed'],
    ['load average', `${results.load_before.toFixed(2)} before, ` +
      `${results.load_after.toFixed(2)} after`],
    ['took', `${results.minutes.toFixed(1)} minutes`]])}
`
}

export function report (results, out, write) {
  const note = notes()
  const many = !results.only && results.floor.length > 0
  const parts = [head(results), note.method,
    '## What was to be reached', note.targets, targetTable(results)]
  if (many) parts.push(microTable(results))
  parts.push('## Fan-out', detail(results, ['fanout-saturated', 'fanout-10',
    'json-saturated', 'json-10', 'v1-saturated']))
  if (many) {
    parts.push('### The floor', note.floor, floorTable(results),
      '![latency](latency.svg)', '![CPU](cpu.svg)')
  }
  parts.push('## Small rooms and echo', detail(results, ['rooms-one',
    'rooms-all', 'rooms-saturated', 'echo-10', 'echo-saturated']))
  if (results.budget) {
    parts.push('### The budget of an inbound message', note.budget,
      budgetTable(results.budget))
  }
  parts.push('## Memory and connecting', note.memory, joins(results,
    ['memory-100', 'memory-own', 'memory-own-open', 'rooms-resident', 'connect',
      'connect-paced']))
  if (many) parts.push('![memory](memory.svg)')
  if (Object.keys(results.allocators).length > 1) {
    parts.push('### Which allocator', note.allocators,
      allocatorTable(results))
  }
  parts.push('## Long-poll', note.longpoll, detail(results, ['longpoll-5000',
    'longpoll-990-1', 'longpoll-990-10']),
  '## Extremes', note.extremes, detail(results, ['hot-room',
    'hot-room-max', 'large-document', 'large-document-max', 'rooms-1000-10', 'rooms-1000-25', 'rooms-1000-50',
    'rooms-1000-max']), joins(results, ['hot-room', 'large-document']))
  if (many) {
    if (Object.keys(results.growth).length) {
      parts.push('## Growth', note.growth, growthTable(results))
    }
    parts.push('## Where the time goes', flameText(results), note.kernel)
  }
  parts.push('## Left out', note.dropped)
  if (results.failures.length) {
    parts.push('## Failed in this run', results.failures.map(f => `- ${f}`)
      .join('\n'))
  }
  const text = parts.filter(Boolean).join('\n\n') + '\n'
  if (write) {
    plots(results, out)
    fs.writeFileSync(path.join(out, 'PERFORMANCE.md'), text)
  }
  return text
}
