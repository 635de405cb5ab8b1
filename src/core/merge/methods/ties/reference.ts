import type { MergeReference, ReferenceModel } from '../../method.ts'
import { mergeSparse, orderByMagnitude, taskVector } from '../../taskVectors.reference.ts'

const byTensor = mergeSparse({
  elects: true,
  sparsify: ({ tau, values }) => {
    if (Number(values.density) >= 1) return undefined
    const count = Math.floor(Number(values.density) * tau.length)
    const kept = new Float64Array(tau.length)
    for (const i of orderByMagnitude(tau).slice(0, count)) kept[i] = 1
    return { kept, rescales: 'norm' }
  },
})

/** The whole model end to end, tensors in the order of their names. */
function wholeModel(model: ReferenceModel): Map<string, Float64Array> {
  const tensors = [...model.tensors].sort((a, b) => (a.name < b.name ? -1 : 1))
  const { parameters, modelParameters } = tensors[0]
  const trimmed = model.models.map((_, k) => {
    const parts = tensors.map(({ name }) => [...taskVector(model, name, k)])
    const tau = Float64Array.from(parts.flat())
    const count = Math.floor(Number(modelParameters[k].density) * tau.length)
    const stays = new Set(orderByMagnitude(tau).slice(0, count))
    return tau.map((value, i) => (stays.has(i) ? value : 0))
  })
  const signs = trimmed[0].map((_, i) => Math.sign(trimmed.reduce((sum, tau) => sum + tau[i], 0)))
  const majority = signs.reduce((a, b) => a + b, 0) >= 0 ? 1 : -1
  const merged = signs.map((sign, i) => {
    let [sum, divisor] = [0, 0]
    trimmed.forEach((tau, k) => {
      if (Math.sign(tau[i]) !== (sign || majority)) return
      sum += Number(modelParameters[k].weight) * tau[i]
      divisor += Number(modelParameters[k].weight)
    })
    return (Number(parameters.lambda) * sum) / (parameters.normalize === true ? divisor || 1 : 1)
  })
  const out = new Map<string, Float64Array>()
  let at = 0
  for (const { name } of tensors) {
    const base = model.base!.get(name)!
    const start = at
    out.set(
      name,
      base.map((value, i) => value + merged[start + i]),
    )
    at += base.length
  }
  return out
}

export const reference: MergeReference = (model) =>
  model.tensors[0].parameters.variant === 'paper' ? wholeModel(model) : byTensor(model)
