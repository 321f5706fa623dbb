/* SPDX-License-Identifier: MIT */
/* Puts the rows of a run into the document, between its marks:
 *   node table.mjs ROWS DOCUMENT */
import fs from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'

const [rows, file] = process.argv.slice(2)
const BEGIN = '<!-- results: written by tests/proxies/check.sh --write -->'
const END = '<!-- end of results -->'
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` }
const said = (command, args) => {
  const { stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' })
  return /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)[0]
}
const programs = [['nginx', ['-v']], ['haproxy', ['-v']], ['apache2', ['-v']],
  ['caddy', ['version']], ['squid', ['-v']], [process.env.CHROMIUM || 'chromium', ['--version']]]
  .map(([command, args]) => `${command.split('/').pop()} ${said(command, args)}`)
const day = execFileSync('date', ['+%F'], { encoding: 'utf8' }).trim()
const text = fs.readFileSync(file, 'utf8')
const [before, rest] = text.split(BEGIN)
const after = rest.split(END)[1]
fs.writeFileSync(file, `${before}${BEGIN}

With ${programs.slice(0, 4).join(', ')},
${programs.slice(4).join(', ')}, phoenix.js 1.8.16 and
Node ${process.versions.node}, on ${day}. "First sync": from \`new Socket\` to the room's document.

| program | what it does | configuration | client | ends on | first sync |
|---|---|---|---|---|---|
${fs.readFileSync(rows, 'utf8').trim()}

${END}${after}`)
