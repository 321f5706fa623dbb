/* SPDX-License-Identifier: MIT */
/*
 * Random leaf values: strings with everything that makes UTF-16 and UTF-8
 * disagree, JSON values (what formats and embeds may carry) and Any values
 * (what arrays and maps may carry).
 */
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
