// Mean cross-entropy of the targets of many sequences by forward passes alone, in batches that fit the device.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { targetLosses } from '../model/gradients.ts'
import { sequencesPerBatch } from './answers.ts'
import { type ForwardModel, isForwardModel } from './forwardModel.ts'

/**
 * Nats per target token, one mean per sequence, in their order. Rejects `cancelled`, and `request-invalid` for a
 * sequence without targets.
 */
export async function sequenceLosses(
  model: DeviceModel | ForwardModel,
  sequences: readonly Sequence[],
  options: { signal?: AbortSignal | undefined; onProgress?: ((done: number) => void) | undefined } = {},
): Promise<Float64Array> {
  const targetsOf = ({ ids, firstTarget }: Sequence) =>
    firstTarget === undefined ? 0 : ids.length - firstTarget
  const empty = sequences.findIndex((sequence) => targetsOf(sequence) < 1)
  if (empty >= 0) throw new EngineError('request-invalid', `sequence ${empty} has no targets`)
  const longest = Math.max(1, ...sequences.map(({ ids }) => ids.length))
  const targets = Math.max(1, ...sequences.map(targetsOf))
  const size = sequencesPerBatch(model.config, longest, targets)
  const means = new Float64Array(sequences.length)
  for (let start = 0; start < sequences.length; start += size) {
    throwIfCancelled(options.signal)
    if (isForwardModel(model)) {
      const losses = await model.targetLosses(sequences.slice(start, start + size), options.signal)
      losses.forEach((own, s) => {
        means[start + s] = own.reduce((sum, loss) => sum + loss, 0) / own.length
      })
      options.onProgress?.(start + losses.length)
      continue
    }
    const batch = new Batch(model.gpu, model.config, sequences.slice(start, start + size))
    try {
      const losses = await targetLosses(model, batch)
      for (let s = 0; s < batch.sequenceCount; s++) {
        const own = losses.subarray(batch.rowStarts[s], batch.rowStarts[s + 1])
        means[start + s] = own.reduce((sum, loss) => sum + loss, 0) / own.length
      }
    } finally {
      batch.release()
    }
    options.onProgress?.(Math.min(start + size, sequences.length))
  }
  return means
}
