// RAM+, tensor-local (arXiv 2601.13572; mergekit `ramplus_tl`): as RAM, with the unshared changes of model k times
// 1 + r · min(shared_k / unique_k, α), both counted over the tensor.

import { countActive, encodeActiveSum } from '../../activeTaskVectors.ts'
import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  async merge(task) {
    const [r, alpha] = [numberOf(task.parameters, 'r'), numberOf(task.parameters, 'alpha')]
    const factors = (await countActive(task)).map(({ unique, shared }) =>
      unique > 0 ? 1 + r * Math.min(shared / unique, alpha) : 1,
    )
    encodeActiveSum(task, factors)
  },
})
