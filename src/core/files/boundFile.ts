// Files of float32 numbers that belong to one model's weights: safetensors whose metadata name the kind, its version,
// the digest of those weights and the hash of the content, so that a file made for other weights, or changed since, is
// refused. What they mean is geometry/fisherFile.ts and geometry/subspaceFile.ts. No device.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { ContentHash, isSha256 } from './contentHash.ts'
import type { ExportEntry } from './exporter.ts'
import { readSafetensorsHeader, readTensor } from './safetensors.ts'
import type { SafetensorsHeader } from './safetensorsFormat.ts'
import { safetensorsByteLength, safetensorsHeader, writeSafetensors } from './safetensorsWriter.ts'
import type { ByteSource } from './source.ts'

const VERSION = '1'

/** A kind of file. */
export interface FileKind {
  /** `format` of the metadata */
  format: string
  /** start of the file's name */
  stem: string
  /** for messages: what the file should hold, with its article */
  title: string
  /** numbers below this are refused; none when absent */
  least?: number
}

/** Whose numbers a file holds. */
export interface Owner {
  name: string
  /** weightsDigest of the model */
  digest: string
  weights: readonly WeightSpec[]
}

/** What every such file says of itself. */
export interface BoundInfo {
  /** name of the model, for people */
  model: string
  /** weightsDigest of the model it was made for */
  digest: string
  /** SHA-256 of metadata and numbers */
  content: string
}

