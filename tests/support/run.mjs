/* SPDX-License-Identifier: MIT */
/*
 * run.mjs [-j N] [-t TEXT] FILE...   runs test files, N at a time, each in a
 * process of its own, and prints their TAP, one file after the other, with the
 * counts of all at the end. -t keeps the tests whose name contains TEXT.
 * Exit code 0: all passed; 1: some failed; 77: nothing could be run.
 */
import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runAll } from './harness.mjs'

const args = process.argv.slice(2)
const files = []
let jobs = 3
let pattern = null
let single = false
while (args.length) {
  const arg = args.shift()
  if (arg === '-j') jobs = Number(args.shift())
  else if (arg === '-t') pattern = args.shift()
  else if (arg === '--single') single = true
  else files.push(arg)
}

async function runSingle (file) {
  await import(pathToFileURL(path.resolve(file)).href)
  const { pass, fail } = await runAll(pattern)
  console.log(`# pass ${pass}`)
  console.log(`# fail ${fail}`)
  process.exit(fail ? 1 : 0)
}

function runFile (file) {
  return new Promise(resolve => {
    const began = Date.now()
    const child = spawn(process.execPath,
      [fileURLToPath(import.meta.url), '--single',
        ...(pattern ? ['-t', pattern] : []), file],
      { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    const take = data => {
      out += data
      if (files.length === 1) process.stdout.write(data)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('close', code => {
      const count = word =>
        Number((out.match(new RegExp(`^# ${word} (\\d+)$`, 'm')) || [])[1] || 0)
      let fail = count('fail')
      if (code !== 0 && code !== 77 && fail === 0) fail = 1
      const seconds = ((Date.now() - began) / 1000).toFixed(1)
      process.stdout.write(`# ${path.basename(file)} (${seconds} s)\n` +
        (files.length === 1 ? '' : out).replace(/^# (pass|fail) \d+\n/gm, '') +
        (code === 0 || fail ? '' : `# exit code ${code}\n`))
      resolve({ pass: count('pass'), fail, skipped: code === 77 })
    })
  })
}

async function runMany () {
  const queue = [...files]
  const results = []
  await Promise.all(Array.from({ length: jobs }, async () => {
    while (queue.length) results.push(await runFile(queue.shift()))
  }))
  const sum = key => results.reduce((n, r) => n + Number(r[key]), 0)
  console.log(`# files ${results.length}`)
  console.log(`# pass ${sum('pass')}`)
  console.log(`# fail ${sum('fail')}`)
  if (sum('fail')) process.exit(1)
  process.exit(results.every(r => r.skipped) ? 77 : 0)
}

if (files.length === 0) {
  console.error('usage: run.mjs [-j N] [-t TEXT] FILE...')
  process.exit(2)
}
await (single ? runSingle(files[0]) : runMany())
