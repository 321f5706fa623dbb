/* SPDX-License-Identifier: MIT */
/*
 * Every proxy: stock phoenix.js with longPollFallbackMs behind the real
 * programs ends synced with one peer on a WebSocket and one on long-poll, both
 * connected directly. Prints how long the first sync took; with PROXIES_TABLE
 * the rows are appended there for docs/PROXIES.md.
 *
 * Idle times run at a tenth of what the files in conf/proxies say, and so do
 * roomd's and phoenix.js's own; PROXIES_FULL=1 runs them as they are. Without
 * PROXIES_ALL=1 idle times are left out, and most of what Chromium does.
 */
import fs from 'node:fs'
import { assert, test, waitFor } from '../support/harness.mjs'
import { sharedRoomd, sourceDir } from '../support/roomd.mjs'
import { Y } from '../support/modules.mjs'
import { MemoryStorage, freshTopic, openHook, transportOf } from '../support/clients.mjs'
import { Program, blackHole } from './program.mjs'

const FULL = process.env.PROXIES_FULL === '1'
const ALL = process.env.PROXIES_ALL === '1'
const scale = FULL ? 1 : 10
const page = process.env.CHROMIUM ? await import('../browser/stock.mjs') : null

const common = { www: `${sourceDir}/www/dist`, trusted_proxies: '127.0.0.1' }
const roomd = await sharedRoomd(common)
const proxied = await sharedRoomd({ ...common, proxy_protocol: 'on' })
/* As it is by default, but in a hurry. */
const hasty = await sharedRoomd({
  ...common,
  longpoll_window: `${9000 / scale}ms`,
  longpoll_session: `${20000 / scale}ms`,
  idle_timeout: `${60000 / scale}ms`,
  flap_life: `${5000 / scale}ms`
})
const servers = {
  4000: roomd.port, 4001: proxied.port, 4009: await blackHole()
}

const programs = new Map()
function program (kind, file, idle) {
  const key = `${file}${idle ? ', idle' : ''}`
  if (!programs.has(key)) {
    programs.set(key, Program.start(kind, file, idle ? { ...servers, 4000: hasty.port } : servers, {
      edit: text => idle
        ? text.replace(/(proxy_read_timeout )(\d+)s/g, (_m, key, s) => `${key}${s * 1000 / scale}ms`)
        : text
    }))
  }
  return programs.get(key)
}

function report (columns) {
  console.log(`# ${columns.join(' | ')}`)
  if (process.env.PROXIES_TABLE) {
    fs.appendFileSync(process.env.PROXIES_TABLE, `| ${columns.join(' | ')} |\n`)
  }
}

const text = doc => doc.getText('t').toString()

/* The two peers of a row, with something written. */
async function peers (t, topic, server) {
  const ws = openHook(t, server.ws(), topic, {})
  const lp = openHook(t, server.ws(), topic, { transport: 'longpoll' })
  await ws.joined()
  await lp.joined()
  ws.doc.getText('t').insert(0, 'peers')
  await lp.until('the text', () => text(lp.doc) === 'peers')
  return { ws, lp }
}

/* How long until the client shows what the peers wrote; then it writes. What a
 * phoenix.js client pushes into a connection that is being cut is lost, unless
 * it gives it back when it joins again (see README.md): `ready` comes first. */
async function exchange (began, both, push, shows, ready = async () => {}) {
  await shows('peers')
  const first = Date.now() - began
  await ready()
  await push(' client')
  for (const peer of [both.ws, both.lp]) {
    await peer.until('what the client wrote', () => text(peer.doc) === 'peers client')
  }
  return first
}

/* A slow machine is no reason to fall back. */
const patience = row => row.ends === 'websocket' ? 15000 : 2500

function nodeClient (t, row, endPoint, topic, options = {}) {
  return openHook(t, endPoint, topic, {
    longPollFallbackMs: patience(row),
    sessionStorage: new MemoryStorage(),
    heartbeatIntervalMs: 30000 / (row.idle ? scale : 1),
    reconnectAfterMs: undefined,
    rejoinAfterMs: undefined,
    ...options
  })
}

async function inNode (t, row, proxy, server) {
  const topic = freshTopic()
  const both = await peers(t, topic, server)
  const from = server.log.length
  const began = Date.now()
  const hook = nodeClient(t, row, proxy.ws(row.port, row.tls), topic, row.client)
  const first = await exchange(began, both,
    async more => hook.doc.getText('t').insert(hook.doc.getText('t').length, more),
    want => hook.until('the first sync', () => text(hook.doc) === want),
    () => row.then === settled ? settled({ hook, server, from }) : undefined)
  if (row.then && row.then !== settled) await row.then({ hook, both, server })
  assert.equal(transportOf(hook.socket), row.ends)
  return `${first} ms` + since(row, began)
}

