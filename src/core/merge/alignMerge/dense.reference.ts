// The slow truth of shield and budget in layers: explicit vectors, a dense metric with one block per layer, float64,
// sizes below a hundred. Directions, their signs, offsets and hinges are written out from their definitions and the
// minimum is found by Gaussian elimination, not in sample space.

import { EngineError } from '../../errors.ts'
import { Random } from '../../tensors/random.ts'
import {
  at,
  type Matrix,
  matrix,
  multiply,
  multiplyVector,
  powerOf,
  referenceBasis,
  solveLinear,
  transpose,
} from '../closedForm.reference.ts'
import type { RowProducts } from './rowSpace.ts'

export interface DenseInstance {
  /** bounds of the layers in D */ bounds: number[]
  /** G (D,D), zero between layers */ metric: Matrix
  /** A (n,D) */ rows: Matrix
  /** Δ_k: K x (D) */ experts: Float64Array[]
  weights: Float64Array
  /** δ̄ (D) */ bar: Float64Array
  /** the same in sample space: the whole model, and by layer */
  total: RowProducts
  layers: RowProducts[]
}

/** Columns from … to − 1 of m. */
const columns = (m: Matrix, from: number, to: number) =>
  matrix(m.rows, to - from, (i, j) => at(m, i, from + j))

/** Rows and columns from … to − 1 of m. */
export const block = (m: Matrix, from: number, to: number) =>
  matrix(to - from, to - from, (i, j) => at(m, from + i, from + j))

export function dense(x: Float64Array, y: Float64Array): number {
  return x.reduce((sum, value, j) => sum + value * y[j], 0)
}

/** A seeded instance; `change` may rewrite rows and experts before anything is derived from them. */
export function denseInstance(
  seed: number,
  change: { rows?: (value: number, i: number, j: number) => number; experts?: number } = {},
): DenseInstance {
  const random = new Random(seed, 0)
  const bounds = [0, 7, 18]
  const D = 18
  const n = 6
  const layerOf = (j: number) => bounds.findIndex((bound, l) => j >= bound && j < (bounds[l + 1] ?? 0))
  const mixing = matrix(D, D, () => random.normal())
  const half = multiply(transpose(mixing), mixing)
  const metric = matrix(D, D, (i, j) =>
    layerOf(i) === layerOf(j) ? at(half, i, j) / D + (i === j ? 0.3 : 0) : 0,
  )
  const drawn = matrix(n, D, (i) => random.normal() * (1 + i))
  const rows = matrix(n, D, (i, j) => change.rows?.(at(drawn, i, j), i, j) ?? at(drawn, i, j))
  const K = change.experts ?? 3
  const experts = Array.from({ length: K }, () => Float64Array.from({ length: D }, () => random.normal()))
  const weights = Float64Array.from({ length: K }, (_, k) => (k + 1) / ((K * (K + 1)) / 2))
  return derive({ bounds, metric, rows, experts, weights })
}

/** Fills in what follows from the explicit parts. */
export function derive(
  given: Pick<DenseInstance, 'bounds' | 'metric' | 'rows' | 'experts' | 'weights'>,
): DenseInstance {
  const { bounds, metric, rows, experts, weights } = given
  const productsOf = (from: number, to: number): RowProducts => {
    const part = columns(rows, from, to)
    const inverse = powerOf(block(metric, from, to), -1)
    return {
      count: rows.rows,
      gram: multiply(multiply(part, inverse), transpose(part)).data,
      products: experts.map((expert) => multiplyVector(part, expert.slice(from, to))),
    }
  }
  const bar = experts[0].map((_, j) => experts.reduce((sum, expert, k) => sum + weights[k] * expert[j], 0))
  return {
    ...given,
    bar,
    total: productsOf(0, metric.rows),
    layers: bounds.slice(1).map((to, l) => productsOf(bounds[l], to)),
  }
}

/** δ = scale · δ̄ − G⁻¹Aᵀb with one b, or one for each layer. */
export function lift(instance: DenseInstance, b: readonly Float64Array[], scale = 1): Float64Array {
  const { bounds, metric, rows, bar } = instance
  const out = bar.map((value) => scale * value)
  bounds.slice(1).forEach((to, l) => {
    const from = bounds[l]
    const part = columns(rows, from, to)
    const own = b.length === 1 ? b[0] : b[l]
    const step = multiplyVector(multiply(powerOf(block(metric, from, to), -1), transpose(part)), own)
    step.forEach((value, j) => {
      out[from + j] -= value
    })
  })
  return out
}

/** u_i (D) of a layer or, with from 0 and to D, of the whole model, turned so that +u_i lowers the rows' mean. */
export function denseDirections(
  { metric, rows }: DenseInstance,
  rank: number,
  from = 0,
  to = metric.rows,
): { u: Float64Array; mu: number }[] {
  const part = columns(rows, from, to)
  const { u, mu } = referenceBasis(part, block(metric, from, to), rank)
  return Array.from({ length: rank }, (_, i) => {
    const own = Float64Array.from({ length: to - from }, (_, j) => at(u, j, i))
    const change = multiplyVector(part, own).reduce((sum, value) => sum + value, 0)
    const out = new Float64Array(metric.rows)
    own.forEach((value, j) => {
      out[from + j] = change > 0 ? -value : value
    })
    return { u: out, mu: mu[i] }
  })
}

/** One squared term of the problem: weight · (cᵀδ − target)². */
export interface DenseTerm {
  weight: number
  c: Float64Array
  target: number
}

/** argmin ‖δ − δ̄‖²_G + Σ weight (cᵀδ − target)². */
export function denseMinimum({ metric, bar }: DenseInstance, terms: readonly DenseTerm[]): Float64Array {
  if (terms.some(({ weight }) => !Number.isFinite(weight)))
    throw new EngineError('request-invalid', 'the dense reference takes finite weights')
  const system = matrix(metric.rows, metric.rows, (i, j) =>
    terms.reduce((sum, { weight, c }) => sum + weight * c[i] * c[j], at(metric, i, j)),
  )
  const right = multiplyVector(metric, bar)
  for (const { weight, c, target } of terms)
    right.forEach((_, j) => {
      right[j] += weight * target * c[j]
    })
  return solveLinear(system, right)
}

/** G u. */
export const lowered = ({ metric }: DenseInstance, u: Float64Array): Float64Array => multiplyVector(metric, u)
