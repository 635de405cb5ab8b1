// Hashes of files larger than memory, fed from the disk in order while later ranges are still arriving: what is
// compared is what was written. SHA-256 by hash-wasm, since the platform's digest cannot be fed in parts.

import type { FileHash } from '../sources/hub.ts'
import type { SyncAccess } from './storage.ts'

export type HashKind = FileHash['kind']

/** Bytes hashed at a time. */
const STEP_BYTES = 8 * 2 ** 20

/** Follows a file that is being written, range by range from its start. */
export class FollowingHash {
  private at = 0
  private readonly access: SyncAccess
  private readonly size: number
  private readonly hash: { update(bytes: Uint8Array): void; digest(): string }
  private readonly buffer: Uint8Array

  private constructor(access: SyncAccess, size: number, hash: FollowingHash['hash']) {
    this.access = access
    this.size = size
    this.hash = hash
    this.buffer = new Uint8Array(Math.min(STEP_BYTES, size))
  }

  static async of(kind: HashKind, access: SyncAccess, size: number): Promise<FollowingHash> {
    const { createSHA1, createSHA256 } = await import('hash-wasm')
    const hasher = await (kind === 'git' ? createSHA1() : createSHA256())
    hasher.init()
    // Git hashes a file with its kind and length before it.
    if (kind === 'git') hasher.update(new TextEncoder().encode(`blob ${size}\0`))
    return new FollowingHash(access, size, {
      update: (bytes) => void hasher.update(bytes),
      digest: () => hasher.digest('hex'),
    })
  }

  /** bytes hashed so far */
  get done(): number {
    return this.at
  }

  /** Hashes one step more, if the file is there up to its end. `upTo`: bytes that are on the disk without a gap. */
  step(upTo: number): boolean {
    const length = Math.min(STEP_BYTES, this.size - this.at)
    if (length === 0 || this.at + length > upTo) return false
    const bytes = this.buffer.subarray(0, length)
    const read = this.access.read(bytes, { at: this.at })
    if (read !== length)
      throw new DOMException(`read ${read} of ${length} bytes at ${this.at}`, 'NotReadableError')
    this.hash.update(bytes)
    this.at += length
    return true
  }

  /** Hexadecimal; only when every byte was hashed. */
  digest(): string {
    if (this.at !== this.size) throw new Error(`hashed ${this.at} of ${this.size} bytes`)
    return this.hash.digest()
  }
}
