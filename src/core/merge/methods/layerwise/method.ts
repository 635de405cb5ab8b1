// θ = (1 − s) θ_1 + s Σ_{k>1} w_k θ_k / Σ_{k>1} w_k with s = start + (end − start) · layer / (layers − 1): the embedding
// counts as the first layer, final norm and head as the last (ours). Not normalised: (1 − s) w_1 θ_1 + s Σ_{k>1} w_k θ_k.

import { EngineError } from '../../../errors.ts'
import { defineMethod, type TensorTask } from '../../method.ts'
import { isOn, numberOf } from '../../parameters.ts'
import { elementwise } from '../../tiles.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { declaration } from './declaration.ts'

/** 0 in the first layer, 1 in the last. */
function depthOf({ layer, layerCount, name }: TensorTask): number {
  if (layer === undefined) return name.includes('embed') ? 0 : 1
  return layerCount > 1 ? layer / (layerCount - 1) : 1
}

export const method = defineMethod({
  declaration,
  tiling: elementwise(),
  merge(task) {
    const [start, end] = [numberOf(task.parameters, 'start'), numberOf(task.parameters, 'end')]
    const share = start + (end - start) * depthOf(task)
    const [first, ...others] = task.modelParameters.map((values) => numberOf(values, 'weight'))
    if (!isOn(task.parameters, 'normalize')) {
      encodeWeightedSum(task, [(1 - share) * first, ...others.map((weight) => share * weight)])
      return
    }
    const total = others.reduce((a, b) => a + b, 0)
    if (total === 0)
      throw new EngineError(
        'request-invalid',
        'weights of the second and later models add up to 0, so they have no mean',
        { tensor: task.name },
      )
    encodeWeightedSum(task, [1 - share, ...others.map((weight) => (share * weight) / total)])
  },
})
