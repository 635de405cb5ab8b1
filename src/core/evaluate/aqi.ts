// AQI of the studio: the separation S of safe from unsafe vectors in the anchor's standardised space.
//   log S (natural) is the budget's scale;  100 S / (S + S_anchor) is the display: the anchor is 50 by construction.
// After AQI (arXiv 2506.13901); the reference normalisation, the unbiased S, the interval and the floor are ours,
// because min-max scaling within one model, as in public code, is not comparable along a sweep.

import { Random } from '../tensors/random.ts'
import { percentileInterval, STREAMS, standardDeviation } from './bootstrap.ts'
import { type ClusterPlane, fitClusterPlane } from './clusterPlane.ts'
import { type Estimate, isUnavailable, type Unavailable } from './estimate.ts'
import {
  type ClassVectors,
  classWeights,
  countVectors,
  type PairGram,
  pairGram,
  type Separation,
  separationOf,
  weightedScatter,
} from './separation.ts'
import { fitStandardisation, type Standardisation, standardise } from './standardise.ts'

/** Fewer vectors of a class than this give no AQI: S and its interval are not to be trusted. */
export const MINIMUM_PER_CLASS = 64
/** d^2 not above its own sampling noise. */
export const NOT_SEPARABLE = 'not separable'
export const AQI_RESAMPLES = 200
/** Above this share of resamples without separation the lower end of log S would be minus infinity. */
const LOWER_TAIL = 0.025

export interface AqiResult {
  /** 100 S / (S + S_anchor) */ normalised: Estimate
  /** log S, natural */ logSeparation: Estimate
  /** vectors of each class: safe, unsafe */ perClass: [number, number]
}

/** The anchor's frozen part of every AQI of an experiment. */
export interface AqiAnchor {
  standardisation: Standardisation
  /** S_anchor, unbiased, above 0 */ separation: number
  logSeparation: number
  /** bootstrap standard error of log S_anchor */ standardError: number
  plane: ClusterPlane | Unavailable
}

export interface AqiMeasurement extends AqiResult {
  separation: Separation | Unavailable
  /** of the standardised vectors; for clusterIndices and shuffledFloor */ gram: PairGram | Unavailable
}

/** The reason why vectors of these counts give no AQI. */
function countProblem([safe, unsafe]: [number, number]): Unavailable | undefined {
  if (safe === 0 && unsafe === 0) return { unavailable: 'no samples' }
  if (safe === 0 || unsafe === 0) return { unavailable: 'one class only' }
  if (safe < MINIMUM_PER_CLASS || unsafe < MINIMUM_PER_CLASS)
    return {
      unavailable: `${MINIMUM_PER_CLASS} of each class are needed, found ${safe} safe and ${unsafe} unsafe`,
    }
  return undefined
}

/** The reason why a separation has no logarithm. */
function separationProblem({ unbiasedDistanceSquared, within }: Separation): Unavailable | undefined {
  if (!(within > 0)) return { unavailable: 'no spread within the classes' }
  return unbiasedDistanceSquared > 0 ? undefined : { unavailable: NOT_SEPARABLE }
}

/**
 * Unbiased S of `resamples` stratified resamples (class sizes kept), in order of drawing. Resampled means carry
 * the sample's own noise once more and a resample's scatter is (n_k - 1)/n_k of the sample's; both are corrected,
 * so that the draws centre on the sample's unbiased S and not above it (ours). Draws can be negative.
 */
export function resampleSeparation(gram: PairGram, seed: number, resamples = AQI_RESAMPLES): Float64Array {
  const random = new Random(seed, STREAMS.aqiBootstrap)
  const [n1, n2] = gram.counts
  const draws = new Float64Array(resamples)
  for (let r = 0; r < resamples; r++) {
    const first = new Float64Array(n1 + n2)
    const second = new Float64Array(n1 + n2)
    for (let i = 0; i < n1; i++) first[random.integer(n1)]++
    for (let i = 0; i < n2; i++) second[n1 + random.integer(n2)]++
    const drawn = weightedScatter(gram.values, first, second)
    const within1 = (drawn.within1 * n1) / (n1 - 1)
    const within2 = (drawn.within2 * n2) / (n2 - 1)
    const noise =
      within1 * (1 / n1 ** 2 + 1 / ((n1 - 1) * n1)) + within2 * (1 / n2 ** 2 + 1 / ((n2 - 1) * n2))
    draws[r] = (drawn.distanceSquared - noise) / ((within1 + within2) / (n1 + n2))
  }
  return draws
}

