// Standardisation by the anchor's frozen mean and deviation per dimension, for every model of an experiment.
// Frozen, because re-fitting per model would hide exactly the changes that are to be measured (ours).

import { EngineError } from '../errors.ts'
import { type ClassVectors, countVectors } from './separation.ts'

export interface Standardisation {
  width: number
  /** mean over all probes of both classes (width) */ mean: Float64Array
  /** 1 / deviation (width); 0 for a dimension that is constant at the anchor, which drops it */
  inverseDeviation: Float64Array
  /** dimensions kept */ activeCount: number
}

/** Below this share of |mean| a spread is float32 rounding (16 units in the last place), not signal. */
const CONSTANT_SHARE = 1e-6

/** Mean and deviation (n denominator) of the anchor's vectors, both classes together. */
export function fitStandardisation(vectors: ClassVectors): Standardisation {
  const counts = countVectors(vectors)
  const n = counts[0] + counts[1]
  const { width } = vectors
  if (n === 0) throw new EngineError('request-invalid', 'standardisation of no vectors')
  const mean = new Float64Array(width)
  const squares = new Float64Array(width)
  const all = [vectors.safe, vectors.unsafe]
  for (const values of all) for (let i = 0; i < values.length; i++) mean[i % width] += values[i] / n
  // Second pass about the mean: E[x^2] - mean^2 would cancel.
  for (const values of all)
    for (let i = 0; i < values.length; i++) squares[i % width] += (values[i] - mean[i % width]) ** 2
  let activeCount = 0
  const inverseDeviation = squares.map((sum, k) => {
    const deviation = Math.sqrt(sum / n)
    if (deviation <= CONSTANT_SHARE * Math.abs(mean[k]) || deviation < 1e-30) return 0
    activeCount++
    return 1 / deviation
  })
  return { width, mean, inverseDeviation, activeCount }
}

/** (h - mean) / deviation for one class (n,width). */
function standardiseRows(s: Standardisation, values: Float32Array | Float64Array): Float64Array {
  return Float64Array.from(
    values,
    (value, i) => (value - s.mean[i % s.width]) * s.inverseDeviation[i % s.width],
  )
}

/** Standardised copies of both classes. Rejects `shape-mismatch` and `not-finite`. */
export function standardise(s: Standardisation, vectors: ClassVectors) {
  if (vectors.width !== s.width)
    throw new EngineError('shape-mismatch', `vectors of width ${vectors.width}, anchor has ${s.width}`)
  countVectors(vectors)
  return {
    safe: standardiseRows(s, vectors.safe),
    unsafe: standardiseRows(s, vectors.unsafe),
    width: s.width,
  }
}

/** Gradient with respect to the raw vectors from the one with respect to the standardised ones, same shape. */
export function chainStandardisation(s: Standardisation, gradient: Float64Array): Float64Array {
  return gradient.map((value, i) => value * s.inverseDeviation[i % s.width])
}
