// θ = θ_0 + λ Σ w_k τ_k, divided by Σ w_k when normalised (Ilharco et al., arXiv 2212.04089; mergekit
// `task_arithmetic`). One dispatch for up to four models.

import { defineMethod } from '../../method.ts'
import { mergeTaskVectors } from '../../taskVectors.ts'
import { elementwise } from '../../tiles.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  tiling: elementwise(),
  merge: (task) => mergeTaskVectors(task, { keep: undefined, elects: false, rescale: 'none' }),
})
