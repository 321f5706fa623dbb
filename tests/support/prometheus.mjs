/* SPDX-License-Identifier: MIT */
/*
 * A strict reader of the Prometheus text format 0.0.4: it refuses whatever a
 * scraper may refuse, and a few things that scrapers forgive. Returns
 * { families: Map name -> { type, help, samples }, value(sample) }.
 */
import { assert } from './harness.mjs'

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const VALUE = /^[+-]?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|Inf)$|^NaN$/

function parseLabels (text, line) {
  const labels = {}
  let rest = text
  while (rest !== '') {
    const m = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(,|$)/
      .exec(rest)
    assert.ok(m, `labels of ${line}`)
    assert.ok(!(m[1] in labels), `label twice in ${line}`)
    labels[m[1]] = m[2]
    rest = rest.slice(m[0].length)
    if (m[3] === ',') assert.ok(rest !== '', `trailing comma in ${line}`)
  }
  return labels
}

/* The family a sample name belongs to, given the one that is open. */
function belongs (name, family, type) {
  if (type === 'histogram' || type === 'summary') {
    return name === family || name === `${family}_sum` ||
      name === `${family}_count` ||
      (type === 'histogram' && name === `${family}_bucket`)
  }
  return name === family
}

function checkHistogram (name, samples) {
  const groups = new Map()
  for (const s of samples) {
    const { le, ...others } = s.labels
    const key = JSON.stringify(Object.entries(others).sort())
    if (!groups.has(key)) groups.set(key, { buckets: [] })
    const g = groups.get(key)
    if (s.name === `${name}_bucket`) {
      assert.ok(le !== undefined, `bucket without le in ${name}`)
      g.buckets.push([le === '+Inf' ? Infinity : Number(le), s.value])
    } else {
      g[s.name.slice(name.length + 1)] = s.value
    }
  }
  for (const g of groups.values()) {
    assert.ok(g.buckets.length > 1, `buckets of ${name}`)
    g.buckets.reduce((a, b) => {
      assert.ok(b[0] > a[0], `bucket limits of ${name} rise`)
      assert.ok(b[1] >= a[1], `buckets of ${name} are cumulative`)
      return b
    })
    const last = g.buckets[g.buckets.length - 1]
    assert.equal(last[0], Infinity, `${name} has +Inf`)
    assert.equal(last[1], g.count, `${name}: +Inf equals count`)
    assert.ok(g.sum >= 0, `${name} has a sum`)
  }
}

export function parsePrometheus (text) {
  const families = new Map()
  const seen = new Set()
  const values = new Map()
  let open = null
  assert.ok(text.endsWith('\n'), 'metrics end with a newline')
  for (const line of text.slice(0, -1).split('\n')) {
    const meta = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line)
    if (meta) {
      const [, what, name, rest] = meta
      if (open === null || open.name !== name) {
        assert.ok(!families.has(name), `family ${name} is in one block`)
        open = { name, samples: [] }
        families.set(name, open)
      }
      assert.equal(open.samples.length, 0, `${line} stands before samples`)
      const key = what.toLowerCase()
      assert.equal(open[key], undefined, `${what} of ${name} once`)
      if (what === 'TYPE') {
        assert.ok(['counter', 'gauge', 'histogram', 'summary', 'untyped']
          .includes(rest), line)
      } else {
        assert.ok(rest.length > 0, `help of ${name}`)
      }
      open[key] = rest
      continue
    }
    assert.ok(!line.startsWith('#'), `comment ${line}`)
    const m = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`).exec(line)
    assert.ok(m, `sample ${JSON.stringify(line)}`)
    const [, name, labelText, number] = m
    assert.match(number, VALUE, line)
    const labels = parseLabels(labelText || '', line)
    assert.ok(open && belongs(name, open.name, open.type),
      `${name} stands under its family`)
    const id = `${name}${labelText ? `{${labelText}}` : ''}`
    assert.ok(!seen.has(id), `sample ${id} once`)
    seen.add(id)
    const value = number.endsWith('Inf')
      ? (number.startsWith('-') ? -Infinity : Infinity)
      : Number(number)
    open.samples.push({ name, labels, value })
    values.set(id, value)
  }
  for (const f of families.values()) {
    assert.ok(f.type, `type of ${f.name}`)
    assert.ok(f.help, `help of ${f.name}`)
    assert.ok(f.samples.length > 0, `samples of ${f.name}`)
    if (f.type === 'counter') {
      assert.match(f.name, /_total$/)
      f.samples.forEach(s => assert.ok(s.value >= 0))
    }
    if (f.type === 'histogram') checkHistogram(f.name, f.samples)
  }
  return {
    families,
    value (id) {
      assert.ok(values.has(id), `metric ${id}`)
      return values.get(id)
    }
  }
}