const since = (row, began) => row.then === settled
  ? `, on long-poll after ${Date.now() - began} ms`
  : ''

async function inChromium (t, row, proxy, server) {
  const topic = freshTopic()
  const both = await peers(t, topic, server)
  const stock = await page.StockPage.open(t, row.origin || proxy.url(row.port, row.tls) + '/health',
    row.context ? row.context(proxy) : {})
  const from = server.log.length
  const began = Date.now()
  await stock.join(row.socket ? row.socket(server) : proxy.ws(row.port, row.tls), topic,
    { longPollFallbackMs: patience(row) })
  const first = await exchange(began, both, more => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(both.ws.doc))
    const before = Y.encodeStateVector(doc)
    doc.getText('t').insert(doc.getText('t').length, more)
    return stock.push(Y.encodeStateAsUpdate(doc, before))
  }, want => stock.shows(want), async () => {
    if (row.then !== settled) return
    await server.waitLog(/reason=flapping[^]*longpoll opened/, { from })
    await stock.page.waitForFunction(() => window.socket.isConnected() && window.channel.isJoined() &&
      window.socket.transport === window.Phoenix.LongPoll)
  })
  assert.equal(await stock.transport(), row.ends)
  return `${first} ms` + since(row, began)
}

const rows = []
const row = (kind, file, port, what, ends, more = {}) =>
  rows.push({ kind, file, port, what, ends, ...more })

row('nginx', 'nginx.conf', 8080, 'pass-through, connections to roomd reused', 'websocket')
row('nginx', 'nginx.conf', 8443, 'TLS ends at the proxy (wss, https)', 'websocket', { tls: true })
row('nginx', 'nginx-plain.conf', 8080, 'proxy_pass alone: HTTP/1.0 to roomd, no Upgrade', 'longpoll')
row('nginx', 'nginx-plain.conf', 8081, 'response and request buffering, gzip, heads of 1 kB', 'longpoll')
row('nginx', 'nginx-filter.conf', 8080, 'WebSockets refused with 403', 'longpoll')
row('nginx', 'nginx-filter.conf', 8081, 'WebSockets refused with 400', 'longpoll')
row('nginx', 'nginx-filter.conf', 8082, 'WebSockets refused with 502', 'longpoll')
row('nginx', 'nginx-filter.conf', 8083, 'WebSockets answered with a login page', 'longpoll', { few: true })
row('nginx', 'nginx-filter.conf', 8084, 'WebSockets sent to a login page (302)', 'longpoll')
row('nginx', 'nginx-filter.conf', 8085, 'WebSockets never answered', 'longpoll', { few: true })
row('haproxy', 'haproxy.cfg', 8080, 'pass-through, connections to roomd reused', 'websocket')
row('haproxy', 'haproxy.cfg', 8443, 'TLS ends at the proxy (wss, https)', 'websocket', { tls: true })
row('haproxy', 'haproxy.cfg', 8081, 'bytes, PROXY protocol version 2', 'websocket', { proxied: true })
row('haproxy', 'haproxy.cfg', 8082, 'bytes, PROXY protocol version 1', 'websocket', { proxied: true })
row('haproxy', 'haproxy-filter.cfg', 8080, 'WebSockets accepted, cut after 300 ms of silence', 'longpoll',
  { few: true, client: { params: { client_id: `matrix-${process.pid}` } }, then: settled })
