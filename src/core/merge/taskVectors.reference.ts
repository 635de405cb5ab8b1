// Merges of task vectors in float64 on the host, for the references of the methods: loops and sorts, no tricks.

import type { MergeReference, ParameterValues, PlannedTensor, ReferenceModel } from './method.ts'

/** θ_k − θ_0 of a tensor. */
export function taskVector({ base, models }: ReferenceModel, name: string, k: number): Float64Array {
  const origin = base!.get(name)!
  return models[k].get(name)!.map((value, i) => value - origin[i])
}

/** Indices of the largest magnitudes first; of equals the lower index. */
export const orderByMagnitude = (values: ArrayLike<number>): number[] =>
  Array.from(values, (_, i) => i).sort((a, b) => Math.abs(values[b]) - Math.abs(values[a]) || a - b)

export interface SparseInput {
  tau: Float64Array
  k: number
  values: ParameterValues
  tensor: PlannedTensor
  seed: number
}

/** Factor of each element, 0 where dropped; 'norm': what stays may be scaled to the L1 norm of all. */
export interface Sparse {
  kept: Float64Array
  rescales: 'norm' | 'done'
}

/** Generalised task arithmetic: sparsify, rescale, weigh, elect, combine. Undefined from `sparsify`: all stays. */
export function mergeSparse(options: {
  elects: boolean
  sparsify(input: SparseInput): Sparse | undefined
}): MergeReference {
  return (model) =>
    new Map(
      model.tensors.map((tensor) => {
        const { name, parameters, modelParameters } = tensor
        const weights = modelParameters.map(({ weight }) => Number(weight))
        const values = model.models.map((_, k) => {
          const tau = taskVector(model, name, k)
          const input = { tau, k, values: modelParameters[k], tensor, seed: model.seed }
          const sparse = options.sparsify(input)
          if (!sparse) return tau.map((value) => weights[k] * value)
          const stays = tau.map((value, i) => value * sparse.kept[i])
          const norm = (x: Float64Array) => x.reduce((sum, value) => sum + Math.abs(value), 0)
          const [before, after] = [norm(tau), norm(stays)]
          const rescales = parameters.rescale === true && sparse.rescales === 'norm'
          const factor = rescales && before > 1e-7 && after > 1e-7 ? before / after : 1
          return stays.map((value) => weights[k] * (value * factor))
        })
        const total = weights.reduce((a, b) => a + b, 0)
        const lambda = Number(parameters.lambda)
        const normalizes = parameters.normalize === true
        const merged = model.base!.get(name)!.map((origin, i) => {
          const own = values.map((value) => value[i])
          if (!options.elects) {
            const sum = own.reduce((a, b) => a + b, 0)
            return origin + (lambda * sum) / (normalizes && Math.abs(total) >= 1e-8 ? total : 1)
          }
          const sign = own.reduce((a, b) => a + b, 0) >= 0 ? 1 : -1
          let [sum, divisor] = [0, 0]
          own.forEach((value, k) => {
            if (Math.sign(value) !== sign) return
            sum += value
            divisor += weights[k]
          })
          return origin + (lambda * sum) / (normalizes ? divisor || 1 : 1)
        })
        return [name, merged]
      }),
    )
}
