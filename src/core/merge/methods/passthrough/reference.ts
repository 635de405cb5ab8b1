import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, models }) =>
  new Map(
    tensors.map(({ name, modelParameters }) => [
      name,
      models[0].get(name)!.map((value) => Number(modelParameters[0].scale) * value),
    ]),
  )
