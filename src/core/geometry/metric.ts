// The metric of the chart: g = F + ρ mean(F) over the merged parameters, or the identity as a control.
// Damping bounds the G⁻¹ step where F is tiny (methods.md §6.5; the rule is ours).

import { EngineError } from '../errors.ts'
import { damp } from '../kernels/elementwise/elementwise.ts'
import { GRAM_PLAIN } from '../kernels/weightedGram/weightedGram.ts'
import { type DeviceModel, paddedCount, paddedTensors } from '../model/deviceModel.ts'
import { createGradients, type GradientBuffers } from '../model/gradientSink.ts'
import type { Fisher } from './fisher.ts'
import { sumGrams } from './gramPass.ts'

export interface Metric {
  /** g (P) by tensor, float32, positive */
  diagonal: GradientBuffers
  /** mean of F per token over all parameters; NaN for the identity */
  meanFisher: number
}

/** G = I. */
export function identityMetric(model: DeviceModel): Metric {
  const { gpu } = model
  const diagonal = createGradients(gpu, model.config)
  for (const [name, out] of diagonal)
    gpu.run(
      damp,
      { count: paddedCount(model.tensor(name).count), scale: 0, shift: 1 },
      { fisher: gpu.unused, out },
    )
  return { diagonal, meanFisher: Number.NaN }
}

/** g = F/tokens + ρ mean; `not-finite` when the Fisher is, `check-failed` when it is all zero. */
export async function dampedMetric(model: DeviceModel, fisher: Fisher, damping: number): Promise<Metric> {
  const { gpu } = model
  const tensors = paddedTensors(model)
  const largest = Math.max(...tensors.map(({ count }) => count))
  const ones = gpu.pool.take(largest * 4)
  gpu.run(damp, { count: largest, scale: 0, shift: 1 }, { fisher: gpu.unused, out: ones })
  const b = { buffer: ones, rows: 1 }
  const sums = await sumGrams(gpu, tensors, (name) => [
    { label: 'sum', a: { buffer: fisher.sums.get(name)!, rows: 1 }, b, mode: GRAM_PLAIN },
  ]).finally(() => gpu.pool.release(ones))
  const meanFisher = sums.total.get('sum')![0] / fisher.tokens / model.parameterCount
  if (!Number.isFinite(meanFisher))
    throw new EngineError('not-finite', `the mean of the Fisher diagonal is ${meanFisher}`)
  if (meanFisher === 0) throw new EngineError('check-failed', 'the Fisher diagonal is zero everywhere')
  const diagonal = createGradients(gpu, model.config)
  for (const { name, count } of tensors)
    gpu.run(
      damp,
      { count, scale: 1 / fisher.tokens, shift: damping * meanFisher },
      { fisher: fisher.sums.get(name)!, out: diagonal.get(name)! },
    )
  return { diagonal, meanFisher }
}

/** Every `step`-th element of the buffers in tensor order, at most about `limit` of them: for rank correlations. */
export async function sampleDiagonal(
  model: DeviceModel,
  buffers: GradientBuffers,
  limit = 100_000,
): Promise<Float32Array> {
  const step = Math.max(1, Math.ceil(model.parameterCount / limit))
  const out: number[] = []
  let skip = 0
  for (const { spec, count } of model.tensors.values()) {
    const values = await model.gpu.readFloats(buffers.get(spec.name)!, count)
    let i = skip
    for (; i < count; i += step) out.push(values[i])
    skip = i - count
  }
  return Float32Array.from(out)
}

/** Frees the buffers of a map. */
export function destroyBuffers(buffers: GradientBuffers | undefined): void {
  for (const buffer of buffers?.values() ?? []) buffer.destroy()
}
