import type { MergeReference } from '../../method.ts'
import { denseOf, flat, referenceTriplets, referenceWhitened } from '../../spectral.reference.ts'

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, shape, parameters }) => {
      const origin = base!.get(name)!
      const alpha = Number(parameters.alpha)
      const tau = models.map((model) => model.get(name)!.map((x, i) => x - origin[i]))
      if (shape.length !== 2) {
        const mean = origin.map((_, i) => tau.reduce((sum, v) => sum + v[i], 0) / tau.length)
        return [name, origin.map((x, i) => x + alpha * mean[i])]
      }
      const [rows, columns] = shape
      const kept = Math.max(1, Math.trunc(Math.min(rows, columns) / tau.length))
      const triplets = tau.flatMap((v) => referenceTriplets(denseOf(v, rows, columns)).slice(0, kept))
      const delta = flat(referenceWhitened(triplets, rows, columns))
      return [name, origin.map((x, i) => x + alpha * delta[i])]
    }),
  )
