import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, layerCount, models }) =>
  new Map(
    tensors.map(({ name, layer, parameters, modelParameters }) => {
      const weights = modelParameters.map(({ weight }) => Number(weight))
      const outside = name.includes('embed') ? 0 : 1
      const depth = layer === undefined ? outside : layerCount === 1 ? 1 : layer / (layerCount - 1)
      const share = Number(parameters.start) + (Number(parameters.end) - Number(parameters.start)) * depth
      const [first, ...others] = models.map((model) => model.get(name)!)
      return [
        name,
        first.map((value, i) => {
          const sum = others.reduce((total, other, j) => total + weights[j + 1] * other[i], 0)
          if (parameters.normalize !== true) return (1 - share) * weights[0] * value + share * sum
          const divisor = weights.slice(1).reduce((a, b) => a + b, 0)
          return (1 - share) * value + (share * sum) / divisor
        }),
      ]
    }),
  )
