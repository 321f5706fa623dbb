/* SPDX-License-Identifier: MIT */
/* Started by a service manager: its listening socket, and the user to become.
 * The manager here is a few lines of perl, which automake needs anyway. */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import { assert, test, eventually } from '../support/harness.mjs'
import { binary, ownRoomd, Roomd, SECRET } from '../support/roomd.mjs'

/* Opens a port, tells it, and runs roomd on it again each time it ends. */
const MANAGER = `
  use strict; use IO::Socket::INET; use POSIX ();
  my ($binary, @args) = @ARGV;
  my $s = IO::Socket::INET->new(Listen => 100, LocalAddr => '127.0.0.1')
      or die;
  $| = 1;
  print "port ", $s->sockport, "\\n";
  for (1 .. 2) {
      my $pid = fork;
      if (!$pid) {
          POSIX::dup2(fileno($s), 3) if fileno($s) != 3;
          open(my $three, '<&=', 3);
          use Fcntl; fcntl($three, F_SETFD, 0);
          $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1;
          exec $binary, @args;
      }
      print "pid $pid\\n";
      waitpid $pid, 0;
      print "ended $?\\n";
  }`

const health = port => new Promise((resolve, reject) => {
  const request = http.get({ host: '127.0.0.1', port, path: '/health', agent: false },
    response => { response.resume(); response.on('end', () => resolve(response.statusCode)) })
  request.on('error', reject)
})

test('a socket handed over: no connection is refused while roomd restarts', async t => {
  const child = spawn('perl', ['-e', MANAGER, binary, '--port', '1', '--set', 'user=root'], {
    env: { PATH: process.env.PATH, SECRET_KEY_BASE: SECRET },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let out = ''
  child.stdout.on('data', d => { out += d })
  const ended = new Promise(resolve => child.on('close', resolve))
  const pids = () => [...out.matchAll(/^pid (\d+)$/mg)].map(m => Number(m[1]))
  t.after(() => {
    child.kill('SIGKILL')
    for (const pid of pids()) try { process.kill(pid, 'SIGKILL') } catch {}
  })
  await eventually('the first process', () => pids().length === 1, [[child.stdout, 'data']])
  const port = Number(/^port (\d+)$/m.exec(out)[1])
  assert.equal(await health(port), 200)
  process.kill(pids()[0], 'SIGTERM')
  /* Some of these are accepted in the very moment in which it stops. */
  let answered = 0
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (pids().length < 2 || answered < 200) {
      assert.equal(await health(port), 200)
      answered++
    }
  }))
  assert.match(out, /^ended 0$/m)
  process.kill(pids()[1], 'SIGTERM')
  await ended
  assert.equal(out.match(/^ended 0$/mg).length, 2, out)
})

test('a socket that is none: said, and nothing is served', async () => {
  const { status, stderr } = spawnSync('/bin/sh',
    ['-c', 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" --port 0 3</dev/null', binary],
    { encoding: 'utf8', env: { PATH: process.env.PATH, SECRET_KEY_BASE: SECRET } })
  assert.equal(status, 1)
  assert.match(stderr, /cannot listen.*Socket operation on non-socket/)
})

test('variables for another process are not for us', async t => {
  const d = await ownRoomd(t, {}, { env: { LISTEN_PID: '1', LISTEN_FDS: '1' } })
  assert.equal(await health(d.port), 200)
})

const root = process.getuid() === 0
test('started as root it becomes the user', async t => {
  if (!root) {
    const d = await ownRoomd(t, { user: 'nobody' })
    assert.match(d.log, /user has no effect/)
    return
  }
  const d = await ownRoomd(t, { user: 'nobody' })
  assert.equal(await health(d.port), 200)
  const status = fs.readFileSync(`/proc/${d.child.pid}/status`, 'utf8')
  const uid = spawnSync('id', ['-u', 'nobody'], { encoding: 'utf8' }).stdout.trim()
  assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'))
  assert.match(status, /^NoNewPrivs:\s+1$/m)
  assert.match(status, /^CapEff:\s+0+$/m)
})

const uidOf = d => /^Uid:\s+(\d+)/m.exec(
  fs.readFileSync(`/proc/${d.child.pid}/status`, 'utf8'))[1]

test('started as root with no user set, it stays root only for what it could not read', async t => {
  if (!root) return
  /* the configuration lies in a folder of root's own */
  const stays = await ownRoomd(t)
  assert.equal(uidOf(stays), '0')
  assert.match(stays.log, /warning.*running as root: this user cannot read the configuration file/)
  assert.equal(await health(stays.port), 200)
  const told = await ownRoomd(t, { user: 'root' })
  assert.equal(uidOf(told), '0')
  assert.doesNotMatch(told.log, /warning.*root/)
})

test('started as root with no user set and nothing in the way, it is nobody', async t => {
  if (!root) return
  const child = spawn(binary, ['--port', '0', '--set', 'www='], {
    cwd: '/', stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, SECRET_KEY_BASE: SECRET }
  })
  const d = new Roomd(child)
  t.after(async () => { d.signal('SIGTERM'); await d.waitExit() })
  await d.waitListening()
  assert.notEqual(uidOf(d), '0')
  assert.match(d.log, /privileges given up user=(roomd|nobody)/)
  assert.equal(await health(d.port), 200)
})

test('a user who does not exist: said, and nothing is served', async () => {
  if (!root) return
  const { status, stderr } = spawnSync(binary, ['--port', '0', '--set', 'user=no-such-user'],
    { encoding: 'utf8', env: { PATH: process.env.PATH, SECRET_KEY_BASE: SECRET } })
  assert.equal(status, 1)
  assert.match(stderr, /cannot become another user.*there is no such user/)
})
