// Importance of every weight for given sequences, |w| Σ_s |∂L_s/∂w| with L_s the mean loss of the targets of sequence s:
// the scores of LED-Merging (arXiv 2502.16770), a batch being one sequence. Kept are the sums of absolute gradients; the
// weight's own size is multiplied in when a tensor is asked for.

import { throwIfCancelled } from '../errors.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import { weighByMagnitude } from '../kernels/elementwise/elementwise.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { createGradients, type GradientBuffers, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient } from '../model/gradients.ts'

export interface AbsoluteGradients {
  /** Σ_s |∂L_s/∂w| (P) by tensor, float32 */
  sums: GradientBuffers
  sequences: number
}

export interface ImportanceOptions {
  /** sequences per pass; the result does not depend on it beyond rounding */
  batchSequences?: number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Streams the sequences through forward and backward passes. Whatever stops it leaves nothing on the device. */
export async function absoluteGradients(
  model: DeviceModel,
  sequences: readonly Sequence[],
  options: ImportanceOptions = {},
): Promise<AbsoluteGradients> {
  const { gpu, config } = model
  const sums = createGradients(gpu, config)
  const size = options.batchSequences ?? 32
  try {
    for (let start = 0; start < sequences.length; start += size) {
      throwIfCancelled(options.signal)
      const batch = new Batch(gpu, config, sequences.slice(start, start + size))
      try {
        const scale = new Float32Array(batch.rowCount)
        for (let s = 0; s < batch.sequenceCount; s++) {
          const [from, to] = [batch.rowStarts[s], batch.rowStarts[s + 1]]
          scale.fill(1 / (to - from), from, to)
        }
        const sink = new GradientSink(gpu, config, batch, sums, 'absolutes')
        gpu.pool.release(encodeLossGradient(model, batch, scale, sink))
        await gpu.idle()
      } finally {
        batch.release()
      }
      options.onProgress?.(Math.min(start + size, sequences.length), sequences.length)
    }
    return { sums, sequences: sequences.length }
  } catch (error) {
    if (gpu.lostReason === undefined) gpu.flush()
    destroyBuffers(sums)
    throw error
  }
}

/** Encodes the importance of one tensor, the mean over sequences, into `out` (padded, float32). */
export function encodeImportance(
  model: DeviceModel,
  { sums, sequences }: AbsoluteGradients,
  name: string,
  out: GPUBuffer,
): void {
  const { count, buffer } = model.tensor(name)
  model.gpu.run(
    weighByMagnitude,
    { count: paddedCount(count), scale: 1 / Math.max(1, sequences) },
    { weight: buffer, a: sums.get(name)!, out },
    model.type,
  )
}
