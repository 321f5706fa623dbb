/* SPDX-License-Identifier: MIT */
/*
 * The npm packages that the end-to-end tests use as clients, unmodified. They
 * are looked for in ROOMD_NODE_MODULES when that is set, then in every
 * node_modules folder from here upwards, so that a read-only source tree can
 * be tested with packages installed elsewhere. Always the ESM builds: yjs must
 * exist once in the process, or its documents do not recognise each other.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

function findFolder () {
  if (process.env.ROOMD_NODE_MODULES) {
    return path.resolve(process.env.ROOMD_NODE_MODULES)
  }
  let dir = path.dirname(fileURLToPath(import.meta.url))
  while (!fs.existsSync(path.join(dir, 'node_modules', 'phoenix'))) {
    const up = path.dirname(dir)
    if (up === dir) return null
    dir = up
  }
  return path.join(dir, 'node_modules')
}

export const folder = findFolder()
if (!folder || !fs.existsSync(path.join(folder, 'phoenix'))) {
  console.error('The npm packages are not installed: run "npm ci ' +
    '--legacy-peer-deps --ignore-scripts" in tests/, or set ' +
    'ROOMD_NODE_MODULES to a node_modules folder')
  process.exit(77)
}

const load = file => import(pathToFileURL(path.join(folder, file)).href)

export const Y = await load('yjs/dist/yjs.mjs')
export const phoenix = await load('phoenix/priv/static/phoenix.mjs')
export const sync = await load('@y/protocols/sync.js')
export const awareness = await load('@y/protocols/awareness.js')
export const encoding = await load('lib0/encoding.js')
export const decoding = await load('lib0/decoding.js')
export const { PhoenixChannelProvider } =
  await load('y-phoenix-channel/dist/y-phoenix-channel.js')
export const { WebSocket } = await load('ws/wrapper.mjs')
export const loadPlaywright = () => load('playwright-core/index.mjs')
/* axe-core as text: it runs in the page. */
export const axeSource = () => fs.readFileSync(path.join(folder, 'axe-core', 'axe.min.js'), 'utf8')
