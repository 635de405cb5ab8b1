// The objective on the device: value and gradient of L_geo + λ_align L_align + λ_bud L_bud at any displacement δ,
// and a plain descent that must reach the closed form. L_bud = [τ − a(δ)]²_+ is not quadratic: a and its gradient
// come from a real pass through the model at θ_IT + δ. L_geo and the three terms: arXiv 2512.16245; the forms of
// L_align and L_bud are ours.

import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import { combine, widen } from '../kernels/elementwise/elementwise.ts'
import { objectiveGradient } from '../kernels/objectiveGradient/objectiveGradient.ts'
import { GRAM_PLAIN, GRAM_TIMES } from '../kernels/weightedGram/weightedGram.ts'
import { DeviceModel, paddedCount } from '../model/deviceModel.ts'
import type { AlignmentRows } from './alignmentRows.ts'
import { sumGrams } from './gramPass.ts'
import type { Metric } from './metric.ts'
import { type AlignmentBasis, alignmentCoordinates } from './sampleSpace.ts'

/** The numbers of the objective at one displacement. */
export interface ObjectiveValues {
  /** L_geo */ geometric: number
  /** L_align, without lambda_align */ alignment: number
  /** L_bud, without lambda_bud; absent where there is no budget */ budget?: number
  /** the weighted sum */ total: number
}

/** a at one displacement with its gradient (count by tensor), from a pass through θ_IT + δ. */
export interface BudgetPoint {
  value: number
  gradient: ReadonlyMap<string, GPUBuffer>
}

/** L_bud's constants. */
export interface BudgetTerm {
  /** τ */ threshold: number
  /** λ_bud, finite */ lambdaBudget: number
}

export interface ObjectiveProblem {
  gpu: Gpu
  /** tensors with their element counts in whole fours */
  tensors: readonly { name: string; count: number }[]
  metric: Metric
  rows: AlignmentRows
  basis: AlignmentBasis
  /** Δ_k as rows (K, count) by tensor */
  differences: ReadonlyMap<string, GPUBuffer>
  /** Σ λ_k Δ_k (count) by tensor */
  center: ReadonlyMap<string, GPUBuffer>
  /** λ_k, sum 1 */
  weights: ArrayLike<number>
  lambdaAlign: number
  /** w_i (m) */
  w: ArrayLike<number>
  budget?: BudgetTerm
}

/** τ − a where it is positive. */
const shortfallOf = ({ threshold }: BudgetTerm, a: number) => Math.max(threshold - a, 0)

/** L_geo, L_align, L_bud and total at δ (by tensor); `a` is the functional there, needed with a budget. */
export async function objectiveValue(
  problem: ObjectiveProblem,
  delta: ReadonlyMap<string, GPUBuffer>,
  a?: number,
): Promise<ObjectiveValues> {
  const { gpu, tensors, metric, rows, basis, differences, weights, lambdaAlign, w } = problem
  const K = weights.length
  const sums = await sumGrams(gpu, tensors, (name) => {
    const g = metric.diagonal.get(name)!
    const d = { buffer: delta.get(name)!, rows: 1 }
    const experts = { buffer: differences.get(name)!, rows: K }
    return [
      { label: 'norm', a: d, b: d, mode: GRAM_TIMES, weights: g },
      { label: 'cross', a: d, b: experts, mode: GRAM_TIMES, weights: g },
      { label: 'experts', a: experts, b: experts, mode: GRAM_TIMES, weights: g },
      { label: 'rows', a: { buffer: rows.rows.get(name)!, rows: rows.count }, b: d, mode: GRAM_PLAIN },
    ]
  })
  const norm = sums.total.get('norm')![0]
  const cross = sums.total.get('cross')!
  const experts = sums.total.get('experts')!
  let geometric = 0
  for (let k = 0; k < K; k++) geometric += weights[k] * (norm - 2 * cross[k] + experts[k * K + k])
  const c = alignmentCoordinates(basis, sums.total.get('rows')!)
  const alignment = c.reduce((sum, value, i) => sum + w[i] * value * value, 0)
  const total = geometric + lambdaAlign * alignment
  if (!problem.budget) return { geometric, alignment, total }
  const budget = shortfallOf(problem.budget, requireValue(a)) ** 2
  return { geometric, alignment, budget, total: total + problem.budget.lambdaBudget * budget }
}

