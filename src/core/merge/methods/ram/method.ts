// RAM, reinforced agent merging (arXiv 2601.13572; mergekit `ram`): a change |τ_k| > ε that only one model made is
// kept whole, changes that several made are averaged.

import { encodeActiveSum } from '../../activeTaskVectors.ts'
import { defineMethod } from '../../method.ts'
import { elementwise } from '../../tiles.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  tiling: elementwise((models) => models + 3),
  merge(task) {
    encodeActiveSum(
      task,
      task.models.map(() => 1),
    )
  },
})
