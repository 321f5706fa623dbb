/* SPDX-License-Identifier: MIT */
/*
 * Raw bytes over TCP for the tests of the wire: a reader that waits for what
 * it is asked for, an HTTP/1.1 client that hides nothing and checks what it
 * reads, and a WebSocket client made by hand (RFC 6455).
 */
import crypto from 'node:crypto'
import net from 'node:net'
import zlib from 'node:zlib'
import { EventEmitter } from 'node:events'
import { assert, waitFor, LIMIT_MS } from './harness.mjs'

/* A socket whose bytes are read by demand. */
export class Wire extends EventEmitter {
  static open ({ host = '127.0.0.1', port, localAddress, pauseReads = false }) {
    return waitFor(`a connection to ${host}:${port}`, (resolve, reject) => {
      const socket = net.connect({ host, port, localAddress, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new Wire(socket, pauseReads))
      })
    })
  }

  constructor (socket, pauseReads) {
    super()
    this.setMaxListeners(50)
    this.socket = socket
    this.have = Buffer.alloc(0)
    this.ended = false
    if (pauseReads) {
      socket.pause()
    } else {
      this.startReading()
    }
    socket.on('error', err => { this.error = err })
    socket.on('close', () => { this.ended = true; this.emit('more') })
  }

  startReading () {
    this.socket.on('end', () => { this.ended = true; this.emit('more') })
    this.socket.on('data', data => {
      this.have = Buffer.concat([this.have, data])
      this.emit('more')
    })
    this.socket.resume()
  }

  write (data) { this.socket.write(data) }

  /* One byte a write, each flushed before the next. */
  async writeDropByDrop (text) {
    for (const byte of Buffer.from(text)) {
      if (this.ended) return
      await new Promise(resolve => this.socket.write(Buffer.of(byte), resolve))
    }
  }

  async more (what, ms) {
    const before = this.have.length
    await waitFor(what, resolve => {
      const ask = () => {
        if (this.have.length > before || this.ended) resolve()
      }
      this.on('more', ask)
      ask()
      return () => this.off('more', ask)
    }, ms)
  }

  take (n) {
    const out = this.have.subarray(0, n)
    this.have = this.have.subarray(n)
    return out
  }

  async read (n, what = `${n} bytes`, ms = LIMIT_MS) {
    while (this.have.length < n) {
      if (this.ended) throw new Error(`the connection ended before ${what}`)
      await this.more(what, ms)
    }
    return this.take(n)
  }

  async readUntil (mark, what, ms = LIMIT_MS) {
    let at
    while ((at = this.have.indexOf(mark)) < 0) {
      if (this.ended) {
        throw new Error(`the connection ended before ${what}: ` +
          JSON.stringify(this.have.toString('latin1')))
      }
      await this.more(what, ms)
    }
    return this.take(at + mark.length)
  }

  /* Everything until the peer closes. */
  async rest (what = 'the end of the connection', ms = LIMIT_MS) {
    while (!this.ended) await this.more(what, ms)
    return this.take(this.have.length)
  }

  destroy () { this.socket.destroy() }
  halfClose () { this.socket.end() }
}

/* One response off the wire; `head`: the answer to a HEAD, without a body. */
export async function readResponse (wire, { head = false, ms } = {}) {
  const raw = await wire.readUntil('\r\n\r\n', 'a response head', ms)
  const lines = raw.toString('latin1').slice(0, -4).split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3})(?: (.*))?$/.exec(lines.shift())
  assert.ok(status, `status line of ${raw}`)
  const headers = {}
  for (const line of lines) {
    const m = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line)
    assert.ok(m, `header line ${JSON.stringify(line)}`)
    const name = m[1].toLowerCase()
    headers[name] = name in headers ? `${headers[name]}, ${m[2]}` : m[2]
  }
  const response = { status: Number(status[1]), headers, body: Buffer.alloc(0) }
  if (head || response.status === 304 || response.status < 200 ||
      response.status === 204) {
    return response
  }
  if (/chunked/i.test(headers['transfer-encoding'] || '')) {
    response.body = await readChunked(wire)
  } else if ('content-length' in headers) {
    assert.match(headers['content-length'], /^\d+$/)
    response.body = Buffer.from(
      await wire.read(Number(headers['content-length']), 'a body', ms))
  } else {
    response.body = await wire.rest()
  }
  if (headers['content-encoding'] === 'gzip') {
    response.encoded = response.body
    response.body = zlib.gunzipSync(response.body)
  }
  return response
}

