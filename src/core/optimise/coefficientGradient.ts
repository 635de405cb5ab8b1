// dJ/dλ of a merge θ(λ) = θ_0 + Σ λ_gk τ_k, τ_k = θ_k − θ_0, in which every group g of layers has weights of its own:
//   dJ/dλ_gk = ⟨∇J(θ), τ_k⟩ over the tensors of group g.
// One backward pass gives all of them, whatever the number of experts and groups. Weights are stored rounded; the
// derivative is that of the merge before rounding, taken at the rounded weights.

import { sumGrams } from '../geometry/gramPass.ts'
import { GRAM_PLAIN } from '../kernels/weightedGram/weightedGram.ts'
import { differenceRows } from '../merge/mergeInput.ts'
import { type DeviceModel, paddedTensors } from '../model/deviceModel.ts'
import type { GradientBuffers } from '../model/gradientSink.ts'
import type { LayerGroups } from './layerGroups.ts'

/** dJ/dλ (groups · K), group by group, from ∇J (one row by tensor). */
export async function coefficientGradient(
  anchor: DeviceModel,
  experts: readonly DeviceModel[],
  gradients: GradientBuffers,
  groups: LayerGroups,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { gpu } = anchor
  const K = experts.length
  const out = new Float64Array(groups.count * K)
  const sums = await sumGrams(
    gpu,
    paddedTensors(anchor),
    (name, _count, take) => {
      const slope = { buffer: gradients.get(name)!, rows: 1 }
      const delta = differenceRows({ anchor, experts }, name, take)
      return [{ label: 'slope', a: slope, b: delta, mode: GRAM_PLAIN }]
    },
    { signal },
  )
  for (const { name, products } of sums.byTensor) {
    const slope = products.get('slope')!
    for (let k = 0; k < K; k++) out[groups.of(name) * K + k] += slope[k]
  }
  return out
}
