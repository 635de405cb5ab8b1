// Where bytes come from: one interface over files, memory and (urlSource.ts) the network. Readers ask for the
// ranges they need, so a model is never held whole. Not a cache and not a parser.

import { EngineError, type ErrorPlace, throwIfCancelled } from '../errors.ts'

/** Bytes in memory of their own, as Blob and GPU queues want them. */
export type Bytes = Uint8Array<ArrayBuffer>

export interface ByteSource {
  /** name for messages: a path or the last part of a URL */
  readonly name: string
  /** bytes */
  readonly size: number
  /**
   * Exactly `length` bytes from `offset`, a fresh copy.
   * Rejects `file-malformed` outside the source, `file-missing` when it went away, `cancelled` on the signal.
   */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Bytes>
}

/** Throws `file-malformed` unless [offset, offset + length) lies inside `source`. */
export function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  const isRange = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
  if (!isRange || length > source.size - offset)
    throw new EngineError(
      'file-malformed',
      `cannot read ${length} bytes from ${offset}: the file has ${source.size} bytes`,
      { file: source.name, offset },
    )
}

/** Bytes of a dropped File, a Blob or a file of the origin-private file system. */
export class BlobSource implements ByteSource {
  readonly name: string
  readonly size: number
  private readonly blob: Blob
  constructor(blob: Blob, name: string) {
    this.blob = blob
    this.name = name
    this.size = blob.size
  }
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Bytes> {
    throwIfCancelled(signal)
    checkRange(this, offset, length)
    const place: ErrorPlace = { file: this.name, offset }
    let buffer: ArrayBuffer
    try {
      buffer = await this.blob.slice(offset, offset + length).arrayBuffer()
    } catch (error) {
      // A File is a promise of the disk: moved, deleted or edited files fail only when they are read.
      throw new EngineError('file-missing', `the file can no longer be read: ${messageOf(error)}`, place)
    }
    throwIfCancelled(signal)
    if (buffer.byteLength !== length)
      throw new EngineError('file-missing', `expected ${length} bytes, got ${buffer.byteLength}`, place)
    return new Uint8Array(buffer)
  }
}

/** Bytes already in memory; the array is not copied, so its owner must not change it. */
export class MemorySource implements ByteSource {
  readonly name: string
  readonly size: number
  private readonly bytes: Uint8Array
  constructor(bytes: Uint8Array, name: string) {
    this.bytes = bytes
    this.name = name
    this.size = bytes.byteLength
  }
  async read(offset: number, length: number, signal?: AbortSignal): Promise<Bytes> {
    throwIfCancelled(signal)
    checkRange(this, offset, length)
    return this.bytes.slice(offset, offset + length) as Bytes
  }
}

/** The whole source as UTF-8 text of at most `limit` bytes; `file-malformed` for more, or for other encodings. */
export async function readText(source: ByteSource, limit: number, signal?: AbortSignal): Promise<string> {
  if (source.size > limit)
    throw new EngineError('file-malformed', `expected at most ${limit} bytes, found ${source.size}`, {
      file: source.name,
    })
  const bytes = await source.read(0, source.size, signal)
  return decodeUtf8(bytes, { file: source.name, offset: 0 })
}

/** Strict UTF-8; `file-malformed` at `place` otherwise. */
export function decodeUtf8(bytes: Uint8Array, place: ErrorPlace): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new EngineError('file-malformed', 'expected UTF-8 text', place)
  }
}

/** Levels of published JSON files are below 20; thousands of them fill the memory, or the stack of whoever walks them. */
const MAX_JSON_DEPTH = 128

/** Throws `file-malformed` for JSON of too many levels, before it is parsed. */
function assertShallow(text: string, file: string): void {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x22) {
      // To the end of the string: brackets inside mean nothing.
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++
    } else if (code === 0x7b || code === 0x5b) {
      if (++depth > MAX_JSON_DEPTH)
        throw new EngineError(
          'file-malformed',
          `JSON of more than ${MAX_JSON_DEPTH} levels at character ${i}`,
          { file },
        )
    } else if (code === 0x7d || code === 0x5d) depth--
  }
}

/** Parsed JSON object; `file-malformed` with the offset of the first wrong character where it is known. */
export function parseJsonObject(text: string, file: string, baseOffset = 0): Record<string, unknown> {
  assertShallow(text, file)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const message = messageOf(error)
    const position = /position (\d+)/.exec(message)
    const place: ErrorPlace = { file, offset: baseOffset }
    if (position)
      place.offset = baseOffset + new TextEncoder().encode(text.slice(0, Number(position[1]))).length
    throw new EngineError('file-malformed', `expected JSON: ${message}`, place)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new EngineError('file-malformed', 'expected a JSON object', { file, offset: baseOffset })
  return value as Record<string, unknown>
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
