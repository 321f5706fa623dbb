/* SPDX-License-Identifier: MIT */
/* Starts what is measured: a fresh roomd or a fresh nginx with nchan for each
 * run, on a free port of the loopback, ended by its own process id. */
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { spawn, spawnSync } from 'node:child_process'

const buildDir = path.resolve(process.env.builddir || '.')
const sourceDir = path.resolve(process.env.srcdir || '.')
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'roomd-bench-'))
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
  fs.rmSync(scratch, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => process.exit(1))
}

export const program = name => path.join(buildDir, 'tests', 'bench', name)
export const roomdBinary = path.join(buildDir, 'roomd')
export const paths = { buildDir, sourceDir, scratch }

function start (command, args, options = {}) {
  const child = spawn(command, args,
    { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  running.add(child)
  child.ended = new Promise(resolve => child.on('exit', code => {
    running.delete(child)
    resolve(code)
  }))
  child.said = ''
  child.stdout.on('data', d => { child.said += d })
  child.stderr.on('data', d => { child.complained = String(d) })
  return child
}

export async function stop (server) {
  const timer = setTimeout(() => server.child.kill('SIGKILL'), 20000)
  server.child.kill('SIGTERM')
  await server.child.ended
  clearTimeout(timer)
}

async function until (what, condition) {
  for (let i = 0; i < 1000; i++) {
    const value = await condition()
    if (value) return value
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  throw new Error(`waited in vain for ${what}`)
}

/* As in the container, an ordinary user: root brings in what looks users up.
 * Where that user cannot read the build tree, it is root after all. */
const setpriv = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
let asUser = null
function ordinary () {
  asUser ??= process.getuid() === 0 && spawnSync(setpriv[0],
    [...setpriv.slice(1), roomdBinary, '--version']).status === 0
    ? setpriv : []
  return asUser
}

/* `wrap`: a command that roomd is started under. */
export async function startRoomd ({
  settings = [], wrap = [], preload = null
} = {}) {
  const args = ['--config=/dev/null', '--port=0', '--log-level=warning',
    `--www=${path.join(sourceDir, 'www')}`, ...settings.map(s => `--set=${s}`)]
  const [command, ...rest] =
    [...(wrap.length ? wrap : ordinary()), roomdBinary, ...args]
  const env = Object.fromEntries(Object.entries(process.env).filter(
    ([name]) => !/^(ROOMD_|PORT$|PHX_|SECRET_KEY|MIX_)/.test(name)))
  if (preload) env.LD_PRELOAD = preload
  const child = start(command, rest, { env })
  const port = await until('roomd', () =>
    /localhost:(\d+)/.exec(child.said)?.[1])
  return { name: 'roomd', child, port, pids: [child.pid] }
}

/* Where the loader would find it; null when it is not installed. */
export function findLibrary (name) {
  const out = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout || ''
  const line = out.split('\n').find(l => l.trim().startsWith(name + ' '))
  return line ? line.split('=> ')[1].trim() : null
}

const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so'
export const haveNchan = fs.existsSync(nchanModule) &&
  spawnSync('nginx', ['-v']).status === 0

export function nchanVersion () {
  const out = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${Version}, ',
    'nginx-common', 'libnginx-mod-nchan'], { encoding: 'utf8' })
  return (out.stdout || '').replace(/, $/, '')
}

async function freePort () {
  const server = net.createServer()
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/* As its own documentation has it for many subscribers: one worker, shared
 * memory, no access log. The buffer is there because a subscriber that falls
 * behind would lose messages without one. */
function nchanConf (dir, port) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `  ${name}_temp_path ${dir};`).join('\n')
  return `user root;
load_module ${nchanModule};
worker_processes 1;
daemon off;
pid ${dir}/pid;
error_log ${dir}/error.log warn;
worker_rlimit_nofile 20000;
events { worker_connections 20000; use epoll; }
http {
  access_log off;
${temporary}
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  nchan_shared_memory_size 512M;
  nchan_message_buffer_length 1000;
  nchan_message_timeout 60s;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location ~ /ws/(\\w+)$ {
      nchan_pubsub websocket;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }
    location ~ /lp/(\\w+)$ {
      nchan_subscriber longpoll;
      nchan_channel_id $1;
      nchan_subscriber_first_message newest;
    }
    location ~ /pub/(\\w+)$ {
      nchan_publisher;
      nchan_channel_id $1;
    }
  }
}
`
}

export async function startNchan () {
  const dir = fs.mkdtempSync(path.join(scratch, 'nchan-'))
  const port = await freePort()
  fs.writeFileSync(path.join(dir, 'nginx.conf'), nchanConf(dir, port))
  const child = start('nginx', ['-c', path.join(dir, 'nginx.conf'), '-p', dir,
    '-e', path.join(dir, 'error.log')])
  const workers = await until('nginx', () => {
    const file = `/proc/${child.pid}/task/${child.pid}/children`
    const pids = fs.existsSync(file)
      ? fs.readFileSync(file, 'utf8').trim().split(/\s+/).filter(Boolean)
      : []
    return pids.length > 0 && new Promise(resolve => {
      const probe = net.connect(port, '127.0.0.1', () => {
        probe.destroy()
        resolve(pids)
      })
      probe.on('error', () => resolve(false))
    })
  })
  return { name: 'nchan', child, port, pids: [child.pid, ...workers] }
}

/* One run of a program that prints a line of JSON last. */
export function runJson (command, args, seconds = 180) {
  return new Promise((resolve, reject) => {
    const child = start(command, args)
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000)
    let noise = ''
    child.stderr.on('data', d => { noise += d })
    child.ended.then(() => {
      clearTimeout(timer)
      const line = child.said.trim().split('\n').pop()
      try {
        resolve(JSON.parse(line))
      } catch {
        reject(new Error(`${path.basename(command)} ${args.join(' ')}: ` +
          (noise.trim() || 'no result')))
      }
    })
  })
}

export function load (server, args, seconds) {
  return runJson(program('roomd-bench'), ['--json', '--port', server.port,
    '--pid', server.pids.join(','), ...args.map(String)], seconds)
}
