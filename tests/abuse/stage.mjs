/* SPDX-License-Identifier: MIT */
/*
 * What every abuse test does: start a daemon, let a well-behaved client work
 * (probe.mjs), attack, and tell what happened: which limits answered, and how
 * long the well-behaved client waited meanwhile. One line each, as a row of
 * the table in docs/SECURITY.md.
 */
import fs from 'node:fs'
import net from 'node:net'
import { Worker } from 'node:worker_threads'
import { assert, test, waitFor, SLOW } from '../support/harness.mjs'
import { Wire } from '../support/net.mjs'
import { startRoomd } from '../support/roomd.mjs'

/* How much of everything: 1 is what fits into make check's time. */
export const SCALE = Number(process.env.ABUSE_SCALE || 1)
/* No limit for a latency on a shared machine can be tight. */
const EDIT_LIMIT_MS = 3000 * SLOW

export function startProbe (where) {
  const worker = new Worker(new URL('./probe.mjs', import.meta.url), { workerData: { where } })
  const failed = new Promise((_resolve, reject) => worker.once('error', reject))
  failed.catch(() => {})
  const next = what => Promise.race([failed,
    waitFor(what, resolve => { worker.once('message', resolve) }, 60000 * SLOW)])
  const ready = next('the probe to be ready')
  return {
    ready,
    async stop () {
      const result = next('what the probe measured')
      worker.postMessage('stop')
      return result
    }
  }
}

const at = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]

export function summary (times) {
  const s = [...times].sort((a, b) => a - b)
  return { n: s.length, p50: at(s, 0.5), p99: at(s, 0.99), max: s[s.length - 1] }
}

const ms = value => value === undefined ? '-' : value.toFixed(value < 10 ? 1 : 0)

/* Samples that moved, by the name of the limit or reason. */
function moved (before, after) {
  const out = []
  for (const family of ['roomd_limit_total', 'roomd_refused_total', 'roomd_unreadable_messages_total',
    'roomd_updates_total', 'roomd_awareness_total', 'roomd_queue_dropped_total', 'roomd_closed_total']) {
    for (const [id, value] of after) {
      if (!id.startsWith(family)) continue
      const grown = value - (before.get(id) || 0)
      const label = /"([^"]*)"/.exec(id)
      if (/updates|awareness_total/.test(family) && !/rejected/.test(id)) continue
      if (/closed/.test(family) && !/1002|1009|1011|1013/.test(id)) continue
      if (grown > 0) {
        const name = /closed/.test(family) ? `close ${label[1]}`
          : /unreadable/.test(family) ? 'unreadable'
            : /updates/.test(family) ? 'updates rejected'
              : /awareness_total/.test(family) ? 'awareness rejected'
                : /queue/.test(family) ? `dropped ${label[1]}` : label[1]
        out.push(`${name} ${grown}`)
      }
    }
  }
  return out.join(', ') || 'none needed'
}

async function samples (d) {
  const { body } = await d.request('GET', '/metrics')
  return new Map(body.toString().split('\n').filter(l => l && l[0] !== '#')
    .map(l => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))]))
}

export const resident = d => Number(/^VmRSS:\s+(\d+) kB$/m.exec(
  fs.readFileSync(`/proc/${d.pid}/status`, 'utf8'))[1]) * 1024

/* User and system time of the daemon, in seconds. */
export function cpu (d) {
  const fields = fs.readFileSync(`/proc/${d.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/*
 * A test: `attack(d, t)` returns what happened in a few words; `limit`, or
 * each of them, must have answered. The daemon must live, the well-behaved
 * client must have been served all the time.
 */
export function abuse (name, { limits = [], keys = {}, args, seconds = 60 }, attack) {
  test(name, async t => {
    const d = await startRoomd(keys, { args })
    t.after(async () => {
      if (!d.exited) d.signal('SIGKILL')
      await d.waitExit()
    })
    const probe = startProbe(d.where())
    await probe.ready
    const [before, began, rss] = [await samples(d), cpu(d), resident(d)]
    const what = await attack(d, t)
    const { edits, polls } = await probe.stop()
    const after = await samples(d)
    for (const limit of [limits].flat()) {
      const id = `roomd_limit_total{limit="${limit}"}`
      assert.ok(after.get(id) > (before.get(id) || 0), `${limit} answered: ${moved(before, after)}`)
    }
    const [e, p] = [summary(edits), summary(polls)]
    assert.ok(e.n > 5 && p.n > 1, `the probe was served: ${e.n} edits, ${p.n} polls`)
    console.log(`# | ${name} | ${what} | ${moved(before, after)} | ` +
      `${ms(e.p50)} / ${ms(e.p99)} / ${ms(e.max)} | ${ms(p.p50)} / ${ms(p.p99)} | ` +
      `${(cpu(d) - began).toFixed(2)} s | ${((resident(d) - rss) / 1e6).toFixed(0)} MB |`)
    assert.ok(e.max < EDIT_LIMIT_MS, `an edit of the well-behaved client took ${e.max} ms`)
    await d.stop()
  }, { limit: seconds * 1000 })
}

export const HEADER = '# | attack | what happens | answered by | edit p50/p99/max, ms | poll p50/p99, ms | CPU | memory |'

/* A connection from an address of our own choice (127.0.0.0/8). */
export async function from (localAddress, port) {
  const socket = net.connect({ host: '127.0.0.1', port, localAddress, noDelay: true })
  await new Promise((resolve, reject) => { socket.once('connect', resolve).once('error', reject) })
  return new Wire(socket)
}

/* `n` of something, `at once` at a time. */
export async function many (n, atOnce, make) {
  const out = []
  for (let i = 0; i < n; i += atOnce) {
    out.push(...await Promise.all(
      Array.from({ length: Math.min(atOnce, n - i) }, (_, k) => make(i + k))))
  }
  return out
}

/* One byte each every `every` ms, until they are all closed. */
export async function drip (wires, texts, every) {
  const open = new Set(wires)
  let turn = 0
  await new Promise(resolve => {
    const timer = setInterval(() => {
      for (const w of open) {
        if (w.ended) {
          open.delete(w)
        } else {
          const text = texts(turn)
          if (text) w.write(text)
        }
      }
      turn++
      if (open.size === 0) {
        clearInterval(timer)
        resolve()
      }
    }, every)
  })
}
