// Intervals of means and shares. Means: percentile bootstrap (Efron 1979), seeded. Shares: Wilson score
// interval (Wilson 1927), because a bootstrap of 0 out of 64 has no width. Both at 95 %.

import { EngineError } from '../errors.ts'
import { Random } from '../tensors/random.ts'
import type { Estimate } from './estimate.ts'

/** Two-sided 95 % point of the standard normal. */
const Z95 = 1.959963984540054

/** How an interval was made; shown beside it. */
export const INTERVAL_METHODS = { mean: 'bootstrap, 95 %', share: 'Wilson, 95 %' } as const

/** Stream numbers of this folder, so that two measures with one seed never share random numbers. */
export const STREAMS = {
  meanBootstrap: 101,
  aqiBootstrap: 102,
  labelShuffle: 103,
  planeStart: 104,
  probeChoice: 105,
  masks: 106,
  attackSamples: 107,
  coverageSubsets: 108,
} as const

/**
 * The q-quantile of ascending `sorted` by linear interpolation (type 7 of Hyndman & Fan 1996), 0 <= q <= 1.
 * Entries may be -Infinity: a quantile between -Infinity and a number is -Infinity, not NaN.
 */
export function quantileOf(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) throw new EngineError('request-invalid', 'quantile of no values')
  const position = q * (sorted.length - 1)
  const below = Math.floor(position)
  const share = position - below
  const low = sorted[below]
  if (share === 0 || !Number.isFinite(low)) return low
  return low + share * (sorted[below + 1] - low)
}

/** Standard deviation (n - 1) of `values`, at least two. */
export function standardDeviation(values: ArrayLike<number>): number {
  const n = values.length
  if (n < 2) throw new EngineError('request-invalid', `standard deviation of ${n} values`)
  let mean = 0
  for (let i = 0; i < n; i++) mean += values[i] / n
  let squares = 0
  for (let i = 0; i < n; i++) squares += (values[i] - mean) ** 2
  return Math.sqrt(squares / (n - 1))
}

/** 2.5 % and 97.5 % points of `draws`; sorts a copy. */
export function percentileInterval(draws: ArrayLike<number>): { low: number; high: number } {
  const sorted = Float64Array.from(draws).sort()
  return { low: quantileOf(sorted, 0.025), high: quantileOf(sorted, 0.975) }
}

/**
 * Mean of `values` with a percentile bootstrap interval. Fewer than two values are unavailable: one value
 * would get an interval of no width. Rejects `not-finite`.
 */
export function bootstrapMean(values: ArrayLike<number>, seed: number, resamples = 1000): Estimate {
  const count = values.length
  let sum = 0
  for (let i = 0; i < count; i++) {
    if (!Number.isFinite(values[i]))
      throw new EngineError('not-finite', `bootstrap: sample ${i} of ${count} is ${values[i]}`)
    sum += values[i]
  }
  if (count < 2) return { unavailable: count === 0 ? 'no samples' : 'one sample only' }
  const random = new Random(seed, STREAMS.meanBootstrap)
  const means = new Float64Array(resamples)
  for (let r = 0; r < resamples; r++) {
    let drawn = 0
    for (let i = 0; i < count; i++) drawn += values[random.integer(count)]
    means[r] = drawn / count
  }
  return { value: sum / count, ...percentileInterval(means), count }
}

/** Share successes / trials with its Wilson interval; unavailable for no trials. Rejects `request-invalid`. */
export function wilsonShare(successes: number, trials: number): Estimate {
  if (!Number.isInteger(successes) || !Number.isInteger(trials) || successes < 0 || successes > trials)
    throw new EngineError('request-invalid', `share of ${successes} in ${trials}`)
  if (trials === 0) return { unavailable: 'no samples' }
  const share = successes / trials
  const z2 = Z95 * Z95
  const centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
  const half = (Z95 / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials ** 2))
  // The bounds at 0 and at all are 0 and 1 exactly; rounding would print 1e-18.
  return {
    value: share,
    low: successes === 0 ? 0 : centre - half,
    high: successes === trials ? 1 : centre + half,
    count: trials,
  }
}
