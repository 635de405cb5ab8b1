// Identity of a model's weights: SHA-256 over name, type, shape and the SHA-256 of every weight, in the family's order.
// The same for the same weights however they are split into files; what is computed from weights carries it.

import type { Checkpoint } from './checkpoint.ts'

const hex = (digest: ArrayBuffer): string =>
  Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')

export interface DigestOptions {
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** 64 hexadecimal digits. Reads one weight at a time. */
export async function weightsDigest(
  checkpoint: Pick<Checkpoint, 'weights' | 'readWeight'>,
  options: DigestOptions = {},
): Promise<string> {
  const lines: string[] = []
  for (const [index, { name, shape }] of checkpoint.weights.entries()) {
    const { bytes, type } = await checkpoint.readWeight(name, options.signal)
    lines.push(`${name} ${type} ${shape.join('x')} ${hex(await crypto.subtle.digest('SHA-256', bytes))}\n`)
    options.onProgress?.(index + 1, checkpoint.weights.length)
  }
  return hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(lines.join(''))))
}
