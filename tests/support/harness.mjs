/* SPDX-License-Identifier: MIT */
/*
 * A test file calls test() and hook functions; run.mjs runs them one after the
 * other and prints TAP. Own code rather than node:test, because the reporters
 * and flags of node:test differ from node 18 to node 22.
 *
 * Waiting is always for an event, with a generous limit: SLOW multiplies every
 * limit (sanitizer builds, valgrind).
 */
import assert from 'node:assert/strict'

export { assert }
export const SLOW = Number(process.env.ROOMD_TEST_SLOW || 1)
export const LIMIT_MS = 15000 * SLOW
/* Resident memory means something; under a sanitizer it does not. */
export const MEASURES_MEMORY = SLOW === 1

const tests = []
const cleanups = []
const reporters = []

export function test (name, fn, { limit = 30000 } = {}) {
  tests.push({ name, fn, limit: limit * SLOW })
}

/* Runs after all tests of the file, last registered first. */
export function afterAll (fn) { cleanups.push(fn) }

/* `fn` returns text that is printed when a test fails (the daemon's log). */
export function onFailure (fn) { reporters.push(fn) }

/* A promise that `start(resolve, reject)` settles, or the limit does. `start`
 * may return a function that undoes what it did. */
export function waitFor (what, start, ms = LIMIT_MS) {
  return new Promise((resolve, reject) => {
    let undo
    let done = false
    const finish = (settle, value) => {
      if (done) return
      done = true
      clearTimeout(timer)
      if (typeof undo === 'function') undo()
      settle(value)
    }
    const timer = setTimeout(
      () => finish(reject, new Error(`waited ${ms} ms in vain for ${what}`)), ms)
    undo = start(value => finish(resolve, value), err => finish(reject, err))
    if (done && typeof undo === 'function') undo()
  })
}

/* Until `check()` is true; it is asked now and at each of the events
 * [emitter, name], emitters having on() and off(). */
export function eventually (what, check, events, ms = LIMIT_MS) {
  return waitFor(what, (resolve, reject) => {
    const ask = () => {
      try {
        if (check()) resolve()
      } catch (err) { reject(err) }
    }
    for (const [emitter, name] of events) emitter.on(name, ask)
    ask()
    return () => { for (const [emitter, name] of events) emitter.off(name, ask) }
  }, ms)
}

function indent (text) { return String(text).replace(/^/gm, '    ') }

/* The hooks a test gets: t.after(fn) runs when the test ends, last first. */
class Context {
  constructor () { this.undo = [] }
  after (fn) { this.undo.push(fn) }
  async end () {
    for (const fn of this.undo.reverse()) await fn()
  }
}

async function runOne ({ fn, limit }) {
  const t = new Context()
  let timer
  let stray
  const lost = new Promise((_resolve, reject) => { stray = reject })
  process.on('unhandledRejection', stray)
  process.on('uncaughtException', stray)
  try {
    await Promise.race([lost, fn(t), new Promise((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`test took over ${limit} ms`)), limit)
    })])
  } finally {
    clearTimeout(timer)
    await t.end()
    process.off('unhandledRejection', stray)
    process.off('uncaughtException', stray)
  }
}

export async function runAll (pattern) {
  let pass = 0
  let fail = 0
  for (const one of tests) {
    if (pattern && !one.name.includes(pattern)) continue
    const began = Date.now()
    try {
      await runOne(one)
      pass++
      console.log(`ok ${pass + fail} - ${one.name} # ${Date.now() - began} ms`)
    } catch (err) {
      fail++
      console.log(`not ok ${pass + fail} - ${one.name}`)
      console.log(indent(err && err.stack ? err.stack : err))
      for (const report of reporters) console.log(indent(report()))
    }
  }
  for (const fn of cleanups.reverse()) {
    try {
      await fn()
    } catch (err) {
      fail++
      console.log('not ok - clean-up at the end of the file')
      console.log(indent(err && err.stack ? err.stack : err))
      for (const report of reporters) console.log(indent(report()))
    }
  }
  return { pass, fail }
}
