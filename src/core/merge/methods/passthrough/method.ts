// θ = s θ_1 (mergekit `passthrough`); with s = 1 the stored numbers are the model's own.

import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { elementwise } from '../../tiles.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  tiling: elementwise(),
  merge: (task) => encodeWeightedSum(task, [numberOf(task.modelParameters[0], 'scale')]),
})
