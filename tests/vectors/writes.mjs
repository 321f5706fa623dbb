/* SPDX-License-Identifier: MIT */
/*
 * Vectors of edits: calls (as tests/diff/calls.h has them) and the updates, in
 * both formats, that Yjs tells of when the same is done to its document.
 *
 *   edits CLIENT          a new document, which collects garbage
 *   edit CALLS            one transaction
 *   hear UPDATE           of somebody else's
 *   told LOCAL V1 V2      what it told of next; at the end of each step all
 *   done                  has been told
 */
import { Y } from '../diff/npm.mjs'
import { encodeCalls } from '../diff/calls.mjs'
import { makeWriteHistory, Twin } from '../diff/writes.mjs'
import { fromHex, hex, Vector } from './vector.mjs'

const step = (v, twin, { calls, update, v2 }) => {
  if (calls) {
    twin.edit(calls)
    v.say('edit', hex(encodeCalls(0, calls)))
  } else {
    const v1 = v2 ? Y.convertUpdateFormatV2ToV1(fromHex(update))
      : fromHex(update)
    twin.apply(v1, false)
    v.say('hear', hex(v1))
  }
  for (const told of twin.takeTold()) {
    v.say('told', told.local ? 1 : 0, hex(told.v1), hex(told.v2))
  }
  v.say('done')
}

const play = (v, clientId, steps) => {
  const twin = new Twin({ clientId, keepDeleted: false })
  v.say('edits', clientId)
  for (const s of steps) step(v, twin, s)
  v.say('state', hex(Y.encodeStateAsUpdate(twin.doc)))
  v.say('vector', hex(Y.encodeStateVector(twin.doc)))
}

const text = { root: 'text', kind: 2 }
const array = { root: 'array', kind: 0 }
const map = { root: 'map', kind: 1 }
const xml = { root: 'xml', kind: 4 }
const insert = (at, s, attributes) =>
  ({ call: 'textInsert', type: text, at, text: s, attributes })
const format = (at, len, attributes) =>
  ({ call: 'textFormat', type: text, at, len, attributes })
const type = (kind, name = 'p') => ({ k: 'type', v: kind, name })
const set = (key, value, where = map) =>
  ({ call: 'mapSet', type: where, key, values: [value] })
const at = (client, clock) => ({ client, clock })

const features = {
  text: [
    [insert(0, 'hello')], [insert(5, ' w😀rld')], [insert(2, 'ü')],
    [{ call: 'textDelete', type: text, at: 1, len: 3 }],
    [insert(0, 'a'), insert(1, 'b'), insert(2, 'c')],
    [{ call: 'textDelete', type: text, at: 0, len: 12 }]
  ],
  format: [
    [insert(0, 'one two three')], [format(4, 3, '{"bold":true}')],
    [format(2, 7, '{"bold":true,"color":"red"}')],
    [insert(5, 'inherits')], [insert(5, 'plain', '{}')],
    [format(0, 20, '{"bold":null}')],
    [{ call: 'textDelete', type: text, at: 3, len: 9 }],
    [{ call: 'textEmbed', type: text, at: 1, values: [{ k: 'json', v: '{"image":"x"}' }], attributes: '{"width":7}' }],
    [{ call: 'textEmbed', type: text, at: 0, values: [type(1)] }],
    [{ call: 'textDelta', type: text, text: '[{"retain":2},{"insert":"new","attributes":{"i":1}},{"delete":2}]' }]
  ],
  array: [
    [{ call: 'arrayInsert', type: array, at: 0, values: [{ k: 'json', v: '1' }, { k: 'null' }, { k: 'any', v: '7501770161' }] }],
    [{ call: 'arrayPush', type: array, values: [type(0), { k: 'json', v: '"s"' }] }],
    [{ call: 'arrayInsert', type: array, at: 1, values: [type(2)] }],
    [{ call: 'arrayPush', type: at(7, 3), values: [{ k: 'json', v: 'true' }] }],
    [{ call: 'arrayDelete', type: array, at: 1, len: 3 }]
  ],
  map: [
    [set('a', { k: 'json', v: '1' }), set('b', { k: 'null' })],
    [set('a', { k: 'json', v: '"two"' })], [set('n', type(1))],
    [set('deep', { k: 'json', v: '0.5' }, at(7, 3))],
    [{ call: 'mapDelete', type: map, key: 'b' }],
    [{ call: 'mapClear', type: map }]
  ],
  xml: [
    [{ call: 'arrayInsert', type: xml, at: 0, values: [type(3, 'div'), type(6)] }],
    [set('class', { k: 'json', v: '"x"' }, at(7, 0))],
    [{ call: 'arrayPush', type: at(7, 0), values: [type(3, 'p'), type(5, 'hook')] }],
    [{ call: 'mapDelete', type: at(7, 0), key: 'class' }],
    [{ call: 'arrayDelete', type: xml, at: 0, len: 1 }]
  ]
}

/** The vectors to be written in addition. */
export const writeVectors = () => [
  ...Object.entries(features).map(([name, list]) => {
    const v = new Vector(`write-${name}`, `edits: ${name}`)
    play(v, 7, list.map(calls => ({ calls })))
    return v
  }),
  (() => {
    const v = new Vector('write-history', 'random edits, with those of others')
    for (let seed = 1; seed <= 3; seed++) {
      const history = makeWriteHistory(seed, { steps: 8 })
      play(v, history.clientId, history.steps.filter(s => !s.flags))
    }
    return v
  })()
]
