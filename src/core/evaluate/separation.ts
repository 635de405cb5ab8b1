// S = d^2 / (W/n), the separation of two labelled clouds: d distance of class means, W within-class scatter.
// With two hard clusters the AQI paper's Xie-Beni and Calinski-Harabasz indices are both functions of S alone
// (AQI, arXiv 2506.13901: XB = 1/S, CHI = (n-2)(n1 n2/n^2) S), so S is the one number reported here.
// d^2 of sample means is biased upward by tr(Sigma_1)/n1 + tr(Sigma_2)/n2; the unbiased form subtracts it (ours).
// All sums run over an inner-product Gram matrix, so that a resample costs O(n^2) whatever the width.

import { EngineError } from '../errors.ts'

/** Vectors of both classes, row-major (n_k, width). */
export interface ClassVectors {
  safe: Float32Array | Float64Array
  unsafe: Float32Array | Float64Array
  width: number
}

export interface Separation {
  /** n1 safe, n2 unsafe */ counts: [number, number]
  /** d^2 between class means, as measured and with the bias removed (may be negative) */
  distanceSquared: number
  unbiasedDistanceSquared: number
  /** W = sum_i ||h_i - c_{y_i}||^2 */ within: number
  /** d^2 / (W/n) from the measured and from the unbiased d^2 */
  plain: number
  unbiased: number
}

/** Inner products (n,n) of all vectors, safe ones first, about their common mean. */
export interface PairGram {
  counts: [number, number]
  values: Float64Array
}

/** n1 and n2; rejects `shape-mismatch` for ragged rows and `not-finite` for NaN or infinity. */
export function countVectors({ safe, unsafe, width }: ClassVectors): [number, number] {
  for (const [name, values] of [
    ['safe', safe],
    ['unsafe', unsafe],
  ] as const) {
    if (!Number.isInteger(width) || width < 1 || values.length % width !== 0)
      throw new EngineError('shape-mismatch', `${name} vectors: ${values.length} numbers in rows of ${width}`)
    const bad = values.findIndex((value: number) => !Number.isFinite(value))
    if (bad >= 0)
      throw new EngineError(
        'not-finite',
        `${name} vector ${Math.floor(bad / width)}, component ${bad % width}, is ${values[bad]}`,
      )
  }
  return [safe.length / width, unsafe.length / width]
}

/** Mean (width) of row-major `values`. */
export function meanVector(values: Float32Array | Float64Array, width: number): Float64Array {
  const mean = new Float64Array(width)
  const rows = values.length / width
  for (let i = 0; i < values.length; i++) mean[i % width] += values[i]
  return mean.map((sum) => sum / rows)
}

/** Gram matrix of the centred vectors; O(n^2 width). */
export function pairGram(vectors: ClassVectors): PairGram {
  const counts = countVectors(vectors)
  const { width } = vectors
  const n = counts[0] + counts[1]
  const centred = new Float64Array(n * width)
  centred.set(vectors.safe, 0)
  centred.set(vectors.unsafe, counts[0] * width)
  // Every index is blind to a shift; without it a far-away cloud would lose its digits to cancellation.
  const mean = meanVector(centred, width)
  for (let i = 0; i < centred.length; i++) centred[i] -= mean[i % width]
  const values = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    const x = centred.subarray(i * width, (i + 1) * width)
    for (let j = 0; j <= i; j++) {
      const start = j * width
      let sum = 0
      for (let k = 0; k < width; k++) sum += x[k] * centred[start + k]
      values[i * n + j] = values[j * n + i] = sum
    }
  }
  return { counts, values }
}

