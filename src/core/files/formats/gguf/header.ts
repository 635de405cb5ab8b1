// Reader of GGUF headers, versions 2 and 3, little endian (gguf.md of ggml-org/ggml). Every count and length is held
// to a limit and to what the file can hold before anything is allocated or looped over on its word.

import { EngineError } from '../../../errors.ts'
import { blockOf, encodedBytes } from '../../../tensors/encoding.ts'
import type { ByteSource } from '../../source.ts'
import { Cursor } from './cursor.ts'
import {
  type GgufHeader,
  type GgufScalar,
  type GgufTensor,
  type GgufValue,
  type NumericArray,
  TENSOR_TYPES,
  VALUE,
} from './types.ts'

const MAGIC = 0x46554747
const MAX_KEYS = 2 ** 16
const MAX_TENSORS = 2 ** 16
const MAX_KEY_BYTES = 2 ** 16 - 1
const MAX_NAME_BYTES = 256
/** of one string; a tokenizer.json held as one reaches some tens of megabytes */
const MAX_TEXT_BYTES = 2 ** 27
/** of one array; the largest vocabularies have some 2^18 tokens and as many merges */
const MAX_ITEMS = 2 ** 24
/** ggml's own */
const MAX_DIMENSIONS = 4
const MAX_ALIGNMENT = 2 ** 20

/** Whether a file begins as GGUF does. */
export async function isGguf(source: ByteSource, signal?: AbortSignal): Promise<boolean> {
  if (source.size < 4) return false
  const bytes = await source.read(0, 4, signal)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === MAGIC
}

/**
 * Reads and checks the header of one file. Rejects `file-malformed` with the byte offset, `file-unsupported` for
 * other versions, big-endian files and arrays of arrays.
 */
export async function readGgufHeader(source: ByteSource, signal?: AbortSignal): Promise<GgufHeader> {
  const cursor = new Cursor(source, signal)
  await cursor.need(24, 'the beginning of a GGUF header')
  if (cursor.u32() !== MAGIC) cursor.fail('expected the file to begin with GGUF', 0)
  const version = readVersion(cursor)
  const tensorCount = cursor.u64()
  const keyCount = cursor.u64()
  // A tensor takes 24 bytes at least, a key 13.
  checkCount(cursor, tensorCount, MAX_TENSORS, 24, 'tensors', 8)
  checkCount(cursor, keyCount, MAX_KEYS, 13, 'metadata keys', 16)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < keyCount; i++) {
    const offset = cursor.offset
    const key = await readText(cursor, MAX_KEY_BYTES, 'a metadata key')
    if (metadata.has(key)) cursor.fail(`metadata key ${cut(key)} appears twice`, offset)
    metadata.set(key, await readValue(cursor, key))
  }
  const alignment = readAlignment(cursor, metadata)
  const entries: (Omit<GgufTensor, 'offset' | 'byteLength'> & { relative: number; entryOffset: number })[] =
    []
  const names = new Set<string>()
  for (let i = 0; i < tensorCount; i++) {
    const entry = await readEntry(cursor)
    if (names.has(entry.name)) cursor.fail(`tensor ${cut(entry.name)} appears twice`, entry.entryOffset)
    names.add(entry.name)
    entries.push(entry)
  }
  const dataStart = Math.ceil(cursor.offset / alignment) * alignment
  const tensors = new Map<string, GgufTensor>()
  for (const { relative, entryOffset, ...tensor } of entries) {
    if (relative % alignment !== 0)
      cursor.fail(`data offset ${relative}: expected a multiple of ${alignment}`, entryOffset)
    tensors.set(tensor.name, placed(cursor, tensor, dataStart + relative, entryOffset))
  }
  const header = { file: source.name, version, alignment, metadata, tensors, dataStart }
  checkOverlaps(header)
  return header
}