function requireValue(a: number | undefined): number {
  if (a === undefined || !Number.isFinite(a))
    throw new EngineError('request-invalid', `a budget needs the functional at δ, found ${a}`)
  return a
}

/** Encodes the gradient at δ into `out` (count by tensor); reads A δ back first. `at`: needed with a budget. */
export async function encodeObjectiveGradient(
  problem: ObjectiveProblem,
  delta: ReadonlyMap<string, GPUBuffer>,
  out: ReadonlyMap<string, GPUBuffer>,
  at?: BudgetPoint,
): Promise<void> {
  const { gpu, tensors, metric, rows, basis, center, weights, lambdaAlign, w } = problem
  const sums = await sumGrams(gpu, tensors, (name) => [
    {
      label: 'rows',
      a: { buffer: rows.rows.get(name)!, rows: rows.count },
      b: { buffer: delta.get(name)!, rows: 1 },
      mode: GRAM_PLAIN,
    },
  ])
  const c = alignmentCoordinates(basis, sums.total.get('rows')!)
  const coefficients = new Float32Array(rows.count)
  for (let i = 0; i < basis.rank; i++)
    for (let j = 0; j < rows.count; j++)
      coefficients[j] += 2 * lambdaAlign * w[i] * c[i] * basis.rows[i * basis.n + j]
  const buffer = gpu.pool.take(coefficients.byteLength)
  gpu.write(buffer, coefficients)
  let total = 0
  for (let k = 0; k < weights.length; k++) total += weights[k]
  const slope = problem.budget
    ? -2 * problem.budget.lambdaBudget * shortfallOf(problem.budget, requireValue(at?.value))
    : 0
  for (const { name, count } of tensors)
    gpu.run(
      objectiveGradient,
      { count, rows: rows.count, stride: count, total, budget: slope },
      {
        delta: delta.get(name)!,
        center: center.get(name)!,
        metric: metric.diagonal.get(name)!,
        rows: rows.rows.get(name)!,
        c: buffer,
        // Times zero where no budget is short; any buffer of this size will do.
        q: (slope === 0 ? delta : at!.gradient).get(name)!,
        out: out.get(name)!,
      },
    )
  gpu.pool.release(buffer)
}

/** θ_IT + δ in float32, where the functional of a budget is measured; the caller's to dispose of. */
export function displacedModel(anchor: DeviceModel, delta: ReadonlyMap<string, GPUBuffer>): DeviceModel {
  const { gpu } = anchor
  const out = new DeviceModel(gpu, anchor.config, 'f32')
  for (const { spec, count: exact } of anchor.tensors.values()) {
    const count = paddedCount(exact)
    const base = gpu.pool.take(count * 4)
    gpu.run(widen, { count }, { weight: anchor.buffer(spec.name), out: base }, anchor.type)
    gpu.run(
      combine,
      { count, alpha: 1, beta: 1 },
      { a: base, b: delta.get(spec.name)!, out: out.buffer(spec.name) },
    )
    gpu.pool.release(base)
  }
  return out
}

/** δ ← δ − rate · ∇L, in place. With unit-sized directions preconditioning is not needed on test problems. */
export function encodeDescentStep(
  gpu: Gpu,
  tensors: readonly { name: string; count: number }[],
  delta: ReadonlyMap<string, GPUBuffer>,
  gradient: ReadonlyMap<string, GPUBuffer>,
  next: ReadonlyMap<string, GPUBuffer>,
  rate: number,
): void {
  for (const { name, count } of tensors) {
    gpu.run(
      combine,
      { count, alpha: 1, beta: -rate },
      { a: delta.get(name)!, b: gradient.get(name)!, out: next.get(name)! },
    )
    gpu.copy(next.get(name)!, delta.get(name)!, count * 4)
  }
}
