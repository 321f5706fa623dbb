/* SPDX-License-Identifier: MIT */
/*
 * Starts the proxies that people really have, each with a file of conf/proxies
 * in which only ports and paths are filled in: 8nnn become free ports, 4000,
 * 4001 and 4009 the servers of the test, roomd.pem its certificate. Each runs
 * in a folder of its own, on loopback, in the foreground, and ends with the
 * test; no service of the system is touched.
 */
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { spawn } from 'node:child_process'
import { LIMIT_MS, afterAll, onFailure, waitFor } from '../support/harness.mjs'
import { scratchDir, sourceDir } from '../support/roomd.mjs'

const root = process.getuid() === 0
const HOST = '127.0.0.1'

/* Ports that were free a moment ago; all held until all are known, so that
 * they differ. */
async function freePorts (n) {
  const servers = await Promise.all(Array.from({ length: n }, () =>
    new Promise((resolve, reject) => {
      const server = net.createServer()
      server.once('error', reject)
      server.listen(0, HOST, () => resolve(server))
    })))
  const ports = servers.map(s => s.address().port)
  await Promise.all(servers.map(s => new Promise(resolve => s.close(resolve))))
  return ports
}

const accepts = port => new Promise(resolve => {
  const socket = net.connect(port, HOST)
  socket.once('connect', () => { socket.destroy(); resolve(true) })
  socket.once('error', () => resolve(false))
})

const commands = {
  nginx: (conf, dir) => ['nginx', ['-p', `${dir}/`, '-c', conf,
    '-g', root ? 'user root;' : '']],
  haproxy: conf => ['haproxy', ['-db', '-f', conf]],
  apache: conf => ['apache2', ['-DFOREGROUND', '-d', '/usr/lib/apache2', '-f', conf]],
  caddy: conf => ['caddy', ['run', '--adapter', 'caddyfile', '--config', conf]],
  squid: conf => ['squid', ['-N', '-f', conf]]
}

export const versions = {
  nginx: ['nginx', ['-v']],
  haproxy: ['haproxy', ['-v']],
  apache: ['apache2', ['-v']],
  caddy: ['caddy', ['version']],
  squid: ['squid', ['-v']]
}

const PATH = `${process.env.PATH}:/usr/sbin:/sbin`
const running = []
onFailure(() => running.map(p => `--- ${p.file}\n${p.said.slice(-3000)}${p.log()}`).join('\n'))

export class Program {
  /* file: of conf/proxies; servers: { 4000: port, ... }; edit: a function of
   * the text, for what a test varies. */
  static async start (kind, file, servers, { edit = text => text } = {}) {
    const self = new Program()
    self.kind = kind
    self.file = file
    self.said = ''
    self.dir = scratchDir(`${file}-${running.length}`)
    fs.chmodSync(path.dirname(self.dir), 0o755) // apache and squid are not root
    fs.chmodSync(self.dir, 0o777)
    const source = edit(fs.readFileSync(path.join(sourceDir, 'conf', 'proxies', file), 'utf8'))
    const wanted = [...new Set(source.match(/\b8\d\d\d\b/g))]
    const ports = await freePorts(wanted.length)
    self.ports = Object.fromEntries(wanted.map((p, i) => [p, ports[i]]))
    const conf = path.join(self.dir, file)
    fs.writeFileSync(conf, self.fill(source, servers))
    await self.spawn(conf)
    return self
  }

  fill (text, servers) {
    const filled = text
      .replace(/\b8\d\d\d\b/g, p => this.ports[p])
      .replace(/\b400\d\b/g, p => servers[p] || p)
      .replace(/\S*roomd\.pem/g, process.env.PROXIES_PEM)
    return this.kind === 'nginx'
      ? filled.replace('http {', 'http {' + ['client_body', 'proxy', 'fastcgi', 'scgi', 'uwsgi']
        .map(n => `${n}_temp_path ${this.dir}/${n};`).join(''))
      : filled
  }

  async spawn (conf) {
    const [command, args] = commands[this.kind](conf, this.dir)
    const child = this.child = spawn(command, args, {
      cwd: this.dir,
      env: { PATH, RUN: this.dir, HOME: this.dir, XDG_DATA_HOME: this.dir, XDG_CONFIG_HOME: this.dir },
      stdio: ['ignore', 'pipe', 'pipe']
    })
    this.ended = new Promise(resolve => child.once('close', resolve))
    const dead = new Promise((_resolve, reject) => {
      child.once('error', reject)
      child.once('exit', code => reject(new Error(`${command} ended with ${code}: ${this.said}${this.log()}`)))
    })
    dead.catch(() => {})
    for (const out of [child.stdout, child.stderr]) out.on('data', d => { this.said += d })
    running.push(this)
    process.on('exit', () => child.exitCode === null && child.kill('SIGTERM'))
    afterAll(() => this.stop())
    const until = Date.now() + LIMIT_MS
    for (const port of Object.values(this.ports)) {
      while (!await accepts(port)) {
        if (Date.now() > until) throw new Error(`${command} does not listen: ${this.said}`)
        await Promise.race([dead, new Promise(resolve => setTimeout(resolve, 20))])
      }
    }
  }

  log () {
    return ['squid.log', 'error.log'].map(f => path.join(this.dir, f))
      .filter(f => fs.existsSync(f)).map(f => fs.readFileSync(f, 'utf8').slice(-2000)).join('')
  }

  where (port) { return { host: HOST, port: this.ports[port] } }
  url (port = 8080, tls = false) {
    return `http${tls ? 's' : ''}://${HOST}:${this.ports[port]}`
  }

  ws (port, tls) { return this.url(port, tls).replace('http', 'ws') + '/socket' }

  async stop () {
    if (this.child.exitCode === null) this.child.kill('SIGTERM')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), LIMIT_MS)
    await this.ended
    clearTimeout(timer)
  }
}

/* Accepts, and says nothing, ever. */
export function blackHole () {
  return waitFor('a port', resolve => {
    const sockets = new Set()
    const server = net.createServer(s => {
      sockets.add(s)
      s.on('error', () => {}).on('close', () => sockets.delete(s)).resume()
    })
    server.listen(0, HOST, () => resolve(server.address().port))
    afterAll(() => {
      for (const s of sockets) s.destroy()
      server.close()
    })
  })
}
