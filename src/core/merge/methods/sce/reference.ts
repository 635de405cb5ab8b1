import type { MergeReference } from '../../method.ts'
import { orderByMagnitude, taskVector } from '../../taskVectors.reference.ts'

export const reference: MergeReference = (model) =>
  new Map(
    model.tensors.map(({ name, parameters }) => {
      const base = model.base!.get(name)!
      let taus = model.models.map((_, k) => taskVector(model, name, k))
      const share = Number(parameters.select_topk)
      if (share < 1) {
        const size = taus.length
        const variance = base.map((_, i) => {
          const sum = taus.reduce((total, tau) => total + tau[i], 0)
          const squares = taus.reduce((total, tau) => total + tau[i] ** 2, 0)
          const isAlike = taus.every((tau) => tau[i] === taus[0][i])
          return isAlike ? 0 : (size * squares - sum ** 2) / size ** 2
        })
        const varying = base.filter((_, i) => taus.some((tau) => tau[i] !== taus[0][i])).length
        const chosen = new Set(orderByMagnitude(variance).slice(0, Math.floor(share * varying)))
        taus = taus.map((tau) => tau.map((value, i) => (chosen.has(i) ? value : 0)))
      }
      const energy = taus.map((tau) => tau.reduce((sum, value) => sum + value * value, 0) / base.length)
      const total = energy.reduce((a, b) => a + b, 0)
      const shares = energy.map((own) => (total < 1e-6 ? 1 / taus.length : own / total))
      return [
        name,
        base.map((origin, i) => {
          const sign = taus.reduce((sum, tau) => sum + tau[i], 0) >= 0 ? 1 : -1
          let [sum, divisor] = [0, 0]
          taus.forEach((tau, k) => {
            if (Math.sign(tau[i]) !== sign) return
            sum += shares[k] * tau[i]
            divisor += shares[k]
          })
          return origin + sum / Math.max(divisor, 1e-6)
        }),
      ]
    }),
  )
