// RAM and RAM+ in float64 on the host.

import type { MergeReference } from './method.ts'
import { taskVector } from './taskVectors.reference.ts'

export function mergeActive({ reinforces }: { reinforces: boolean }): MergeReference {
  return (model) =>
    new Map(
      model.tensors.map(({ name, parameters }) => {
        const base = model.base!.get(name)!
        const taus = model.models.map((_, k) => taskVector(model, name, k))
        const isActive = (k: number, i: number) => Math.abs(taus[k][i]) > Number(parameters.epsilon)
        const sharers = base.map((_, i) => taus.filter((_, k) => isActive(k, i)).length)
        const factors = taus.map((tau, k) => {
          const own = Array.from(tau, (_, i) => i).filter((i) => isActive(k, i))
          const shared = own.filter((i) => sharers[i] > 1).length
          const unique = own.length - shared
          if (!reinforces || unique === 0) return 1
          return 1 + Number(parameters.r) * Math.min(shared / unique, Number(parameters.alpha))
        })
        return [
          name,
          base.map((origin, i) => {
            let change = 0
            taus.forEach((tau, k) => {
              if (isActive(k, i)) change += sharers[i] === 1 ? factors[k] * tau[i] : tau[i] / sharers[i]
            })
            return origin + change
          }),
        ]
      }),
    )
}
