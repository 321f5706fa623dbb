/* SPDX-License-Identifier: MIT */
/*
 * A part of a document that a program writes, between two comments:
 *   <!-- begin NAME --> ... <!-- end NAME -->
 *
 *   node section.mjs FILE NAME <TEXT
 */
import fs from 'node:fs'

export const writeSection = (file, name, text) => {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
  const old = fs.readFileSync(file, 'utf8')
  const from = old.indexOf(begin)
  const to = old.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no part ${name}`)
  fs.writeFileSync(file, old.slice(0, from + begin.length) + '\n' + text +
    old.slice(to))
}

if (process.argv[1]?.endsWith('section.mjs')) {
  writeSection(process.argv[2], process.argv[3], fs.readFileSync(0, 'utf8'))
}
