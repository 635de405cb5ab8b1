// The shield over a row space: c_i shrunk in the whole model or layer by layer, on both sides or on the harmful one.
//   L_align(δ) = Σ_parts Σ_i w_i (u_iᵀ G δ + o_i)²,  parts: the whole model, or each layer with its own U,
// in n numbers: u_i = G⁻¹Aᵀ w_i, c_i = w_iᵀ(a + o), b = Σ_i s_i c_i w_i, δ* = δ̄ − G⁻¹Aᵀ b. Parts share no tensor,
// so G is block-diagonal over them and each is solved by itself. With one part, both sides and no offsets this is
// closedForm.ts, number for number. One-sided, offsets and layers are ours (methods.md §1.3 sketches the first).

import { EngineError } from '../../errors.ts'
import {
  type AlignmentBasis,
  alignmentBasis,
  applyMatrix,
  directionWeights,
  mixRows,
  requireFinite,
} from '../../geometry/sampleSpace.ts'
import type { RowProducts } from './rowSpace.ts'

export interface ShieldOptions {
  /** 0 to Infinity */ lambdaAlign: number
  /** m per part; fewer where the rows span fewer */ rank: number
  /** w_i of L_align: 1, or μ_i/μ_1 */ rowWeights: 'equal' | 'eigen'
  /** shrink c_i only where moving along +u_i lowers the rows' mean functional */ oneSided: boolean
}

/** One part (the whole model or a layer) with its solution. */
export interface ShieldPart {
  products: RowProducts
  basis: AlignmentBasis
  /** w_i (n) over all rows, also those that are not the shield's: m of them */
  directions: Float64Array[]
  /** λ_align w_i (m) */ strengths: Float64Array
  /** s_i (m), share of c_i removed; 0 on the free side of a one-sided shield */
  shares: Float64Array
  /** c_i (m) of the barycentre, of δ* */
  c: Float64Array
  cShrunk: Float64Array
  /** b (n) of δ* */ b: Float64Array
}

/** Largest rank of a part: more directions than this cost time and shield rounding. */
const MAXIMUM_RANK = 64

/**
 * δ* of each part. `shielded` (n_s) are the indices of the rows that span U, `offsets` (n_s) their o, for one part
 * alone; absent: 0. Rows that are all zero leave a part as it is: the limit of a vanishing gradient.
 */
export function solveShield(
  parts: readonly RowProducts[],
  weights: ArrayLike<number>,
  shielded: readonly number[],
  options: ShieldOptions,
  offsets?: ArrayLike<number>,
): ShieldPart[] {
  if (offsets && parts.length > 1)
    throw new EngineError('request-invalid', 'offsets of rows are for the whole model, not for layers')
  return parts.map((products) => solvePart(products, weights, shielded, options, offsets))
}

function solvePart(
  products: RowProducts,
  weights: ArrayLike<number>,
  shielded: readonly number[],
  options: ShieldOptions,
  offsets: ArrayLike<number> | undefined,
): ShieldPart {
  const n = products.count
  const size = shielded.length
  if (size === 0) throw new EngineError('request-invalid', 'a shield needs at least one row')
  if (!(options.lambdaAlign >= 0))
    throw new EngineError('request-invalid', `lambda_align: found ${options.lambdaAlign}, expected 0 or more`)
  const kernel = new Float64Array(size * size)
  shielded.forEach((row, i) => {
    shielded.forEach((column, j) => {
      kernel[i * size + j] = products.gram[row * n + column] / size
    })
  })
  const rank = Math.min(options.rank, size)
  const basis = alignmentBasis(kernel, size, { rank, maximum: MAXIMUM_RANK })
  if (options.oneSided) orientTowardsHarm(basis)
  const mixed = mixRows(weights, products.products)
  const a = Float64Array.from(shielded, (row, i) => mixed[row] + (offsets?.[i] ?? 0))
  requireFinite('a = A delta_bar', a, size)
  const c = applyMatrix(basis.rows, a, basis.rank)
  const w = directionWeights(basis, options.rowWeights === 'eigen' ? 'eigenvalue' : 'equal')
  const directions = Array.from({ length: basis.rank }, (_, i) => {
    const direction = new Float64Array(n)
    shielded.forEach((row, j) => {
      direction[row] = basis.rows[i * size + j]
    })
    return direction
  })
  const strengths = w.map((value) => (value === 0 ? 0 : options.lambdaAlign * value))
  const isActive = Array.from(c, (value) => !options.oneSided || value > 0)
  return activate({ products, basis, directions, strengths, c }, isActive)
}

/** The part solved with those directions shielded that `isActive`; the others are free. */
export function activate(
  part: Pick<ShieldPart, 'products' | 'basis' | 'directions' | 'strengths' | 'c'>,
  isActive: readonly boolean[],
): ShieldPart {
  const { products, basis, directions, strengths, c } = part
  const shares = strengths.map((strength, i) => {
    if (!isActive[i]) return 0
    return strength === Number.POSITIVE_INFINITY ? 1 : strength / (1 + strength)
  })
  // 1 / (1 + lambda w) and not 1 - s: the difference would lose all digits at large lambda.
  const cShrunk = c.map((value, i) => (isActive[i] ? value / (1 + strengths[i]) : value))
  const b = new Float64Array(products.count)
  directions.forEach((direction, i) => {
    for (let j = 0; j < b.length; j++) b[j] += shares[i] * c[i] * direction[j]
  })
  return { products, basis, directions, strengths, shares, c, cShrunk, b }
}

/**
 * Turns each direction so that +u_i lowers the mean of the rows' functionals: their first-order change along u_i
 * is A u_i = sqrt(n μ_i) v_i, so the sum of v_i must not be positive.
 */
function orientTowardsHarm(basis: AlignmentBasis): void {
  const { n, rank, vectors, rows } = basis
  for (let i = 0; i < rank; i++) {
    let sum = 0
    for (let j = i * n; j < (i + 1) * n; j++) sum += vectors[j]
    if (sum <= 0) continue
    for (let j = i * n; j < (i + 1) * n; j++) {
      vectors[j] = -vectors[j]
      rows[j] = -rows[j]
    }
  }
}
