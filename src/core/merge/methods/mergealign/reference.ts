import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, base, models, material }) =>
  new Map(
    tensors.map(({ name, parameters, modelParameters }) => {
      const origin = base!.get(name)!
      const aligned = material('aligned', name, 'base')!
      return [
        name,
        origin.map((value, i) => {
          let out = value + Number(parameters.beta) * (aligned[i] - value)
          models.forEach((model, k) => {
            out += Number(modelParameters[k].weight) * (model.get(name)![i] - value)
          })
          return out
        }),
      ]
    }),
  )
