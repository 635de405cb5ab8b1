// The directory of a ZIP file whose members are stored, not compressed, as torch.save writes them: read from the tail,
// so that a member can be fetched in ranges. Zip64 included (APPNOTE.TXT 6.3.10, 4.3). Checksums are not compared: that
// would read the whole file.

import { EngineError } from '../../../errors.ts'
import { type ByteSource, type Bytes, checkRange } from '../../source.ts'

const END = 0x06054b50
const END_64 = 0x06064b50
const LOCATOR_64 = 0x07064b50
const CENTRAL = 0x02014b50
const LOCAL = 0x04034b50
/** End record and the longest comment, bytes. */
const TAIL = 22 + 0xffff
/** A record needs 46 bytes and a name; published checkpoints have some hundred members. */
const DIRECTORY_LIMIT = 32 * 2 ** 20
const IN_64 = 0xffffffff

/** A stored member; where its data begin is known when it is first read. */
export class ZipMember implements ByteSource {
  readonly name: string
  readonly size: number
  private readonly source: ByteSource
  private readonly header: number
  private begin: Promise<number> | undefined

  /** `header`: place of the member's local header */
  constructor(source: ByteSource, path: string, header: number, size: number) {
    this.source = source
    this.name = `${source.name}/${path}`
    this.header = header
    this.size = size
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Bytes> {
    checkRange(this, offset, length)
    this.begin ??= this.findData(signal)
    let begin: number
    try {
      begin = await this.begin
    } catch (error) {
      // A stopped or failed look-up must not stand for ever.
      this.begin = undefined
      throw error
    }
    return this.source.read(begin + offset, length, signal)
  }

  /** Local and central records differ in their extra fields: torch pads the local one so that data are aligned. */
  private async findData(signal: AbortSignal | undefined): Promise<number> {
    const view = viewOf(await this.source.read(this.header, 30, signal))
    if (view.getUint32(0, true) !== LOCAL)
      throw malformed(this.source, 'expected a local file header of a ZIP file', this.header)
    const begin = this.header + 30 + view.getUint16(26, true) + view.getUint16(28, true)
    checkRange(this.source, begin, this.size)
    return begin
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const malformed = (source: ByteSource, message: string, offset: number): EngineError =>
  new EngineError('file-malformed', message, { file: source.name, offset })

/** 64-bit field that must be a place or a size in a file. */
function readCount(source: ByteSource, view: DataView, at: number, offset: number): number {
  const value = view.getBigUint64(at, true)
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw malformed(source, `${value}: expected a size or offset of the ZIP file`, offset + at)
  return Number(value)
}

/** Whether the file begins as a ZIP file does. */
export async function isZip(source: ByteSource, signal?: AbortSignal): Promise<boolean> {
  return source.size >= 22 && viewOf(await source.read(0, 4, signal)).getUint32(0, true) === LOCAL
}

/**
 * Members by path. Rejects `file-malformed` for what is no ZIP file, `file-unsupported` for compressed or encrypted
 * members, by name.
 */
export async function readZip(source: ByteSource, signal?: AbortSignal): Promise<Map<string, ZipMember>> {
  const { offset, byteLength, count } = await findDirectory(source, signal)
  checkRange(source, offset, byteLength)
  if (byteLength > DIRECTORY_LIMIT)
    throw malformed(source, `a directory of ${byteLength} bytes: expected at most ${DIRECTORY_LIMIT}`, offset)
  const bytes = await source.read(offset, byteLength, signal)
  const members = new Map<string, ZipMember>()
  let at = 0
  for (let i = 0; i < count; i++) {
    const { path, member, next } = readRecord(source, bytes, at, offset)
    if (members.has(path)) throw malformed(source, `two members are named ${path}`, offset + at)
    members.set(path, member)
    at = next
  }
  return members
}

interface Directory {
  offset: number
  byteLength: number
  count: number
}

async function findDirectory(source: ByteSource, signal: AbortSignal | undefined): Promise<Directory> {
  const begin = Math.max(0, source.size - TAIL)
  const tail = viewOf(await source.read(begin, source.size - begin, signal))
  for (let at = tail.byteLength - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== END || tail.getUint16(at + 20, true) !== tail.byteLength - at - 22)
      continue
    const found = {
      count: tail.getUint16(at + 10, true),
      byteLength: tail.getUint32(at + 12, true),
      offset: tail.getUint32(at + 16, true),
    }
    const isWide = found.count === 0xffff || found.byteLength === IN_64 || found.offset === IN_64
    if (at >= 20 && tail.getUint32(at - 20, true) === LOCATOR_64)
      return readDirectory64(source, readCount(source, tail, at - 12, begin), signal)
    if (isWide) throw malformed(source, 'expected a zip64 locator before the end record', begin + at)
    return found
  }
  throw malformed(source, 'expected the end record of a ZIP file: the file is cut off, or none', source.size)
}

async function readDirectory64(
  source: ByteSource,
  at: number,
  signal: AbortSignal | undefined,
): Promise<Directory> {
  const view = viewOf(await source.read(at, 56, signal))
  if (view.getUint32(0, true) !== END_64) throw malformed(source, 'expected a zip64 end record', at)
  return {
    count: readCount(source, view, 32, at),
    byteLength: readCount(source, view, 40, at),
    offset: readCount(source, view, 48, at),
  }
}

/** One record of the directory, `at` bytes into it. */
function readRecord(
  source: ByteSource,
  bytes: Bytes,
  at: number,
  base: number,
): { path: string; member: ZipMember; next: number } {
  const fail = (message: string): never => {
    throw malformed(source, message, base + at)
  }
  const view = viewOf(bytes)
  if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL)
    return fail('expected a record of the ZIP directory')
  const nameEnd = at + 46 + view.getUint16(at + 28, true)
  const extraEnd = nameEnd + view.getUint16(at + 30, true)
  const next = extraEnd + view.getUint16(at + 32, true)
  if (next > bytes.length) fail('a record of the ZIP directory is cut off')
  const path = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd))
  const wide = { size: view.getUint32(at + 24, true), packed: view.getUint32(at + 20, true) }
  let header = view.getUint32(at + 42, true)
  // The zip64 field holds, in this order, those values that are all ones in the record.
  for (let field = nameEnd; field + 4 <= extraEnd; field += 4 + view.getUint16(field + 2, true)) {
    if (view.getUint16(field, true) !== 1) continue
    const end = Math.min(extraEnd, field + 4 + view.getUint16(field + 2, true))
    let place = field + 4
    const take = (value: number): number => {
      if (value !== IN_64) return value
      if (place + 8 > end) return fail(`member ${path}: the zip64 field is cut off`)
      place += 8
      return readCount(source, view, place - 8, base)
    }
    wide.size = take(wide.size)
    wide.packed = take(wide.packed)
    header = take(header)
  }
  const refuse = (what: string): never => {
    throw new EngineError('file-unsupported', `member ${path} is ${what}: expected it stored as it is`, {
      file: source.name,
      offset: base + at,
    })
  }
  if (view.getUint16(at + 8, true) & 1) refuse('encrypted')
  if (view.getUint16(at + 10, true) !== 0) refuse('compressed')
  if (wide.size !== wide.packed) fail(`member ${path}: two sizes, ${wide.size} and ${wide.packed}`)
  checkRange(source, header, 30 + wide.size)
  return { path, member: new ZipMember(source, path, header, wide.size), next }
}
