// Seeded random numbers of the host. Counter-based: draw i of (seed, stream) is a pure function of the three,
// so runs repeat bit for bit and streams need no hand-over. `pcgHash` is the same as in the kernels.
// Not for secrets.

/**
 * PCG hash of one u32 (Jarzynski & Olano 2020, pcg): a permutation of u32, bit for bit as in WGSL.
 * `value` is taken modulo 2^32; the result is in [0, 2^32).
 */
export function pcgHash(value: number): number {
  const state = (Math.imul(value, 747796405) + 2891336453) >>> 0
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0
  return ((word >>> 22) ^ word) >>> 0
}

const GOLDEN = 0x9e3779b9

export class Random {
  private readonly first: number
  private readonly second: number
  private counter = 0
  private spare: number | undefined

  /** `seed` and `stream`: whole numbers, each pair gives a sequence of its own; both taken modulo 2^53. */
  constructor(seed: number, stream = 0) {
    const seedWord = fold(seed)
    const streamWord = fold(stream)
    // For a fixed seed, different streams always differ in `first`: pcgHash is a permutation.
    this.first = pcgHash(seedWord + pcgHash(streamWord))
    this.second = pcgHash(streamWord ^ pcgHash(seedWord ^ GOLDEN))
  }

  /** Next u32; the sequence repeats after 2^32 draws. */
  nextU32(): number {
    const word = pcgHash(this.second + pcgHash(this.first ^ this.counter))
    this.counter = (this.counter + 1) >>> 0
    return word
  }

  /** Uniform in [0, 1), a multiple of 2^-32 (float64; rounding to float32 can give 1). */
  uniform(): number {
    return this.nextU32() / 4294967296
  }

  /** Standard normal by Box–Muller; two draws give two values. Never infinite, |z| < 6.7. */
  normal(): number {
    if (this.spare !== undefined) {
      const value = this.spare
      this.spare = undefined
      return value
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** `count` normals of standard deviation `scale`. */
  normals(count: number, scale = 1): Float32Array<ArrayBuffer> {
    const out = new Float32Array(count)
    for (let i = 0; i < count; i++) out[i] = scale * this.normal()
    return out
  }

  /** Uniform whole number in [0, limit), without bias; 1 ≤ limit ≤ 2^32. */
  integer(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 4294967296)
      throw new RangeError(`integer(${limit}): expected a whole number in 1 … 2^32`)
    // Words above the last multiple of `limit` would favour small results; they are drawn again.
    const bound = 4294967296 - (4294967296 % limit)
    let word = this.nextU32()
    while (word >= bound) word = this.nextU32()
    return word % limit
  }

  /** Shuffles `items` in place (Fisher–Yates) and returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      const item = items[i]
      items[i] = items[j]
      items[j] = item
    }
    return items
  }
}

/** u32 that depends on all 53 bits of a whole number. */
function fold(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError(`seed ${value}: expected a whole number`)
  const high = Math.floor(value / 4294967296)
  return high === 0 ? value >>> 0 : ((value >>> 0) ^ pcgHash(high ^ GOLDEN)) >>> 0
}
