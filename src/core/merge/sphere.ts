// Steps of the methods that stay in the span of their inputs: K × K inner products of a tensor's vectors come to the
// host, coefficients are found there in float64, and one combination goes back. A vector is the whole tensor, or each
// row or column of it. Tensors are stacked in slices, so that scratch does not grow with them.
//
// Shares on a sphere depend on cos Ω smoothly, near cos Ω = 1 too (sin tΩ / sin Ω is a series in Ω²): the float32 error
// of a cosine passes into them undiminished but not amplified, although acos itself loses half of its digits there.

import { EngineError } from '../errors.ts'
import type { BufferRange } from '../gpu/device.ts'
import { combineLines, lineGram } from '../kernels/lineGram/lineGram.ts'
import { stackRow } from '../kernels/mergeRows/mergeRows.ts'
import { WEIGHT_BYTES } from '../tensors/dtype.ts'
import type { PlannedTensor, TensorPasses, TensorTask, Tiling } from './method.ts'
import { baseOf } from './tensorTask.ts'
import { countOf, rowLength } from './tiles.ts'
import { encodeWeightedSum } from './weightedSum.ts'

/** What is one vector: the whole tensor, each row (along the last axis) or each column (along the first). */
export type Lines = 'tensor' | 'rows' | 'columns'

/** K stored tensors: θ_k themselves, or as task vectors θ_k − θ_0. */
export interface SphereVectors {
  buffers: readonly GPUBuffer[]
  minusBase: boolean
}

/** ⟨v_k, v_l⟩ of every line: (count, K, K), symmetric. */
export interface LineGrams {
  count: number
  size: number
  values: Float64Array
}

/** Elements of one slice over all K vectors, 64 MiB of float32, where lines are rows: their sums know no slice. */
const SLICE_ELEMENTS = 2 ** 24
/** Elements of a slice of each vector otherwise: partial sums are the same however a tensor is tiled. */
const SUM_ELEMENTS = { tensor: 2 ** 18, columns: 2 ** 20 }
/** Partial sums of a slice when the whole tensor is one vector. */
const MOST_PARTS = 16384
const LEAST_PART = 256

interface Slice {
  /** first element, and elements with padding: whole fours */
  start: number
  count: number
  /** matrix rows in it, and the first one */
  height: number
  firstRow: number
}

/** A tensor with fewer than two axes is one vector however it is cut. */
export function linesOf(tensor: PlannedTensor, wanted: Lines): Lines {
  return tensor.shape.length < 2 ? 'tensor' : wanted
}

/** Elements of a line that is a row, and of a step from one matrix row to the next. */
function widthOf(tensor: PlannedTensor, lines: Lines): number {
  if (lines === 'rows') return rowLength(tensor)
  return lines === 'columns' ? countOf(tensor) / tensor.shape[0] : 1
}

const limitOf = (lines: Lines, vectors: number): number =>
  lines === 'rows' ? SLICE_ELEMENTS : SUM_ELEMENTS[lines] * vectors

/** Elements of a slice of each of `vectors`, whole rows. */
function sliceSize(tensor: PlannedTensor, lines: Lines, vectors: number, limit: number): number {
  const unit = widthOf(tensor, lines) * 128
  return Math.max(1, Math.floor(limit / vectors / unit)) * unit
}

/** Tiles of methods that work on lines: whole slices, or whole rows where each row is a line. */
export const lineTiling = (linesIn: (tensor: PlannedTensor) => Lines): Tiling => ({
  unit: (tensor) => {
    const lines = linesIn(tensor)
    return lines === 'rows' ? widthOf(tensor, lines) * 4 : sliceSize(tensor, lines, 1, limitOf(lines, 1))
  },
  scratch: (models) => models + 1,
})

/** Slices of whole matrix rows. They start at multiples of 128 elements, 256 bytes of the narrowest type. */
function slicesOf(task: TensorTask, lines: Lines, vectors: number, limit: number): Slice[] {
  const width = widthOf(task, lines)
  const size = sliceSize(task, lines, vectors, limit)
  const slices: Slice[] = []
  for (let start = 0; start < task.count; start += size) {
    const end = Math.min(start + size, task.count)
    const isLast = end === task.count
    slices.push({
      start,
      count: (isLast ? task.padded : end) - start,
      height: (end - start) / width,
      firstRow: start / width,
    })
  }
  return slices
}

const partOf = (task: TensorTask, buffer: GPUBuffer, { start, count }: Slice): BufferRange => {
  const bytes = WEIGHT_BYTES[task.type]
  return { buffer, offset: start * bytes, size: count * bytes }
}

/** Encodes the vectors of a slice as rows (K, slice.count) of float32. */
function encodeSlice(task: TensorTask, { buffers, minusBase }: SphereVectors, slice: Slice, rows: GPUBuffer) {
  const base = minusBase ? partOf(task, baseOf(task), slice) : task.gpu.unused
  buffers.forEach((buffer, k) => {
    task.gpu.run(
      stackRow,
      { count: slice.count, offset: k * slice.count, minusBase: minusBase ? 1 : 0 },
      { model: partOf(task, buffer, slice), base, rows },
      task.type,
    )
  })
}

