/* SPDX-License-Identifier: MIT */
/*
 * Random leaf values: strings with everything that makes UTF-16 and UTF-8
 * disagree, JSON values (what formats and embeds may carry) and Any values
 * (what arrays and maps may carry).
 */
import { encoding } from './npm.mjs'

const PIECES = [
  'a', 'b', 'c', 'x', ' ', '\n', 'word', 'the quick', 'ä', 'ß', 'é', '漢字',
  'Ω', '\u0000', '\u0001', '\u007f', '\u0080', '\u07ff', '\u0800', '\ufffd',
  '\ufeff', '\u2028', '"', '\\', '<b>', '&', '{', '😀', '🧑‍💻', '𐍈', '👍🏽',
  '\u{10ffff}', '\u{10000}', 'e\u0301'
]

export const randomString = (r, max = 8) => {
  const n = r.range(1, max)
  let s = ''
  if (r.chance(0.5)) {
    for (let i = 0; i < n; i++) s += String.fromCharCode(97 + r.below(26))
    return s
  }
  for (let i = 0; i < n; i++) s += r.pick(PIECES)
  return s
}

/** A string that may hold a lone surrogate, as careless editors insert. */
export const brokenString = r => {
  const s = randomString(r, 4) + '😀' + randomString(r, 2)
  return r.chance(0.5) ? s.slice(r.below(s.length)) || 'x'
    : s.slice(0, r.range(1, s.length))
}

const NUMBERS = [
  0, -0, 1, -1, 63, 64, -63, -64, 127, 128, 8191, 8192, -8192, 2147483647,
  -2147483648, -2147483647, 2147483648, 4294967296, 9007199254740991,
  -9007199254740991, 0.5, -0.25, 0.1, 1.5e-7, 1e21, 123456789.125, 1e300,
  5e-324, 3.4028234663852886e38, 1.401298464324817e-45
]

const SPECIAL = [NaN, Infinity, -Infinity]

const KEYS = [
  'a', 'b', 'key', 'k2', '', '1', '10', '2', '-1', '01', '4294967294',
  '4294967295', 'ä', '😀', 'with space', 'constructor', 'toString', 'null'
]

export const randomKey = r =>
  r.chance(0.7) ? r.pick(KEYS) : randomString(r, 3)

const container = (r, depth, leaf) => {
  const n = r.below(4)
  if (r.chance(0.5)) {
    const list = []
    for (let i = 0; i < n; i++) list.push(leaf(r, depth - 1))
    return list
  }
  const object = {}
  for (let i = 0; i < n; i++) {
    const key = randomKey(r)
    /* typeMapSet and YArray look at value.constructor */
    object[key === 'constructor' ? 'ctor' : key] = leaf(r, depth - 1)
  }
  return object
}

/** Something JSON.stringify can write (numbers may be NaN: it writes null). */
export const jsonValue = (r, depth = 2) => {
  const kind = r.below(depth > 0 ? 8 : 6)
  switch (kind) {
    case 0: return null
    case 1: return r.chance(0.5)
    case 2: return r.pick(NUMBERS)
    case 3: return r.range(-1000, 1000)
    case 4: return r.chance(0.05) ? brokenString(r) : randomString(r, 4)
    case 5: return r.chance(0.05) ? r.pick(SPECIAL) : ''
    default: return container(r, depth, jsonValue)
  }
}

const bytes = r => {
  const out = new Uint8Array(r.chance(0.1) ? r.range(100, 300) : r.below(8))
  for (let i = 0; i < out.length; i++) out[i] = r.below(256)
  return out
}
export const randomBytes = bytes

/** Anything lib0 can encode, at any depth. */
export const anyValue = (r, depth = 2) => {
  const kind = r.below(depth > 0 ? 12 : 9)
  switch (kind) {
    case 0: return null
    case 1: return undefined
    case 2: return r.chance(0.5)
    case 3: return r.pick(NUMBERS)
    case 4: return r.range(-100000, 100000)
    case 5: return r.chance(0.3) ? r.pick(SPECIAL) : r.real() * 1000
    case 6: return r.chance(0.1) ? brokenString(r) : randomString(r, 5)
    case 7: return r.pick([0n, 1n, -1n, 9223372036854775807n,
      -9223372036854775808n, 9007199254740993n])
    case 8: return bytes(r)
    default: return container(r, depth, anyValue)
  }
}

/** An Any value that a list accepts at its top level. */
export const listValue = (r, depth = 2) => {
  for (;;) {
    const v = anyValue(r, depth)
    if (v === null) return v
    if (v === undefined || typeof v === 'bigint') continue
    return v
  }
}

/* ---------------------------------------------- encodings nobody would choose */

const view = new DataView(new ArrayBuffer(8))

