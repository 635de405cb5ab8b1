// Rows of A: gradients of an alignment functional at a model, one row per probe or group of probes. Every
// row points where the functional grows, i.e. towards more alignment.
// Which functional the paper uses is not public, nor at which point; those here are ours (methods.md §1.5):
//   unwanted: mean loss of the unwanted completion of a harmful prompt
//   margin:   that minus the mean loss of the aligned completion (a refusal margin)
//   aqi:      log S of the separation of hidden states, by topic (evaluate/aqiGradient.ts)
// `path`, the margin at a model half-way along the merge, is session/pathRows.ts.

import { throwIfCancelled } from '../errors.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, type GradientBuffers, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient, encodePooledGradient, type Pooling } from '../model/gradients.ts'

export interface AlignmentRows {
  /** n */
  count: number
  /** (n, P) by tensor, float32, rows in whole fours */
  rows: GradientBuffers
}

/** One term of a row: `sign` times the mean target loss of a sequence. */
export interface LossTerm {
  row: number
  sequence: Sequence
  sign: 1 | -1
  /** instead of sign, mean and average: the factor of each target's loss */
  weights?: ArrayLike<number>
}

export interface RowOptions {
  batchSequences?: number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Runs `work`, which adds to `rows`; n model-sized rows are too much to leave behind when it is stopped. */
async function filled(model: DeviceModel, rows: GradientBuffers, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (model.gpu.lostReason === undefined) model.gpu.flush()
    for (const buffer of rows.values()) buffer.destroy()
    throw error
  }
}

/** Rows from signed losses; terms of one row are averaged over its positive ones. `terms` ascend by row. */
export async function lossRows(
  model: DeviceModel,
  terms: readonly LossTerm[],
  count: number,
  options: RowOptions = {},
): Promise<AlignmentRows> {
  const { gpu, config } = model
  const rows = createGradients(gpu, config, count)
  const size = options.batchSequences ?? 32
  const share = new Float64Array(count)
  for (const { row, sign, weights } of terms) if (sign > 0 && !weights) share[row]++
  await filled(model, rows, async () => {
    for (let start = 0; start < terms.length; start += size) {
      throwIfCancelled(options.signal)
      const part = terms.slice(start, start + size)
      const batch = new Batch(
        gpu,
        config,
        part.map(({ sequence }) => sequence),
      )
      const scale = new Float32Array(batch.rowCount)
      part.forEach(({ row, sign, weights }, s) => {
        const [from, to] = [batch.rowStarts[s], batch.rowStarts[s + 1]]
        if (weights) scale.set(Array.from(weights), from)
        else scale.fill(sign / Math.max(1, share[row]) / (to - from), from, to)
      })
      const sink = new GradientSink(
        gpu,
        config,
        batch,
        rows,
        'rows',
        part.map(({ row }) => row),
        count,
      )
      const loss = encodeLossGradient(model, batch, scale, sink)
      await gpu.idle()
      gpu.pool.release(loss)
      batch.release()
      options.onProgress?.(Math.min(start + size, terms.length), terms.length)
    }
  })
  return { count, rows }
}

/** One row's part of a batch: d functional / d pooled states of its sequences. */
export interface PooledTerm {
  row: number
  sequences: Sequence[]
  pooling: Pooling
  /** (S, |hidden|·C) */
  dPooled: Float32Array
}

/** Rows from gradients that start at pooled hidden states. */
export async function pooledRows(
  model: DeviceModel,
  terms: readonly PooledTerm[],
  count: number,
  options: RowOptions = {},
): Promise<AlignmentRows> {
  const { gpu, config } = model
  const rows = createGradients(gpu, config, count)
  await filled(model, rows, async () => {
    for (const [done, { row, sequences, pooling, dPooled }] of terms.entries()) {
      throwIfCancelled(options.signal)
      const batch = new Batch(gpu, config, sequences)
      const sink = new GradientSink(
        gpu,
        config,
        batch,
        rows,
        'rows',
        sequences.map(() => row),
        count,
      )
      encodePooledGradient(model, batch, pooling, dPooled, sink)
      await gpu.idle()
      batch.release()
      options.onProgress?.(done + 1, terms.length)
    }
  })
  return { count, rows }
}
