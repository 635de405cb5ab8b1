// Alignment drift of a merge from row products alone: no model-sized vector is touched here.
// With delta = delta_bar - G^-1 A^T b and any basis U' of rows A' (held-out probes, another gradient source),
//   c'_i = u'_i^T G delta = w'_i^T (a' - X b),   a' = A' delta_bar,   X = A' G^-1 A^T.
// X carries no 1/n, unlike K. Drift is ||P_A delta||_G = ||c'||. The paper's definition of drift is not
// public; these definitions, the layer profile and the control subspace are ours.

import { EngineError } from '../errors.ts'
import type { Random } from '../tensors/random.ts'
import { type AlignmentBasis, alignmentCoordinates, applyMatrix, dot, requireFinite } from './sampleSpace.ts'

/** D = (sum c_i^2)^1/2, in units of the metric G. */
export function driftNorm(c: ArrayLike<number>): number {
  requireFinite('alignment coordinates', c, c.length)
  let sum = 0
  for (let i = 0; i < c.length; i++) sum += c[i] * c[i]
  return Math.sqrt(sum)
}

/** r_A = D / ||delta||_G, 0 to 1: the share of the merge's motion spent in alignment directions; 0 at rest. */
export function relativeDrift(drift: number, total: number): number {
  requireFinite('drift and ||delta||_G', [drift, total], 2)
  if (drift > total * (1 + 1e-3))
    throw new EngineError(
      'check-failed',
      `drift ${drift} exceeds ||delta||_G = ${total}: different metrics or displacements`,
    )
  // Both are sums of float32 products, so a motion wholly inside the subspace may exceed 1 by rounding.
  return total > 0 ? Math.min(drift / total, 1) : 0
}

/** a' - X b (n'): the row products of the shielded merge with the rows A'. */
export function shieldedRowProducts(
  aPrime: Float64Array,
  crossGram: Float64Array,
  b: Float64Array,
): Float64Array {
  requireFinite("a' = A' delta_bar", aPrime, aPrime.length)
  requireFinite('b', b, b.length)
  requireFinite("X = A' G^-1 A^T", crossGram, aPrime.length * b.length)
  const removed = applyMatrix(crossGram, b, aPrime.length)
  return aPrime.map((value, j) => value - removed[j])
}

/**
 * c' (m') of delta* in another basis: aPrime = A' delta_bar (n'), crossGram = A' G^-1 A^T (n',n) row-major,
 * b (n). With basis' = basis and X = n K these are the coordinates after the shrink.
 */
export function crossCoordinates(
  basisPrime: AlignmentBasis,
  aPrime: Float64Array,
  crossGram: Float64Array,
  b: Float64Array,
): Float64Array {
  return alignmentCoordinates(basisPrime, shieldedRowProducts(aPrime, crossGram, b))
}

/**
 * D_l = (sum_i (u'_{i,l}^T G_l delta_l)^2)^1/2 per layer (L). aByLayer: L x (n'), the parts of a' = A' delta_bar;
 * crossByLayer: L x (n',n), the parts of X. The squares do not add up to D^2: parts of one c_i may cancel.
 */
export function layerProfile(
  basisPrime: AlignmentBasis,
  aByLayer: readonly Float64Array[],
  crossByLayer: readonly Float64Array[],
  b: Float64Array,
): Float64Array {
  if (aByLayer.length !== crossByLayer.length)
    throw new EngineError(
      'shape-mismatch',
      `layer profile: ${aByLayer.length} layers of a, ${crossByLayer.length} of the cross Gram`,
    )
  return Float64Array.from(aByLayer, (a, layer) =>
    driftNorm(crossCoordinates(basisPrime, a, crossByLayer[layer], b)),
  )
}

/**
 * ||delta*||_G from ||delta_bar||_G^2 and the coordinates before and after the shrink: only the part inside
 * the subspace changes.
 */
