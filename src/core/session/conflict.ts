// How much the experts pull against each other, layer by layer: κ_l = 1 − ‖Σ_k τ_k‖ / Σ_k ‖τ_k‖ over the layer's
// tensors. 0 when all task vectors point the same way, 1 − 1/√K when they are orthogonal, 1 when they cancel.
// The measure is ours: Mediator's (arXiv 2502.04411) could not be recovered.

import { sumGrams } from '../geometry/gramPass.ts'
import { GRAM_PLAIN } from '../kernels/weightedGram/weightedGram.ts'
import { layerOf } from '../merge/deviceMerge.ts'
import { differenceRows } from '../merge/mergeInput.ts'
import { type DeviceModel, paddedTensors } from '../model/deviceModel.ts'

/** κ of every layer (layerCount); NaN where no expert differs from the anchor. */
export async function layerConflict(
  anchor: DeviceModel,
  experts: readonly DeviceModel[],
  signal?: AbortSignal,
): Promise<number[]> {
  const { gpu } = anchor
  const K = experts.length
  const sums = await sumGrams(
    gpu,
    paddedTensors(anchor),
    (name, _count, take) => {
      const delta = differenceRows({ anchor, experts }, name, take)
      return [{ label: 'gram', a: delta, b: delta, mode: GRAM_PLAIN }]
    },
    { signal },
  )
  const grams = Array.from({ length: anchor.config.layerCount }, () => new Float64Array(K * K))
  for (const { name, products } of sums.byTensor) {
    const layer = layerOf(name)
    if (layer === undefined) continue
    products.get('gram')!.forEach((value, i) => {
      grams[layer][i] += value
    })
  }
  return grams.map((gram) => conflictOf(gram, K))
}

/** κ from the Gram matrix (K,K) of the task vectors. */
export function conflictOf(gram: Float64Array, K: number): number {
  const together = gram.reduce((sum, value) => sum + value, 0)
  let apart = 0
  for (let k = 0; k < K; k++) apart += Math.sqrt(Math.max(0, gram[k * K + k]))
  return 1 - Math.sqrt(Math.max(0, together)) / apart
}
