// Geometry without a device: directions from a shipped file, everything else by algebra on vectors of all parameters in
// host memory. Coordinates of a displacement are exact in the span of what the file knows exactly (experts' differences
// and own directions); only what is left over is measured with directions in few bits.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import { DIRECTION_SETS, type DirectionSet, type KnownCoordinates } from '../../geometry/directionsFile.ts'
import { driftNorm } from '../../geometry/drift.ts'
import { shrinkShares } from '../../geometry/sampleSpace.ts'
import type { MeasuredDrift } from '../geometry.ts'
import type { GeometryNumbers } from '../summary.ts'
import type { HostLayout } from './hostWeights.ts'

export interface HostGeometryInput {
  layout: HostLayout
  layerCount: number
  /** g (P) */ metric: Float32Array
  numbers: GeometryNumbers
  /** v_i = √g ∘ u_i (P) of each set */ rows: Record<DirectionSet, Float32Array[]>
  /** exact u_iᵀ G x of the differences below and of the own rows above */ known: KnownCoordinates
  /** Δ_k = θ_k − θ_IT: K x (P) */ differences: readonly Float64Array[]
}

/** c_i by set and group; groups are the layers, and last what lies outside them. */
type Coordinates = Record<DirectionSet, Float64Array[]>

export class HostGeometry {
  readonly input: HostGeometryInput
  /** √g (P) */ readonly #root: Float64Array
  /** group of each weight of the layout */ readonly #groups: Int32Array

  constructor(input: HostGeometryInput) {
    const { layout, layerCount, metric, rows, differences } = input
    for (const [name, length] of [
      ['metric', metric.length],
      ...DIRECTION_SETS.flatMap((set) =>
        rows[set].map(({ length }, i): [string, number] => [`direction ${i} of ${set}`, length]),
      ),
      ...differences.map((delta, k): [string, number] => [`difference of expert ${k}`, delta.length]),
    ] as const)
      if (length !== layout.total)
        throw new EngineError('shape-mismatch', `${name}: found ${length} values, expected ${layout.total}`)
    this.input = input
    this.#root = Float64Array.from(metric, Math.sqrt)
    this.#groups = Int32Array.from(layout.weights, ({ layer }) => layer ?? layerCount)
  }

  /** Directions that the shield can use. */
  get rank(): number {
    return this.input.rows.own.length
  }

  /**
   * δ* (P) of the closed form: Σ λ_k Δ_k − s Σ c_i u_i over the first `rank` directions, s = λ/(1 + λ); λ_align may be
   * Infinity. `weights` sum to 1. `gpu-unavailable` for a rank beyond what is at hand.
   */
  merge(weights: ArrayLike<number>, lambdaAlign: number, rank: number): Float64Array {
    const { differences, numbers, rows, layout } = this.input
    const delta = new Float64Array(layout.total)
    differences.forEach((own, k) => {
      addScaled(delta, own, weights[k])
    })
    const m = this.#kept(rank)
    const shares = shrinkShares(lambdaAlign, new Float64Array(m).fill(1))
    for (let i = 0; i < m; i++) {
      const c = differences.reduce((sum, _, k) => sum + weights[k] * numbers.alignmentCoordinates[k][i], 0)
      const factor = shares[i] * c
      if (factor === 0) continue
      const row = rows.own[i]
      for (let p = 0; p < delta.length; p++) delta[p] -= (factor * row[p]) / this.#root[p]
    }
    return delta
  }

  /** Drift of a displacement δ (P) from the anchor, in the first `rank` directions of each set. */
  drift(delta: Float64Array, rank: number, signal?: AbortSignal): MeasuredDrift {
    this.#kept(rank)
    const c = this.#coordinates(delta, signal)
    const norm = (set: DirectionSet) => driftNorm(sumRows(c[set]).subarray(0, rank))
    return {
      own: norm('own'),
      heldOut: norm('heldOut'),
      otherSource: norm('other'),
      total: Math.sqrt(this.#inner(delta, delta)),
      byLayer: c.heldOut.slice(0, this.input.layerCount).map((own) => driftNorm(own.subarray(0, rank))),
    }
  }

  /** Directions of a rank that was asked for; `gpu-unavailable` where more exist than are at hand. */
  #kept(rank: number): number {
    if (rank > this.rank && this.rank < this.input.numbers.rank)
      throw new EngineError(
        'gpu-unavailable',
        `Without WebGPU the shipped directions reach rank ${this.rank}; rank ${rank} needs them computed`,
      )
    return Math.min(rank, this.rank)
  }

