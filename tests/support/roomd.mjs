/* SPDX-License-Identifier: MIT */
/*
 * Starts the daemon under test (ROOMD, the path of the binary) on a free port
 * with a temporary configuration file, and collects what it logs. Every
 * daemon a test starts must be stopped by the test, and must then exit with 0:
 * that is how a sanitizer build reports its leaks here.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { assert, waitFor, afterAll, onFailure, LIMIT_MS } from './harness.mjs'
import { request } from './net.mjs'
import { parsePrometheus } from './prometheus.mjs'

const here = path.dirname(fileURLToPath(import.meta.url))
export const sourceDir = path.resolve(here, '..', '..')
export const binary = path.resolve(process.env.ROOMD || 'roomd')
if (!fs.existsSync(binary)) {
  console.error(`no roomd at ${binary}: set ROOMD to the binary`)
  process.exit(77)
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'roomd-test-'))
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }))
let files = 0

/* Where conf/roomd.conf, which lists every key, puts each of them. */
const sectionOf = new Map()
{
  let section = ''
  const text = fs.readFileSync(path.join(sourceDir, 'conf', 'roomd.conf'), 'utf8')
  for (const line of text.split('\n')) {
    const head = /^\[([\w-]+)\]/.exec(line)
    const key = /^[#;]?\s?([a-z0-9_]+) *=/.exec(line)
    if (head) section = head[1]
    else if (key) sectionOf.set(key[1], section)
  }
}

/* A configuration file from { key: value }; the keys' sections are known. */
export function writeConf (keys, name = `roomd-${files++}.conf`) {
  const sections = new Map()
  for (const [key, value] of Object.entries(keys)) {
    assert.ok(sectionOf.has(key), `conf/roomd.conf knows ${key}`)
    const section = sectionOf.get(key)
    sections.set(section,
      `${sections.get(section) || ''}${key} = ${value}\n`)
  }
  const file = path.join(scratch, name)
  fs.writeFileSync(file,
    [...sections].map(([s, t]) => (s ? `[${s}]\n` : '') + t).join('\n'))
  return file
}

export function writeText (text, name = `roomd-${files++}.conf`) {
  const file = path.join(scratch, name)
  fs.writeFileSync(file, text)
  return file
}

export function scratchDir (name) {
  const dir = path.join(scratch, name)
  fs.mkdirSync(dir, { recursive: true })
  return dir
}

/* The environment of every daemon: nothing of the caller's that it reads. */
function cleanEnv (extra) {
  const env = { ...process.env, ...extra }
  for (const name of ['PORT', 'PHX_HOST', 'SECRET_KEY_BASE', 'PHX_SERVER',
    'MIX_ENV']) {
    if (!(extra && name in extra)) delete env[name]
  }
  for (const name of Object.keys(env)) {
    if (/^ROOMD_/.test(name) && !(extra && name in extra)) delete env[name]
  }
  return env
}

/* Runs the binary to its end: { code, signal, stdout, stderr }. */
export function runToEnd (args, { env } = {}) {
  return waitFor(`roomd ${args.join(' ')} to end`, resolve => {
    const child = spawn(binary, args,
      { env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', d => { stdout += d })
    child.stderr.on('data', d => { stderr += d })
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    return () => child.exitCode === null && child.kill('SIGKILL')
  })
}

export const SECRET = 'end-to-end-tests-end-to-end-tests-end-to-end-tests-end-to-end-tests-'

export class Roomd extends EventEmitter {
  constructor (child, confFile) {
    super()
    this.setMaxListeners(1000)
    this.child = child
    this.confFile = confFile
    this.host = '127.0.0.1'
    this.log = ''
    this.stdout = ''
    this.exited = null
    child.stderr.on('data', d => { this.log += d; this.emit('log') })
    child.stdout.on('data', d => { this.stdout += d; this.emit('stdout') })
    child.on('close', (code, signal) => {
      this.exited = { code, signal }
      this.emit('exit')
    })
  }

  get pid () { return this.child.pid }
  url (at = '', host = this.host) { return `http://${host}:${this.port}${at}` }
  ws (at = '/socket') { return `ws://${this.host}:${this.port}${at}` }
  where (host = this.host) { return { host, port: this.port } }
  signal (name) { this.child.kill(name) }

  waitEvent (what, event, check, ms) {
    return waitFor(what, (resolve, reject) => {
      const ask = () => {
        const found = check()
        if (found) resolve(found)
        else if (this.exited && event !== 'exit') {
          reject(new Error(`roomd ended (${JSON.stringify(this.exited)}) ` +
            `before ${what}\n${this.log}`))
        }
      }
      this.on(event, ask)
      this.on('exit', ask)
      ask()
      return () => { this.off(event, ask); this.off('exit', ask) }
    }, ms)
  }

  /* A log line that matches, looked for from `from` (an index into log). */
  waitLog (pattern, { from = 0, ms } = {}) {
    return this.waitEvent(`a log line ${pattern}`, 'log',
      () => pattern.exec(this.log.slice(from)), ms)
  }

  waitExit (ms = LIMIT_MS) {
    return this.waitEvent('the end of the process', 'exit',
      () => this.exited, ms)
  }

  async waitListening () {
    const m = await this.waitEvent('the listening line', 'stdout', () =>
      /^listening on (?:http:\/\/)?\S*?:(\d+)\/?$/m.exec(this.stdout))
    this.port = Number(m[1])
    assert.ok(this.port > 0)
  }

  request (method, at, options) {
    return request(this.where(), method, at, options)
  }

  async metrics () {
    const r = await this.request('GET', '/metrics')
    assert.equal(r.status, 200)
    return parsePrometheus(r.body.toString())
  }

  /* SIGTERM and a clean end. */
  async stop () {
    if (!this.exited) this.signal('SIGTERM')
    const { code, signal } = await this.waitExit()
    assert.deepEqual({ code, signal }, { code: 0, signal: null },
      `exit of roomd\n${this.log.slice(-6000)}`)
  }
}

export const daemons = []
onFailure(() => daemons.map(d =>
  `--- roomd ${d.pid}, port ${d.port}, ` +
  `${d.exited ? JSON.stringify(d.exited) : 'running'}; last log lines:\n` +
  d.log.split('\n').slice(-25).join('\n')).join('\n'))

export async function startRoomd (keys = {}, { args = [], env, port = 0 } = {}) {
  const confFile = writeConf({ www: path.join(sourceDir, 'www', 'dist'), ...keys })
  const child = spawn(binary,
    ['--config', confFile, '--port', String(port), ...args],
    {
      env: cleanEnv({ SECRET_KEY_BASE: SECRET, ...env }),
      stdio: ['ignore', 'pipe', 'pipe']
    })
  const roomd = new Roomd(child, confFile)
  daemons.push(roomd)
  process.on('exit', () => { if (!roomd.exited) child.kill('SIGKILL') })
  await roomd.waitListening()
  return roomd
}

/* One daemon for a whole file, stopped at its end. */
export async function sharedRoomd (keys, options) {
  const roomd = await startRoomd(keys, options)
  afterAll(() => roomd.stop())
  return roomd
}

/* One daemon for one test. */
export async function ownRoomd (t, keys, options) {
  const roomd = await startRoomd(keys, options)
  t.after(async () => {
    if (!roomd.exited) roomd.signal('SIGKILL')
    await roomd.waitExit()
  })
  return roomd
}
