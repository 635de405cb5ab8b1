// RAM+, tensor-local (arXiv 2601.13572; mergekit `ramplus_tl`): as RAM, with the unshared changes of model k times
// 1 + r · min(shared_k / unique_k, α), both counted over the tensor.

import { countActive, encodeActiveSum } from '../../activeTaskVectors.ts'
import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { elementwise } from '../../tiles.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod<undefined, number[]>({
  declaration,
  tiling: elementwise((models) => models + 3),
  async measure(tensor) {
    const [r, alpha] = [numberOf(tensor.parameters, 'r'), numberOf(tensor.parameters, 'alpha')]
    return (await countActive(tensor)).map(({ unique, shared }) =>
      unique > 0 ? 1 + r * Math.min(shared / unique, alpha) : 1,
    )
  },
  merge: (task, _, factors) => encodeActiveSum(task, factors),
})