async function readChunked (wire) {
  const parts = []
  for (;;) {
    const line = await wire.readUntil('\r\n', 'a chunk size')
    const size = parseInt(line.toString('latin1'), 16)
    assert.ok(size >= 0, `chunk size ${line}`)
    parts.push(Buffer.from(await wire.read(size, 'a chunk')))
    assert.equal((await wire.read(2, 'a chunk end')).toString(), '\r\n')
    if (size === 0) return Buffer.concat(parts)
  }
}

export function requestText (method, path, headers = {}, body = null) {
  const all = { Host: 'localhost', ...headers }
  if (body !== null && !('Content-Length' in all) &&
      !('Transfer-Encoding' in all)) {
    all['Content-Length'] = Buffer.byteLength(body)
  }
  const head = `${method} ${path} HTTP/1.1\r\n` +
    Object.entries(all).map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n'
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body || '')])
}

/* One request on a connection of its own. */
export async function request (where, method, path,
  { headers = {}, body = null, ms } = {}) {
  const wire = await Wire.open(where)
  try {
    wire.write(requestText(method, path, headers, body))
    return await readResponse(wire, { head: method === 'HEAD', ms })
  } finally {
    wire.destroy()
  }
}

export const OP = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 }

export function frame (opcode, payload = '', { fin = true, mask = true } = {}) {
  const data = Buffer.from(payload)
  const n = data.length
  const long = n > 65535 ? 8 : n > 125 ? 2 : 0
  const out = Buffer.alloc(2 + long + (mask ? 4 : 0) + n)
  out[0] = (fin ? 0x80 : 0) | opcode
  out[1] = (mask ? 0x80 : 0) | (long === 8 ? 127 : long === 2 ? 126 : n)
  if (long === 2) out.writeUInt16BE(n, 2)
  if (long === 8) out.writeBigUInt64BE(BigInt(n), 2)
  let at = 2 + long
  if (mask) {
    const key = crypto.randomBytes(4)
    key.copy(out, at)
    at += 4
    for (let i = 0; i < n; i++) out[at + i] = data[i] ^ key[i & 3]
  } else {
    data.copy(out, at)
  }
  return out
}

export function upgradeText (path, headers = {}) {
  const key = crypto.randomBytes(16).toString('base64')
  const text = requestText('GET', path, {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
    ...headers
  })
  const accept = crypto.createHash('sha1')
    .update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  return { text, accept }
}

/* A WebSocket whose every byte the test decides. */
export class RawSocket {
  constructor (wire) { this.wire = wire }

  /* The response of a handshake that may well be refused. */
  static async handshake (where, path = '/socket/websocket?vsn=2.0.0',
    { headers = {}, early = null, wire = null } = {}) {
    wire = wire || await Wire.open(where)
    const { text, accept } = upgradeText(path, headers)
    wire.write(early ? Buffer.concat([text, early]) : text)
    const response = await readResponse(wire)
    const socket = new RawSocket(wire)
    socket.response = response
    socket.accept = accept
    return socket
  }

  static async open (where, path, options) {
    const socket = await RawSocket.handshake(where, path, options)
    socket.checkAccepted()
    return socket
  }

  checkAccepted () {
    const { status, headers } = this.response
    assert.equal(status, 101)
    assert.equal(headers.upgrade.toLowerCase(), 'websocket')
    assert.match(headers.connection, /upgrade/i)
    assert.equal(headers['sec-websocket-accept'], this.accept)
    assert.equal(headers['sec-websocket-extensions'], undefined)
  }

