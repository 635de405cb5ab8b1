import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, models }) =>
  new Map(
    tensors.map(({ name, parameters, modelParameters }) => {
      const weights = modelParameters.map(({ weight }) => Number(weight))
      const total = parameters.normalize === true ? weights.reduce((a, b) => a + b, 0) : 1
      const parts = models.map((model) => model.get(name)!)
      return [
        name,
        parts[0].map((_, i) => parts.reduce((sum, part, k) => sum + (weights[k] / total) * part[i], 0)),
      ]
    }),
  )