  /** ⟨x, y⟩_G */
  #inner(x: Float64Array, y: Float64Array): number {
    const { metric } = this.input
    let sum = 0
    for (let p = 0; p < x.length; p++) sum += x[p] * metric[p] * y[p]
    return sum
  }

  #coordinates(delta: Float64Array, signal?: AbortSignal): Coordinates {
    const { differences, known, rows, layout } = this.input
    const K = differences.length
    const rest = delta.slice()
    const factors = new Float64Array(K + this.rank)
    const gram = new Float64Array(K * K)
    for (let k = 0; k < K; k++)
      for (let l = 0; l <= k; l++)
        gram[k * K + l] = gram[l * K + k] = this.#inner(differences[k], differences[l])
    const along = solvePositive(
      gram,
      Float64Array.from(differences, (own) => this.#inner(own, delta)),
    )
    along.forEach((factor, k) => {
      factors[k] = factor
      addScaled(rest, differences[k], -factor)
    })
    throwIfCancelled(signal)
    for (let i = 0; i < this.rank; i++) {
      const row = rows.own[i]
      let factor = 0
      for (let p = 0; p < rest.length; p++) factor += row[p] * this.#root[p] * rest[p]
      factors[K + i] = factor
      for (let p = 0; p < rest.length; p++) rest[p] -= (factor * row[p]) / this.#root[p]
    }
    throwIfCancelled(signal)
    for (let p = 0; p < rest.length; p++) rest[p] *= this.#root[p]
    return perSet((set) => {
      const found = known[set].map((group) => mixKnown(group, factors))
      rows[set].forEach((row, i) => {
        layout.weights.forEach(({ start, count }, w) => {
          let sum = 0
          for (let p = start; p < start + count; p++) sum += row[p] * rest[p]
          found[this.#groups[w]][i] += sum
        })
      })
      return found
    })
  }
}

const perSet = <T>(make: (set: DirectionSet) => T): Record<DirectionSet, T> =>
  Object.fromEntries(DIRECTION_SETS.map((set) => [set, make(set)])) as Record<DirectionSet, T>

function addScaled(out: Float64Array, x: Float64Array, factor: number): void {
  for (let p = 0; p < out.length; p++) out[p] += factor * x[p]
}

/** Σ_x factors[x] known[x] (m). */
function mixKnown(known: readonly number[][], factors: Float64Array): Float64Array {
  const out = new Float64Array(known[0]?.length ?? 0)
  known.forEach((own, x) => {
    for (let i = 0; i < out.length; i++) out[i] += factors[x] * own[i]
  })
  return out
}

function sumRows(rows: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(rows[0]?.length ?? 0)
  for (const row of rows) for (let i = 0; i < out.length; i++) out[i] += row[i]
  return out
}

/** x of M x = y (K), M (K,K) symmetric and not negative; along a direction without length x is 0. */
function solvePositive(matrix: Float64Array, y: Float64Array): Float64Array {
  const K = y.length
  const m = matrix.slice()
  const x = y.slice()
  const isUsed = new Array<boolean>(K).fill(true)
  for (let k = 0; k < K; k++) {
    const pivot = m[k * K + k]
    // What an earlier expert spans already leaves rounding only, and a division by it would blow that up.
    if (!(pivot > 1e-10 * matrix[k * K + k])) {
      isUsed[k] = false
      continue
    }
    for (let r = k + 1; r < K; r++) {
      const factor = m[r * K + k] / pivot
      for (let c = k; c < K; c++) m[r * K + c] -= factor * m[k * K + c]
      x[r] -= factor * x[k]
    }
  }
  for (let k = K - 1; k >= 0; k--) {
    if (!isUsed[k]) {
      x[k] = 0
      continue
    }
    for (let c = k + 1; c < K; c++) x[k] -= m[k * K + c] * x[c]
    x[k] /= m[k * K + k]
  }
  return x
}
