// A tensor whose elements do not lie one after another in its storage, such as a transposed matrix: rows are gathered
// from the storage piece by piece, in the storage's own order, so that every piece is read once.

import { EngineError } from '../../../errors.ts'
import { decodeValues, type Encoding, encodedBytes } from '../../../tensors/encoding.ts'
import type { ByteSource } from '../../source.ts'
import { computedWeight, countOf, type StoredWeight } from '../../storedWeight.ts'

/** Elements read at once. */
const PIECE = 2 ** 20

export interface StridedPlace {
  name: string
  shape: readonly number[]
  /** elements, by dimension */
  strides: readonly number[]
  encoding: Encoding
  /** bytes */
  offset: number
  storedAs: string
}

/** Whether row-major elements lie one after another; dimensions of one element may have any stride. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 0) return true
    if (shape[i] !== 1 && strides[i] !== expected) return false
    expected *= shape[i]
  }
  return true
}

interface Axis {
  size: number
  stride: number
  /** elements of the result from one index to the next */
  step: number
}

/** `file-unsupported` where two indices name the same element, as an expanded tensor's do. */
export function stridedWeight(source: ByteSource, place: StridedPlace): StoredWeight {
  const { name, shape, strides, encoding, offset, storedAs } = place
  const row = shape.slice(1).reduce((a, b) => a * b, 1)
  const inner: Axis[] = []
  let step = 1
  for (let i = shape.length - 1; i >= 1; i--) {
    if (shape[i] > 1) inner.push({ size: shape[i], stride: strides[i], step })
    step *= shape[i]
  }
  const all = [...inner, { size: shape[0], stride: strides[0], step: row }].filter(({ size }) => size > 1)
  all.sort((a, b) => b.stride - a.stride)
  all.forEach(({ stride }, i) => {
    const finer = all[i + 1]
    if (stride < 1 || (finer && stride < finer.stride * (finer.size - 1) + 1))
      throw new EngineError(
        'file-unsupported',
        `strides [${strides}] of shape [${shape}] use elements twice: expected every element once`,
        { file: source.name, tensor: name },
      )
  })
  const about = {
    name,
    shape,
    storage: `${storedAs}, transposed`,
    byteLength: encodedBytes(encoding, countOf(place)),
    granule: row,
    where: { file: source.name, offset },
  }
  return computedWeight(about, async (begin, count, signal) => {
    const out = new Float32Array(count)
    const rows: Axis = { size: count / row, stride: strides[0], step: row }
    const axes = [...inner, rows].filter(({ size }) => size > 1).sort((a, b) => b.stride - a.stride)
    const first = (begin / row) * strides[0]
    const end = axes.reduce((sum, { size, stride }) => sum + (size - 1) * stride, first) + 1
    let piece = { begin: first, values: new Float32Array(0) }
    const visit = async (axis: number, at: number, to: number): Promise<void> => {
      const { size, stride, step } = axes[axis] ?? { size: 1, stride: 0, step: 0 }
      for (let i = 0; i < size; i++) {
        const from = at + i * stride
        if (axis < axes.length - 1) {
          await visit(axis + 1, from, to + i * step)
          continue
        }
        if (from < piece.begin || from >= piece.begin + piece.values.length) {
          const length = Math.min(PIECE, end - from)
          const bytes = await source.read(
            offset + encodedBytes(encoding, from),
            encodedBytes(encoding, length),
            signal,
          )
          piece = { begin: from, values: decodeValues({ bytes, encoding }) }
        }
        out[to + i * step] = piece.values[from - piece.begin]
      }
    }
    if (count > 0) await visit(0, first, 0)
    return out
  })
}
