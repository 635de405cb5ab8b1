// Merged weights into an ONNX checkpoint, in the layout it came in: the files are copied and the bytes of weights
// replaced, sizes and places unchanged. Values are quantised again with the file's own bits, blocks and kind of zero
// point; what that costs is measured. Two ways: patches of one weight at a time, for files that can be written
// anywhere, and whole files front to back, for those that cannot.

import { EngineError, throwIfCancelled } from '../../../errors.ts'
import type { ExportEntry } from '../../exporter.ts'
import { type ByteSource, MemorySource } from '../../source.ts'
import type { MappedWeight, Piece } from './assemble.ts'
import { tensorsOf } from './findSlots.ts'
import type { OnnxCheckpoint } from './openOnnx.ts'
import type { OnnxTensor } from './proto.ts'
import { encodeSlot, readRows, type Slot } from './slot.ts'

/** What storing a merged weight in the file's layout cost. */
export interface Rounding {
  /** Hugging Face's name */
  name: string
  /** for people: `int4, blocks of 32` */
  storage: string
  /** ‖stored − merged‖ / ‖merged‖, Frobenius */
  relative: number
  /** largest |stored − merged| */
  max: number
  /** ‖merged − as it was in the file‖ / ‖merged‖: what the merge changed, to set the rounding against */
  moved: number
}

export interface FilePatch {
  /** in the folder */
  path: string
  offset: number
  bytes: Uint8Array<ArrayBuffer>
}

/** float32 values of a merged weight, whole. */
export type ReadMerged = (name: string, signal?: AbortSignal) => Promise<Float32Array>

/** Elements that are quantised at a time. */
const CHUNK_ELEMENTS = 2 ** 20
const COPY_BYTES = 2 ** 20

class Meter {
  private error = 0
  private size = 0
  private change = 0
  private max = 0
  add(merged: Float32Array, stored: Float32Array, before: Float32Array): void {
    for (let i = 0; i < merged.length; i++) {
      const difference = Math.abs(stored[i] - merged[i])
      this.error += difference ** 2
      this.size += merged[i] ** 2
      this.change += (merged[i] - before[i]) ** 2
      if (difference > this.max) this.max = difference
    }
  }
  finish(name: string, storage: string): Rounding {
    const share = (sum: number) => (sum === 0 ? 0 : Math.sqrt(sum / this.size))
    return { name, storage, relative: share(this.error), max: this.max, moved: share(this.change) }
  }
}

const isTurned = ({ layout }: Slot): boolean => layout.kind === 'plain' && layout.order === 'in-out'

/** Rows of a slot that are encoded together; a transposed matrix is written in lines of all its rows. */
const rowsPerChunk = (slot: Slot): number =>
  isTurned(slot) ? slot.rows : Math.max(1, Math.floor(CHUNK_ELEMENTS / slot.columns))

/** Pieces of a weight that are written: those of one tensor once, however many modules share it. */
function writtenPieces({ pieces, copies }: MappedWeight): Piece[] {
  const seen = new Set<string>()
  return [...pieces, ...copies].filter(({ slot, slotRow }) => {
    const key = `${tensorsOf(slot.layout)[0].name} ${slotRow}`
    return !seen.has(key) && seen.add(key)
  })
}

export class OnnxRewriter {
  /** of the weights written so far; a weight that is there several times has as many */
  readonly roundings: Rounding[] = []
  /** model file and data files, to be copied before they are patched */
  readonly files: { path: string; source: ByteSource }[]
  private readonly checkpoint: OnnxCheckpoint
  private readonly paths: Map<string | undefined, string>

  constructor(checkpoint: OnnxCheckpoint) {
    this.checkpoint = checkpoint
    const { path, model, data } = checkpoint
    this.files = [{ path, source: model.source }, ...data]
    this.paths = new Map<string | undefined, string>([
      [undefined, path],
      ...data.map((file): [string, string] => [file.location, file.path]),
    ])
  }

  /**
   * Patches of one weight. `shape-mismatch` for values of another number, `not-finite` where the layout cannot hold
   * one, `file-missing` for a weight that the file does not have.
   */
  async *patches(name: string, values: Float32Array, signal?: AbortSignal): AsyncGenerator<FilePatch> {
    const { weights, locate, path } = this.checkpoint
    const weight = weights.get(name)
    if (!weight)
      throw new EngineError('file-missing', 'the ONNX file has no such weight', { file: path, tensor: name })
    const columns = weight.shape[1] ?? 1
    if (values.length !== weight.shape[0] * columns)
      throw new EngineError('shape-mismatch', `${values.length} values, expected [${weight.shape}]`, {
        tensor: name,
      })
    for (const piece of writtenPieces(weight)) {
      const { slot, row, slotRow, rows } = piece
      const meter = new Meter()
      const step = isTurned(slot) ? rows : rowsPerChunk(slot)
      for (let at = 0; at < rows; at += step) {
        const count = Math.min(step, rows - at)
        const part = values.subarray((row + at) * columns, (row + at + count) * columns)
        const before = await readRows(slot, locate, slotRow + at, count, signal)
        const { patches, stored } = await encodeSlot(slot, locate, slotRow + at, part, signal)
        meter.add(part, stored, before)
        for (const { place, bytes } of patches)
          yield { path: this.paths.get(place.location)!, offset: place.offset, bytes }
      }
      this.roundings.push(meter.finish(name, slot.storage))
    }
  }

