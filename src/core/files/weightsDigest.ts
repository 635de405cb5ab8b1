// Identity of a model's weights: SHA-256 over name, type, shape and the SHA-256 of every weight, in the family's order.
// The same for the same weights however they are split into files; what is computed from weights carries it.

import type { Checkpoint } from './checkpoint.ts'
import { ContentHash } from './contentHash.ts'

export interface DigestOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** 64 hexadecimal digits. Reads one weight at a time. */
export async function weightsDigest(
  checkpoint: Pick<Checkpoint, 'weights' | 'readWeight'>,
  options: DigestOptions = {},
): Promise<string> {
  const hash = new ContentHash()
  for (const [index, { name, shape }] of checkpoint.weights.entries()) {
    const { bytes, type } = await checkpoint.readWeight(name, options.signal)
    await hash.addTensor(name, type, shape, bytes)
    options.onProgress?.(index + 1, checkpoint.weights.length)
  }
  return hash.finish()
}
