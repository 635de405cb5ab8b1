// Where experts conflict, layer by layer (ours, after Mediator, arXiv 2502.04411): κ = 1 − ‖Σ τ‖ / Σ ‖τ‖ over all tensors
// of a layer, 0 when all pull the same way. From inner products alone.

import { EngineError } from '../../../errors.ts'
import type { ModelTask, ParameterValues } from '../../method.ts'
import { numberOf } from '../../parameters.ts'
import { lineGrams } from '../../sphere.ts'

export interface LayerConflict {
  layer: number
  /** κ, 0 … 1 */
  conflict: number
  /** ‖τ_k‖ of the whole layer */
  norms: readonly number[]
  /** kept as one expert and differences instead of averaged */
  isRouted: boolean
}

export interface ConflictMap {
  layers: readonly LayerConflict[]
  mean: number
  /** population standard deviation */
  deviation: number
}

/** Above the bound by less than this is rounding. */
const ROUNDING = 1e-6

/** κ and norms from the sum of a layer's K × K inner products. */
function conflictOf(gram: Float64Array, size: number): { conflict: number; norms: number[] } {
  const norms = Array.from({ length: size }, (_, k) => Math.sqrt(gram[k * size + k]))
  const lengths = norms.reduce((a, b) => a + b, 0)
  const total = gram.reduce((a, b) => a + b, 0)
  return { norms, conflict: lengths === 0 ? 0 : 1 - Math.sqrt(Math.max(0, total)) / lengths }
}

/** The one value that a parameter has for all tensors. */
function wholeNumber(tensors: ModelTask['tensors'], id: string): number {
  const values = new Set(tensors.map(({ parameters }) => numberOf(parameters, id)))
  if (values.size > 1)
    throw new EngineError(
      'request-invalid',
      `${id} counts over the whole model, found ${[...values].join(' and ')} for different tensors`,
    )
  return [...values][0]
}

/** The conflict map of a merge: one pass over all tensors. */
export async function mapConflict(model: ModelTask): Promise<ConflictMap> {
  const threshold = wholeNumber(model.tensors, 'threshold')
  const grams = new Map<number, Float64Array>()
  let size = 0
  await model.forEach(async (task) => {
    if (task.layer === undefined) return
    const { values } = await lineGrams(task, { buffers: task.models, minusBase: true }, 'tensor')
    size = task.models.length
    const sum = grams.get(task.layer)
    if (sum) for (let i = 0; i < sum.length; i++) sum[i] += values[i]
    else grams.set(task.layer, values)
  })
  const found = [...grams]
    .sort(([a], [b]) => a - b)
    .map(([layer, gram]) => ({ layer, ...conflictOf(gram, size) }))
  const mean = found.reduce((sum, { conflict }) => sum + conflict, 0) / Math.max(1, found.length)
  const square = found.reduce((sum, { conflict }) => sum + (conflict - mean) ** 2, 0)
  const deviation = Math.sqrt(square / Math.max(1, found.length))
  const bound = mean + threshold * deviation + ROUNDING
  return { layers: found.map((one) => ({ ...one, isRouted: one.conflict > bound })), mean, deviation }
}

/** Of a routed tensor: the expert that stays whole, and everyone's share. */
export interface Routing {
  dense: number
  /** sum 1 */
  shares: number[]
}

/** s_i = w_i‖τ_i‖ / Σ w‖τ‖ of the tensor's layer; undefined where it is averaged, and where nobody has a share. */
export function routingOf(
  map: ConflictMap,
  tensor: { layer?: number; modelParameters: readonly ParameterValues[] },
): Routing | undefined {
  const layer = map.layers.find((one) => one.layer === tensor.layer)
  if (!layer?.isRouted) return undefined
  const parts = tensor.modelParameters.map((values, k) => numberOf(values, 'weight') * layer.norms[k])
  const total = parts.reduce((a, b) => a + b, 0)
  if (total === 0) return undefined
  const shares = parts.map((part) => part / total)
  return { dense: shares.indexOf(Math.max(...shares)), shares }
}
