// The alignment subspace, held as n-dimensional algebra (n = rows of A, the alignment gradients).
// F_A u = mu G u with F_A = A^T A / n is solved through K = (1/n) A G^-1 A^T: K v_i = mu_i v_i and
// u_i = G^-1 A^T w_i with w_i = v_i / sqrt(n mu_i), so that U^T G U = I. Then c_i = u_i^T G delta = w_i^T a
// with a = A delta, and the shielded merge is delta* = delta_bar - G^-1 A^T b.
// AlignMerge (arXiv 2512.16245) names the projector P_A; this construction, the rank rule and the controls
// are ours (the paper's are not public).

import { EngineError } from '../errors.ts'
import { eigenSymmetric } from './eigen.ts'

/** A G-orthonormal basis u_1..u_m of the alignment subspace, in coordinates of the n gradient rows. */
export interface AlignmentBasis {
  /** rows of A */ n: number
  /** m, directions kept */ rank: number
  /** mu_i of the kept directions (m), descending */ eigenvalues: Float64Array
  /** all n eigenvalues of K, descending */ spectrum: Float64Array
  /** V (n,m), column-major: v_i = vectors.subarray(i n, (i+1) n), unit */ vectors: Float64Array
  /** W (n,m), column-major: w_i = v_i / sqrt(n mu_i); u_i = G^-1 A^T w_i */ rows: Float64Array
  /** sum of kept mu over sum of all, 0 to 1 */ explained: number
}

export interface RankRule {
  /** m asked for; without it the smallest m that explains `explained` */ rank?: number
  /** share of sum mu, default 0.9 */ explained?: number
  /** largest m, default 16 */ maximum?: number
  /**
   * Directions with mu <= floor * mu_1 are dropped: dividing by sqrt(mu) would blow rounding up.
   * Default 1e-6, for a K summed from float32 rows.
   */
  floor?: number
}

/** w_i of L_align: all ones, or mu_i / mu_1 (AlignGuard-LoRA weights by eigenvalue). */
export type DirectionWeighting = 'equal' | 'eigenvalue'

/** Throws unless `values` has `length` finite entries; `name` says what they are. */
export function requireFinite(name: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length)
    throw new EngineError('shape-mismatch', `${name}: found ${values.length} numbers, expected ${length}`)
  for (let i = 0; i < length; i++)
    if (!Number.isFinite(values[i]))
      throw new EngineError('not-finite', `${name}: entry ${i} is ${values[i]}`)
}

/** x^T y over the first `x.length` entries. */
export function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i]
  return sum
}

/** y = M x for row-major M (rows, x.length). */
export function applyMatrix(matrix: Float64Array, x: Float64Array, rows: number): Float64Array {
  const columns = x.length
  const y = new Float64Array(rows)
  for (let r = 0; r < rows; r++) y[r] = dot(matrix.subarray(r * columns, (r + 1) * columns), x)
  return y
}

/** sum_k weights_k rows_k: a of the barycentre from a of each expert. Shapes (K), K x (n) -> (n). */
export function mixRows(weights: ArrayLike<number>, rows: readonly Float64Array[]): Float64Array {
  requireFinite('expert weights', weights, rows.length)
  if (rows.length === 0) throw new EngineError('request-invalid', 'a merge needs at least one expert')
  const out = new Float64Array(rows[0].length)
  rows.forEach((row, k) => {
    requireFinite(`row products of expert ${k}`, row, out.length)
    for (let i = 0; i < out.length; i++) out[i] += weights[k] * row[i]
  })
  return out
}

/** Smallest m whose eigenvalues make up `explained` of the positive sum. */
function rankForShare(spectrum: Float64Array, total: number, explained: number): number {
  let sum = 0
  for (let i = 0; i < spectrum.length; i++) {
    sum += Math.max(spectrum[i], 0)
    // A hair of slack, so that a share of exactly 0.9 is not missed by rounding.
    if (sum >= explained * total * (1 - 1e-12)) return i + 1
  }
  return spectrum.length
}

/**
 * Basis from K = (1/n) A G^-1 A^T (n,n), row-major. Rank 0 when K is zero. Rejects what eigenSymmetric
 * rejects, `request-invalid` for a rank below 1, and `check-failed` for a K that is clearly not positive.
 */
