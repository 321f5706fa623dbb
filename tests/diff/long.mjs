/* SPDX-License-Identifier: MIT */
/*
 * The long differential test: tests/diff/run.mjs over many seeds, several
 * processes side by side, with a word on how far it has come.
 *
 *   node tests/diff/long.mjs --driver PATH [--seeds N] [--start S] [--jobs N]
 *        [--say SECONDS] [anything else that run.mjs takes]
 *
 * Each process takes a part of the range; what one finds it shrinks and
 * prints whole. Interrupted, it says with which --start to go on: seeds
 * below that are done. The last line is "N passed, M failed".
 */
import { spawn } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const args = { seeds: '1000', start: '1', say: '30' }
const rest = []
for (let i = 2; i < process.argv.length; i++) {
  const name = process.argv[i].slice(2)
  if (['seeds', 'start', 'jobs', 'say'].includes(name)) {
    args[name] = process.argv[++i]
  } else {
    rest.push(process.argv[i])
  }
}

const start = Number(args.start)
const end = start + Number(args.seeds)
const jobs = Math.min(Number(args.jobs ?? os.availableParallelism?.() ?? 1),
  Number(args.seeds)) || 1
const script = path.join(path.dirname(fileURLToPath(import.meta.url)),
  'run.mjs')

const began = Date.now()
const workers = []

const total = name => workers.reduce((sum, w) => sum + w[name], 0)
/* every seed below it is done, whichever part it is in */
const doneBelow = () => Math.min(end, ...workers.map(w => w.next))

const say = () => {
  const seconds = Math.max(1, Math.round((Date.now() - began) / 1000))
  const n = total('passed') + total('failed')
  console.log(`${seconds} s: ${n} histories, ${total('failed')} failed, ` +
    `${Math.round(n / seconds)} a second, seeds below ${doneBelow()} done`)
}

/* Lines come to a process's last newline; failures are reports of many. */
const hear = (worker, chunk) => {
  const lines = (worker.rest + chunk).split('\n')
  worker.rest = lines.pop()
  for (const line of lines) {
    const at = /^progress seed (\d+) passed (\d+) failed (\d+) /.exec(line)
    const last = /^(\d+) passed, (\d+) failed$/.exec(line)
    if (at) worker.next = Number(at[1])
    const counts = at ? at.slice(2) : last ? last.slice(1) : null
    if (counts !== null) [worker.passed, worker.failed] = counts.map(Number)
    if (last) worker.ended = true
    else if (!at) console.log(line)
  }
}

const run = index => new Promise(resolve => {
  const worker = {
    passed: 0, failed: 0, next: start, rest: '', ended: false
  }
  workers.push(worker)
  worker.child = spawn(process.execPath, [script,
    '--start', args.start, '--seeds', args.seeds,
    '--part', `${index}/${jobs}`, '--progress', args.say, ...rest],
  { stdio: ['ignore', 'pipe', 'inherit'] })
  worker.child.stdout.setEncoding('utf8')
  worker.child.stdout.on('data', chunk => hear(worker, chunk))
  worker.child.on('close', code => {
    if (code === 0) worker.next = end
    resolve(worker.ended)
  })
})

const stop = () => {
  for (const worker of workers) worker.child.kill()
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)

const clock = setInterval(say, Number(args.say) * 1000)
const ended = await Promise.all(
  Array.from({ length: jobs }, (_, index) => run(index)))
clearInterval(clock)
say()
const whole = ended.every(Boolean)
if (!whole) console.log(`not all done: go on with --start ${doneBelow()}`)
console.log(`${total('passed')} passed, ${total('failed')} failed`)
process.exitCode = whole && total('failed') === 0 ? 0 : 1
