// The common correction Δ of one matrix (arXiv 2501.01230): Adam on
//   L = Σ_j Σ_a ⟨τ_j, τ_j − Σ_i λ_i τ_i − Λ Δ⟩_a²,   Λ = Σ λ_i, rows a,
// moving only outside the span of Q, the shared left singular vectors: both the gradient and, so that Adam's scaling by
// element does not lead back into it, Δ itself are projected (the second is ours). In float64: Adam divides by the size
// of the gradient, and would amplify float32's rounding.

import {
  type HostMatrix,
  rankOf,
  rowOf,
  type SingularTriplets,
  singularTriplets,
} from '../../singularValues.ts'
import { leadingTriplets, stackRows } from '../../spectral.ts'

const BETA_1 = 0.9
const BETA_2 = 0.999
const EPSILON = 1e-8

export interface CorrectionOptions {
  /** λ_i */ shares: readonly number[]
  /** divisor of the smaller side: dimension of the shared subspace */ subspace: number
  lr: number
  steps: number
}

/** Q as rows (q, m): leading left singular vectors of all tasks' leading left singular vectors side by side. */
export function sharedSubspace(triplets: readonly SingularTriplets[], subspace: number): HostMatrix {
  const { count, left } = triplets[0]
  const length = left.columns
  const kept = Math.trunc(count / triplets.length)
  const stacked = stackRows(
    triplets.map((one) => leadingTriplets(one, kept).left),
    length,
  )
  if (stacked.rows === 0) return stacked
  // Left vectors of the columns are right vectors of the stacked rows.
  const { values, right } = singularTriplets(stacked)
  const rows = Math.min(Math.trunc(count / subspace), rankOf(values))
  return { rows, columns: length, data: right.data.slice(0, rows * length) }
}

/** M ← M − Q Qᵀ M, in place; `products` is room for (q, n). */
function projectOut(q: HostMatrix, m: HostMatrix, products: Float64Array): void {
  const { columns } = m
  products.fill(0)
  for (let k = 0; k < q.rows; k++) {
    const direction = rowOf(q, k)
    const product = products.subarray(k * columns, (k + 1) * columns)
    for (let i = 0; i < m.rows; i++) {
      const share = direction[i]
      for (let j = 0, at = i * columns; j < columns; j++) product[j] += share * m.data[at + j]
    }
  }
  for (let k = 0; k < q.rows; k++) {
    const direction = rowOf(q, k)
    const product = products.subarray(k * columns, (k + 1) * columns)
    for (let i = 0; i < m.rows; i++) {
      const share = direction[i]
      for (let j = 0, at = i * columns; j < columns; j++) m.data[at + j] -= share * product[j]
    }
  }
}

const rowDot = (x: Float64Array, y: Float64Array, from: number, to: number): number => {
  let sum = 0
  for (let i = from; i < to; i++) sum += x[i] * y[i]
  return sum
}

/** Writes dL/dΔ; `rest` (T, m) is ⟨τ_j, τ_j − Σ λ τ⟩ by row. */
function gradientInto(
  gradient: Float64Array,
  tasks: readonly HostMatrix[],
  rest: readonly Float64Array[],
  delta: Float64Array,
  total: number,
): void {
  const { rows, columns } = tasks[0]
  gradient.fill(0)
  for (let a = 0; a < rows; a++) {
    const [from, to] = [a * columns, (a + 1) * columns]
    tasks.forEach(({ data }, j) => {
      const factor = -2 * total * (rest[j][a] - total * rowDot(data, delta, from, to))
      for (let i = from; i < to; i++) gradient[i] += factor * data[i]
    })
  }
}

/** Δ (m, n) of these task vectors. */
export function correctionOf(
  tasks: readonly HostMatrix[],
  { shares, subspace, lr, steps }: CorrectionOptions,
): HostMatrix {
  const { rows, columns } = tasks[0]
  const size = rows * columns
  const delta: HostMatrix = { rows, columns, data: new Float64Array(size) }
  const total = shares.reduce((a, b) => a + b, 0)
  if (steps === 0 || total === 0) return delta
  const q = sharedSubspace(tasks.map(singularTriplets), subspace)
  const sum = new Float64Array(size)
  tasks.forEach(({ data }, i) => {
    for (let at = 0; at < size; at++) sum[at] += shares[i] * data[at]
  })
  const rest = tasks.map(({ data }) =>
    Float64Array.from({ length: rows }, (_, a) => {
      const [from, to] = [a * columns, (a + 1) * columns]
      return rowDot(data, data, from, to) - rowDot(data, sum, from, to)
    }),
  )
  const gradient: HostMatrix = { rows, columns, data: new Float64Array(size) }
  const products = new Float64Array(q.rows * columns)
  const [first, second] = [new Float64Array(size), new Float64Array(size)]
  for (let step = 1; step <= steps; step++) {
    gradientInto(gradient.data, tasks, rest, delta.data, total)
    projectOut(q, gradient, products)
    const [bias1, bias2] = [1 - BETA_1 ** step, 1 - BETA_2 ** step]
    for (let i = 0; i < size; i++) {
      const g = gradient.data[i]
      first[i] = BETA_1 * first[i] + (1 - BETA_1) * g
      second[i] = BETA_2 * second[i] + (1 - BETA_2) * g * g
      delta.data[i] -= (lr * (first[i] / bias1)) / (Math.sqrt(second[i] / bias2) + EPSILON)
    }
    projectOut(q, delta, products)
  }
  return delta
}
