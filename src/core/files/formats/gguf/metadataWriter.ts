// The bytes of a GGUF header: metadata in the order it was put, then the tensors' entries.

import { VALUE } from './types.ts'

const encoder = new TextEncoder()

/** A buffer that grows; little endian. */
class ByteWriter {
  private bytes = new Uint8Array(2 ** 16)
  private view = new DataView(this.bytes.buffer)
  length = 0

  private grow(count: number): number {
    const at = this.length
    this.length += count
    if (this.length > this.bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.length, 2 * this.bytes.byteLength))
      larger.set(this.bytes)
      this.bytes = larger
      this.view = new DataView(larger.buffer)
    }
    return at
  }
  u8(value: number): void {
    const at = this.grow(1)
    this.view.setUint8(at, value)
  }
  u32(value: number): void {
    const at = this.grow(4)
    this.view.setUint32(at, value, true)
  }
  i32(value: number): void {
    const at = this.grow(4)
    this.view.setInt32(at, value, true)
  }
  f32(value: number): void {
    const at = this.grow(4)
    this.view.setFloat32(at, value, true)
  }
  f64(value: number): void {
    const at = this.grow(8)
    this.view.setFloat64(at, value, true)
  }
  u64(value: number): void {
    const at = this.grow(8)
    this.view.setBigUint64(at, BigInt(value), true)
  }
  text(value: string): void {
    const bytes = encoder.encode(value)
    this.u64(bytes.length)
    const at = this.grow(bytes.length)
    this.bytes.set(bytes, at)
  }
  /** What was written, followed by zeros up to a multiple of `alignment`. */
  finish(alignment: number): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(Math.ceil(this.length / alignment) * alignment)
    out.set(this.bytes.subarray(0, this.length))
    return out
  }
}

type Kind = 'u32' | 'i32' | 'f32' | 'f64' | 'bool' | 'string'

/** Metadata under way; keys keep their order. */
export class MetadataWriter {
  private readonly writer = new ByteWriter()
  private count = 0

  put(key: string, kind: Kind, value: number | boolean | string): void {
    this.key(key)
    this.writer.u32(VALUE[kind])
    this.value(kind, value)
  }

  putArray(key: string, kind: Kind, values: ArrayLike<number | boolean | string>): void {
    this.key(key)
    this.writer.u32(VALUE.array)
    this.writer.u32(VALUE[kind])
    this.writer.u64(values.length)
    for (let i = 0; i < values.length; i++) this.value(kind, values[i])
  }

  private key(key: string): void {
    this.count++
    this.writer.text(key)
  }

  private value(kind: Kind, value: number | boolean | string): void {
    if (kind === 'string') this.writer.text(String(value))
    else if (kind === 'bool') this.writer.u8(value ? 1 : 0)
    else this.writer[kind](Number(value))
  }

  /** The whole header up to the first tensor's data. `dimensions` fastest first, `offset` from the data's start. */
  finish(
    tensors: readonly { name: string; dimensions: readonly number[]; type: number; offset: number }[],
    alignment: number,
  ): Uint8Array<ArrayBuffer> {
    const head = new ByteWriter()
    head.u32(0x46554747)
    head.u32(3)
    head.u64(tensors.length)
    head.u64(this.count)
    const entries = new ByteWriter()
    for (const { name, dimensions, type, offset } of tensors) {
      entries.text(name)
      entries.u32(dimensions.length)
      for (const size of dimensions) entries.u64(size)
      entries.u32(type)
      entries.u64(offset)
    }
    const parts = [head, this.writer, entries].map((part) => part.finish(1))
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const out = new Uint8Array(Math.ceil(length / alignment) * alignment)
    let at = 0
    for (const part of parts) {
      out.set(part, at)
      at += part.length
    }
    return out
  }
}
