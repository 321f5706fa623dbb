/* SPDX-License-Identifier: MIT */
/*
 * How long npm yjs takes, and how the numbers of a run are shown.
 *
 * A time here is the lower of elapsed and processor time, so that a busy
 * machine does not make npm look slower than it is; the tool measures the
 * processor time of its one thread. On a quiet machine they are the same.
 */
import { Y } from '../diff/npm.mjs'

export const median = list => {
  const s = list.slice().sort((a, b) => a - b)
  return (s[(s.length - 1) >> 1] + s[s.length >> 1]) / 2
}

/** Milliseconds that `fn` took, and what it returned. */
export const time = fn => {
  const cpu = process.cpuUsage()
  const from = performance.now()
  const result = fn()
  const elapsed = performance.now() - from
  const { user, system } = process.cpuUsage(cpu)
  return { ms: Math.min(elapsed, (user + system) / 1e3), result }
}

/** Median of `runs` after one that does not count. */
export const measure = (runs, fn) => {
  if (runs > 1) fn()
  const all = []
  for (let i = 0; i < runs; i++) {
    global.gc?.()
    all.push(time(fn).ms)
  }
  return median(all)
}

export const load = (updates, gc = true) => {
  const doc = new Y.Doc({ gc })
  for (const u of updates) Y.applyUpdate(doc, u)
  return doc
}

/** Heap of a loaded document. */
export const heapOf = state => {
  const keep = []
  global.gc()
  const before = process.memoryUsage()
  for (let i = 0; i < 8; i++) keep.push(load([state]))
  global.gc()
  const after = process.memoryUsage()
  const of = m => m.heapUsed + m.arrayBuffers
  return Math.round((of(after) - of(before)) / keep.length)
}

export const heapOfEmpty = () => {
  const keep = []
  global.gc()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 1000; i++) keep.push(new Y.Doc())
  global.gc()
  return Math.round((process.memoryUsage().heapUsed - before) / keep.length)
}

/* ------------------------------------------------------------- workloads */

const edit = (doc, op) => {
  if (op.type === 'map') doc.getMap('map').set(op.key, op.set)
  else if (op.type === 'array') doc.getArray('array').insert(op.at, op.insert)
  else if (op.remove) doc.getText('text').delete(op.at, op.remove)
  else doc.getText('text').insert(op.at, op.insert)
}

export const CLIENTS = [1111111111, 2222222222]

const make = (id, updates, setup) => {
  const doc = new Y.Doc()
  doc.clientID = id
  if (setup) Y.applyUpdate(doc, setup)
  if (updates) {
    doc.on('update', (u, origin) => {
      if (origin !== 'peer') updates.push(u)
    })
  }
  return doc
}

/** The state both documents of a workload begin with, or null. */
export const setupOf = workload => {
  const doc = new Y.Doc()
  if (workload.alternate) {
    const text = doc.getText('text')
    for (let i = 0; i < workload.alternate; i++) {
      doc.clientID = 4000000000 + (i & 1)
      text.insert(i, 'ab'[i & 1])
    }
  } else if (workload.setup.length > 0) {
    doc.clientID = 4000000000
    for (const op of workload.setup) edit(doc, op)
  } else return null
  return Y.encodeStateAsUpdate(doc)
}

const live = (workload, docs, updates) => {
  for (const op of workload.ops) {
    edit(docs[0], op)
    Y.applyUpdate(docs[1], updates[updates.length - 1], 'peer')
  }
}

const late = (workload, docs, updates) => {
  for (const op of workload.ops) edit(docs[op.doc], op)
  for (const u of updates[0]) Y.applyUpdate(docs[1], u, 'peer')
  for (const u of updates[1]) Y.applyUpdate(docs[0], u, 'peer')
}

/** Carry a workload out once: { ms, updates, state }. */
export const run = (workload, setup) => {
  if (workload.mode === 'many') {
    const updates = workload.ops.map((op, i) => {
      const doc = make(1000000000 + i * 1001, null, null)
      edit(doc, op)
      return Y.encodeStateAsUpdate(doc)
    })
    const { ms, result } = time(() => load(updates))
    return { ms, updates, state: Y.encodeStateAsUpdate(result) }
  }
  const apart = workload.mode === 'late'
  const updates = apart ? [[], []] : []
  const docs = CLIENTS.map((id, i) =>
    make(id, apart ? updates[i] : i === 0 ? updates : null, setup))
  const { ms } = time(() => (apart ? late : live)(workload, docs, updates))
  return { ms, updates: apart ? [...updates[0], ...updates[1]] : updates,
    state: Y.encodeStateAsUpdate(docs[0]) }
}

/** The operations for tests/bench/yjs-bench.c, one a line. */
export const encodeOps = workload => {
  const lines = [workload.mode]
  for (const op of workload.ops) {
    if (op.remove) lines.push(`d ${op.doc} ${op.at} ${op.remove}`)
    else if (op.type === 'text') lines.push(`t ${op.doc} ${op.at} ${op.insert}`)
    else {
      lines.push(`a ${op.doc} ${op.at} ${op.insert.length} ` +
                 op.insert.join(' '))
    }
  }
  return lines.join('\n') + '\n'
}

/* ---------------------------------------------------------------- tables */

export const show = (ms, digits = 3) => {
  if (ms === null || ms === undefined) return '-'
  if (ms === 0) return '0'
  return ms >= 1000 ? Math.round(ms).toString() : ms.toPrecision(digits)
}

/** Rows of cells as Markdown, columns aligned: words left, numbers right. */
export const table = (head, rows) => {
  const all = [head, ...rows].map(r => r.map(String))
  const width = head.map((_, i) => Math.max(...all.map(r => r[i].length)))
  const words = head.map((h, i) => i === 0 || h === 'what')
  const line = r => '| ' + r.map((c, i) =>
    words[i] ? c.padEnd(width[i]) : c.padStart(width[i])).join(' | ') + ' |'
  const rule = '|' + width.map((w, i) =>
    words[i] ? '-'.repeat(w + 2) : '-'.repeat(w + 1) + ':').join('|') + '|'
  return [line(all[0]), rule, ...all.slice(1).map(line)].join('\n')
}
