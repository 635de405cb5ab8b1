// Diagonal Fisher information of a model on given sequences (methods.md §6). Unit: per target token.
//   labels 'sampled': one label per target position drawn from the model, the true Fisher's estimator
//   labels 'data':    the sequence's own targets, the empirical Fisher
//   form 'sequence':  squares of each sequence's summed gradient, exact
//   form 'fast':      squares per token position, one squared matmul per weight, an approximation

import { throwIfCancelled } from '../errors.ts'
import { pickToken } from '../kernels/pickToken/pickToken.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, type GradientBuffers, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient } from '../model/gradients.ts'
import { scratch } from '../model/linear.ts'

export interface FisherOptions {
  labels: 'sampled' | 'data'
  form: 'sequence' | 'fast'
  seed: number
  /** sequences per pass; the result does not depend on it beyond rounding */
  batchSequences?: number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

export interface Fisher {
  /** Σ of squares (P) by tensor, float32; divide by `tokens` for the unit */
  sums: GradientBuffers
  /** target tokens summed over */
  tokens: number
  /** sequences they are of */
  sequences: number
}

/** Streams the sequences through forward and backward passes; squares are added on the device. */
export async function fisherDiagonal(
  model: DeviceModel,
  sequences: readonly Sequence[],
  options: FisherOptions,
): Promise<Fisher> {
  const { gpu, config } = model
  const sums = createGradients(gpu, config)
  const size = options.batchSequences ?? 32
  let tokens = 0
  try {
    for (let start = 0; start < sequences.length; start += size) {
      throwIfCancelled(options.signal)
      const batch = new Batch(gpu, config, sequences.slice(start, start + size))
      const sink = new GradientSink(
        gpu,
        config,
        batch,
        sums,
        options.form === 'fast' ? 'fast-squares' : 'squares',
      )
      const R = batch.rowCount
      const sampled = scratch(gpu, R)
      const firstRow = tokens
      // Rows are numbered through all batches, so a label depends on its place alone, not on the batch size.
      const draw = (logits: GPUBuffer, stride: number) => {
        gpu.run(
          pickToken,
          { R, V: config.vocabSize, stride, noise: 1, seed: options.seed, firstRow },
          { logits, token: sampled },
        )
        return sampled
      }
      const scale = new Float32Array(R).fill(1)
      const loss = encodeLossGradient(
        model,
        batch,
        scale,
        sink,
        options.labels === 'sampled' ? draw : undefined,
      )
      await gpu.idle()
      gpu.pool.release(loss, sampled)
      tokens += R
      batch.release()
      options.onProgress?.(Math.min(start + size, sequences.length), sequences.length)
    }
    return { sums, tokens, sequences: sequences.length }
  } catch (error) {
    for (const buffer of sums.values()) buffer.destroy()
    throw error
  }
}