export interface BoundOptions {
  signal?: AbortSignal | undefined
  /** called after each tensor */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Shape of a weight's numbers: the weight's own, or with rows in front. */
const shapeOf = ({ shape }: WeightSpec, rows: number | undefined): number[] =>
  rows === undefined ? [...shape] : [rows, ...shape]

/** Metadata as they are hashed: everything but the hash itself, by key. */
const hashedText = (metadata: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(metadata)
      .filter(([key]) => key !== 'content')
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/**
 * A file of (rows, weights) or, with rows undefined, of one number for each weight; named by its content. `read` gives
 * the little-endian bytes of a tensor and is asked twice: for the hash, which stands in front, and on writing.
 */
export async function writeBound(
  kind: FileKind,
  owner: Owner,
  rows: number | undefined,
  fields: Readonly<Record<string, string>>,
  read: (name: string) => Promise<Uint8Array>,
  options: BoundOptions = {},
): Promise<ExportEntry & { info: BoundInfo }> {
  const tensors = owner.weights.map((weight) => ({
    name: weight.name,
    dtype: 'F32' as const,
    shape: shapeOf(weight, rows),
  }))
  const named = {
    format: kind.format,
    version: VERSION,
    model: owner.name,
    digest: owner.digest,
    ...fields,
  }
  const hash = new ContentHash()
  hash.addText(hashedText(named))
  for (const [index, { name, dtype, shape }] of tensors.entries()) {
    throwIfCancelled(options.signal)
    await hash.addTensor(name, dtype, shape, await read(name))
    options.onProgress?.(index + 1, tensors.length)
  }
  const content = await hash.finish()
  const metadata = { ...named, content }
  return {
    path: `${kind.stem}-${content.slice(0, 12)}.safetensors`,
    byteLength: safetensorsByteLength(tensors, metadata),
    chunks: (signal) => writeSafetensors(tensors, metadata, ({ name }) => read(name), signal),
    info: { model: owner.name, digest: owner.digest, content },
  }
}

/** A file whose numbers are written in place, in any order, before its hash is known. */
export interface BoundLayout {
  tensors: readonly { name: string; shape: readonly number[]; offset: number; byteLength: number }[]
  byteLength: number
  /** The header, as long with any content as with none. */
  header(content?: string): Uint8Array<ArrayBuffer>
  /** The content's hash, from the file itself. */
  hash(source: ByteSource, signal?: AbortSignal): Promise<string>
}

/** Where everything of a file will stand; see writeBound for the arguments. */
export function layBound(
  kind: FileKind,
  owner: Owner,
  rows: number | undefined,
  fields: Readonly<Record<string, string>>,
): BoundLayout {
  const entries = owner.weights.map((weight) => ({
    name: weight.name,
    dtype: 'F32' as const,
    shape: shapeOf(weight, rows),
  }))
  const named = { format: kind.format, version: VERSION, model: owner.name, digest: owner.digest, ...fields }
  const header = (content = '0'.repeat(64)) => safetensorsHeader(entries, { ...named, content })
  let offset = header().byteLength
  const tensors = entries.map(({ name, shape }) => {
    const byteLength = 4 * shape.reduce((a, b) => a * b, 1)
    const at = offset
    offset += byteLength
    return { name, shape, offset: at, byteLength }
  })
  return {
    tensors,
    byteLength: offset,
    header,
    async hash(source, signal) {
      const hash = new ContentHash()
      hash.addText(hashedText(named))
      for (const { name, shape, offset: at, byteLength } of tensors)
        await hash.addTensorParts(name, 'F32', shape, strips(source, at, byteLength, signal))
      return hash.finish()
    },
  }
}

const STRIP_BYTES = 16 * 2 ** 20

async function* strips(
  source: ByteSource,
  offset: number,
  byteLength: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let done = 0; done < byteLength; done += STRIP_BYTES)
    yield await source.read(offset + done, Math.min(STRIP_BYTES, byteLength - done), signal)
}

/** Fields of a file's metadata; `file-malformed` names the one that is not as expected. */
export class Fields {
  private readonly header: SafetensorsHeader
  constructor(header: SafetensorsHeader) {
    this.header = header
  }
  fail(key: string, expected: string): never {
    const found = this.header.metadata[key]
    const shown = found === undefined ? 'missing' : JSON.stringify(found.slice(0, 80))
    throw new EngineError('file-malformed', `${key} in the metadata is ${shown}: expected ${expected}`, {
      file: this.header.file,
    })
  }
  text(key: string): string {
    return this.header.metadata[key] ?? this.fail(key, 'a text')
  }
  digest(key: string): string {
    const text = this.text(key)
    return isSha256(text) ? text : this.fail(key, '64 hexadecimal digits')
  }
  /** Digests separated by spaces, or none. */
  digests(key: string): string[] {
    const list = this.text(key).split(' ').filter(Boolean)
    return list.every(isSha256) ? list : this.fail(key, 'SHA-256 digests')
  }
  count(key: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
    const text = this.text(key)
    const value = Number(text)
    if (!/^\d{1,16}$/.test(text) || value < least || value > most)
      this.fail(key, `a whole number, ${least} to ${most}`)
    return value
  }
  choice<T extends string>(key: string, choices: readonly T[]): T {
    const text = this.text(key)
    return choices.find((one) => one === text) ?? this.fail(key, `one of ${choices.join(', ')}`)
  }
}

export interface OpenedBound {
  kind: FileKind
  source: ByteSource
  header: SafetensorsHeader
  fields: Fields
  info: BoundInfo
}

/** Header and identity of a file; `file-unsupported` when it is of another kind or version. */
export async function openBound(
  kind: FileKind,
  source: ByteSource,
  signal?: AbortSignal,
): Promise<OpenedBound> {
  const header = await readSafetensorsHeader(source, signal)
  const { format, version } = header.metadata
  const place = { file: source.name }
  if (format !== kind.format)
    throw new EngineError(
      'file-unsupported',
      `not ${kind.title}: format ${format?.slice(0, 80) ?? 'none'}, expected ${kind.format}`,
      place,
    )
  if (version !== VERSION)
    throw new EngineError('file-unsupported', `version ${version?.slice(0, 80)}: expected ${VERSION}`, place)
  const fields = new Fields(header)
  const info = {
    model: fields.text('model'),
    digest: fields.digest('digest'),
    content: fields.digest('content'),
  }
  return { kind, source, header, fields, info }
}

/**
 * Throws `shape-mismatch`, naming both digests, when a file was made for other weights, or naming the tensor that does
 * not fit. By the header alone: nothing need be allocated for a file that is refused.
 */
export function assertFits(
  { kind, header, info }: OpenedBound,
  owner: Owner,
  rows: number | undefined,
): void {
  const { file } = header
  if (info.digest !== owner.digest)
    throw new EngineError(
      'shape-mismatch',
      `${kind.title} of other weights: made for ${info.model.slice(0, 80)} ${info.digest}, this is ${owner.name} ${owner.digest}`,
      { file },
    )
  const names = new Set(owner.weights.map(({ name }) => name))
  for (const tensor of header.tensors.keys())
    if (!names.has(tensor)) throw new EngineError('shape-mismatch', 'no such weight', { file, tensor })
  for (const weight of owner.weights) {
    const found = header.tensors.get(weight.name)
    const shape = shapeOf(weight, rows)
    if (found?.dtype !== 'F32' || found.shape.join() !== shape.join())
      throw new EngineError(
        'shape-mismatch',
        `expected F32 [${shape}], found ${found ? `${found.dtype} [${found.shape}]` : 'nothing'}`,
        { file, tensor: weight.name },
      )
  }
}

/**
 * Reads every tensor of a file that fits, in the model's order. Rejects `file-malformed` for numbers below the kind's
 * least or content that does not give its hash; `not-finite`; `cancelled`. The hash is known at the end, so what `use`
 * has been given before may yet be refused.
 */
export async function readBound(
  { kind, source, header, info }: OpenedBound,
  owner: Owner,
  rows: number | undefined,
  use: ((name: string, values: Float32Array<ArrayBuffer>) => void) | undefined,
  options: BoundOptions = {},
): Promise<void> {
  const { file } = header
  const hash = new ContentHash()
  hash.addText(hashedText(header.metadata))
  for (const [index, weight] of owner.weights.entries()) {
    const { name } = weight
    const shape = shapeOf(weight, rows)
    const check = (bytes: Uint8Array<ArrayBuffer>) => {
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
      const bad = values.find((value) => !Number.isFinite(value) || value < (kind.least ?? value))
      if (bad === undefined) return values
      throw new EngineError(
        Number.isFinite(bad) ? 'file-malformed' : 'not-finite',
        `${kind.title} has no value ${bad}`,
        { file, tensor: name },
      )
    }
    const place = header.tensors.get(name)
    if (!use && place) {
      // Nobody keeps it, so nothing need be held whole.
      const parts = strips(source, place.begin, place.byteLength, options.signal)
      await hash.addTensorParts(name, 'F32', shape, checked(parts, check))
    } else {
      const bytes = await readTensor(source, header, name, options.signal)
      const values = check(bytes)
      await hash.addTensor(name, 'F32', shape, bytes)
      use?.(name, values)
    }
    options.onProgress?.(index + 1, owner.weights.length)
  }
  const found = await hash.finish()
  if (found !== info.content)
    throw new EngineError(
      'file-malformed',
      `the file was changed: its content hash is ${info.content}, its content gives ${found}`,
      { file },
    )
}

async function* checked(
  parts: AsyncIterable<Uint8Array<ArrayBuffer>>,
  check: (bytes: Uint8Array<ArrayBuffer>) => unknown,
): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    check(part)
    yield part
  }
}
