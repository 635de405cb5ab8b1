// The metric on the host: g = F + ρ mean(F), or the identity. The same rule as geometry/metric.ts on the device.

import { EngineError } from '../../errors.ts'
import type { FisherFile } from '../../geometry/fisherFile.ts'
import type { HostLayout } from './hostWeights.ts'

/** Mean of squared gradients per token (P) of a Fisher file, in the layout's order. */
export async function readFisher(
  file: FisherFile,
  layout: HostLayout,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const out = new Float32Array(layout.total)
  for (const { name, start } of layout.weights) out.set(await file.read(name, signal), start)
  return out
}

/** g (P); `check-failed` for a Fisher diagonal that is zero everywhere, `not-finite`. */
export function dampedDiagonal(fisher: Float32Array, damping: number): Float32Array {
  let sum = 0
  for (const value of fisher) sum += value
  const mean = sum / fisher.length
  if (!Number.isFinite(mean))
    throw new EngineError('not-finite', `the mean of the Fisher diagonal is ${mean}`)
  if (mean === 0) throw new EngineError('check-failed', 'the Fisher diagonal is zero everywhere')
  return fisher.map((value) => value + damping * mean)
}
