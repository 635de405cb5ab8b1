// Spearman's rank correlation with ties (average ranks, then Pearson's correlation of the ranks).

import { EngineError } from '../errors.ts'
import type { Unavailable } from './estimate.ts'

/** Index of the first entry of ascending `sorted` that is not below `value`. */
function lowerBound(sorted: Float64Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Ranks 1..n of `values` (n), ties sharing their average. Rejects `not-finite`. */
export function averageRanks(values: ArrayLike<number>): Float64Array {
  const n = values.length
  const sorted = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(values[i])) throw new EngineError('not-finite', `ranks: entry ${i} is ${values[i]}`)
    sorted[i] = values[i]
  }
  // Values are sorted natively and looked up again: several times faster than sorting indices by a comparator.
  sorted.sort()
  /** rank of the run of ties that starts at each position */
  const rankAt = new Float64Array(n)
  for (let start = 0; start < n; ) {
    let end = start + 1
    while (end < n && sorted[end] === sorted[start]) end++
    rankAt[start] = (start + 1 + end) / 2
    start = end
  }
  const ranks = new Float64Array(n)
  for (let i = 0; i < n; i++) ranks[i] = rankAt[lowerBound(sorted, values[i])]
  return ranks
}

/**
 * Rank correlation of x and y (n each), -1 to 1; unavailable for fewer than two pairs or where one side is
 * constant. Rejects `shape-mismatch`, `not-finite`.
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number | Unavailable {
  const n = x.length
  if (y.length !== n)
    throw new EngineError('shape-mismatch', `rank correlation of ${n} and ${y.length} values`)
  if (n < 2) return { unavailable: `${n} pairs` }
  const ranksX = averageRanks(x)
  const ranksY = averageRanks(y)
  const mean = (n + 1) / 2
  let xx = 0
  let yy = 0
  let xy = 0
  for (let i = 0; i < n; i++) {
    const dx = ranksX[i] - mean
    const dy = ranksY[i] - mean
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  if (xx === 0 || yy === 0) return { unavailable: 'all values of one side are equal' }
  return xy / Math.sqrt(xx * yy)
}
