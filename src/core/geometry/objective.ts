// The objective on the device: value and gradient of L_geo + λ_align L_align at any displacement δ, and a
// plain descent that must reach the closed form. L_geo: arXiv 2512.16245; L_align's form is ours.

import type { Gpu } from '../gpu/device.ts'
import { combine } from '../kernels/elementwise/elementwise.ts'
import { objectiveGradient } from '../kernels/objectiveGradient/objectiveGradient.ts'
import { GRAM_PLAIN, GRAM_TIMES } from '../kernels/weightedGram/weightedGram.ts'
import type { AlignmentRows } from './alignmentRows.ts'
import { sumGrams } from './gramPass.ts'
import type { Metric } from './metric.ts'
import { type AlignmentBasis, alignmentCoordinates } from './sampleSpace.ts'

/** The three numbers of the objective at one displacement. */
export interface ObjectiveValues {
  /** L_geo */ geometric: number
  /** L_align, without lambda_align */ alignment: number
  /** L_geo + lambda_align L_align */ total: number
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
}

/** L_geo, L_align and total at δ (by tensor). */
export async function objectiveValue(
  problem: ObjectiveProblem,
  delta: ReadonlyMap<string, GPUBuffer>,
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
  return { geometric, alignment, total: geometric + lambdaAlign * alignment }
}

/** Encodes the gradient at δ into `out` (count by tensor); reads A δ back first. */
export async function encodeObjectiveGradient(
  problem: ObjectiveProblem,
  delta: ReadonlyMap<string, GPUBuffer>,
  out: ReadonlyMap<string, GPUBuffer>,
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
  for (const { name, count } of tensors)
    gpu.run(
      objectiveGradient,
      { count, rows: rows.count, stride: count, total },
      {
        delta: delta.get(name)!,
        center: center.get(name)!,
        metric: metric.diagonal.get(name)!,
        rows: rows.rows.get(name)!,
        c: buffer,
        out: out.get(name)!,
      },
    )
  gpu.pool.release(buffer)
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
