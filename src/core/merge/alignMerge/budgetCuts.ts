// The budget to first order, for any number of functionals and any parts of the shield:
//   minimise ‖δ − δ*‖²_H + λ_bud Σ_r [v_r − q_rᵀ(δ − δ*)]²_+ ,   v_r = τ_r − a_r(δ*) to first order,
// H = G + λ_align G U W Uᵀ G. With δ − δ* = Σ_r s_r H⁻¹q_r it is s_r = λ [v_r − Σ_t M_rt s_t]_+, M = QᵀH⁻¹Q, solved
// by Gauss–Seidel on the dual, which is convex in s ≥ 0. One functional gives closedFormBudget.ts exactly.
// AlignMerge (arXiv 2512.16245) names a soft budget; hinge, first order and several functionals are ours.

import { EngineError } from '../../errors.ts'
import { applyMatrix, dot, mixRows, requireFinite } from '../../geometry/sampleSpace.ts'
import type { ShieldPart } from './shield.ts'

/** One linearised functional: a(δ) ≈ value + ⟨A_row, δ − δ_at⟩, a row of the row space. */
export interface BudgetCut {
  /** index of q among all rows */ row: number
  /** a(δ_at) − ⟨q, δ_at⟩: what the linear model says at the anchor */ atAnchor: number
  /** τ */ threshold: number
}

export interface BudgetSolution {
  /** b (n) of each part after the step */ b: Float64Array[]
  /** s_r */ steps: Float64Array
  /** [v_r]_+ before and after, to first order */
  shortfallBefore: Float64Array
  shortfallAfter: Float64Array
}

const SWEEPS = 1000

/** ⟨q, δ⟩ of a row at δ = scale · δ̄ − G⁻¹Aᵀb, over all parts. */
export function rowProductAt(
  parts: readonly { products: ShieldPart['products']; b: Float64Array }[],
  weights: ArrayLike<number>,
  row: number,
  scale = 1,
): number {
  let sum = 0
  for (const { products, b } of parts) {
    const n = products.count
    sum += scale * mixRows(weights, products.products)[row]
    sum -= dot(products.gram.subarray(row * n, (row + 1) * n), b)
  }
  return sum
}

/** b (n) of each part after adding Σ_r steps_r H⁻¹q_r to its δ. */
export function addSteps(
  parts: readonly ShieldPart[],
  taken: readonly { row: number; step: number }[],
): Float64Array[] {
  return parts.map((part) => {
    const b = part.b.slice()
    for (const { row, step } of taken) {
      const f = inverseHessian(part, row)
      for (let j = 0; j < b.length; j++) b[j] -= step * f[j]
    }
    return b
  })
}

/** The step from the δ of `parts`. λ_bud from 0 to Infinity. */
export function takeBudgetCuts(
  parts: readonly ShieldPart[],
  weights: ArrayLike<number>,
  cuts: readonly BudgetCut[],
  lambdaBudget: number,
): BudgetSolution {
  if (!(lambdaBudget >= 0))
    throw new EngineError('request-invalid', `lambda_bud: found ${lambdaBudget}, expected 0 or more`)
  const count = cuts.length
  requireFinite(
    'budget values',
    cuts.map(({ atAnchor }) => atAnchor),
    count,
  )
  requireFinite(
    'budget thresholds',
    cuts.map(({ threshold }) => threshold),
    count,
  )
  // f (n) with H⁻¹q = G⁻¹Aᵀf, by part and cut, and M.
  const steepest = parts.map((part) => cuts.map(({ row }) => inverseHessian(part, row)))
  const matrix = new Float64Array(count * count)
  parts.forEach(({ products }, p) => {
    cuts.forEach(({ row }, r) => {
      const n = products.count
      const gramRow = products.gram.subarray(row * n, (row + 1) * n)
      for (let t = 0; t < count; t++) matrix[r * count + t] += dot(gramRow, steepest[p][t])
    })
  })
  cuts.forEach(({ row }, r) => {
    const plain = parts.reduce((sum, { products }) => sum + products.gram[row * products.count + row], 0)
    // A gradient inside the removed subspace leaves rounding only, and a step along it would be anything.
    if (!(matrix[r * count + r] > 1e-9 * plain)) matrix[r * count + r] = 0
  })
  const shortfall = Float64Array.from(
    cuts,
    ({ row, atAnchor, threshold }) => threshold - atAnchor - rowProductAt(parts, weights, row),
  )
  const steps = solveDual(matrix, shortfall, lambdaBudget)
  const b = addSteps(
    parts,
    cuts.map(({ row }, r) => ({ row, step: steps[r] })),
  )
  const gained = applyMatrix(matrix, steps, count)
  return {
    b,
    steps,
    shortfallBefore: shortfall.map((v) => Math.max(v, 0)),
    shortfallAfter: shortfall.map((v, r) => Math.max(v - gained[r], 0)),
  }
}

/** f = e − Σ_i s_i (w_iᵀ X e) w_i with q = Aᵀe the row itself: H⁻¹q = G⁻¹Aᵀf. */
function inverseHessian({ products, directions, shares }: ShieldPart, row: number): Float64Array {
  const n = products.count
  const f = new Float64Array(n)
  f[row] = 1
  const gramRow = products.gram.subarray(row * n, (row + 1) * n)
  directions.forEach((direction, i) => {
    const along = shares[i] * dot(direction, gramRow)
    for (let j = 0; j < n; j++) f[j] -= along * direction[j]
  })
  return f
}

function solveDual(matrix: Float64Array, shortfall: Float64Array, lambda: number): Float64Array {
  const count = shortfall.length
  const s = new Float64Array(count)
  if (lambda === 0) return s
  const softness = 1 / lambda
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let moved = 0
    let size = 0
    for (let r = 0; r < count; r++) {
      const own = matrix[r * count + r]
      if (own === 0) continue
      let rest = shortfall[r]
      for (let t = 0; t < count; t++) if (t !== r) rest -= matrix[r * count + t] * s[t]
      const next = Math.max(rest, 0) / (own + softness)
      moved = Math.max(moved, Math.abs(next - s[r]))
      size = Math.max(size, Math.abs(next))
      s[r] = next
    }
    if (moved <= 1e-14 * size) break
  }
  return s
}
