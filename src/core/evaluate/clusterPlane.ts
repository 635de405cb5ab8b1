// The plane of the cluster picture, frozen at the anchor (ours): axis 1 is the difference of the anchor's class
// means, axis 2 the first principal component of its residuals orthogonal to axis 1. Frozen, so that points of
// every merge can be compared by eye. Being chosen for the labels, axis 1 flatters the anchor a little.

import { EngineError } from '../errors.ts'
import { eigenSymmetric, orientSign } from '../geometry/eigen.ts'
import { Random } from '../tensors/random.ts'
import { STREAMS } from './bootstrap.ts'
import type { Unavailable } from './estimate.ts'
import { type ClassVectors, countVectors, meanVector } from './separation.ts'
import { type Standardisation, standardise } from './standardise.ts'

/** Orthonormal axes (width each) in standardised space; the origin is midway between the anchor's class means. */
export interface ClusterPlane {
  width: number
  origin: Float64Array
  /** from unsafe to safe: safe points lie at positive x */ axis1: Float64Array
  axis2: Float64Array
}

/** Points of the AQI view in the anchor's plane; x, y interleaved. */
export interface ClusterPoints {
  safe: Float32Array
  unsafe: Float32Array
}

const BLOCK = 8
const MAX_ROUNDS = 50
/** Residual ||C x - mu x|| / mu at which an axis of a picture is good enough. */
const TOLERANCE = 1e-7

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let k = 0; k < x.length; k++) sum += x[k] * y[k]
  return sum
}

/** Removes from `x` its part along unit `axis`. */
function removeAlong(x: Float64Array, axis: Float64Array): void {
  const along = dot(x, axis)
  for (let k = 0; k < x.length; k++) x[k] -= along * axis[k]
}

/** Orthonormalises in place (Gram-Schmidt twice); drops vectors that vanish. */
function orthonormalise(block: Float64Array[]): Float64Array[] {
  const out: Float64Array[] = []
  for (const vector of block) {
    const before = Math.sqrt(dot(vector, vector))
    for (let pass = 0; pass < 2; pass++) for (const earlier of out) removeAlong(vector, earlier)
    const norm = Math.sqrt(dot(vector, vector))
    if (!(norm > 1e-12 * before)) continue
    for (let k = 0; k < vector.length; k++) vector[k] /= norm
    out.push(vector)
  }
  return out
}

/**
 * First principal component (width) of `rows`, by subspace iteration with a block of 8 and Rayleigh-Ritz;
 * undefined if all rows are zero. A block, because a single vector stalls when the two largest variances are close.
 */
export function firstComponent(rows: readonly Float64Array[], seed: number): Float64Array | undefined {
  const width = rows[0]?.length ?? 0
  const random = new Random(seed, STREAMS.planeStart)
  const size = Math.min(BLOCK, width, rows.length)
  const start = Array.from({ length: size }, () =>
    Float64Array.from({ length: width }, () => random.normal()),
  )
  const covariance = (x: Float64Array): Float64Array => {
    const out = new Float64Array(width)
    for (const row of rows) {
      const along = dot(row, x)
      for (let k = 0; k < width; k++) out[k] += along * row[k]
    }
    return out
  }
  // One application first, so that the block starts inside the span of the rows.
  let block = orthonormalise(start.map(covariance))
  for (let round = 0; round < MAX_ROUNDS && block.length > 0; round++) {
    const images = block.map(covariance)
    const m = block.length
    const projected = Float64Array.from({ length: m * m }, (_, at) =>
      dot(block[Math.floor(at / m)], images[at % m]),
    )
    const { values, vectors } = eigenSymmetric(projected, m)
    const combine = (from: Float64Array[], i: number) =>
      Float64Array.from({ length: width }, (_, k) =>
        from.reduce((sum, x, j) => sum + vectors[i * m + j] * x[k], 0),
      )
    const leading = combine(block, 0)
    const image = combine(images, 0)
    let residual = 0
    for (let k = 0; k < width; k++) residual += (image[k] - values[0] * leading[k]) ** 2
    // Past the last round the two largest variances tie, and any mixture of them is as good a picture.
    if (Math.sqrt(residual) <= TOLERANCE * values[0] || round === MAX_ROUNDS - 1) {
      orientSign(leading)
      return leading
    }
    block = orthonormalise(Array.from({ length: m }, (_, i) => combine(images, i)))
  }
  return undefined
}

/** Plane of the anchor's standardised vectors; unavailable if its means coincide or nothing is left for axis 2. */
export function fitClusterPlane(anchor: ClassVectors, seed: number): ClusterPlane | Unavailable {
  const [n1, n2] = countVectors(anchor)
  const { width } = anchor
  if (n1 === 0 || n2 === 0) return { unavailable: 'one class only' }
  const means = [meanVector(anchor.safe, width), meanVector(anchor.unsafe, width)]
  const axis1 = means[0].map((value, k) => value - means[1][k])
  const length = Math.sqrt(dot(axis1, axis1))
  if (!(length > 0)) return { unavailable: 'the class means coincide' }
  for (let k = 0; k < width; k++) axis1[k] /= length
  const residuals: Float64Array[] = []
  let scatter = length * length
  let left = 0
  for (const [own, values] of [anchor.safe, anchor.unsafe].entries()) {
    for (let start = 0; start < values.length; start += width) {
      const row = Float64Array.from(
        values.subarray(start, start + width),
        (value, k) => value - means[own][k],
      )
      scatter += dot(row, row)
      removeAlong(row, axis1)
      left += dot(row, row)
      residuals.push(row)
    }
  }
  // In one dimension the removal leaves rounding, which must not become an axis.
  const axis2 = left > 1e-24 * scatter ? firstComponent(residuals, seed) : undefined
  if (!axis2) return { unavailable: 'no spread beside the class means' }
  removeAlong(axis2, axis1)
  return { width, origin: means[0].map((value, k) => (value + means[1][k]) / 2), axis1, axis2 }
}

/** Standardised vectors (n,width) in the plane: x, y interleaved (2 n). */
export function project(plane: ClusterPlane, vectors: Float32Array | Float64Array): Float32Array {
  const { width, origin, axis1, axis2 } = plane
  if (vectors.length % width !== 0)
    throw new EngineError('shape-mismatch', `plane: ${vectors.length} numbers in rows of ${width}`)
  const out = new Float32Array((2 * vectors.length) / width)
  for (let i = 0; i < vectors.length / width; i++) {
    let x = 0
    let y = 0
    for (let k = 0; k < width; k++) {
      const value = vectors[i * width + k] - origin[k]
      x += value * axis1[k]
      y += value * axis2[k]
    }
    if (!Number.isFinite(x) || !Number.isFinite(y))
      throw new EngineError('not-finite', `plane: point ${i} is (${x}, ${y})`)
    out[2 * i] = x
    out[2 * i + 1] = y
  }
  return out
}

/** Both classes of a model's raw vectors in the anchor's plane. */
export function clusterPoints(
  plane: ClusterPlane,
  standardisation: Standardisation,
  vectors: ClassVectors,
): ClusterPoints {
  const { safe, unsafe } = standardise(standardisation, vectors)
  return { safe: project(plane, safe), unsafe: project(plane, unsafe) }
}