export function alignmentBasis(kernel: Float64Array, n: number, rule: RankRule = {}): AlignmentBasis {
  const { rank, explained = 0.9, maximum = 16, floor = 1e-6 } = rule
  if (rank !== undefined && (!Number.isInteger(rank) || rank < 1))
    throw new EngineError('request-invalid', `rank: found ${rank}, expected a whole number of at least 1`)
  const { values: spectrum, vectors } = eigenSymmetric(kernel, n)
  const first = spectrum[0]
  if (spectrum[n - 1] < -1e-3 * Math.abs(first))
    throw new EngineError(
      'check-failed',
      `K has eigenvalue ${spectrum[n - 1]} beside ${first}: not a Gram matrix`,
    )
  let total = 0
  let usable = 0
  for (const mu of spectrum) {
    total += Math.max(mu, 0)
    if (mu > floor * first && mu > 0) usable++
  }
  const wanted = rank ?? rankForShare(spectrum, total, explained)
  return truncateBasis(assembleBasis(n, spectrum, vectors, usable), Math.min(wanted, maximum, usable))
}

/** The basis of the first `usable` eigenvectors (rows of `vectors`). */
function assembleBasis(
  n: number,
  spectrum: Float64Array,
  vectors: Float64Array,
  usable: number,
): AlignmentBasis {
  const rows = new Float64Array(n * usable)
  for (let i = 0; i < usable; i++) {
    const scale = 1 / Math.sqrt(n * spectrum[i])
    for (let j = 0; j < n; j++) rows[i * n + j] = vectors[i * n + j] * scale
  }
  const kept = vectors.slice(0, n * usable)
  return {
    n,
    rank: usable,
    eigenvalues: spectrum.slice(0, usable),
    spectrum,
    vectors: kept,
    rows,
    explained: 1,
  }
}

/** The first `rank` directions of `basis`; `rank` above basis.rank keeps all. */
export function truncateBasis(basis: AlignmentBasis, rank: number): AlignmentBasis {
  const m = Math.min(rank, basis.rank)
  const eigenvalues = basis.eigenvalues.slice(0, m)
  const total = basis.spectrum.reduce((sum, mu) => sum + Math.max(mu, 0), 0)
  return {
    ...basis,
    rank: m,
    eigenvalues,
    vectors: basis.vectors.slice(0, basis.n * m),
    rows: basis.rows.slice(0, basis.n * m),
    explained: total > 0 ? eigenvalues.reduce((sum, mu) => sum + mu, 0) / total : 0,
  }
}

/** w_i (m) of L_align. */
export function directionWeights(basis: AlignmentBasis, weighting: DirectionWeighting): Float64Array {
  return basis.eigenvalues.map((mu) => (weighting === 'equal' ? 1 : mu / basis.eigenvalues[0]))
}

/** c_i = u_i^T G delta = w_i^T a (m), from a = A delta (n). */
export function alignmentCoordinates(basis: AlignmentBasis, a: Float64Array): Float64Array {
  requireFinite('a = A delta', a, basis.n)
  return applyMatrix(basis.rows, a, basis.rank)
}

/** s_i = lambda w_i / (1 + lambda w_i) (m), the share of c_i removed; lambda may be Infinity. */
export function shrinkShares(lambdaAlign: number, w: Float64Array): Float64Array {
  if (!(lambdaAlign >= 0))
    throw new EngineError('request-invalid', `lambda_align: found ${lambdaAlign}, expected 0 or more`)
  requireFinite('direction weights', w, w.length)
  if (w.some((value) => value < 0))
    throw new EngineError('request-invalid', 'direction weights must not be negative')
  return w.map((value) => {
    // A free direction (w = 0) stays free at lambda = Infinity, where the product would be NaN.
    const strength = value === 0 ? 0 : lambdaAlign * value
    return strength === Number.POSITIVE_INFINITY ? 1 : strength / (1 + strength)
  })
}

/** b (n) with delta* = delta_bar - G^-1 A^T b, from the barycentre's c (m) and w (m). */
export function shrinkCoefficients(
  basis: AlignmentBasis,
  c: Float64Array,
  lambdaAlign: number,
  w: Float64Array,
): Float64Array {
  requireFinite('alignment coordinates', c, basis.rank)
  requireFinite('direction weights', w, basis.rank)
  const shares = shrinkShares(lambdaAlign, w)
  const b = new Float64Array(basis.n)
  for (let i = 0; i < basis.rank; i++)
    for (let j = 0; j < basis.n; j++) b[j] += shares[i] * c[i] * basis.rows[i * basis.n + j]
  return b
}
