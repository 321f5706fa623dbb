/* SPDX-License-Identifier: MIT */
/*
 * A flame graph: samples of call stacks by perf, folded and drawn as SVG.
 * Width is CPU time, callers stand below what they call; frames that are no
 * wider than a hair are left out. Blue is the kernel, red roomd, yellow its
 * libraries, green the C library. The stacks are unwound from copies of the
 * stack (dwarf), since Debian's libraries keep no frame pointers; 32 kB, for
 * libuv keeps 12 kB of events on it.
 */
import fs from 'node:fs'
import path from 'node:path'
import { spawn, spawnSync } from 'node:child_process'
import { startRoomd, stop, load, paths } from './servers.mjs'

const WIDTH = 1200
const ROW = 16
const MIN_WIDTH = 0.4
const CHAR = 6.2 // of a letter at 11 px

export const havePerf = spawnSync('perf', ['--version']).status === 0

const escape = text => text.replace(/[&<>"]/g,
  c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[c]))

function kind (object) {
  if (/kernel|\[guest|vdso/.test(object)) return 'kernel'
  if (/\/roomd$/.test(object)) return 'roomd'
  return /libc\.so|libc-/.test(object) ? 'libc' : 'library'
}

/* A frame without a symbol is named by its object. Threads begin differently
 * deep in libc: everything below main is dropped. */
function parse (text) {
  const root = { name: 'all', kind: 'kernel', count: 0, children: new Map() }
  for (const sample of text.split('\n\n')) {
    const frames = sample.split('\n').slice(1)
      .map(line => /^\s*[0-9a-f]+ (.*) \((.*)\)$/.exec(line))
      .filter(Boolean)
      .map(([, symbol, object]) => ({
        name: symbol === '[unknown]' ? path.basename(object) : symbol,
        kind: kind(object)
      })).reverse()
    const main = frames.findIndex(f => f.name === 'main')
    let at = root
    root.count++
    for (const frame of frames.slice(main < 0 ? 0 : main)) {
      const key = `${frame.kind} ${frame.name}`
      if (key === at.key) continue // unnamed neighbours are one
      if (!at.children.has(key)) {
        at.children.set(key, { ...frame, key, count: 0, children: new Map() })
      }
      at = at.children.get(key)
      at.count++
    }
  }
  return root
}

const depthOf = node => 1 + Math.max(0,
  ...[...node.children.values()].map(depthOf))

const hues = { kernel: 212, roomd: 8, library: 44, libc: 120 }

function color (node) {
  let hash = 0
  for (const c of node.name) hash = (hash * 31 + c.charCodeAt(0)) % 1000
  return `hsl(${hues[node.kind]},${60 + hash % 20}%,${68 + hash % 12}%)`
}

function draw (root, title) {
  const scale = (WIDTH - 20) / root.count
  const height = depthOf(root) * ROW + 60
  const out = []
  const visit = (node, x, level) => {
    const width = node.count * scale
    if (width < MIN_WIDTH) return
    const y = height - 24 - (level + 1) * ROW
    const share = (100 * node.count / root.count).toFixed(1)
    const letters = Math.floor((width - 4) / CHAR)
    const label = letters < 3
      ? ''
      : node.name.length > letters
        ? node.name.slice(0, letters - 1) + '…'
        : node.name
    out.push(`<g><title>${escape(node.name)}: ${share} %</title>` +
      `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" ` +
      `height="${ROW - 1}" fill="${color(node)}"/>` + (label
      ? `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escape(label)}</text>`
      : '') + '</g>')
    let left = x
    for (const child of [...node.children.values()].sort(
      (a, b) => a.key < b.key ? -1 : 1)) {
      visit(child, left, level + 1)
      left += child.count * scale
    }
  }
  visit(root, 10, 0)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ` +
    `${height}" font-family="Verdana, sans-serif" font-size="11">\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n` +
    `<text x="10" y="20" font-size="15">${escape(title)} ` +
    `(${root.count} samples; blue: kernel, red: roomd, yellow: libraries, ` +
    'green: libc)</text>\n' + out.join('\n') + '\n</svg>\n'
}

/* The share of CPU time by where it was spent. */
function shares (root) {
  const own = { kernel: 0, roomd: 0, library: 0, libc: 0 }
  const visit = node => {
    let below = 0
    for (const child of node.children.values()) {
      below += child.count
      visit(child)
    }
    if (node !== root) own[node.kind] += node.count - below
  }
  visit(root)
  return Object.fromEntries(Object.entries(own).map(
    ([name, count]) => [name, count / root.count]))
}

/* Of one load, from when it sends to its end. */
export async function flame (args, title, file) {
  const server = await startRoomd()
  const data = path.join(paths.scratch, 'perf.data')
  const wait = 3
  const running = load(server, [...args, '--idle', wait, '--seconds', 5])
  await new Promise(resolve => setTimeout(resolve, wait * 1000))
  const perf = spawn('perf', ['record', '-q', '-F', '999', '--call-graph',
    'dwarf,32768', '-p', server.child.pid, '-o', data, '--', 'sleep', '3'],
  { stdio: 'ignore' })
  const recorded = new Promise(resolve => perf.on('exit', resolve))
  await running
  await recorded
  await stop(server)
  const script = spawnSync('perf', ['script', '-i', data, '--no-inline', '-F',
    'comm,ip,sym,dso'], { encoding: 'utf8', maxBuffer: 1 << 30 })
  const root = parse(script.stdout || '')
  if (root.count < 50) return null // perf may not look here
  fs.writeFileSync(file, draw(root, title))
  return shares(root)
}