export function shrunkNorm(barNormSquared: number, c: ArrayLike<number>, cShrunk: ArrayLike<number>): number {
  requireFinite('||delta_bar||_G^2', [barNormSquared], 1)
  const squared = barNormSquared - driftNorm(c) ** 2 + driftNorm(cShrunk) ** 2
  if (squared < -1e-3 * Math.abs(barNormSquared))
    throw new EngineError('check-failed', `||delta*||_G^2 = ${squared} is negative: c does not fit the Gram`)
  return Math.sqrt(Math.max(squared, 0))
}

/**
 * Control: `rank` G-orthonormal directions drawn at random inside the span of `full` (build that with a
 * rank as large as possible). It asks whether the leading directions matter; for a random subspace of the
 * whole parameter space stream random rows in place of A and use alignmentBasis on their K.
 * Its eigenvalues are the Rayleigh values u^T F_A u, its vectors are not orthogonal.
 */
export function randomSubspace(full: AlignmentBasis, rank: number, random: Random): AlignmentBasis {
  if (!Number.isInteger(rank) || rank < 1 || rank > full.rank)
    throw new EngineError('request-invalid', `random subspace: rank ${rank} of ${full.rank}`)
  const mixing = randomOrthonormal(rank, full.rank, random)
  const { n } = full
  const rows = new Float64Array(n * rank)
  const vectors = new Float64Array(n * rank)
  const eigenvalues = new Float64Array(rank)
  for (let i = 0; i < rank; i++) {
    const row = rows.subarray(i * n, (i + 1) * n)
    for (let k = 0; k < full.rank; k++) {
      const q = mixing[i][k]
      eigenvalues[i] += q * q * full.eigenvalues[k]
      for (let j = 0; j < n; j++) row[j] += q * full.rows[k * n + j]
    }
    const norm = Math.sqrt(dot(row, row))
    for (let j = 0; j < n; j++) vectors[i * n + j] = row[j] / norm
  }
  const total = full.spectrum.reduce((sum, mu) => sum + Math.max(mu, 0), 0)
  const explained = eigenvalues.reduce((sum, mu) => sum + mu, 0) / total
  return { n, rank, eigenvalues, spectrum: full.spectrum, vectors, rows, explained }
}

/** `count` orthonormal vectors of `size` Gaussian draws: Gram-Schmidt, twice, which is enough in float64. */
function randomOrthonormal(count: number, size: number, random: Random): Float64Array[] {
  const out: Float64Array[] = []
  while (out.length < count) {
    const vector = Float64Array.from({ length: size }, () => random.normal())
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of out) {
        const along = dot(earlier, vector)
        for (let j = 0; j < size; j++) vector[j] -= along * earlier[j]
      }
      const norm = Math.sqrt(dot(vector, vector))
      for (let j = 0; j < size; j++) vector[j] /= norm
    }
    out.push(vector)
  }
  return out
}

/**
 * ||delta*_G - delta*_I|| in the Euclidean norm: how far the merge would move if the metric were the identity.
 * delta*_G = delta_bar - G^-1 A^T bMetric, delta*_I = delta_bar - A^T bPlain; gramSquared = A G^-2 A^T,
 * gramMetric = A G^-1 A^T, gramPlain = A A^T, all (n,n) row-major.
 */
export function metricDifference(
  grams: { gramSquared: Float64Array; gramMetric: Float64Array; gramPlain: Float64Array },
  bMetric: Float64Array,
  bPlain: Float64Array,
): number {
  const n = bMetric.length
  for (const gram of Object.values(grams)) requireFinite('Gram matrix', gram, n * n)
  requireFinite('b of the identity metric', bPlain, n)
  requireFinite('b of the metric', bMetric, n)
  const squared =
    dot(bMetric, applyMatrix(grams.gramSquared, bMetric, n)) -
    2 * dot(bMetric, applyMatrix(grams.gramMetric, bPlain, n)) +
    dot(bPlain, applyMatrix(grams.gramPlain, bPlain, n))
  return Math.sqrt(Math.max(squared, 0))
}