function readVersion(cursor: Cursor): number {
  const version = cursor.u32()
  const unsupported = (what: string) =>
    new EngineError('file-unsupported', `${what}: expected GGUF 2 or 3, little endian`, {
      file: cursor.source.name,
      offset: 4,
    })
  if (version === 1) throw unsupported('GGUF version 1')
  // Small numbers in the other byte order.
  if ((version & 0xffff) === 0 && version !== 0) throw unsupported('big-endian GGUF')
  if (version !== 2 && version !== 3) throw unsupported(`GGUF version ${version}`)
  return version
}

function checkCount(
  cursor: Cursor,
  count: number,
  limit: number,
  leastBytes: number,
  what: string,
  offset = cursor.offset,
): void {
  if (count > limit) cursor.fail(`${count} ${what}: expected at most ${limit}`, offset)
  if (count * leastBytes > cursor.remaining)
    cursor.fail(
      `${count} ${what} need ${count * leastBytes} bytes, the file has ${cursor.remaining} left`,
      offset,
    )
}

async function readText(cursor: Cursor, limit: number, what: string): Promise<string> {
  if (!cursor.has(8)) await cursor.need(8, what)
  const length = cursor.u64()
  if (length > limit) cursor.fail(`${what} of ${length} bytes: expected at most ${limit}`, cursor.offset - 8)
  if (!cursor.has(length)) await cursor.need(length, what)
  return cursor.text(length)
}

const SCALARS: Record<number, { bytes: number; read: (cursor: Cursor) => GgufScalar }> = {
  [VALUE.u8]: { bytes: 1, read: (c) => c.u8() },
  [VALUE.i8]: { bytes: 1, read: (c) => c.i8() },
  [VALUE.u16]: { bytes: 2, read: (c) => c.u16() },
  [VALUE.i16]: { bytes: 2, read: (c) => c.i16() },
  [VALUE.u32]: { bytes: 4, read: (c) => c.u32() },
  [VALUE.i32]: { bytes: 4, read: (c) => c.i32() },
  [VALUE.f32]: { bytes: 4, read: (c) => c.f32() },
  [VALUE.bool]: { bytes: 1, read: (c) => c.u8() !== 0 },
  [VALUE.u64]: { bytes: 8, read: (c) => c.u64() },
  [VALUE.i64]: { bytes: 8, read: (c) => c.i64() },
  [VALUE.f64]: { bytes: 8, read: (c) => c.f64() },
}

async function readValue(cursor: Cursor, key: string): Promise<GgufValue> {
  await cursor.need(4, `the type of ${cut(key)}`)
  const type = cursor.u32()
  if (type === VALUE.string) return readText(cursor, MAX_TEXT_BYTES, `the text of ${cut(key)}`)
  if (type === VALUE.array) return readArray(cursor, key)
  const scalar = SCALARS[type]
  if (!scalar) return cursor.fail(`metadata key ${cut(key)}: unknown type ${type}`, cursor.offset - 4)
  await cursor.need(scalar.bytes, `the value of ${cut(key)}`)
  return scalar.read(cursor)
}

const ARRAYS: Record<number, new (buffer: ArrayBuffer) => NumericArray> = {
  [VALUE.u8]: Uint8Array,
  [VALUE.i8]: Int8Array,
  [VALUE.u16]: Uint16Array,
  [VALUE.i16]: Int16Array,
  [VALUE.u32]: Uint32Array,
  [VALUE.i32]: Int32Array,
  [VALUE.f32]: Float32Array,
  [VALUE.bool]: Uint8Array,
  [VALUE.f64]: Float64Array,
}