  async readFrame (ms) {
    const head = await this.wire.read(2, 'a frame', ms)
    assert.equal(head[0] & 0x70, 0, 'reserved bits')
    assert.equal(head[1] & 0x80, 0, 'servers do not mask')
    let n = head[1] & 0x7f
    if (n === 126) {
      n = (await this.wire.read(2, 'a length')).readUInt16BE(0)
      assert.ok(n > 125, 'shortest length form')
    } else if (n === 127) {
      n = Number((await this.wire.read(8, 'a length')).readBigUInt64BE(0))
      assert.ok(n > 65535, 'shortest length form')
    }
    const payload = Buffer.from(await this.wire.read(n, 'a frame payload'))
    return { fin: (head[0] & 0x80) !== 0, opcode: head[0] & 15, payload }
  }

  /* The next message: a string, a Buffer or { close, reason }; pings are
   * answered, pongs handed out as { pong }. */
  async next (ms) {
    let parts = null
    for (;;) {
      const f = await this.readFrame(ms)
      if (f.opcode === OP.ping) {
        this.sendFrame(OP.pong, f.payload)
      } else if (f.opcode === OP.pong) {
        return { pong: f.payload }
      } else if (f.opcode === OP.close) {
        if (f.payload.length === 0) return { close: 1005, reason: '' }
        return {
          close: f.payload.readUInt16BE(0),
          reason: f.payload.subarray(2).toString()
        }
      } else {
        if (parts === null) {
          assert.ok(f.opcode === OP.text || f.opcode === OP.binary)
          parts = { opcode: f.opcode, data: [] }
        } else {
          assert.equal(f.opcode, OP.more)
        }
        parts.data.push(f.payload)
        if (f.fin) {
          const all = Buffer.concat(parts.data)
          return parts.opcode === OP.text ? all.toString('utf8') : all
        }
      }
    }
  }

  /* The next message, which must be text: parsed. */
  async json (ms) {
    const m = await this.next(ms)
    assert.equal(typeof m, 'string',
      `text expected, got ${Buffer.isBuffer(m) ? m.toString('latin1') : JSON.stringify(m)}`)
    return JSON.parse(m)
  }

  async bytes () {
    const m = await this.next()
    assert.ok(Buffer.isBuffer(m), `binary expected, got ${JSON.stringify(m)}`)
    return m
  }

  /* Skips messages until the close frame; returns it with what came before. */
  async closed (ms) {
    const before = []
    for (;;) {
      const m = await this.next(ms)
      if (m.close !== undefined) return { ...m, before }
      before.push(m)
    }
  }

  sendFrame (opcode, payload, options) {
    this.wire.write(frame(opcode, payload, options))
  }

  text (data) { this.sendFrame(OP.text, data) }
  binary (data) { this.sendFrame(OP.binary, data) }
  send (joinRef, ref, topic, event, payload = {}) {
    this.text(JSON.stringify([joinRef, ref, topic, event, payload]))
  }

  /* All that is still queued for this client, in order: an event on a topic
   * nobody joined is answered behind it. */
  async drainQueue () {
    const ref = `barrier-${RawSocket.barriers++}`
    this.send(null, ref, 'no:such:topic', 'barrier')
    const before = []
    for (;;) {
      const m = await this.next()
      if (typeof m === 'string' && m.includes(ref)) {
        assert.deepEqual(JSON.parse(m), [null, ref, 'no:such:topic',
          'phx_reply', { status: 'error', response: { reason: 'unmatched topic' } }])
        return before
      }
      before.push(m)
    }
  }

  destroy () { this.wire.destroy() }
}
RawSocket.barriers = 1

/* Phoenix's V2 binary frames. */
export function binaryPush (joinRef, ref, topic, event, payload) {
  const fields = [joinRef, ref, topic, event].map(f => Buffer.from(f))
  return Buffer.concat([Buffer.of(0, ...fields.map(f => f.length)), ...fields,
    Buffer.from(payload)])
}

export function binaryDecode (data) {
  const kind = data[0]
  const names = [['join_ref', 'topic', 'event'],
    ['join_ref', 'ref', 'topic', 'status'], ['topic', 'event']][kind]
  assert.ok(names, `kind of ${data.toString('latin1')}`)
  const out = { kind }
  let at = 1 + names.length
  names.forEach((name, i) => {
    const n = data[1 + i]
    out[name] = data.subarray(at, at + n).toString()
    at += n
  })
  assert.ok(at <= data.length, 'binary frame long enough')
  out.payload = data.subarray(at)
  return out
}
