// Long rows of numbers in few bits, for files that a page loads: each run of 32 numbers has its own largest size, of
// which every number is a whole part. A number is wrong by at most half a part, 1/(2·(2^(b−1) − 1)) of the largest
// beside it; nothing is lost on the way out. Ours.

import { EngineError } from '../errors.ts'
import { fromF16, toF16 } from '../tensors/dtype.ts'

/** Numbers that share a scale. */
export const PACK_BLOCK = 32

/** `count` rows of `length` numbers. */
export interface PackedRows {
  count: number
  length: number
  /** 2 … 8 for each number */ bits: number
  /** largest size in each row (count) */ peaks: Float64Array
  /** whole parts, offset to be ≥ 0, packed without gaps, low bits first (count · rowBytes) */ codes: Uint8Array
  /** largest size in each block over the row's, float16 (count · blocks) */ scales: Uint16Array
}

/** Bytes of codes that a row takes. */
export const packedRowBytes = (length: number, bits: number): number => Math.ceil((length * bits) / 8)

export const packedBlocks = (length: number): number => Math.ceil(length / PACK_BLOCK)

/** Packs rows (count, length); `not-finite` names the row, `request-invalid` a width that is none. */
export function packRows(rows: readonly ArrayLike<number>[], bits: number): PackedRows {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8)
    throw new EngineError('request-invalid', `bits: found ${bits}, expected 2 to 8`)
  const count = rows.length
  const length = rows[0]?.length ?? 0
  const rowBytes = packedRowBytes(length, bits)
  const blocks = packedBlocks(length)
  const most = 2 ** (bits - 1) - 1
  const packed: PackedRows = {
    count,
    length,
    bits,
    peaks: new Float64Array(count),
    codes: new Uint8Array(count * rowBytes),
    scales: new Uint16Array(count * blocks),
  }
  rows.forEach((row, r) => {
    const peak = largestSize(row, 0, length)
    if (!Number.isFinite(peak)) throw new EngineError('not-finite', `row ${r} has the size ${peak}`)
    packed.peaks[r] = peak
    for (let block = 0; block < blocks; block++) {
      const start = block * PACK_BLOCK
      const end = Math.min(length, start + PACK_BLOCK)
      const code = peak > 0 ? toF16(largestSize(row, start, end) / peak) : 0
      packed.scales[r * blocks + block] = code
      const part = (fromF16(code) * peak) / most
      for (let i = start; i < end; i++) {
        const whole = part > 0 ? Math.round(row[i] / part) : 0
        putBits(
          packed.codes,
          r * rowBytes * 8 + i * bits,
          bits,
          Math.max(-most, Math.min(most, whole)) + most,
        )
      }
    }
  })
  return packed
}

/** The rows again, float32. */
export function unpackRows(packed: PackedRows): Float32Array[] {
  const { count, length, bits, peaks, codes, scales } = packed
  const rowBytes = packedRowBytes(length, bits)
  const blocks = packedBlocks(length)
  if (codes.length !== count * rowBytes || scales.length !== count * blocks || peaks.length !== count)
    throw new EngineError('shape-mismatch', `packed rows are not (${count},${length}) of ${bits} bits`)
  const most = 2 ** (bits - 1) - 1
  return Array.from({ length: count }, (_, r) => {
    const row = new Float32Array(length)
    for (let block = 0; block < blocks; block++) {
      const part = (fromF16(scales[r * blocks + block]) * peaks[r]) / most
      const end = Math.min(length, (block + 1) * PACK_BLOCK)
      for (let i = block * PACK_BLOCK; i < end; i++)
        row[i] = (takeBits(codes, r * rowBytes * 8 + i * bits, bits) - most) * part
    }
    return row
  })
}

function largestSize(row: ArrayLike<number>, start: number, end: number): number {
  let largest = 0
  for (let i = start; i < end; i++) {
    const size = Math.abs(row[i])
    // A comparison with NaN is false, which would let it pass.
    if (!(size <= largest)) largest = size
    if (Number.isNaN(largest)) return Number.NaN
  }
  return largest
}

function putBits(bytes: Uint8Array, at: number, bits: number, value: number): void {
  const byte = at >> 3
  const shifted = value << (at & 7)
  bytes[byte] |= shifted & 255
  if ((at & 7) + bits > 8) bytes[byte + 1] |= shifted >> 8
}

function takeBits(bytes: Uint8Array, at: number, bits: number): number {
  const byte = at >> 3
  const pair = bytes[byte] | ((at & 7) + bits > 8 ? bytes[byte + 1] << 8 : 0)
  return (pair >> (at & 7)) & (2 ** bits - 1)
}