/** Doubles of every size, many of them hard to print. */
export const randomDouble = r => {
  switch (r.below(6)) {
    case 0:
      view.setUint32(0, r.u32())
      view.setUint32(4, r.u32())
      /* what becomes of a NaN's payload is not defined */
      return Number.isNaN(view.getFloat64(0)) ? NaN : view.getFloat64(0)
    case 1: return r.u32() / r.pick([1, 2, 3, 10, 1000, 7])
    case 2: return r.below(1e9) * 10 ** r.range(-30, 30)
    case 3: return Math.fround(r.real() * 10 ** r.range(-40, 38))
    case 4: return r.below(1000) * 10 ** r.range(-10, 25)
    default:
      return (r.u32() * 2097152 + r.below(2097152)) * 2 ** r.range(-60, 60)
  }
}

const numberText = r => {
  const x = Math.abs(randomDouble(r))
  const sign = r.chance(0.3) ? '-' : ''
  if (!Number.isFinite(x)) return `${sign}1e${r.range(300, 400)}`
  switch (r.below(5)) {
    case 0: return sign + x.toExponential(r.below(21))
    case 1: return sign + x.toPrecision(r.range(1, 40)).replace('e+', 'E')
    case 2: return sign + (x < 1e21 ? x.toFixed(r.below(30)) : String(x))
    case 3:
      return `${sign}${r.below(10)}.${r.u32()}${r.u32()}e${r.range(-330, 320)}`
    default: return sign + String(x)
  }
}

const ODD_STRINGS = [
  '"\\ud83d\\ude00"', '"\\ud800"', '"\\u00e9\\/\\b"', '"\\udc00\\ud800"',
  '"\\u001f\u007f"', '"\\u2028\u2029"', '"😀"', '"\\ud83d😀"', '"\\u0041"'
]

const ODD_KEYS = ['a', 'b', '1', '2', '10', '01', '-1', '', '0', '4294967294',
  '4294967295', 'ü', 'length', 'toString']

/** JSON as a person or another library would write it. */
export const oddJson = (r, depth = 3) => {
  const space = () => r.chance(0.1) ? r.pick([' ', '\n', '\t ']) : ''
  const kind = r.below(depth > 0 ? 8 : 4)
  if (kind < 2) return numberText(r)
  if (kind === 2) return r.pick(['true', 'false', 'null'])
  if (kind === 3) return r.pick(ODD_STRINGS)
  const parts = []
  for (let n = r.below(5); n > 0; n--) {
    const key = kind < 6 ? JSON.stringify(r.pick(ODD_KEYS)) + space() + ':' : ''
    parts.push(space() + key + space() + oddJson(r, depth - 1) + space())
  }
  return kind < 6 ? `{${parts.join(',')}}` : `[${parts.join(',')}]`
}

const utf8 = s => new TextEncoder().encode(s)

export const writeString = (e, s) => encoding.writeVarUint8Array(e, utf8(s))

const oddLeaf = (r, e) => {
  switch (r.below(8)) {
    case 0: /* often an integer, or too large for a float */
      encoding.writeUint8(e, 124)
      return encoding.writeFloat32(e, r.chance(0.5) ? r.range(-9, 9)
        : randomDouble(r))
    case 1: /* often what fits an integer or a float */
      encoding.writeUint8(e, 123)
      return encoding.writeFloat64(e, r.chance(0.5) ? r.range(-9, 9) / 2
        : randomDouble(r))
    case 2: /* often over 31 bits */
      encoding.writeUint8(e, 125)
      return encoding.writeVarInt(e,
        Math.trunc(r.u32() * 2 ** r.range(-31, 20)) * (r.chance(0.5) ? -1 : 1))
    case 3:
      encoding.writeUint8(e, 119)
      return writeString(e, r.pick(['', 'x', '\ufeffbom', '\u0000', '😀']))
    case 4:
      encoding.writeUint8(e, 122)
      return encoding.writeBigInt64(e, BigInt(r.u32()) << BigInt(r.below(32)))
    case 5:
      encoding.writeUint8(e, 116)
      return encoding.writeVarUint8Array(e, bytes(r))
    default: return encoding.writeUint8(e, r.pick([120, 121, 126, 127]))
  }
}

/** Appends an Any in an encoding that lib0 takes but would not choose. */
export const oddAny = (r, e, depth = 2) => {
  if (depth === 0 || r.chance(0.6)) return oddLeaf(r, e)
  const object = r.chance(0.6)
  const n = r.below(6)
  encoding.writeUint8(e, object ? 118 : 117)
  encoding.writeVarUint(e, n)
  for (let i = 0; i < n; i++) {
    if (object) writeString(e, r.pick(ODD_KEYS))
    oddAny(r, e, depth - 1)
  }
}
