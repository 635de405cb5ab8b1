// The election of LED-Merging: which weights of a tensor are among the most important, and to whom alone. Exact, on the
// host: of equal scores the lower index is elected, and exactly as many as asked for.

import { EngineError } from '../../../errors.ts'

/**
 * Adds `bit` to `marks` (n) where `scores` (n, not negative) is among the `keep` largest. Rejects scores that are not
 * finite or below zero. Linear in n: scores of one sign are ordered like their bits, which are counted by halves.
 */
export function markLargest(scores: Float32Array, keep: number, marks: Uint8Array, bit: number): void {
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, scores.length)
  const upper = new Uint32Array(65536)
  for (let i = 0; i < bits.length; i++) {
    // The sign bit and the exponent of infinity and NaN; −0 is zero.
    if (bits[i] >= 0x7f800000 && bits[i] !== 0x80000000)
      throw new EngineError(
        Number.isFinite(scores[i]) ? 'request-invalid' : 'not-finite',
        `importance ${scores[i]} at ${i}: expected a number of 0 or more`,
      )
    upper[(bits[i] >>> 16) & 0x7fff]++
  }
  if (keep <= 0) return
  const [high, above] = largestBucket(upper, keep)
  const lower = new Uint32Array(65536)
  for (const word of bits) if (((word >>> 16) & 0x7fff) === high) lower[word & 0xffff]++
  const [low, more] = largestBucket(lower, keep - above)
  const threshold = high * 65536 + low
  let ties = keep - above - more
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i] & 0x7fffffff
    if (word > threshold || (word === threshold && ties-- > 0)) marks[i] |= bit
  }
}

/** The bucket that holds the `keep`-th largest entry, and how many entries lie in higher ones. */
function largestBucket(counts: Uint32Array, keep: number): [bucket: number, above: number] {
  let above = 0
  let bucket = counts.length - 1
  while (bucket > 0 && above + counts[bucket] < keep) above += counts[bucket--]
  return [bucket, above]
}

/**
 * Whose weight each is (padded): k + 1 where expert k alone has it among the int(r_k n) largest of its own scores and
 * of the base's, else 0. Both scores by expert.
 */
export function elect(
  own: readonly Float32Array[],
  base: readonly Float32Array[],
  shares: readonly number[],
  padded: number,
): Uint8Array {
  const choice = new Uint8Array(padded)
  const SEVERAL = 255
  own.forEach((scores, k) => {
    const marks = new Uint8Array(scores.length)
    const keep = Math.trunc(shares[k] * scores.length)
    markLargest(scores, keep, marks, 1)
    markLargest(base[k], keep, marks, 2)
    for (let i = 0; i < marks.length; i++) if (marks[i] === 3) choice[i] = choice[i] === 0 ? k + 1 : SEVERAL
  })
  return choice.map((chosen) => (chosen === SEVERAL ? 0 : chosen))
}