  /**
   * The files front to back, for a zip or a directory. Merged weights are asked for in the order of the files, and
   * again for every tensor that a weight is stored in (codes, scales, zero points).
   */
  entries(readMerged: ReadMerged): ExportEntry[] {
    return this.files.map(({ path, source }) => ({
      path,
      byteLength: source.size,
      chunks: (signal) => this.rewritten(path, source, readMerged, signal),
    }))
  }

  private async *rewritten(
    path: string,
    source: ByteSource,
    readMerged: ReadMerged,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    let at = 0
    for (const { slot, tensor } of this.targets(path)) {
      const place = tensor.place!
      // Two slots over one range: the first has written it.
      if (place.offset < at) continue
      yield* copy(source, at, place.offset, signal)
      yield* this.encoded(slot, tensor, readMerged, signal)
      at = place.offset + place.length
    }
    yield* copy(source, at, source.size, signal)
  }

  /** Tensors of a file that are written, in its order. */
  private targets(path: string): { slot: Slot; tensor: OnnxTensor }[] {
    const slots = new Set(
      [...this.checkpoint.weights.values()].flatMap(writtenPieces).map(({ slot }) => slot),
    )
    return [...slots]
      .flatMap((slot) => tensorsOf(slot.layout).map((tensor) => ({ slot, tensor })))
      .filter(({ tensor }) => this.paths.get(tensor.place!.location) === path)
      .sort((a, b) => a.tensor.place!.offset - b.tensor.place!.offset)
  }

  /** New bytes of one tensor of a slot, in its order. */
  private async *encoded(
    slot: Slot,
    tensor: OnnxTensor,
    readMerged: ReadMerged,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const { locate, weights } = this.checkpoint
    const sources = [...weights.values()].flatMap((weight) =>
      writtenPieces(weight)
        .filter((piece) => piece.slot === slot)
        .map((piece) => ({ ...piece, weight: weight.name, meter: new Meter() })),
    )
    const isFirst = tensor === tensorsOf(slot.layout)[0]
    let merged: { name: string; values: Float32Array } | undefined
    const step = rowsPerChunk(slot)
    for (let begin = 0; begin < slot.rows; begin += step) {
      throwIfCancelled(signal)
      const count = Math.min(step, slot.rows - begin)
      // Rows that no weight of the family names stay as they are.
      const before = await readRows(slot, locate, begin, count, signal)
      const values = before.slice()
      const ranges: { from: number; to: number; meter: Meter }[] = []
      for (const { weight, row, slotRow, rows, meter } of sources) {
        const from = Math.max(begin, slotRow)
        const to = Math.min(begin + count, slotRow + rows)
        if (from >= to) continue
        if (merged?.name !== weight) merged = { name: weight, values: await readMerged(weight, signal) }
        const first = (row + from - slotRow) * slot.columns
        values.set(
          merged.values.subarray(first, first + (to - from) * slot.columns),
          (from - begin) * slot.columns,
        )
        ranges.push({ from: (from - begin) * slot.columns, to: (to - begin) * slot.columns, meter })
      }
      const { patches, stored } = await encodeSlot(slot, locate, begin, values, signal)
      if (isFirst)
        for (const { from, to, meter } of ranges)
          meter.add(values.subarray(from, to), stored.subarray(from, to), before.subarray(from, to))
      const { location, offset, length } = tensor.place!
      for (const { place, bytes } of patches)
        if (place.location === location && place.offset >= offset && place.offset < offset + length)
          yield bytes
    }
    if (isFirst)
      for (const { weight, meter } of sources) this.roundings.push(meter.finish(weight, slot.storage))
  }
}

/** The checkpoint with merged weights, rounded to its layout, in memory: for builds that fit there. */
export async function rewriteInMemory(
  checkpoint: OnnxCheckpoint,
  readMerged: ReadMerged,
  signal?: AbortSignal,
): Promise<OnnxCheckpoint> {
  const sources = new Map<string, ByteSource>()
  for (const { path, byteLength, chunks } of new OnnxRewriter(checkpoint).entries(readMerged)) {
    const bytes = new Uint8Array(byteLength)
    let at = 0
    for await (const chunk of chunks(signal)) {
      bytes.set(chunk, at)
      at += chunk.byteLength
    }
    sources.set(path, new MemorySource(bytes, path))
  }
  const source = sources.get(checkpoint.path)!
  const data = checkpoint.data.map((file) => ({ ...file, source: sources.get(file.path)! }))
  const byLocation = new Map(data.map((file) => [file.location, file.source]))
  return {
    ...checkpoint,
    model: { ...checkpoint.model, source },
    data,
    locate: ({ location }) => (location === undefined ? source : byLocation.get(location)!),
  }
}

async function* copy(
  source: ByteSource,
  from: number,
  to: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  for (let at = from; at < to; at += COPY_BYTES)
    yield await source.read(at, Math.min(COPY_BYTES, to - at), signal)
}
