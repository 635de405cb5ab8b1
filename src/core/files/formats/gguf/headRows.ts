// The order of q's and k's rows. Hugging Face turns element i of a head with element i + D/2, llama.cpp's `llama`
// turns 2 i with 2 i + 1, so its converter interleaves the halves: row j D/2 + i of a head becomes row 2 i + j.
// Works on encoded bytes, because every row is whole blocks; a head is the smallest part that can be read alone.

import { encodedBytes } from '../../../tensors/encoding.ts'
import type { Bytes } from '../../source.ts'
import { checkElements, type StoredWeight } from '../../storedWeight.ts'

/** Rows of whole heads from one order into the other; `rowBytes` of one row, `headRows` is D, even. */
export function reorderRows(
  bytes: Uint8Array,
  rowBytes: number,
  headRows: number,
  to: 'gguf' | 'huggingFace',
): Bytes {
  const out = new Uint8Array(bytes.byteLength)
  const half = headRows / 2
  for (let head = 0; head < bytes.byteLength; head += headRows * rowBytes)
    for (let row = 0; row < headRows; row++) {
      const halves = head + row * rowBytes
      const pairs = head + (2 * (row % half) + Math.floor(row / half)) * rowBytes
      const [from, at] = to === 'gguf' ? [halves, pairs] : [pairs, halves]
      out.set(bytes.subarray(from, from + rowBytes), at)
    }
  return out
}

/** A q or k weight (or bias) of GGUF in Hugging Face's order, read in whole heads of D = `headSize` rows. */
export function headOrdered(weight: StoredWeight, headSize: number): StoredWeight {
  const rowElements = weight.shape.slice(1).reduce((a, b) => a * b, 1)
  const about = { ...weight, granule: headSize * rowElements }
  return {
    ...about,
    async read(begin, count, signal) {
      checkElements(about, begin, count)
      const values = await weight.read(begin, count, signal)
      const rowBytes = encodedBytes(values.encoding, rowElements)
      return { ...values, bytes: reorderRows(values.bytes, rowBytes, headSize, 'huggingFace') }
    },
  }
}
