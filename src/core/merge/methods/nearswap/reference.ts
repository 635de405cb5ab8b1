import type { MergeReference } from '../../method.ts'

export const reference: MergeReference = ({ tensors, base, models }) =>
  new Map(
    tensors.map(({ name, parameters }) => {
      const t = Number(parameters.t)
      const other = models[0].get(name)!
      return [
        name,
        base!.get(name)!.map((origin, i) => {
          const tau = other[i] - origin
          const weight = Math.min(Math.max(t / Math.max(Math.abs(tau), 1e-6), 0), 1)
          return origin + weight * tau
        }),
      ]
    }),
  )