/** d^2 and the scatter of each class when row i counts first[i] times in class 1 and second[i] times in class 2. */
export function weightedScatter(gram: Float64Array, first: Float64Array, second: Float64Array) {
  const n = first.length
  let n1 = 0
  let n2 = 0
  let squares1 = 0
  let squares2 = 0
  let q11 = 0
  let q12 = 0
  let q22 = 0
  for (let i = 0; i < n; i++) {
    const r1 = first[i]
    const r2 = second[i]
    if (r1 === 0 && r2 === 0) continue
    const start = i * n
    let t1 = 0
    let t2 = 0
    for (let j = 0; j < n; j++) {
      t1 += gram[start + j] * first[j]
      t2 += gram[start + j] * second[j]
    }
    n1 += r1
    n2 += r2
    squares1 += r1 * gram[start + i]
    squares2 += r2 * gram[start + i]
    q11 += r1 * t1
    q12 += r1 * t2
    q22 += r2 * t2
  }
  return {
    n1,
    n2,
    distanceSquared: Math.max(q11 / (n1 * n1) + q22 / (n2 * n2) - (2 * q12) / (n1 * n2), 0),
    within1: Math.max(squares1 - q11 / n1, 0),
    within2: Math.max(squares2 - q22 / n2, 0),
  }
}

/** 0/1 weights (n) that put each row of a Gram matrix into its own class. */
export function classWeights([n1, n2]: [number, number]): [Float64Array, Float64Array] {
  const first = new Float64Array(n1 + n2).fill(1, 0, n1)
  return [first, first.map((value) => 1 - value)]
}

/** S of the clouds as they are (or as weighted), at least two vectors per class; S is NaN-free but infinite for W = 0. */
export function separationOf(
  { counts, values }: PairGram,
  weights: [Float64Array, Float64Array] = classWeights(counts),
): Separation {
  const { n1, n2, distanceSquared, within1, within2 } = weightedScatter(values, ...weights)
  if (n1 < 2 || n2 < 2)
    throw new EngineError('request-invalid', `separation of ${n1} and ${n2} vectors: two of each are needed`)
  const within = within1 + within2
  const noise = within1 / ((n1 - 1) * n1) + within2 / ((n2 - 1) * n2)
  const unbiasedDistanceSquared = distanceSquared - noise
  const variance = within / (n1 + n2)
  const ratio = (squared: number) => (squared === 0 ? 0 : squared / variance)
  return {
    counts: [n1, n2],
    distanceSquared,
    unbiasedDistanceSquared,
    within,
    plain: ratio(distanceSquared),
    unbiased: ratio(unbiasedDistanceSquared),
  }
}

/**
 * d log S / d h_i for every vector, shapes as the input. With D = c_safe - c_unsafe and s = +1 safe, -1 unsafe,
 *   plain:     2 s D / (n_y d^2) - 2 (h - c_y) / W            (the centroids' part of W drops out)
 *   unbiased:  the first term over d_u^2, and additionally - 2 (h - c_y) / ((n_y - 1) n_y d_u^2).
 * Rejects `request-invalid` where S is zero, negative or infinite: log S has no gradient there.
 */
export function separationGradient(
  vectors: ClassVectors,
  form: 'plain' | 'unbiased',
): { safe: Float64Array; unsafe: Float64Array } {
  const { width } = vectors
  const counts = countVectors(vectors)
  const s = separationOf(pairGram(vectors))
  const squared = form === 'plain' ? s.distanceSquared : s.unbiasedDistanceSquared
  if (!(squared > 0) || !(s.within > 0))
    throw new EngineError('request-invalid', `log S has no gradient: d^2 = ${squared}, W = ${s.within}`)
  const means = [meanVector(vectors.safe, width), meanVector(vectors.unsafe, width)]
  const gradientOf = (values: Float32Array | Float64Array, own: 0 | 1) => {
    const n = counts[own]
    const sign = own === 0 ? 1 : -1
    const pull = 2 / s.within + (form === 'unbiased' ? 2 / ((n - 1) * n * squared) : 0)
    return Float64Array.from(values, (value, i) => {
      const k = i % width
      return (2 * sign * (means[0][k] - means[1][k])) / (n * squared) - pull * (value - means[own][k])
    })
  }
  return { safe: gradientOf(vectors.safe, 0), unsafe: gradientOf(vectors.unsafe, 1) }
}
