/* SPDX-License-Identifier: MIT */
/*
 * Finds the npm packages the tests compare with. They are looked for in
 * ROOMD_NODE_MODULES when that is set, then upwards from this file, so that
 * a read-only source tree can be tested with packages installed elsewhere.
 */
import { createRequire } from 'node:module'
import path from 'node:path'

const given = process.env.ROOMD_NODE_MODULES
const require = given
  ? createRequire(path.join(path.resolve(given), '..', 'anchor.js'))
  : createRequire(import.meta.url)

const load = name => {
  try {
    return require(name)
  } catch (err) {
    if (err.code !== 'MODULE_NOT_FOUND') throw err
    console.error(`${name} is not installed: run "npm ci" in tests/, or set ` +
                  'ROOMD_NODE_MODULES to a node_modules folder')
    process.exit(77)
  }
}

/* yjs prints a warning when a type is read before it is in a document; the
 * generators never rely on such reads. */
export const Y = load('yjs')
export const encoding = load('lib0/encoding')
export const decoding = load('lib0/decoding')
export const loadModule = load
