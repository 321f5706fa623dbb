/* SPDX-License-Identifier: MIT */
/*
 * Makes phoenix.mjs, yjs.mjs and LICENSES.txt from the npm packages pinned in
 * package-lock.json, so that the pages need no network and `make run` no npm.
 * The output is committed and depends on nothing but the pinned versions:
 *   npm ci --ignore-scripts && npm run build
 * It goes into the folder given as argument, else next to this file.
 */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = path.dirname(fileURLToPath(import.meta.url))
const modules = path.join(here, 'node_modules')
const out = path.resolve(process.argv[2] || here)

const read = (...at) => fs.readFileSync(path.join(modules, ...at), 'utf8')
const version = name => JSON.parse(read(name, 'package.json')).version

async function bundle (name, parts) {
  const from = parts.map(p => `${p} ${version(p)}`).join(', ')
  await build({
    stdin: { contents: `export * from '${name}'`, resolveDir: here },
    outfile: path.join(out, `${name}.mjs`),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2020',
    charset: 'utf8',
    legalComments: 'none',
    banner: {
      js: '/* SPDX-License-Identifier: MIT */\n' +
        `/* ${from}; licences: LICENSES.txt; made by build.mjs */`
    }
  })
}

await bundle('phoenix', ['phoenix'])
await bundle('yjs', ['yjs', 'lib0', 'isomorphic.js'])

const licences = [['phoenix', 'LICENSE.md'], ['yjs', 'LICENSE'],
  ['lib0', 'LICENSE'], ['isomorphic.js', 'LICENSE']]
fs.writeFileSync(path.join(out, 'LICENSES.txt'), licences.map(([name, file]) =>
  `${name} ${version(name)}\n\n${read(name, file).trim()}\n`)
  .join('\n' + '-'.repeat(72) + '\n\n'))