/** How the kernel finds the lines of a slice. */
function walkOf(lines: Lines, width: number, { count, height }: Slice) {
  if (lines === 'rows') return { lines: height, lineStep: width, step: 1, length: width }
  if (lines === 'columns') return { lines: width, lineStep: 1, step: width, length: height }
  const parts = Math.min(MOST_PARTS, Math.ceil(count / LEAST_PART))
  return { lines: parts, lineStep: 1, step: parts, length: Math.ceil(count / parts) }
}

/** Inner products of the vectors of a whole tensor, line by line. `not-finite` when one is not a number. */
export async function lineGrams(
  task: TensorTask,
  vectors: SphereVectors,
  lines: Lines,
  sliceElements?: number,
): Promise<LineGrams> {
  const sums = noGrams(task, lines, vectors.buffers.length)
  await addGrams(task, vectors, lines, sums, sliceElements)
  return finite(task, sums)
}

/** The same over all tiles of a tensor. */
export async function measureLines(
  tensor: TensorPasses,
  vectorsOf: (tile: TensorTask) => SphereVectors,
  lines: Lines,
): Promise<LineGrams> {
  let sums: LineGrams | undefined
  await tensor.forEachTile(async (tile) => {
    const vectors = vectorsOf(tile)
    sums ??= noGrams(tensor, lines, vectors.buffers.length)
    await addGrams(tile, vectors, lines, sums)
  })
  return finite(tensor, sums!)
}

function noGrams(tensor: PlannedTensor, lines: Lines, size: number): LineGrams {
  const width = widthOf(tensor, lines)
  const count = lines === 'tensor' ? 1 : lines === 'rows' ? countOf(tensor) / width : width
  return { count, size, values: new Float64Array(count * size * size) }
}

function finite({ name }: PlannedTensor, sums: LineGrams): LineGrams {
  if (!sums.values.every(Number.isFinite))
    throw new EngineError('not-finite', 'inner products of the models are not all finite', { tensor: name })
  return sums
}

/** Adds a tile's products to the sums of its tensor. */
async function addGrams(
  task: TensorTask,
  vectors: SphereVectors,
  lines: Lines,
  { values }: LineGrams,
  sliceElements = limitOf(lines, vectors.buffers.length),
): Promise<void> {
  const size = vectors.buffers.length
  const width = widthOf(task, lines)
  const slices = slicesOf(task, lines, size, sliceElements)
  const tileRow = task.start / width
  const rows = task.scratch(slices[0].count * size * 4)
  const partial = task.scratch(walkOf(lines, width, slices[0]).lines * size * size * 4)
  for (const slice of slices) {
    encodeSlice(task, vectors, slice, rows)
    const walk = walkOf(lines, width, slice)
    const params = { rows: size, stride: slice.count, count: slice.count, ...walk }
    task.gpu.run(lineGram, params, { rows_: rows, partial })
    const sums = await task.gpu.readFloats(partial, walk.lines * size * size)
    for (let part = 0; part < walk.lines; part++) {
      const line = lines === 'tensor' ? 0 : lines === 'rows' ? tileRow + slice.firstRow + part : part
      addUpperHalf(values, line * size * size, sums, part * size * size, size)
    }
  }
}

/** Adds the upper half of a (size, size) block to both halves of a sum. */
function addUpperHalf(sums: Float64Array, to: number, block: Float32Array, from: number, size: number) {
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) {
      sums[to + i * size + j] += block[from + i * size + j]
      if (i !== j) sums[to + j * size + i] += block[from + i * size + j]
    }
}

/**
 * Encodes out = Σ_k coefficients[line, k]·v_k, plus θ_0 for task vectors, in the stored type; coefficients
 * (count, K) of all lines of the tensor. Whole tensors that are no task vectors are summed straight from the models: with one coefficient 1 and
 * the rest 0 that model comes out bit for bit. Task vectors are subtracted first, because a short one has a large
 * coefficient.
 */
export function encodeLines(
  task: TensorTask,
  vectors: SphereVectors,
  lines: Lines,
  coefficients: Float64Array,
  sliceElements = limitOf(lines, vectors.buffers.length),
): void {
  if (lines === 'tensor' && !vectors.minusBase) {
    encodeWeightedSum({ ...task, models: vectors.buffers }, Array.from(coefficients))
    return
  }
  const { gpu } = task
  const size = vectors.buffers.length
  const width = widthOf(task, lines)
  const own =
    lines === 'rows'
      ? coefficients.subarray((task.start / width) * size, ((task.start + task.count) / width) * size)
      : coefficients
  const shares = task.scratch(own.length * 4)
  gpu.write(shares, Float32Array.from(own))
  const slices = slicesOf(task, lines, size, sliceElements)
  const rows = task.scratch(slices[0].count * size * 4)
  for (const slice of slices) {
    encodeSlice(task, vectors, slice, rows)
    gpu.run(
      combineLines,
      {
        count: slice.count,
        rows: size,
        stride: slice.count,
        baseShare: vectors.minusBase ? 1 : 0,
        firstLine: lines === 'rows' ? slice.firstRow : 0,
        divisor: lines === 'rows' ? width : 1,
        // Padding past the last row takes the coefficients of the first. A whole tensor is one column wide.
        modulus: lines === 'rows' ? slice.height : width,
      },
      {
        base: vectors.minusBase ? partOf(task, baseOf(task), slice) : gpu.unused,
        rows_: rows,
        coefficients: shares,
        out: partOf(task, task.out, slice),
      },
      task.type,
    )
  }
}
