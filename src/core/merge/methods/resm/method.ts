// RESM-style merging: TSV-Merge with outlier-aware task weights and a rank that follows sparsity. Paper: arXiv 2502.06876
// names both ideas; the formulas are ours (methods.md §3.11): a = |τ_i| of a matrix,
//   o_i = Σ a above mean(a) + σ std(a),  ω_i = o_i / Σ o;   ρ_i = share of a < 0.1 rms(τ_i);
//   r_i = round((r/T)(1−ρ_i)/mean(1−ρ)) triplets, values times T ω_i; then whitened and added. Others: θ_0 + α mean τ.

import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import {
  encodeMeanTask,
  isMatrix,
  type LeadingTriplets,
  leadingTriplets,
  readTasks,
  tripletsOf,
  whitenedSum,
  writeMoved,
} from '../../spectral.ts'
import { declaration } from './declaration.ts'

/** Below this share of a task vector's root mean square a change counts as none. */
const SPARSE = 0.1

/** Σ of outliers, and the share of entries that are more than nothing. */
function statisticsOf(tau: Float64Array, sigma: number): { outliers: number; dense: number } {
  const n = tau.length
  let [sum, squares] = [0, 0]
  for (const value of tau) {
    sum += Math.abs(value)
    squares += value * value
  }
  if (squares === 0) return { outliers: 0, dense: 0 }
  const mean = sum / n
  let spread = 0
  for (const value of tau) spread += (Math.abs(value) - mean) ** 2
  const bound = mean + sigma * Math.sqrt(spread / n)
  const least = SPARSE * Math.sqrt(squares / n)
  let [outliers, dense] = [0, 0]
  for (const value of tau) {
    if (Math.abs(value) > bound) outliers += Math.abs(value)
    if (Math.abs(value) >= least) dense++
  }
  return { outliers, dense: dense / n }
}

export const method = defineMethod({
  declaration,
  async merge(task) {
    const alpha = numberOf(task.parameters, 'alpha')
    if (!isMatrix(task)) {
      encodeMeanTask(task, alpha)
      return
    }
    const sigma = numberOf(task.parameters, 'sigma')
    const [rows, columns] = task.shape
    const host = await readTasks(task)
    const T = host.tasks.length
    const side = Math.min(rows, columns)
    const statistics = host.tasks.map(({ data }) => statisticsOf(data, sigma))
    const outliers = statistics.reduce((sum, one) => sum + one.outliers, 0)
    const dense = statistics.reduce((sum, one) => sum + one.dense, 0) / T
    const parts = tripletsOf(host).map((triplets, i): LeadingTriplets => {
      const share = dense === 0 ? 0 : statistics[i].dense / dense
      const kept = Math.min(side, Math.floor((side / T) * share + 0.5))
      const leading = leadingTriplets(triplets, kept)
      const weight = outliers === 0 ? 1 : (T * statistics[i].outliers) / outliers
      return { ...leading, values: leading.values.map((value) => value * weight) }
    })
    writeMoved(task, host.base, whitenedSum(parts, rows, columns).data, alpha)
  },
})
