// Reader of safetensors headers and tensors. Everything the file claims is checked before anything is
// allocated or read on its word. The writer is safetensorsWriter.ts.

import { EngineError } from '../errors.ts'
import { isDtype, type SafetensorsHeader, type TensorInfo, tensorBytes } from './safetensorsFormat.ts'
import { type ByteSource, type Bytes, decodeUtf8, parseJsonObject } from './source.ts'

/** The format's own limit for the JSON header, bytes. */
export const HEADER_LIMIT = 100_000_000
const MAX_DIMENSIONS = 16
/** A header needs three: the tensors, a tensor, its shape. */
const MAX_DEPTH = 8
const WHITESPACE = [' ', '\n', '\r', '\t']

/**
 * Reads and checks the header of one file. Rejects `file-malformed` with file, tensor and byte offset: of the
 * length for what concerns the header, of the tensor's entry for its type and shape, of its data for its place.
 */
export async function readSafetensorsHeader(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<SafetensorsHeader> {
  const file = source.name
  const fail = (message: string, offset: number): never => {
    throw new EngineError('file-malformed', message, { file, offset })
  }
  if (source.size < 8) fail(`expected at least 8 bytes, found ${source.size}`, 0)
  const prefix = await source.read(0, 8, signal)
  const length = new DataView(prefix.buffer).getBigUint64(0, true)
  if (length > HEADER_LIMIT) fail(`header length ${length}: expected at most ${HEADER_LIMIT} bytes`, 0)
  if (Number(length) > source.size - 8)
    fail(`header length ${length}: the file ends ${source.size - 8} bytes after it`, 0)
  if (length < 2n) fail(`header length ${length}: expected a JSON object`, 0)
  const bytes = await source.read(8, Number(length), signal)
  if (bytes[0] !== 0x7b) fail('expected the header to begin with {', 8)
  const text = decodeUtf8(bytes, { file, offset: 8 })
  const entries = findEntries(text, file)
  const json = parseJsonObject(text, file, 8)
  const dataStart = 8 + Number(length)
  const header: SafetensorsHeader = { file, tensors: new Map(), metadata: {}, dataStart }
  // Not Object.entries, which would move names like "0" to the front.
  for (const [name, index] of entries) {
    const value = json[name]
    const offset = () => byteOffset(text, index)
    if (name === '__metadata__') header.metadata = readMetadata(value, file, offset)
    else header.tensors.set(name, readEntry(name, value, header, source.size, offset))
  }
  checkLayout(header, source.size)
  return header
}

/** Bytes of one tensor, a fresh copy; `file-missing` when the header does not name it. */
export async function readTensor(
  source: ByteSource,
  header: SafetensorsHeader,
  name: string,
  signal?: AbortSignal,
): Promise<Bytes> {
  const info = header.tensors.get(name)
  if (!info) throw new EngineError('file-missing', 'no such tensor', { file: header.file, tensor: name })
  return source.read(info.begin, info.byteLength, signal)
}

function readMetadata(value: unknown, file: string, offset: () => number): Record<string, string> {
  if (isObject(value) && Object.values(value).every((v) => typeof v === 'string'))
    return value as Record<string, string>
  throw new EngineError('file-malformed', '__metadata__: expected an object of strings', {
    file,
    offset: offset(),
  })
}

function readEntry(
  name: string,
  value: unknown,
  header: SafetensorsHeader,
  fileSize: number,
  offset: () => number,
): TensorInfo {
  const { file, dataStart } = header
  const fail = (message: string, at = offset()): never => {
    throw new EngineError('file-malformed', message, { file, tensor: name, offset: at })
  }
  if (!isObject(value)) return fail('expected an object of dtype, shape and data_offsets')
  const { dtype, shape, data_offsets: range } = value
  if (!isDtype(dtype)) return fail(`unknown element type ${show(dtype)}`)
  if (!isCounts(shape) || shape.length > MAX_DIMENSIONS)
    return fail(`shape ${show(shape)}: expected at most ${MAX_DIMENSIONS} whole numbers`)
  const expected = tensorBytes(dtype, shape)
  if (expected === undefined)
    return fail(`shape ${show(shape)} of ${dtype}: too large, or not a whole number of bytes`)
  if (!isCounts(range) || range.length !== 2)
    return fail(`data_offsets ${show(range)}: expected two whole numbers`)
  const [begin, end] = range
  const at = dataStart + begin
  if (begin > end) return fail(`data_offsets ${show(range)}: the end lies before the beginning`, at)
  if (dataStart + end > fileSize)
    return fail(`data_offsets ${show(range)}: the file has ${fileSize - dataStart} bytes of data`, at)
  if (end - begin !== expected)
    return fail(`${dtype} of shape ${show(shape)} needs ${expected} bytes, found ${end - begin}`, at)
  return { name, dtype, shape, begin: at, byteLength: expected }
}

/** Tensors must tile the data exactly: a hole could hide content, an overlap could alias it. */
function checkLayout(header: SafetensorsHeader, fileSize: number): void {
  const { file, dataStart } = header
  const sorted = [...header.tensors.values()].sort((a, b) => a.begin - b.begin || a.byteLength - b.byteLength)
  let end = dataStart
  let previous = 'the header'
  for (const { name, begin, byteLength } of sorted) {
    if (begin !== end) {
      const found = begin < end ? `overlaps ${previous} by` : `leaves a hole after ${previous} of`
      const place = { file, tensor: name, offset: begin }
      throw new EngineError('file-malformed', `${found} ${Math.abs(end - begin)} bytes`, place)
    }
    end = begin + byteLength
    previous = name
  }
  if (end !== fileSize)
    throw new EngineError('file-malformed', `${fileSize - end} bytes after the last tensor`, {
      file,
      offset: end,
    })
}

/**
 * Where each top-level key stands (character index). JSON.parse keeps the last of two equal keys in silence and
 * follows any nesting, so this throws `file-malformed` for a repeated key and for more nesting than a header
 * has. Text that is no JSON is left for JSON.parse to name.
 */
function findEntries(text: string, file: string): Map<string, number> {
  const fail = (message: string, index: number): never => {
    throw new EngineError('file-malformed', message, { file, offset: byteOffset(text, index) })
  }
  const top = new Map<string, number>()
  const open: Set<string>[] = []
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > MAX_DEPTH) fail(`nested more than ${MAX_DEPTH} deep`, i)
    } else if (character === '}' || character === ']') open.pop()
    if (character !== '"') continue
    const start = i
    i = endOfString(text, start)
    let next = i + 1
    while (WHITESPACE.includes(text[next])) next++
    // In JSON a string followed by a colon is a key.
    if (text[next] !== ':') continue
    const key = unquote(text.slice(start, i + 1))
    const keys = open.at(-1)
    if (key === undefined || keys === undefined) break
    if (keys.has(key)) fail(`key ${show(key)} appears twice`, start)
    keys.add(key)
    if (open.length === 1) top.set(key, start)
  }
  return top
}

/** Index of the closing quote of the string that opens at `start`; the last character when there is none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return text.length - 1
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Byte offset in the file of a character of the header. */
function byteOffset(text: string, index: number): number {
  return 8 + new TextEncoder().encode(text.slice(0, index)).length
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((v) => Number.isSafeInteger(v) && v >= 0)
}

/** A value for a message, cut short: forged headers can hold megabytes. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
