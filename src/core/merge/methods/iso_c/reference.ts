import type { MergeReference } from '../../method.ts'
import { denseOf, flat, referenceTriplets, sumTriplets } from '../../spectral.reference.ts'

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, shape, parameters }) => {
      const origin = base!.get(name)!
      const scale = Number(parameters.scale)
      const sum = origin.map((x, i) => models.reduce((s, model) => s + model.get(name)![i] - x, 0))
      if (shape.length !== 2) return [name, origin.map((x, i) => x + (scale * sum[i]) / models.length)]
      const [rows, columns] = shape
      const triplets = referenceTriplets(denseOf(sum, rows, columns))
      // Values left out as null count as 0: below 1e-5 of the largest each.
      const mean = triplets.reduce((s, triplet) => s + triplet.s, 0) / Math.min(rows, columns)
      const delta = flat(sumTriplets(triplets, () => mean, rows, columns))
      return [name, origin.map((x, i) => x + scale * delta[i])]
    }),
  )
