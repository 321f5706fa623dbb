/* SPDX-License-Identifier: MIT */
/*
 * A well-behaved client beside an attack, in a thread of its own so that it
 * measures the daemon and not the attacker: two WebSockets and a long-poll
 * session in one room. Every INTERVAL ms one WebSocket sends an edit and the
 * other waits for it; every second time the long-poll session posts and polls.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { RawSocket, binaryPush } from '../support/net.mjs'
import { RawPoll } from '../support/longpoll.mjs'
import { syncUpdate, textUpdate } from '../support/updates.mjs'

const INTERVAL = 20
const topic = `room:probe-${process.pid}-${Date.now()}`
const { where } = workerData

async function member () {
  const ws = await RawSocket.open(where)
  ws.send('1', '1', topic, 'phx_join')
  await ws.json()
  await ws.drainQueue()
  return ws
}

async function heard (ws, event) {
  for (;;) {
    const m = await ws.json()
    if (m[3] === event) return m
  }
}

const [a, b] = [await member(), await member()]
const lp = await RawPoll.open(where)
const edits = []
const polls = []
let stopping = false

async function edit (i) {
  const began = performance.now()
  a.binary(binaryPush('1', '2', topic, 'yjs', syncUpdate(textUpdate(`${i}`))))
  await heard(b, 'update')
  edits.push(performance.now() - began)
}

async function poll (i) {
  const began = performance.now()
  await lp.send(null, String(i), 'phoenix', 'heartbeat')
  await lp.next()
  polls.push(performance.now() - began)
}

async function run () {
  for (let i = 0; !stopping || i < 20; i++) {
    await edit(i)
    if (i % 2) await poll(i)
    await new Promise(resolve => setTimeout(resolve, INTERVAL))
  }
}

const running = run()
parentPort.once('message', () => { stopping = true })
parentPort.postMessage('ready')
await running
for (const ws of [a, b]) ws.destroy()
parentPort.postMessage({ edits, polls })
parentPort.close()
