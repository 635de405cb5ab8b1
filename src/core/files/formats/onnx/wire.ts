// Protobuf's wire format, as much as ONNX needs: fields of a message one after another, from memory or from a file in
// ranges, so that a field of gigabytes is stepped over and never read. Encoding:
// https://protobuf.dev/programming-guides/encoding. Knows no message.

import { EngineError } from '../../../errors.ts'
import { type ByteSource, decodeUtf8 } from '../../source.ts'

/** Field numbers of ONNX stay below 1024; protobuf's own limit. */
const MAX_FIELD = 2 ** 29 - 1
/** Tag and length, or tag and value: two varints of at most ten bytes. */
const HEAD_BYTES = 20
const FIRST_WINDOW = 2 ** 16
const LAST_WINDOW = 2 ** 22

/** One field of a message; offsets count from the start of the file. */
export interface WireField {
  number: number
  /** varint, 64-bit, length-delimited, 32-bit */
  wire: 0 | 1 | 2 | 5
  /** of a varint: the low 64 bits, signed; 0 for other wires */
  value: number
  /** of the payload; of a varint, of its first byte */
  begin: number
  /** bytes of the payload */
  length: number
}

/** Bytes that are there already, with their place in the file. */
export interface Span {
  bytes: Uint8Array
  /** place of bytes[0] in the file */
  base: number
  file: string
}

const malformed = (message: string, file: string, offset: number): never => {
  throw new EngineError('file-malformed', message, { file, offset })
}

/** The varint at `at` and the byte after it; `file-malformed` past `end` or above ten bytes. */
function readVarint({ bytes, base, file }: Span, at: number, end: number): { value: number; next: number } {
  let low = 0
  let high = 0
  for (let i = 0; i < 10; i++) {
    if (at + i >= end) return malformed('a number is cut off', file, base + at)
    const byte = bytes[at + i]
    const bits = byte & 127
    if (i < 4) low += bits * 2 ** (7 * i)
    else if (i === 4) {
      low += (bits & 15) * 2 ** 28
      high += bits >>> 4
    } else if (i < 9) high += bits * 2 ** (7 * i - 32)
    // The tenth byte holds bit 63 alone.
    else high += (bits & 1) * 2 ** 31
    if (byte < 128) {
      const top = high >= 2 ** 31 ? high - 2 ** 32 : high
      return { value: top * 2 ** 32 + low, next: at + i + 1 }
    }
  }
  return malformed('a number has more than ten bytes', file, base + at)
}

/** Head of the field at `at` of the span, whose message ends at `end`, both places in the file. */
function readHead(span: Span, at: number, end: number): WireField {
  const { base, file } = span
  const last = Math.min(span.bytes.byteLength, end - base)
  const { value: tag, next } = readVarint(span, at - base, last)
  const number = Math.floor(tag / 8)
  const wire = tag - 8 * number
  if (number < 1 || number > MAX_FIELD || tag < 0) malformed(`field number ${number}`, file, at)
  if (wire === 0) {
    const { value, next: after } = readVarint(span, next, last)
    return { number, wire, value, begin: base + next, length: after - next }
  }
  if (wire === 2) {
    const { value: length, next: begin } = readVarint(span, next, last)
    if (length < 0 || length > end - (base + begin))
      malformed(`field ${number} has ${length} bytes: its message ends after ${end - base - begin}`, file, at)
    return { number, wire, value: 0, begin: base + begin, length }
  }
  if (wire !== 1 && wire !== 5) return malformed(`wire type ${wire} of field ${number}`, file, at)
  const length = wire === 1 ? 8 : 4
  if (length > end - (base + next)) malformed(`field ${number} is cut off`, file, at)
  return { number, wire, value: 0, begin: base + next, length }
}

/** Fields of a message in memory. Throws `file-malformed`. */
export function* fieldsOf(
  span: Span,
  begin = span.base,
  end = span.base + span.bytes.byteLength,
): Generator<WireField> {
  for (let at = begin; at < end; ) {
    const field = readHead(span, at, end)
    yield field
    at = field.begin + field.length
  }
}

/** Bytes of a field of a span, not copied. */
export const bytesOf = (span: Span, { begin, length }: WireField): Uint8Array =>
  span.bytes.subarray(begin - span.base, begin - span.base + length)

/** UTF-8 text of a field; `file-malformed` above `limit` bytes. */
export function textOf(span: Span, field: WireField, limit: number): string {
  if (field.wire !== 2 || field.length > limit)
    malformed(`field ${field.number}: expected text of at most ${limit} bytes`, span.file, field.begin)
  return decodeUtf8(bytesOf(span, field), { file: span.file, offset: field.begin })
}

/** Numbers of a repeated integer field, packed or one by one. */
export function integersOf(span: Span, field: WireField): number[] {
  if (field.wire === 0) return [field.value]
  const numbers: number[] = []
  const end = field.begin + field.length - span.base
  if (field.wire !== 2) malformed(`field ${field.number}: expected whole numbers`, span.file, field.begin)
  for (let at = field.begin - span.base; at < end; ) {
    const { value, next } = readVarint(span, at, end)
    numbers.push(value)
    at = next
  }
  return numbers
}

/** Reads a file in ascending ranges through one window that grows while reading goes on in order. */
export class WireFile {
  readonly source: ByteSource
  readonly signal: AbortSignal | undefined
  private window: Span
  private nextSize = FIRST_WINDOW
  constructor(source: ByteSource, signal?: AbortSignal) {
    this.source = source
    this.signal = signal
    this.window = { bytes: new Uint8Array(0), base: 0, file: source.name }
  }

  /** At least the bytes [begin, begin + length) of the file. */
  async span(begin: number, length: number): Promise<Span> {
    const { window, source } = this
    if (begin >= window.base && begin + length <= window.base + window.bytes.byteLength) return window
    const size = Math.min(source.size - begin, Math.max(length, this.nextSize))
    this.nextSize = Math.min(LAST_WINDOW, 2 * this.nextSize)
    this.window = { bytes: await source.read(begin, size, this.signal), base: begin, file: source.name }
    return this.window
  }

  /** Fields of the message at [begin, end); payloads are not read. */
  async *fields(begin: number, end: number): AsyncGenerator<WireField> {
    for (let at = begin; at < end; ) {
      const field = readHead(await this.span(at, Math.min(HEAD_BYTES, end - at)), at, end)
      yield field
      at = field.begin + field.length
    }
  }
}
