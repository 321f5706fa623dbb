/* SPDX-License-Identifier: MIT */
/*
 * A long-poll client of Phoenix's protocol by hand: every poll and every POST
 * is the test's own decision.
 */
import { assert, LIMIT_MS, waitFor } from './harness.mjs'
import { Wire, readResponse, requestText } from './net.mjs'

/* What phoenix.js knows; any other status throws inside it for good. */
const KNOWN = [200, 204, 403, 410, 500]

export class RawPoll {
  constructor (where, { vsn = '2.0.0', params = '', mount = '/socket/longpoll',
    headers = {} } = {}) {
    this.where = where
    this.headers = headers
    const query = [vsn === null ? '' : `vsn=${vsn}`, params].filter(Boolean)
    this.path = mount + (query.length ? `?${query.join('&')}` : '')
    this.token = null
    this.queue = []
  }

  static async open (where, options) {
    const lp = new RawPoll(where, options)
    const first = await lp.poll()
    assert.equal(first.status, 410, 'first poll opens with 410')
    assert.deepEqual(first.body.messages, [])
    assert.equal(typeof first.body.token, 'string')
    lp.token = first.body.token
    return lp
  }

  url (token = this.token) {
    if (token === null) return this.path
    const mark = this.path.includes('?') ? '&' : '?'
    return `${this.path}${mark}token=${encodeURIComponent(token)}`
  }

  /* A request that is written but not yet answered: { wire, answer }. */
  async begin (method, { headers = {}, body = null, path = this.url(), ms } = {}) {
    const wire = await Wire.open(this.where)
    wire.write(requestText(method, path,
      { Accept: 'application/json', ...this.headers, ...headers }, body))
    const answer = readResponse(wire, { ms }).then(response => {
      wire.destroy()
      return this.check(response)
    })
    answer.catch(() => {})
    return { wire, answer }
  }

  check (response) {
    assert.equal(response.status, 200, 'HTTP status is always 200')
    assert.match(response.headers['content-type'], /^application\/json/)
    assert.equal(response.headers['access-control-allow-origin'], '*')
    assert.match(response.headers['cache-control'] || '', /no-store/)
    const body = JSON.parse(response.body.toString('utf8'))
    assert.ok(KNOWN.includes(body.status), `status ${body.status}`)
    return { status: body.status, body, response }
  }

  async poll (options) { return (await this.begin('GET', options)).answer }

  /* Lines as phoenix.js sends them. */
  async post (lines, { headers = {}, ...options } = {}) {
    const body = Array.isArray(lines) ? lines.join('\n') : lines
    return (await this.begin('POST', {
      headers: { 'Content-Type': 'application/x-ndjson', ...headers },
      body,
      ...options
    })).answer
  }

  async send (joinRef, ref, topic, event, payload = {}) {
    const { status } = await this.post(
      [JSON.stringify([joinRef, ref, topic, event, payload])])
    assert.equal(status, 200)
  }

  /* The next message as the string it travelled as, polling as needed. */
  async nextText (ms = LIMIT_MS) {
    const until = Date.now() + ms
    while (this.queue.length === 0) {
      assert.ok(Date.now() < until, 'waited in vain for a message')
      const { status, body } = await this.poll({ ms })
      assert.ok(status === 200 || status === 204, `poll status ${status}`)
      if (status === 200) {
        assert.ok(body.messages.length > 0)
        this.queue.push(...body.messages)
      }
    }
    return this.queue.shift()
  }

  async next (ms) {
    const text = await this.nextText(ms)
    assert.equal(typeof text, 'string')
    return JSON.parse(text)
  }
}

/* When an answer came, without throwing when it never does. */
export function settled (promise, ms) {
  return waitFor('an answer', (resolve, reject) => {
    promise.then(resolve, reject)
  }, ms)
}
