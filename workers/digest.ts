// Identity of dropped weights: SHA-256 over the SHA-256 of each 64 MiB block of every weight file, so that no
// file is ever held whole.

import { throwIfCancelled } from '../src/core/errors.ts'
import type { Checkpoint } from '../src/core/files/checkpoint.ts'
import type { Job } from './jobs.ts'

const BLOCK_BYTES = 64 * 2 ** 20

/** Hex digest of a checkpoint's weight files in order. */
export async function digestWeights(checkpoint: Checkpoint, job: Job): Promise<string> {
  const parts: Uint8Array[] = []
  const total = checkpoint.files.reduce((sum, { source }) => sum + source.size, 0)
  let done = 0
  for (const { source } of checkpoint.files)
    for (let offset = 0; offset < source.size; offset += BLOCK_BYTES) {
      throwIfCancelled(job.signal)
      const length = Math.min(BLOCK_BYTES, source.size - offset)
      const block = await source.read(offset, length, job.signal)
      parts.push(new Uint8Array(await crypto.subtle.digest('SHA-256', block)))
      done += length
      job.report(`hashing ${checkpoint.name}`, done, total)
    }
  const all = new Uint8Array(parts.length * 32)
  for (const [i, part] of parts.entries()) all.set(part, i * 32)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
