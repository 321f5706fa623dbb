/* SPDX-License-Identifier: MIT */
/*
 * Connections that say nothing, from a process of their own, since a process
 * has no more descriptors than the daemon: node idle.mjs PORT N. Tells how
 * many stand and how many were refused, and holds them until its input ends.
 */
import { from, many } from './stage.mjs'

const [port, n] = process.argv.slice(2).map(Number)
const wires = []
let refused = 0
await many(n, 200, async i => {
  try {
    wires.push(await from(`127.0.${1 + process.pid % 100}.${1 + i % 250}`, port))
  } catch (err) { refused++ }
})
process.stdout.write(JSON.stringify({ refused }) + '\n')
process.stdin.on('end', () => process.exit(0)).resume()
