// DOGE, adaptive projective gradient descent (Wei et al., arXiv 2501.01230):
//   θ = θ_0 + Σ λ_i (τ_i + Δ) ∘ M_i,  λ_i = η/‖τ_i‖ by tensor, M_i the largest |τ_i| of the whole model,
// with a common correction Δ of every matrix (correction.ts). Other tensors: Δ = 0 (ours: the paper merges matrices).

import { EngineError } from '../../../errors.ts'
import { defineMethod } from '../../method.ts'
import { keptMask, type ModelTop, modelTops } from '../../modelTop.ts'
import { numberOf } from '../../parameters.ts'
import type { HostMatrix } from '../../singularValues.ts'
import { isMatrix, readTasks } from '../../spectral.ts'
import { writeTensor } from '../../tensorTask.ts'
import { correctionOf } from './correction.ts'
import { declaration } from './declaration.ts'

const normOf = ({ data }: HostMatrix) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0))

export const method = defineMethod<ModelTop[]>({
  declaration,
  async survey(model) {
    const shares = new Set(model.tensors.map(({ parameters }) => numberOf(parameters, 'top')))
    if (shares.size > 1)
      throw new EngineError(
        'request-invalid',
        `top counts over the whole model, found ${[...shares].join(' and ')} for different tensors`,
      )
    return modelTops(model, [...shares][0])
  },
  async merge(task, tops) {
    const { base, tasks } = await readTasks(task)
    const eta = numberOf(task.parameters, 'eta')
    const shares = tasks.map((tau) => {
      const norm = normOf(tau)
      return norm === 0 ? 0 : eta / norm
    })
    const delta = isMatrix(task)
      ? correctionOf(tasks, {
          shares,
          subspace: numberOf(task.parameters, 'subspace'),
          lr: numberOf(task.parameters, 'lr'),
          steps: numberOf(task.parameters, 'steps'),
        }).data
      : new Float64Array(base.length)
    const out = base.slice()
    tasks.forEach(({ data }, k) => {
      keptMask(tops[k], task.name, data).forEach((isKept, i) => {
        if (isKept) out[i] += shares[k] * (data[i] + delta[i])
      })
    })
    writeTensor(task, out)
  },
})
