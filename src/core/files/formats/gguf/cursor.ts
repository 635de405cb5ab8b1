// Little-endian values one after another from the start of a source, read ahead in pieces that grow: a header has no
// length of its own, and most of it is a vocabulary of some megabytes.

import { EngineError } from '../../../errors.ts'
import type { ByteSource, Bytes } from '../../source.ts'

const FIRST_READ = 2 ** 18
const MAX_READ = 2 ** 23

export class Cursor {
  readonly source: ByteSource
  private readonly signal: AbortSignal | undefined
  private bytes: Bytes = new Uint8Array(0)
  private view = new DataView(this.bytes.buffer)
  /** of `bytes` in the source */
  private start = 0
  /** in `bytes` */
  private at = 0
  private nextRead = FIRST_READ
  private readonly decoder = new TextDecoder()

  constructor(source: ByteSource, signal: AbortSignal | undefined) {
    this.source = source
    this.signal = signal
  }

  /** bytes from the start of the source */
  get offset(): number {
    return this.start + this.at
  }

  get remaining(): number {
    return this.source.size - this.offset
  }

  fail(message: string, offset = this.offset): never {
    throw new EngineError('file-malformed', message, { file: this.source.name, offset })
  }

  /** Whether the next `length` bytes have been read already, so that `need` need not be awaited. */
  has(length: number): boolean {
    return length <= this.bytes.byteLength - this.at
  }

  /** Reads ahead so that the next `length` bytes are there; `file-malformed` when the file ends before. */
  async need(length: number, what: string): Promise<void> {
    if (this.has(length)) return
    if (length > this.remaining)
      this.fail(`${what} needs ${length} bytes, the file ends after ${this.remaining}`)
    const offset = this.offset
    const size = Math.min(this.remaining, Math.max(length, this.nextRead))
    this.nextRead = Math.min(MAX_READ, this.nextRead * 2)
    this.bytes = await this.source.read(offset, size, this.signal)
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    this.start = offset
    this.at = 0
  }

  u8(): number {
    return this.view.getUint8(this.at++)
  }
  i8(): number {
    return this.view.getInt8(this.at++)
  }
  u16(): number {
    return this.view.getUint16(this.step(2), true)
  }
  i16(): number {
    return this.view.getInt16(this.step(2), true)
  }
  u32(): number {
    return this.view.getUint32(this.step(4), true)
  }
  i32(): number {
    return this.view.getInt32(this.step(4), true)
  }
  f32(): number {
    return this.view.getFloat32(this.step(4), true)
  }
  f64(): number {
    return this.view.getFloat64(this.step(8), true)
  }
  /** As a number: exact to 2^53. */
  u64(): number {
    return Number(this.view.getBigUint64(this.step(8), true))
  }
  i64(): number {
    return Number(this.view.getBigInt64(this.step(8), true))
  }
  /** A fresh copy. */
  raw(length: number): Bytes {
    const from = this.step(length)
    const out = new Uint8Array(length)
    out.set(this.bytes.subarray(from, from + length))
    return out
  }
  /** UTF-8; bytes that are none become replacement characters. */
  text(length: number): string {
    const from = this.step(length)
    return this.decoder.decode(this.bytes.subarray(from, from + length))
  }

  private step(length: number): number {
    const from = this.at
    this.at += length
    return from
  }
}
