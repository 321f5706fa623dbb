/* SPDX-License-Identifier: MIT */
/*
 * Finds the npm packages the tests compare with. They are looked for in
 * ROOMD_NODE_MODULES when that is set, then upwards from this file, so that
 * a read-only source tree can be tested with packages installed elsewhere.
 */
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const given = process.env.ROOMD_NODE_MODULES
const require = given
  ? createRequire(path.join(path.resolve(given), '..', 'anchor.js'))
  : createRequire(import.meta.url)

const load = (name, how = 'module') => {
  try {
    return how === 'resolve' ? require.resolve(name) : require(name)
  } catch (err) {
    if (err.code !== 'MODULE_NOT_FOUND') throw err
    console.error(`${name} is not installed: run "npm ci" in tests/, or set ` +
                  'ROOMD_NODE_MODULES to a node_modules folder')
    process.exit(77)
  }
}

/* The ES module beside what require() finds: the CommonJS build of Yjs asks a
 * getter for every function of lib0, which costs a third of the time. */
export const loadEsm = async (name, file) => {
  const folder = path.dirname(load(`${name}/package.json`, 'resolve'))
  return import(pathToFileURL(path.join(folder, file)))
}

/* yjs prints a warning when a type is read before it is in a document; the
 * generators never rely on such reads. */
export const Y = await loadEsm('yjs', 'dist/yjs.mjs')
export const encoding = await loadEsm('lib0', 'encoding.js')
export const decoding = await loadEsm('lib0', 'decoding.js')