row('haproxy', 'haproxy-filter.cfg', 8081, 'WebSockets refused with 403', 'longpoll')
row('haproxy', 'haproxy-filter.cfg', 8082, 'WebSockets dropped without a word', 'longpoll')
row('apache', 'apache.conf', 8080, 'pass-through (upgrade=websocket)', 'websocket')
row('apache', 'apache.conf', 8443, 'TLS ends at the proxy (wss, https)', 'websocket', { tls: true })
row('apache', 'apache.conf', 8081, 'ProxyPass alone: Upgrade is dropped', 'longpoll')
row('apache', 'apache.conf', 8082, 'HTTP/1.0 to both sides, heads of 1 kB', 'longpoll')
row('caddy', 'Caddyfile', 8080, 'pass-through', 'websocket')
row('caddy', 'Caddyfile', 8443, 'TLS ends at the proxy (wss, https)', 'websocket', { tls: true })
row('squid', 'squid-reverse.conf', 8080, 'accelerator: Upgrade is dropped', 'longpoll')
row('squid', 'squid-reverse.conf', 8081, 'accelerator, http_upgrade_request_protocols', 'websocket')
row('squid', 'squid-forward.conf', 8080, 'forward proxy of the browser, CONNECT refused', 'longpoll', {
  chromiumOnly: true,
  few: true,
  socket: server => server.ws(),
  context: proxy => ({ proxy: { server: proxy.url(), bypass: '<-loopback>' } })
})
row('nginx', 'nginx-filter.conf', 8086, 'idle connections cut after 10 s', 'websocket', { idle: 10, then: survives })
row('nginx', 'nginx-filter.conf', 8087, 'idle connections cut after 30 s', 'websocket', { idle: 30, then: survives })
row('nginx', 'nginx-filter.conf', 8088, 'idle connections cut after 60 s', 'websocket', { idle: 60, then: survives })
row('nginx', 'nginx-filter.conf', 8089, 'WebSockets refused, polls cut after 10 s', 'longpoll', { idle: 10, then: pollsOn })

/* The first sync may well have come by one of the WebSockets that were cut. */
async function settled ({ hook, server, from }) {
  await server.waitLog(/reason=flapping[^]*longpoll opened/, { from })
  await hook.until('long-poll', () => transportOf(hook.socket) === 'longpoll' &&
    hook.socket.isConnected() && hook.channel.isJoined())
}

/* Over two and a half cuts of the connection; nothing is written meanwhile. */
const pass = seconds => waitFor(`${seconds} s to pass`, resolve => {
  const timer = setTimeout(resolve, seconds * 1000 / scale)
  return () => clearTimeout(timer)
}, (seconds + 60) * 1000)

async function afterwards (hook, both) {
  both.lp.doc.getText('t').insert(0, 'later ')
  await hook.until('what came later', () => text(hook.doc) === 'later peers client')
  hook.doc.getText('t').insert(0, 'much ')
  await both.ws.until('what came back', () => text(both.ws.doc) === 'much later peers client')
}

async function survives ({ hook, both, server }) {
  const seconds = this.idle * 2.5
  let closed = 0
  hook.socket.onClose(() => closed++)
  await pass(seconds)
  await afterwards(hook, both)
  console.log(`# ${closed} times closed in ${seconds} s`)
  if (this.idle === 10) assert.ok(closed > 0, 'it was cut')
  if (this.idle === 60) assert.equal(closed, 0, 'heartbeats keep it alive')
  assert.equal((await server.metrics()).value('roomd_flapping_total'), 0)
}

async function pollsOn ({ hook, both }) {
  let closed = 0
  hook.socket.onClose(() => closed++)
  await pass(this.idle * 2.5)
  await afterwards(hook, both)
  assert.equal(closed, 0, 'one session all along')
}

for (const one of rows) {
  if (one.idle && !ALL) continue
  const clients = [...(one.chromiumOnly ? [] : [['Node', inNode]]),
    ...((ALL ? !one.idle && !one.proxied : one.few) && page ? [['Chromium', inChromium]] : [])]
  for (const [where, run] of clients) {
    test(`${one.kind}: ${one.what}, ${where}`, async t => {
      const proxy = await program(one.kind, one.file, Boolean(one.idle))
      const server = one.idle ? hasty : roomd
      if (one.proxied) return viaProxyProtocol(t, one, proxy)
      const first = await run(t, one, proxy, server)
      report([one.kind, one.what, `conf/proxies/${one.file}`, where, one.ends, first])
    }, { limit: one.idle ? (FULL ? 240000 : 90000) : 60000 })
  }
}

/* Its server takes nobody without a header, so the peers come by it too. */
async function viaProxyProtocol (t, one, proxy) {
  const topic = freshTopic()
  const both = await peers(t, topic, { ws: () => proxy.ws(one.port) })
  const from = proxied.log.length
  const began = Date.now()
  const hook = nodeClient(t, one, proxy.ws(one.port), topic)
  const first = await exchange(began, both,
    async more => hook.doc.getText('t').insert(5, more),
    want => hook.until('the first sync', () => text(hook.doc) === want))
  await proxied.waitLog(/websocket opened connection=\d+ peer=127\.0\.0\.1/, { from })
  assert.equal(transportOf(hook.socket), 'websocket')
  report([one.kind, one.what, `conf/proxies/${one.file}`, 'Node', one.ends, `${first} ms`])
}