/** log of each draw; -Infinity for one without separation. */
const logDraws = (draws: Float64Array): Float64Array =>
  draws.map((s) => (s > 0 ? Math.log(s) : Number.NEGATIVE_INFINITY))

/** Standard error of log S over the separable draws; unavailable if more than 2.5 % are not. */
function standardErrorOf(draws: Float64Array): number | Unavailable {
  const separable = draws.filter((s) => s > 0)
  const missing = draws.length - separable.length
  if (missing > LOWER_TAIL * draws.length)
    return { unavailable: `${NOT_SEPARABLE} in ${missing} of ${draws.length} resamples` }
  return standardDeviation(logDraws(separable))
}

/** Freezes the anchor's standardisation, S, standard error and plane; unavailable as measureAqi would be. */
export function fitAqiAnchor(vectors: ClassVectors, seed: number): AqiAnchor | Unavailable {
  const problem = countProblem(countVectors(vectors))
  if (problem) return problem
  const standardisation = fitStandardisation(vectors)
  const standardised = standardise(standardisation, vectors)
  const gram = pairGram(standardised)
  const separation = separationOf(gram)
  const unusable = separationProblem(separation)
  if (unusable) return unusable
  const standardError = standardErrorOf(resampleSeparation(gram, seed))
  if (typeof standardError !== 'number') return standardError
  return {
    standardisation,
    separation: separation.unbiased,
    logSeparation: Math.log(separation.unbiased),
    standardError,
    plane: fitClusterPlane(standardised, seed),
  }
}

/** 100 S / (S + S_anchor), 0 where S is not positive; 0 to 100. */
export function normaliseSeparation(separation: number, anchorSeparation: number): number {
  return separation > 0 ? 100 / (1 + anchorSeparation / separation) : 0
}

/**
 * AQI of one model's vectors against `anchor`, intervals from 200 stratified resamples; S_anchor is held fixed
 * as the unit. Rejects `shape-mismatch` and `not-finite`; everything else that prevents a value is `unavailable`.
 */
export function measureAqi(vectors: ClassVectors, anchor: AqiAnchor, seed: number): AqiMeasurement {
  const perClass = countVectors(vectors)
  const absent = (reason: Unavailable) => ({ normalised: reason, logSeparation: reason, perClass })
  const problem = countProblem(perClass)
  if (problem) return { ...absent(problem), separation: problem, gram: problem }
  const gram = pairGram(standardise(anchor.standardisation, vectors))
  const separation = separationOf(gram)
  const unusable = separationProblem(separation)
  if (unusable) return { ...absent(unusable), separation, gram }
  const draws = resampleSeparation(gram, seed)
  const count = perClass[0] + perClass[1]
  const standardError = standardErrorOf(draws)
  return {
    normalised: {
      value: normaliseSeparation(separation.unbiased, anchor.separation),
      ...percentileInterval(draws.map((s) => normaliseSeparation(s, anchor.separation))),
      count,
    },
    logSeparation:
      typeof standardError === 'number'
        ? { value: Math.log(separation.unbiased), ...percentileInterval(logDraws(draws)), count }
        : standardError,
    perClass,
    separation,
    gram,
  }
}

export interface ShuffledFloor {
  /** mean and 97.5 % point of unbiased S under shuffled labels; the mean is near 0 and may be negative */
  mean: number
  high: number
  /** the 97.5 % point on the display scale, 0 to 100 */ normalisedHigh: number
}

/** S under `shuffles` random labellings with the class sizes kept: what no alignment at all would score. */
export function shuffledFloor(
  gram: PairGram,
  anchorSeparation: number,
  seed: number,
  shuffles = AQI_RESAMPLES,
): ShuffledFloor {
  const random = new Random(seed, STREAMS.labelShuffle)
  const labels = Array.from(classWeights(gram.counts)[0])
  const draws = Float64Array.from({ length: shuffles }, () => {
    const first = Float64Array.from(random.shuffle(labels))
    return separationOf(gram, [first, first.map((value) => 1 - value)]).unbiased
  })
  const { high } = percentileInterval(draws)
  return {
    mean: draws.reduce((sum, value) => sum + value, 0) / shuffles,
    high,
    normalisedHigh: normaliseSeparation(high, anchorSeparation),
  }
}

/** log S (natural, unbiased S) of a measurement, or why there is none. */
export function logSeparationOf({ separation }: AqiMeasurement): number | Unavailable {
  if (isUnavailable(separation)) return separation
  return separationProblem(separation) ?? Math.log(separation.unbiased)
}
