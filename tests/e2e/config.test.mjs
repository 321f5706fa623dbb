/* SPDX-License-Identifier: MIT */
/* The command line, the configuration file and the environment. */
import fs from 'node:fs'
import path from 'node:path'
import { assert, test } from '../support/harness.mjs'
import { ownRoomd, runToEnd, sourceDir, writeText } from '../support/roomd.mjs'
import { RawSocket } from '../support/net.mjs'

const shipped = fs.readFileSync(path.join(sourceDir, 'conf', 'roomd.conf'), 'utf8')
const check = (file, options) => runToEnd(['--config', file, '--check-config'], options)

test('--version and --help', async () => {
  const version = await runToEnd(['--version'])
  assert.equal(version.code, 0)
  assert.match(version.stdout, /^roomd \d+\.\d+/)
  const help = await runToEnd(['--help'])
  assert.equal(help.code, 0)
  for (const flag of ['--config', '--port', '--check-config', '--health-check', '--log-format']) {
    assert.ok(help.stdout.includes(flag), flag)
  }
})

test('an unknown flag is an error that names it', async () => {
  const r = await runToEnd(['--frobnicate'])
  assert.notEqual(r.code, 0)
  assert.match(r.stderr, /frobnicate/)
})

test('the shipped file is valid as it is, and with every key uncommented', async () => {
  assert.equal((await check(writeText(shipped))).code, 0)
  const open = shipped.replace(/^[#;] ?([a-z0-9_]+ *=)/gm, '$1')
  const r = await check(writeText(open))
  assert.equal(r.code, 0, r.stderr)
})

/* [what, text, line that must be named, key that must be named] */
const sectionOf = key => {
  let section = null
  for (const line of shipped.split('\n')) {
    const m = /^\[(\w+)\]/.exec(line)
    if (m) section = m[1]
    if (new RegExp(`^[#;]? ?${key} *=`).test(line)) return section
  }
  throw new Error(`no key ${key}`)
}
const inSection = (key, value) => {
  const s = sectionOf(key)
  return [s ? `[${s}]\n${key} = ${value}\n` : `${key} = ${value}\n`, s ? 2 : 1]
}
const [firstKey] = /^[#;]? ?([a-z0-9_]+) *=/m.exec(shipped).slice(1)

for (const [what, [text, line], key] of [
  ['an unknown key', [inSection(firstKey, 'x')[0].replace(firstKey, 'no_such_key'), inSection(firstKey, 'x')[1]], 'no_such_key'],
  ['an unknown section', ['[no_such_section]\na = 1\n', null], 'no_such_section|a'],
  ['a number that is none', inSection('channels_per_socket', 'many'), 'channels_per_socket'],
  ['a negative number', inSection('channels_per_socket', '-5'), 'channels_per_socket'],
  ['a number with rubbish behind', inSection('channels_per_socket', '5 cows'), 'channels_per_socket'],
  ['a number without end', inSection('channels_per_socket', '9'.repeat(40)), 'channels_per_socket'],
  ['an empty value', inSection('channels_per_socket', ''), 'channels_per_socket'],
  ['a port out of range', inSection('port', '70000'), 'port']]) {
  test(`--check-config names file, line and key: ${what}`, async () => {
    const file = writeText(text)
    const r = await check(file)
    assert.ok(r.code > 0, `exit code ${r.code}`)
    assert.ok(r.stderr.includes(path.basename(file)), r.stderr)
    if (line) assert.match(r.stderr, new RegExp(`:${line}\\b|line ${line}\\b`), r.stderr)
    assert.match(r.stderr, new RegExp(key))
    const started = await runToEnd(['--config', file, '--port', '0'])
    assert.ok(started.code > 0, 'and it does not start with it')
  })
}

test('a file that is not there, or that is a folder, is an error', async () => {
  for (const file of ['/no/such/roomd.conf', '/']) {
    const r = await check(file)
    assert.ok(r.code > 0)
    assert.ok(r.stderr.includes(file))
  }
})

test('binary rubbish and endless lines as a file', async () => {
  for (const text of ['\0\0\0\x01\xff', '='.repeat(100), '[', `[a]\n${'k'.repeat(100000)} = 1\n`]) {
    const r = await check(writeText(text))
    assert.ok(r.code > 0 && r.signal === null, JSON.stringify(text.slice(0, 20)))
  }
})

test('SECRET_KEY_BASE shorter than 64 bytes is refused; none is a warning', async t => {
  const short = await runToEnd(['--port', '0'], { env: { SECRET_KEY_BASE: 'too short' } })
  assert.ok(short.code > 0)
  assert.match(short.stderr, /SECRET_KEY_BASE/)
  assert.ok(!short.stderr.includes('too short'), 'the secret is not printed')
  const d = await ownRoomd(t, {}, { env: { SECRET_KEY_BASE: '' } })
  await d.waitLog(/warning.*SECRET_KEY_BASE|SECRET_KEY_BASE.*random/i)
  await d.stop()
})

test('PORT of the environment over the file, --port over both', async t => {
  const [text] = inSection('port', '1')
  const file = writeText(text)
  const r = await runToEnd(['--config', file, '--check-config'], { env: { PORT: 'abc' } })
  assert.ok(r.code > 0)
  assert.match(r.stderr, /PORT/)
  const d = await ownRoomd(t, {}, { env: { PORT: '1' } })
  assert.ok(d.port > 1024, '--port 0 has won')
  await d.stop()
})

test('a port that is taken is an error that says so', async t => {
  const d = await ownRoomd(t)
  const r = await runToEnd(['--port', String(d.port)])
  assert.ok(r.code > 0)
  assert.match(r.stderr, /in use/i)
  await d.stop()
})

test('--health-check asks the running daemon', async t => {
  const d = await ownRoomd(t)
  const ok = await runToEnd(['--health-check', '--port', String(d.port)])
  assert.equal(ok.code, 0, ok.stderr)
  const byEnv = await runToEnd(['--health-check'], { env: { PORT: String(d.port) } })
  assert.equal(byEnv.code, 0, byEnv.stderr)
  await d.stop()
  const gone = await runToEnd(['--health-check', '--port', String(d.port)])
  assert.ok(gone.code > 0)
})

test('--log-format=json: every line is one JSON object', async t => {
  const d = await ownRoomd(t, { log_level: 'debug' }, { args: ['--log-format=json'] })
  const ws = await RawSocket.open(d.where(), '/socket/websocket?vsn=2.0.0&user_id=%22%0A%ff%00')
  ws.send('1', '1', 'room:\u0000"\u001b[31m', 'phx_join')
  await ws.json()
  ws.destroy()
  await d.stop()
  const lines = d.log.trim().split('\n')
  assert.ok(lines.length > 3)
  for (const line of lines) {
    const o = JSON.parse(line)
    assert.equal(typeof o.level, 'string', line)
    assert.equal(typeof o.event, 'string', line)
  }
  assert.ok(!d.log.includes('\u001b'), 'no terminal escapes')
})

test('the variables of the service it replaces do no harm', async t => {
  const d = await ownRoomd(t, {}, { env: { PHX_SERVER: 'true', MIX_ENV: 'prod', PHX_HOST: 'a.example.org' } })
  assert.equal((await d.request('GET', '/health')).status, 200)
  await d.stop()
})

test('secrets do not stay in the environment of the process, and survive a reload', async t => {
  const secret = 'only-for-this-test-'.repeat(5)
  const d = await ownRoomd(t, {}, {
    env: { SECRET_KEY_BASE: secret, ROOMD_STATUS_KEY: 'a-key-of-the-page', ROOMD_WWW: '/' }
  })
  const environ = () => fs.readFileSync(`/proc/${d.pid}/environ`, 'latin1')
  assert.ok(environ().includes('SECRET_KEY_BASE='), 'it was given there')
  assert.ok(!environ().includes('only-for-this-test'))
  assert.ok(!environ().includes('a-key-of-the-page'))
  const page = () => d.request('GET', '/metrics.json', { headers: { authorization: 'Bearer a-key-of-the-page' } })
  assert.equal((await page()).status, 200)
  d.signal('SIGHUP')
  await d.waitLog(/reloaded/)
  assert.doesNotMatch(d.log, /setting (changed|needs)/)
  assert.equal((await page()).status, 200)
})
