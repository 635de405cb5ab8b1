// The zoo's only source of chance: a counter-based generator. Every draw is a pure function of the keys it was
// opened with and of how many draws came before, so a training batch depends on (seed, step) alone and a stopped
// run resumes with the very same data. splitmix32's finaliser (public domain constants); not for secrets.

/** Mixes one 32-bit word so that neighbouring inputs give unrelated outputs. */
export function mix32(value: number): number {
  let z = (value + 0x9e3779b9) | 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}

/** Hash of any mixture of numbers and texts: u32. The order of the keys matters. */
export function hashKeys(...keys: (number | string)[]): number {
  let state = 0x243f6a88
  for (const key of keys) {
    if (typeof key === 'number') {
      state = mix32(state ^ (key >>> 0))
      continue
    }
    for (let i = 0; i < key.length; i++) state = mix32(state ^ key.charCodeAt(i))
    // The length closes the text, so that ('ab','c') and ('a','bc') part ways.
    state = mix32(state ^ (key.length + 0x10000))
  }
  return state
}

/** A stream of draws opened from keys; two streams with equal keys give equal draws. */
export class Random {
  private readonly key: number
  private counter = 0

  constructor(...keys: (number | string)[]) {
    this.key = hashKeys(...keys)
  }

  /** Next u32. */
  nextU32(): number {
    this.counter++
    return mix32(this.key ^ mix32(this.counter))
  }

  /** Uniform in [0, 1). */
  nextFloat(): number {
    return this.nextU32() / 4294967296
  }

  /** Uniform integer in [0, count). The bias of the multiply is below count / 2^32, of no matter here. */
  nextInt(count: number): number {
    return Math.floor(this.nextFloat() * count)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.nextInt(items.length)]
  }

  /** Index drawn in proportion to the weights, which need not sum to one. */
  pickWeighted(weights: readonly number[]): number {
    let total = 0
    for (const weight of weights) total += weight
    let rest = this.nextFloat() * total
    for (let i = 0; i < weights.length; i++) {
      rest -= weights[i]
      if (rest < 0) return i
    }
    return weights.length - 1
  }

  /** A new array, Fisher-Yates. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = items.slice()
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.nextInt(i + 1)
      const held = out[i]
      out[i] = out[j]
      out[j] = held
    }
    return out
  }

  /** Standard normal, Box-Muller; weights are initialised with it. */
  nextNormal(): number {
    const radius = Math.sqrt(-2 * Math.log((this.nextU32() + 1) / 4294967297))
    return radius * Math.cos(2 * Math.PI * this.nextFloat())
  }
}
