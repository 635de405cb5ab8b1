// Sparse differences of experts from the one that stays whole, and what prompt-time routing does with them.

import { largestOf } from '../../modelTop.ts'

/** Elements of one tensor in which an expert differs most: θ_expert − θ_dense at `indices`, ascending. */
export interface SparseDifference {
  indices: Uint32Array
  values: Float32Array
}

/** The max(1, int(keep·n)) largest differences of a tensor. */
export function sparseDifference(own: Float64Array, dense: Float64Array, keep: number): SparseDifference {
  const difference = own.map((value, i) => value - dense[i])
  const indices = largestOf(difference, Math.max(1, Math.trunc(keep * own.length)))
  return { indices, values: Float32Array.from(indices, (i) => difference[i]) }
}

/** θ_dense + Σ shares[i] · differences[i], in place. */
export function addDifferences(
  dense: Float64Array,
  differences: readonly SparseDifference[],
  shares: readonly number[],
): void {
  differences.forEach(({ indices, values }, k) => {
    indices.forEach((place, i) => {
      dense[place] += shares[k] * values[i]
    })
  })
}

/**
 * How much each expert counts for a prompt: softmax(−H_i / T) of the mean next-token entropies H_i (nats) that the
 * experts have on it. T → 0 takes the surest alone, equals alike; T = Infinity all alike. Ours, after Mediator.
 */
export function routingWeights(entropies: readonly number[], temperature: number): number[] {
  const least = Math.min(...entropies)
  const parts = entropies.map((entropy) =>
    entropy === least ? 1 : temperature === 0 ? 0 : Math.exp((least - entropy) / temperature),
  )
  const sum = parts.reduce((a, b) => a + b, 0)
  return parts.map((part) => part / sum)
}
