/* SPDX-License-Identifier: MIT */
/*
 * What one update costs in user space, in instructions: the same load is run
 * twice under callgrind with different numbers of updates, and the difference
 * divided by theirs. Joins, start and end fall out, and unlike times the
 * figures are the same on a busy machine; compare them before and after a
 * change. The kernel's part is not in them.
 */
import fs from 'node:fs'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { startRoomd, stop, load, paths } from './servers.mjs'

export const haveCallgrind =
  spawnSync('valgrind', ['--version']).status === 0

/* Inclusive instructions by function. */
function inclusive (file) {
  const out = spawnSync('callgrind_annotate',
    ['--inclusive=yes', '--threshold=100', file],
    { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout || ''
  const costs = {}
  for (const line of out.split('\n')) {
    const m = /^\s*([\d,]+) \([^)]*\)\s+(?:PROGRAM TOTALS|\S*?:([\w.]+))/
      .exec(line)
    if (!m) continue
    const name = m[2] || 'total'
    const cost = +m[1].replace(/,/g, '')
    costs[name] = Math.max(costs[name] || 0, cost)
  }
  return costs
}

async function instructions (list, seconds) {
  const file = path.join(paths.scratch, `callgrind-${seconds}`)
  const server = await startRoomd({
    wrap: ['valgrind', '-q', '--tool=callgrind',
      `--callgrind-out-file=${file}`]
  })
  const r = await load(server, [...list, '--seconds', seconds])
  await stop(server)
  const costs = inclusive(file)
  fs.rmSync(file)
  return { costs, updates: r.updates, deliveries: r.delivered }
}

async function perUpdate (list) {
  const few = await instructions(list, 1)
  const many = await instructions(list, 5)
  const updates = many.updates - few.updates
  const cost = name =>
    ((many.costs[name] || 0) - (few.costs[name] || 0)) / updates
  /* Some writes are libwebsockets' idea, when the socket was full before. */
  const late = Math.max(0, cost('ws_conn_write') - cost('on_turn'))
  const parts = {
    'read: libuv and libwebsockets, up to our callback':
      cost('uv_run') - cost('on_turn') - cost('deliver') - late,
    'parse: frame, session, channel':
      cost('deliver') - cost('room_update') - cost('room_y_message'),
    'apply: the engine': cost('yjs_apply_update'),
    'frame: once for all receivers':
      cost('fanout_y_frame') + cost('frame_broadcast'),
    'queue: one entry for each receiver': cost('session_send'),
    'write: everything queued for a receiver': cost('on_turn') + late
  }
  const sum = Object.values(parts).reduce((a, b) => a + b, 0)
  parts['the rest: room, timers'] = cost('total') - sum
  return {
    parts,
    total: cost('total'),
    receivers: (many.deliveries - few.deliveries) / updates
  }
}

export async function budget () {
  const base = ['--connections', 200, '--senders', 1]
  return {
    'yjs (binary), 1 receiver':
      await perUpdate([...base, '--room-size', 2, '--rate', 400]),
    'update (JSON), 1 receiver':
      await perUpdate([...base, '--room-size', 2, '--rate', 400, '--wire',
        'update']),
    'yjs (binary), 4 receivers, all send':
      await perUpdate(['--connections', 200, '--room-size', 5, '--rate', 800]),
    'yjs (binary), 99 receivers':
      await perUpdate([...base, '--room-size', 100, '--rate', 60])
  }
}