async function readArray(cursor: Cursor, key: string): Promise<GgufValue> {
  const what = `the array ${cut(key)}`
  await cursor.need(12, what)
  const offset = cursor.offset
  const type = cursor.u32()
  const count = cursor.u64()
  if (type === VALUE.array)
    throw new EngineError('file-unsupported', `${what} holds arrays: expected numbers or texts`, {
      file: cursor.source.name,
      offset,
    })
  if (type === VALUE.string) {
    checkCount(cursor, count, MAX_ITEMS, 8, `texts in ${cut(key)}`, offset)
    const texts: string[] = []
    for (let i = 0; i < count; i++)
      texts.push(await readText(cursor, MAX_TEXT_BYTES, `text ${i} of ${cut(key)}`))
    return texts
  }
  const scalar = SCALARS[type]
  if (!scalar) return cursor.fail(`${what}: unknown type ${type}`, offset)
  checkCount(cursor, count, MAX_ITEMS, scalar.bytes, `values in ${cut(key)}`, offset)
  await cursor.need(count * scalar.bytes, what)
  const Numbers = ARRAYS[type]
  if (Numbers) return new Numbers(cursor.raw(count * scalar.bytes).buffer)
  return Float64Array.from({ length: count }, () => scalar.read(cursor) as number)
}

function readAlignment(cursor: Cursor, metadata: ReadonlyMap<string, GgufValue>): number {
  const value = metadata.get('general.alignment') ?? 32
  const isPower =
    typeof value === 'number' && value >= 8 && value <= MAX_ALIGNMENT && Number.isInteger(Math.log2(value))
  if (!isPower)
    return cursor.fail(
      `general.alignment ${cut(String(value))}: expected a power of two from 8 to ${MAX_ALIGNMENT}`,
    )
  return value
}

async function readEntry(cursor: Cursor) {
  const entryOffset = cursor.offset
  const name = await readText(cursor, MAX_NAME_BYTES, 'a tensor name')
  const fail = (message: string): never => {
    throw new EngineError('file-malformed', message, {
      file: cursor.source.name,
      tensor: cut(name),
      offset: entryOffset,
    })
  }
  await cursor.need(4, 'a tensor entry')
  const rank = cursor.u32()
  if (rank > MAX_DIMENSIONS) fail(`${rank} dimensions: expected at most ${MAX_DIMENSIONS}`)
  await cursor.need(8 * rank + 12, 'a tensor entry')
  const dimensions = Array.from({ length: rank }, () => cursor.u64())
  if (!(dimensions.reduce((a, b) => a * b, 1) <= Number.MAX_SAFE_INTEGER / 8))
    fail(`shape [${dimensions}] is too large`)
  const number = cursor.u32()
  const relative = cursor.u64()
  const type = TENSOR_TYPES.get(number)
  const typeName = type?.name ?? `type ${number}`
  const encoding = type?.encoding
  const block = encoding ? blockOf(encoding).elements : 1
  if ((dimensions[0] ?? 1) % block !== 0)
    fail(`rows of ${dimensions[0]} elements: ${typeName} needs whole blocks of ${block}`)
  return { name, dimensions, typeName, encoding, relative, entryOffset }
}

function placed(
  cursor: Cursor,
  tensor: Omit<GgufTensor, 'offset' | 'byteLength'>,
  offset: number,
  entryOffset: number,
): GgufTensor {
  const count = tensor.dimensions.reduce((a, b) => a * b, 1)
  const byteLength = tensor.encoding ? encodedBytes(tensor.encoding, count) : 0
  const { size, name: file } = cursor.source
  if (!Number.isSafeInteger(offset + byteLength) || offset + byteLength > size)
    throw new EngineError(
      'file-malformed',
      `${tensor.typeName} of shape [${tensor.dimensions}] needs ${byteLength} bytes from ${offset}: the file has ${size}`,
      { file, tensor: cut(tensor.name), offset: entryOffset },
    )
  return { ...tensor, offset, byteLength }
}

/** An overlap could alias one weight's bytes as another's. */
function checkOverlaps({ file, tensors }: GgufHeader): void {
  const sorted = [...tensors.values()].sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)
  let end = 0
  let previous = ''
  for (const { name, offset, byteLength } of sorted) {
    if (offset < end)
      throw new EngineError('file-malformed', `overlaps ${cut(previous)} by ${end - offset} bytes`, {
        file,
        tensor: cut(name),
        offset,
      })
    if (byteLength === 0) continue
    end = offset + byteLength
    previous = name
  }
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
