// Identity of a model's weights: SHA-256 over name, type, shape and the SHA-256 of every weight, in the family's order.
// The same for the same weights however they are split into files; what is computed from weights carries it.

import { decodeValues, isWeightType } from '../tensors/encoding.ts'
import type { Checkpoint } from './checkpoint.ts'
import { ContentHash } from './contentHash.ts'
import { countOf, type StoredWeight } from './storedWeight.ts'

export interface DigestOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Elements of a weight that are read at once; larger ones are hashed in parts. */
const MOST_ELEMENTS = 2 ** 24

/** 64 hexadecimal digits. Holds one weight at a time, or a part of a large one. */
export async function weightsDigest(
  checkpoint: Pick<Checkpoint, 'weights' | 'readWeight'> & Partial<Pick<Checkpoint, 'stored'>>,
  options: DigestOptions = {},
): Promise<string> {
  const hash = new ContentHash()
  for (const [index, { name, shape }] of checkpoint.weights.entries()) {
    const stored = checkpoint.stored?.get(name)
    if (stored && countOf(stored) > MOST_ELEMENTS && (MOST_ELEMENTS / 4) % stored.granule === 0) {
      const first = await stored.read(0, stored.granule, options.signal)
      const type = isWeightType(first.encoding) ? first.encoding : 'f32'
      await hash.addTensorParts(name, type, shape, partsOf(stored, options.signal))
    } else {
      const { bytes, type } = await checkpoint.readWeight(name, options.signal)
      await hash.addTensor(name, type, shape, bytes)
    }
    options.onProgress?.(index + 1, checkpoint.weights.length)
  }
  return hash.finish()
}

async function* partsOf(weight: StoredWeight, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const total = countOf(weight)
  const step = MOST_ELEMENTS / 4
  for (let start = 0; start < total; start += step) {
    const values = await weight.read(start, Math.min(step, total - start), signal)
    yield isWeightType(values.encoding) ? values.bytes : new Uint8Array(decodeValues(values).buffer)
  }
}
