// Fisher-weighted average, θ_j = Σ λ_k F_k,j θ_k,j / Σ λ_k F_k,j (Matena & Raffel, arXiv 2111.09832).

import { EngineError } from '../../../errors.ts'
import { fisherAccumulate, fisherFinish } from '../../../kernels/mergeStep/mergeStep.ts'
import { defineMethod } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { declaration } from './declaration.ts'

export const method = defineMethod({
  declaration,
  merge(task) {
    const { gpu, padded: count, models, type, out } = task
    const [numerator, denominator] = [task.scratch(count * 4), task.scratch(count * 4)]
    gpu.clear(numerator)
    gpu.clear(denominator)
    models.forEach((expert, k) => {
      const fisher = task.material('fisher', k)
      if (!fisher)
        throw new EngineError('request-invalid', `expert ${k + 1} has no Fisher diagonal`, {
          tensor: task.name,
        })
      gpu.run(
        fisherAccumulate,
        {
          count,
          lambda: numberOf(task.modelParameters[k], 'weight'),
          floor: numberOf(task.parameters, 'floor'),
        },
        { fisher, expert, numerator, denominator },
        type,
      )
    })
    gpu.run(fisherFinish, { count }, { numerator, denominator, out }, type)
  },
})
