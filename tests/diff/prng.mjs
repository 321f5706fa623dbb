/* SPDX-License-Identifier: MIT */
/*
 * The only source of chance in the differential tests: sfc32, seeded from a
 * number and a label, so that each part of a history has its own stream and
 * a printed seed says everything.
 */
const hash32 = text => {
  let h = 2166136261
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 16777619)
  }
  return h >>> 0
}

export class Prng {
  constructor (seed, label = '') {
    this.a = hash32(`a${seed}/${label}`)
    this.b = hash32(`b${seed}/${label}`)
    this.c = hash32(`c${seed}/${label}`)
    this.d = 1
    for (let i = 0; i < 16; i++) this.u32()
  }

  u32 () {
    const t = (this.a + this.b + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + t | 0
    return t >>> 0
  }

  /** A number in [0, 1). */
  real () {
    return this.u32() / 4294967296
  }

  /** An integer in [0, n). */
  below (n) {
    return n <= 0 ? 0 : Math.floor(this.real() * n)
  }

  /** An integer in [lo, hi]. */
  range (lo, hi) {
    return lo + this.below(hi - lo + 1)
  }

  /** True with probability p. */
  chance (p) {
    return this.real() < p
  }

  pick (list) {
    return list[this.below(list.length)]
  }

  /** A key of `weights` ({name: weight}), as often as its weight says. */
  weighted (weights) {
    let total = 0
    for (const k in weights) total += weights[k]
    let at = this.real() * total
    let last
    for (const k in weights) {
      last = k
      at -= weights[k]
      if (at < 0 && weights[k] > 0) return k
    }
    return last
  }

  shuffle (list) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const t = list[i]
      list[i] = list[j]
      list[j] = t
    }
    return list
  }
}
