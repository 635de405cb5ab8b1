// θ = Σ w_k θ_k, divided by Σ w_k when normalised (arXiv 2203.05482; mergekit `linear`).

import { EngineError } from '../../../errors.ts'
import { defineMethod } from '../../method.ts'
import { isOn, numberOf } from '../../parameters.ts'
import { elementwise } from '../../tiles.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  tiling: elementwise(),
  merge(task) {
    const weights = task.modelParameters.map((values) => numberOf(values, 'weight'))
    const total = isOn(task.parameters, 'normalize') ? weights.reduce((a, b) => a + b, 0) : 1
    if (total === 0)
      throw new EngineError('request-invalid', 'weights add up to 0, so they cannot be normalised', {
        tensor: task.name,
      })
    encodeWeightedSum(
      task,
      weights.map((weight) => weight / total),
    )
  },
})
