// Everything the closed form and the drifts need, from rows of A, a metric and the experts' differences: three
// sets of rows (the estimating ones, held-out ones, held-out ones of another source) in one streamed pass.

import { EngineError } from '../errors.ts'
import type { AlignmentRows } from '../geometry/alignmentRows.ts'
import { driftNorm, metricDifference } from '../geometry/drift.ts'
import { type GramRequest, sumGrams } from '../geometry/gramPass.ts'
import type { Metric } from '../geometry/metric.ts'
import {
  type AlignmentBasis,
  alignmentBasis,
  alignmentCoordinates,
  mixRows,
  truncateBasis,
} from '../geometry/sampleSpace.ts'
import { squareAccumulate } from '../kernels/elementwise/elementwise.ts'
import { GRAM_OVER, GRAM_PLAIN, GRAM_TIMES } from '../kernels/weightedGram/weightedGram.ts'
import { type AlignMergeSolution, solveAlignMerge } from '../merge/closedForm.ts'
import { differenceRows } from '../merge/mergeInput.ts'
import { type DeviceModel, paddedTensors } from '../model/deviceModel.ts'

export const MAXIMUM_RANK = 16

/** own: estimating probes; heldOut: held-out probes, same source; other: held-out probes, another source. */
export type RowSetName = 'own' | 'heldOut' | 'other'
export const ROW_SETS: readonly RowSetName[] = ['own', 'heldOut', 'other']

