// NearSwap (mergekit `nearswap`): θ = θ_0 + clamp(t / max(|τ|, 1e-6), 0, 1) · τ. A weight that differs by less than t is
// the second model's, bit for bit.

import { nearSwap } from '../../../kernels/nearSwap/nearSwap.ts'
import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { baseOf } from '../../tensorTask.ts'
import { elementwise } from '../../tiles.ts'
import { declaration } from './declaration.ts'

/** Keeps the quotient finite; mergekit's choice. */
const LEAST_DISTANCE = 1e-6

export const method = defineMethod({
  declaration,
  tiling: elementwise(),
  merge(task) {
    task.gpu.run(
      nearSwap,
      { count: task.padded, t: numberOf(task.parameters, 't'), least: LEAST_DISTANCE },
      { base: baseOf(task), model: task.models[0], out: task.out },
      task.type,
    )
  },
})
