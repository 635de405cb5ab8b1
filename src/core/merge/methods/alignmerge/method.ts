// AlignMerge: barycentre of the experts in the anchor's Fisher chart minus its shielded part,
// θ = Σ λ_k θ_k − G⁻¹Aᵀb with Σ λ_k = 1. L_geo and the chart: arXiv 2512.16245; the form of L_align and the closed
// form: ours (methods.md §1.3). Without rows for a tensor it is the linear merge, bit for bit.

import { EngineError } from '../../../errors.ts'
import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { elementwise } from '../../tiles.ts'
import { encodeWeightedSum } from '../../weightedSum.ts'
import { declaration } from './declaration.ts'

/** Rows of A and the metric stand beside the models, tile by tile. */
const ROWS_AT_ONCE = 32

export const method = defineMethod({
  declaration,
  tiling: elementwise((models) => models + ROWS_AT_ONCE + 1),
  merge(task) {
    const weights = task.modelParameters.map((values) => numberOf(values, 'weight'))
    const total = weights.reduce((a, b) => a + b, 0)
    if (total === 0)
      throw new EngineError('request-invalid', 'weights add up to 0, so they cannot be normalised', {
        tensor: task.name,
      })
    const shield = task.shield?.(task.name)
    encodeWeightedSum(
      task,
      weights.map((weight) => weight / total),
      shield,
    )
  },
})
