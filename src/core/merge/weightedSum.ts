// Σ w_k θ_k of any number of models, and the same minus AlignMerge's shield: one dispatch for up to four models.

import { blendModels, MODELS_PER_BLEND, sumModels } from '../kernels/blendModels/blendModels.ts'
import type { TensorTask } from './method.ts'

/** What is taken off the sum: (bᵀA)/g. `b` is on the device (n), `a` (n, padded), `metric` (padded). */
export interface Shield {
  rows: number
  a: GPUBuffer
  metric: GPUBuffer
  b: GPUBuffer
}

type Stack = Pick<TensorTask, 'gpu' | 'models' | 'padded' | 'type'>

/** Parameters and buffers of a dispatch over models from … to − 1. */
function bind({ gpu, models, padded: count }: Stack, weights: readonly number[], from: number, to: number) {
  const params: Record<string, number> = { count, models: to - from, w0: 0, w1: 0, w2: 0, w3: 0 }
  const buffers: Record<string, GPUBuffer> = {}
  for (let j = 0; j < MODELS_PER_BLEND; j++) {
    buffers[`m${j}`] = from + j < to ? models[from + j] : gpu.unused
    if (from + j < to) params[`w${j}`] = weights[from + j]
  }
  return { params, buffers }
}

/** Encodes Σ weights[k] θ_k over models 0 … to − 1 into `sum`, float32 (padded). */
export function encodePlainSum(
  stack: Stack,
  weights: readonly number[],
  sum: GPUBuffer,
  to = stack.models.length,
): void {
  for (let from = 0; from < to; from += MODELS_PER_BLEND) {
    const { params, buffers } = bind(stack, weights, from, Math.min(to, from + MODELS_PER_BLEND))
    stack.gpu.run(sumModels, { ...params, first: from === 0 ? 1 : 0 }, { ...buffers, carry: sum }, stack.type)
  }
}

/** Encodes `out` = Σ weights[k] θ_k − shield, in the stored type. */
export function encodeWeightedSum(task: TensorTask, weights: readonly number[], shield?: Shield): void {
  const { gpu, models, padded: count, type, out } = task
  const lastStart = Math.floor((models.length - 1) / MODELS_PER_BLEND) * MODELS_PER_BLEND
  const carry = lastStart > 0 ? task.scratch(count * 4) : gpu.unused
  if (lastStart > 0) encodePlainSum(task, weights, carry, lastStart)
  const { params, buffers } = bind(task, weights, lastStart, models.length)
  gpu.run(
    blendModels,
    { ...params, first: lastStart === 0 ? 1 : 0, rows: shield?.rows ?? 0, stride: count },
    {
      ...buffers,
      carry,
      a: shield?.a ?? gpu.unused,
      metric: shield?.metric ?? gpu.unused,
      b: shield?.b ?? gpu.unused,
      out,
    },
    type,
  )
}