export interface GeometryInput {
  anchor: DeviceModel
  experts: readonly DeviceModel[]
  metric: Metric
  rows: Record<RowSetName, AlignmentRows>
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Geometry {
  input: GeometryInput
  /** up to 16 directions of each row set */
  bases: Record<RowSetName, AlignmentBasis>
  /** A Δ_k: K x (n) of each row set */
  products: Record<RowSetName, Float64Array[]>
  /** ⟨Δ_k, Δ_l⟩_G and ⟨Δ_k, Δ_l⟩ (K,K) */
  gram: Float64Array
  plainGram: Float64Array
  /** A G⁻² Aᵀ, A G⁻¹ Aᵀ, A Aᵀ (n,n) of the own rows */
  ownGrams: { gramSquared: Float64Array; gramMetric: Float64Array; gramPlain: Float64Array }
}

/** One pass over all tensors. */
export async function computeGeometry(input: GeometryInput): Promise<Geometry> {
  const { anchor, experts, metric, rows } = input
  const { gpu } = anchor
  const K = experts.length
  if (K === 0) throw new EngineError('request-invalid', 'a merge needs at least one expert')
  const sums = await sumGrams(
    gpu,
    paddedTensors(anchor),
    (name, count, take) => {
      const delta = differenceRows({ anchor, experts }, name, take)
      const squared = take(count * 4)
      const g = metric.diagonal.get(name)!
      gpu.clear(squared)
      gpu.run(squareAccumulate, { count }, { a: g, out: squared })
      const set = (which: RowSetName) => ({ buffer: rows[which].rows.get(name)!, rows: rows[which].count })
      const requests: GramRequest[] = ROW_SETS.flatMap((which): GramRequest[] => [
        { label: `${which}/kernel`, a: set(which), b: set(which), mode: GRAM_OVER, weights: g },
        { label: `${which}/products`, a: delta, b: set(which), mode: GRAM_PLAIN },
      ])
      requests.push(
        { label: 'gram', a: delta, b: delta, mode: GRAM_TIMES, weights: g },
        { label: 'plainGram', a: delta, b: delta, mode: GRAM_PLAIN },
        { label: 'squared', a: set('own'), b: set('own'), mode: GRAM_OVER, weights: squared },
        { label: 'plain', a: set('own'), b: set('own'), mode: GRAM_PLAIN },
      )
      return requests
    },
    { signal: input.signal, ...(input.onProgress && { onTensor: input.onProgress }) },
  )
  const total = (label: string) => sums.total.get(label)!
  const perSet = <T>(make: (which: RowSetName) => T) =>
    Object.fromEntries(ROW_SETS.map((which) => [which, make(which)])) as Record<RowSetName, T>
  return {
    input,
    bases: perSet((which) => {
      const n = rows[which].count
      const kernel = total(`${which}/kernel`).map((value) => value / n)
      return alignmentBasis(kernel, n, { rank: Math.min(MAXIMUM_RANK, n), maximum: MAXIMUM_RANK })
    }),
    products: perSet((which) => {
      const n = rows[which].count
      return experts.map((_, k) => total(`${which}/products`).slice(k * n, (k + 1) * n))
    }),
    gram: total('gram'),
    plainGram: total('plainGram'),
    ownGrams: { gramSquared: total('squared'), gramMetric: total('own/kernel'), gramPlain: total('plain') },
  }
}

/** The closed form at λ_k, λ_align and rank m. */
export function solve(
  geometry: Geometry,
  weights: ArrayLike<number>,
  lambdaAlign: number,
  rank: number,
): AlignMergeSolution {
  const basis = truncateBasis(geometry.bases.own, rank)
  return solveAlignMerge({ basis, a: geometry.products.own, gram: geometry.gram, weights, lambdaAlign })
}

/** ‖θ_G − θ_I‖ / ‖δ̄‖: how far the same merge moves when the metric is the identity. */
export function identityDifference(
  geometry: Geometry,
  weights: ArrayLike<number>,
  lambdaAlign: number,
  rank: number,
): number {
  const { ownGrams, products, plainGram } = geometry
  const n = geometry.input.rows.own.count
  const identityBasis = alignmentBasis(
    ownGrams.gramPlain.map((value) => value / n),
    n,
    { rank: Math.min(rank, n), maximum: MAXIMUM_RANK },
  )
  const withMetric = solve(geometry, weights, lambdaAlign, rank)
  const plain = solveAlignMerge({
    basis: identityBasis,
    a: products.own,
    gram: plainGram,
    weights,
    lambdaAlign,
  })
  return metricDifference(ownGrams, withMetric.b, plain.b) / plain.totalBefore
}

/** c_i (m) of each expert's own difference in a row set's basis. */
export function expertCoordinates(geometry: Geometry, which: RowSetName): number[][] {
  return geometry.products[which].map((a) => Array.from(alignmentCoordinates(geometry.bases[which], a)))
}

/** c_i (m) of the barycentre in a row set's basis. */
export function barycentreCoordinates(
  geometry: Geometry,
  which: RowSetName,
  weights: ArrayLike<number>,
): Float64Array {
  return alignmentCoordinates(geometry.bases[which], mixRows(weights, geometry.products[which]))
}

export interface MeasuredDrift {
  own: number
  heldOut: number
  otherSource: number
  /** ‖δ‖_G */ total: number
  /** D_l (L) in the held-out basis, over the tensors of layer l */ byLayer: number[]
}

/** Drift of any model as it is stored: rounding included, whatever method made it. */
export async function measureDrift(
  geometry: Geometry,
  model: DeviceModel,
  rank: number,
  signal?: AbortSignal,
): Promise<MeasuredDrift> {
  const { anchor, metric, rows } = geometry.input
  const { gpu } = anchor
  const sums = await sumGrams(
    gpu,
    paddedTensors(anchor),
    (name, _count, take) => {
      const delta = differenceRows({ anchor, experts: [model] }, name, take)
      return [
        { label: 'norm', a: delta, b: delta, mode: GRAM_TIMES, weights: metric.diagonal.get(name)! },
        ...ROW_SETS.map((which) => ({
          label: which,
          a: delta,
          b: { buffer: rows[which].rows.get(name)!, rows: rows[which].count },
          mode: GRAM_PLAIN,
        })),
      ]
    },
    { signal },
  )
  const drift = (which: RowSetName, a: Float64Array) =>
    driftNorm(alignmentCoordinates(truncateBasis(geometry.bases[which], rank), a))
  const layers = Array.from({ length: anchor.config.layerCount }, () => new Float64Array(rows.heldOut.count))
  for (const { name, products } of sums.byTensor) {
    const layer = anchor.tensor(name).spec.layer
    if (layer !== undefined)
      products.get('heldOut')!.forEach((value, j) => {
        layers[layer][j] += value
      })
  }
  return {
    own: drift('own', sums.total.get('own')!),
    heldOut: drift('heldOut', sums.total.get('heldOut')!),
    otherSource: drift('other', sums.total.get('other')!),
    total: Math.sqrt(Math.max(0, sums.total.get('norm')![0])),
    byLayer: layers.map((a) => drift('heldOut', a)),
  }
}
