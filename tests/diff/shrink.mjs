/* SPDX-License-Identifier: MIT */
/*
 * Makes a failing history small: first whole updates are dropped, then client
 * sections, structs and delete ranges inside the updates that are left. Every
 * candidate is a legal history (what it misses is pending), so nothing has to
 * be generated again. A failure of another kind counts as the same: it is
 * smaller, and as good a lead.
 */
import { buildUpdate, parseUpdate, sectionEnd } from './update.mjs'

const without = (list, from, n) =>
  [...list.slice(0, from), ...list.slice(from + n)]

/* Array.prototype.with, which node 18 does not have */
const replaced = (list, at, entry) =>
  [...list.slice(0, at), entry, ...list.slice(at + 1)]

/* the classic: drop halves, quarters, ... single entries while it fails */
const dropChunks = async (list, fails) => {
  for (let n = Math.ceil(list.length / 2); n >= 1; n = Math.floor(n / 2)) {
    for (let from = 0; from < list.length;) {
      const next = without(list, from, n)
      if (next.length < list.length && await fails(next)) list = next
      else from += n
    }
    if (n === 1) break
  }
  return list
}

/* a hole instead of a struct, one hole instead of two: clocks stay the same */
const withHoles = function * (client) {
  for (let k = 0; k < client.structs.length; k++) {
    const s = client.structs[k]
    const next = client.structs[k + 1]
    if (s.content !== undefined) {
      const hole = { info: 0, len: s.len }
      yield { ...client, structs: replaced(client.structs, k, hole) }
    } else if (s.info === 0 && next && next.info === 0) {
      const hole = { info: 0, len: s.len + next.len }
      yield {
        ...client,
        structs: replaced(without(client.structs, k, 1), k, hole)
      }
    }
  }
}

const smaller = function * (update) {
  for (let i = 0; i < update.clients.length; i++) {
    yield { ...update, clients: without(update.clients, i, 1) }
    const client = update.clients[i]
    for (let k = 1; k < client.structs.length; k *= 2) {
      const cut = { ...client, structs: client.structs.slice(0, -k) }
      yield { ...update, clients: replaced(update.clients, i, cut) }
      const head = { ...client, structs: client.structs.slice(0, k) }
      const tail = {
        ...client,
        clock: sectionEnd(head),
        structs: client.structs.slice(k)
      }
      yield { ...update, clients: replaced(update.clients, i, tail) }
    }
  }
  for (let i = 0; i < update.clients.length; i++) {
    for (const client of withHoles(update.clients[i])) {
      yield { ...update, clients: replaced(update.clients, i, client) }
    }
  }
  for (let i = 0; i < update.deletes.length; i++) {
    yield { ...update, deletes: without(update.deletes, i, 1) }
    const entry = update.deletes[i]
    for (let k = 0; k < entry.ranges.length; k++) {
      const cut = { ...entry, ranges: without(entry.ranges, k, 1) }
      yield { ...update, deletes: replaced(update.deletes, i, cut) }
    }
  }
}

const shrinkInside = async (updates, fails, spend) => {
  for (let i = 0; i < updates.length; i++) {
    let again = true
    while (again && spend()) {
      again = false
      for (const next of smaller(parseUpdate(updates[i]))) {
        if (!spend()) return updates
        const candidate = replaced(updates, i, buildUpdate(next))
        if (!await fails(candidate)) continue
        updates = candidate
        again = true
        break
      }
    }
  }
  return updates
}

/**
 * `check(history)` resolves to a failure or null. Resolves to the failure of
 * the smallest history found in at most `budget` runs.
 */
export const shrink = async (failure, check, budget = 3000) => {
  let best = failure
  let runs = 0
  const spend = () => runs < budget
  const fails = async updates => {
    if (!spend()) return false
    runs++
    const probes = best.request?.data && best.request.op !== undefined &&
      best.probe ? [best.probe] : []
    const next = await check({ ...failure.history, updates }, probes)
    if (next === null || next.reason === undefined) return false
    best = { ...next, probe: best.probe }
    return true
  }
  let updates = failure.history.updates
  if (failure.step >= 0 && failure.step < updates.length) {
    updates = updates.slice(0, failure.step + 1)
  }
  if (!await fails(updates)) return { ...failure, shrunk: false }
  updates = await dropChunks(updates, fails)
  updates = await shrinkInside(updates, fails, spend)
  updates = await dropChunks(updates, fails)
  return { ...best, shrunk: true, runs }
}
