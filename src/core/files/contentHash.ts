// SHA-256 of lists of tensors, one tensor at a time, so that neither a model nor a file has to be held whole: the hash of
// lines that name each tensor with its type, its shape and the SHA-256 of its bytes.

import type { Bytes } from './source.ts'

/** SHA-256 of bytes, 64 hexadecimal digits. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  // Pages that come over plain http have no crypto.subtle, and no WebGPU either: the processor's engine still works.
  if (!globalThis.crypto?.subtle) return (await import('hash-wasm')).sha256(bytes)
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** SHA-256 of text in UTF-8. */
export const sha256Text = (text: string): Promise<string> => sha256(new TextEncoder().encode(text))

export const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

export class ContentHash {
  private readonly lines: string[] = []

  /** Adds something other than a tensor, e.g. a file's metadata; on one line. */
  addText(text: string): void {
    this.lines.push(`${text}\n`)
  }

  async addTensor(name: string, type: string, shape: readonly number[], bytes: Uint8Array): Promise<void> {
    this.lines.push(`${name} ${type} ${shape.join('x')} ${await sha256(bytes)}\n`)
  }

  /** The same of a tensor too large to hold, its bytes in order. */
  async addTensorParts(
    name: string,
    type: string,
    shape: readonly number[],
    parts: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    // The platform's own digest cannot be fed in parts.
    const { createSHA256 } = await import('hash-wasm')
    const hasher = await createSHA256()
    for await (const part of parts) hasher.update(part)
    this.lines.push(`${name} ${type} ${shape.join('x')} ${hasher.digest('hex')}\n`)
  }

  finish(): Promise<string> {
    return sha256Text(this.lines.join(''))
  }
}
