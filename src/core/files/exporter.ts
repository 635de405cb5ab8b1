// A merged model as a Hugging Face folder: the anchor's config and tokenizer files, new weights, a model card.
// Everything streams: one tensor at a time goes from the device to a zip or to a directory of the user.

import { Zip, ZipPassThrough } from 'fflate'
import { EngineError, throwIfCancelled } from '../errors.ts'
import type { WeightSpec } from '../model/families/family.ts'
import type { WeightType } from '../tensors/dtype.ts'
import type { Checkpoint } from './checkpoint.ts'
import { dtypeOf } from './safetensorsFormat.ts'
import { safetensorsByteLength, writeSafetensors } from './safetensorsWriter.ts'
import { type ByteSource, messageOf } from './source.ts'

export interface ExportEntry {
  path: string
  /** bytes that `chunks` will give */
  byteLength: number
  /** the content in pieces, each a buffer of its own; made anew at every call */
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>
}

export interface ExportParts {
  /** whose config and tokenizer files are copied */
  anchor: Pick<Checkpoint, 'folder' | 'rawConfig' | 'weights'>
  /** element type of the written weights */
  type: WeightType
  /** text of README.md */
  card: string
  /** little-endian bytes of one weight in `type`; asked in file order, one at a time */
  readWeight(weight: WeightSpec, signal?: AbortSignal): Promise<Uint8Array>
}

export interface WriteOptions {
  signal?: AbortSignal | undefined
  /** called after each chunk, bytes of content */
  onProgress?: ((done: number, total: number) => void) | undefined
}

/** Copied byte for byte where the anchor has them: JSON written anew would reorder vocabularies. */
export const COPIED_FILES = [
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'tokenizer.model',
]
const TORCH_TYPES: Record<WeightType, string> = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' }
const COPY_BYTES = 2 ** 20
/** Zip without the 64-bit extension. */
const ZIP_LIMIT = 2 ** 32 - 1
/** Pieces are moved into a Blob at this size: browsers keep large Blobs on disk, arrays in memory. */
const BLOB_BYTES = 64 * 2 ** 20

/** The files of the folder; `file-missing` when the anchor's own files are gone. Weights are read on writing. */
export async function exportFolder(parts: ExportParts, signal?: AbortSignal): Promise<ExportEntry[]> {
  const { anchor, type, card } = parts
  const entries = [textEntry('config.json', writtenConfig(anchor.rawConfig, type))]
  for (const path of COPIED_FILES) {
    const source = await anchor.folder.file(path, signal)
    if (source) entries.push(copyEntry(path, source))
  }
  const tensors = anchor.weights.map((weight) => ({ ...weight, dtype: dtypeOf(type) }))
  const metadata = { format: 'pt' }
  entries.push({
    path: 'model.safetensors',
    byteLength: safetensorsByteLength(tensors, metadata),
    chunks: (innerSignal) =>
      writeSafetensors(tensors, metadata, (tensor) => parts.readWeight(tensor, innerSignal), innerSignal),
  })
  entries.push(textEntry('README.md', card))
  return entries
}

/** config.json of weights in another type. */
export function writtenConfig(raw: Record<string, unknown>, type: WeightType): string {
  const config = { ...raw, torch_dtype: TORCH_TYPES[type] }
  // Newer exports spell the key `dtype`; both must tell the same.
  return `${JSON.stringify('dtype' in raw ? { ...config, dtype: TORCH_TYPES[type] } : config, null, 2)}\n`
}

/** A file of text. */
export function textEntry(path: string, text: string): ExportEntry {
  const bytes = new TextEncoder().encode(text)
  return {
    path,
    byteLength: bytes.byteLength,
    async *chunks() {
      yield bytes.slice()
    },
  }
}

function copyEntry(path: string, source: ByteSource): ExportEntry {
  return {
    path,
    byteLength: source.size,
    async *chunks(signal) {
      for (let offset = 0; offset < source.size; offset += COPY_BYTES)
        yield await source.read(offset, Math.min(COPY_BYTES, source.size - offset), signal)
    },
  }
}

/**
 * The entries as an uncompressed zip, below `folder` when given. Rejects `file-unsupported` above 4 GiB
 * (write a directory then), `request-invalid` when an entry gives other than its byteLength, `cancelled`.
 */
export async function zipFolder(
  entries: readonly ExportEntry[],
  options: WriteOptions & { folder?: string | undefined } = {},
): Promise<Blob> {
  const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
  // Local and central records cost some hundred bytes a file.
  if (total + entries.length * 1024 > ZIP_LIMIT)
    throw new EngineError('file-unsupported', `${total} bytes do not fit a zip; save into a folder instead`)
  const blobs: Blob[] = []
  let pieces: BlobPart[] = []
  let pending = 0
  let failure: Error | undefined
  const zip = new Zip((error, chunk) => {
    if (error) failure = error
    pieces.push(chunk as Uint8Array<ArrayBuffer>)
    pending += chunk.byteLength
    if (pending < BLOB_BYTES) return
    blobs.push(new Blob(pieces))
    pieces = []
    pending = 0
  })
  const prefix = options.folder ? `${options.folder}/` : ''
  const report = progress(entries, options)
  for (const entry of entries) {
    const file = new ZipPassThrough(prefix + entry.path)
    zip.add(file)
    for await (const chunk of checkedChunks(entry, options.signal)) {
      file.push(chunk)
      report(chunk.byteLength)
    }
    file.push(new Uint8Array(0), true)
  }
  zip.end()
  if (failure) throw new EngineError('request-invalid', `the zip cannot be written: ${failure.message}`)
  return new Blob([...blobs, ...pieces], { type: 'application/zip' })
}

/**
 * Writes the entries into a directory the user picked and returns the paths. A file that fails keeps what it
 * held before. Rejects `file-missing` when the browser refuses to write, `cancelled` on the signal.
 */
export async function writeDirectory(
  entries: readonly ExportEntry[],
  directory: FileSystemDirectoryHandle,
  options: WriteOptions = {},
): Promise<string[]> {
  const report = progress(entries, options)
  for (const entry of entries) {
    let stream: FileSystemWritableFileStream | undefined
    try {
      const handle = await directory.getFileHandle(entry.path, { create: true })
      stream = await handle.createWritable()
      for await (const chunk of checkedChunks(entry, options.signal)) {
        await stream.write(chunk as Uint8Array<ArrayBuffer>)
        report(chunk.byteLength)
      }
      await stream.close()
    } catch (error) {
      // The first failure is the one to tell; aborting a broken stream may fail again.
      await stream?.abort().catch(() => {})
      if (error instanceof EngineError) throw error
      throw new EngineError('file-missing', `cannot write: ${messageOf(error)}`, { file: entry.path })
    }
  }
  return entries.map(({ path }) => path)
}

async function* checkedChunks(
  entry: ExportEntry,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let written = 0
  for await (const chunk of entry.chunks(signal)) {
    throwIfCancelled(signal)
    written += chunk.byteLength
    yield chunk
  }
  if (written !== entry.byteLength)
    throw new EngineError('request-invalid', `expected ${entry.byteLength} bytes, got ${written}`, {
      file: entry.path,
    })
}

function progress(entries: readonly ExportEntry[], options: WriteOptions): (bytes: number) => void {
  const total = entries.reduce((sum, { byteLength }) => sum + byteLength, 0)
  let done = 0
  return (bytes) => {
    done += bytes
    options.onProgress?.(done, total)
  }
}
