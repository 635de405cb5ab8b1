// float32 into the two block types that are written, by GGML's own rule (quantize_row_q4_0_ref, quantize_row_q8_0_ref
// of ggml-quants.c): the scale is chosen in float32 and stored in binary16, elements are divided by the unrounded one.

import { toF16 } from '../dtype.ts'

export type WrittenBlocks = 'q4_0' | 'q8_0'

const f32 = Math.fround

/** Whole blocks of 32 finite values as bytes. Values too large for a binary16 scale become infinite. */
export function encodeBlocks(values: Float32Array, encoding: WrittenBlocks): Uint8Array<ArrayBuffer> {
  const blocks = values.length / 32
  const size = encoding === 'q4_0' ? 18 : 34
  const out = new Uint8Array(blocks * size)
  const view = new DataView(out.buffer)
  const encode = encoding === 'q4_0' ? encodeQ4_0 : encodeQ8_0
  for (let b = 0; b < blocks; b++) encode(values.subarray(32 * b, 32 * b + 32), view, b * size)
  return out
}

/** The element of largest magnitude, the first of equals, becomes −8: d = that / −8. */
function encodeQ4_0(x: Float32Array, view: DataView, at: number): void {
  let largest = 0
  for (const value of x) if (Math.abs(value) > Math.abs(largest)) largest = value
  const d = f32(largest / -8)
  const inverse = d === 0 ? 0 : f32(1 / d)
  const q = (i: number) => Math.min(15, Math.trunc(f32(f32(x[i] * inverse) + 8.5)))
  view.setUint16(at, toF16(d), true)
  for (let i = 0; i < 16; i++) view.setUint8(at + 2 + i, q(i) | (q(i + 16) << 4))
}

/** d = largest magnitude / 127; halves are rounded away from zero. */
function encodeQ8_0(x: Float32Array, view: DataView, at: number): void {
  let largest = 0
  for (const value of x) largest = Math.max(largest, Math.abs(value))
  const d = f32(largest / 127)
  const inverse = d === 0 ? 0 : f32(1 / d)
  view.setUint16(at, toF16(d), true)
  for (let i = 0; i < 32; i++) {
    const scaled = f32(x[i] * inverse)
    view.setInt8(at + 2 + i, Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5))
  }
}
