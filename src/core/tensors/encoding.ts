// How the elements of a stored tensor are encoded: plain numbers, or blocks that share a scale. The host's way to
// float32; kernels/dequantize does the same on the device. Block formats themselves are in tensors/blocks.

import { BLOCK_SIZES, type BlockEncoding, decodeBlocks } from './blocks/blocks.ts'
import { decodeWeights, type WeightType } from './dtype.ts'

/** One number an element. f8 as of OCP's 8-bit formats: e4m3 without infinities, e5m2 with. */
export type ScalarEncoding =
  | WeightType
  | 'f64'
  | 'f8_e4m3'
  | 'f8_e5m2'
  | 'i8'
  | 'u8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'bool'

export type Encoding = ScalarEncoding | BlockEncoding

export interface EncodedValues {
  bytes: Uint8Array<ArrayBuffer>
  encoding: Encoding
}

const SCALAR_BYTES: Record<ScalarEncoding, number> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  f64: 8,
  f8_e4m3: 1,
  f8_e5m2: 1,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  bool: 1,
}

export const isWeightType = (encoding: Encoding): encoding is WeightType =>
  encoding === 'f32' || encoding === 'f16' || encoding === 'bf16'

export const isBlockEncoding = (encoding: Encoding): encoding is BlockEncoding =>
  Object.hasOwn(BLOCK_SIZES, encoding)

/** Elements that are stored together and the bytes that they take. */
export function blockOf(encoding: Encoding): { elements: number; bytes: number } {
  const scalar = SCALAR_BYTES[encoding as ScalarEncoding]
  return scalar === undefined ? BLOCK_SIZES[encoding as BlockEncoding] : { elements: 1, bytes: scalar }
}

/** Bytes of `count` elements, a whole number of blocks. */
export function encodedBytes(encoding: Encoding, count: number): number {
  const { elements, bytes } = blockOf(encoding)
  return (count / elements) * bytes
}

/** Little-endian bytes as float32, rounded once to nearest; values past float32's range become infinite. */
export function decodeValues({ bytes, encoding }: EncodedValues): Float32Array<ArrayBuffer> {
  if (isWeightType(encoding)) return decodeWeights(bytes, encoding) as Float32Array<ArrayBuffer>
  const count = (bytes.byteLength / blockOf(encoding).bytes) * blockOf(encoding).elements
  if (isBlockEncoding(encoding)) return decodeInStrips(bytes, encoding, count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const out = new Float32Array(count)
  const read = SCALAR_READERS[encoding as Exclude<ScalarEncoding, WeightType>]
  for (let i = 0; i < count; i++) out[i] = read(view, i)
  return out
}

/** Strips of a megabyte: float64 of a whole tensor would take twice its float32. */
function decodeInStrips(
  bytes: Uint8Array,
  encoding: BlockEncoding,
  count: number,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count)
  const { elements, bytes: size } = BLOCK_SIZES[encoding]
  const step = size * 512
  for (let at = 0; at < bytes.byteLength; at += step)
    out.set(decodeBlocks(bytes.subarray(at, at + step), encoding), (at / size) * elements)
  return out
}

const SCALAR_READERS: Record<
  Exclude<ScalarEncoding, WeightType>,
  (view: DataView, index: number) => number
> = {
  f64: (view, i) => view.getFloat64(8 * i, true),
  f8_e4m3: (view, i) => fromF8(view.getUint8(i), 4, 3),
  f8_e5m2: (view, i) => fromF8(view.getUint8(i), 5, 2),
  i8: (view, i) => view.getInt8(i),
  u8: (view, i) => view.getUint8(i),
  i16: (view, i) => view.getInt16(2 * i, true),
  u16: (view, i) => view.getUint16(2 * i, true),
  i32: (view, i) => view.getInt32(4 * i, true),
  u32: (view, i) => view.getUint32(4 * i, true),
  i64: (view, i) => Number(view.getBigInt64(8 * i, true)),
  u64: (view, i) => Number(view.getBigUint64(8 * i, true)),
  bool: (view, i) => (view.getUint8(i) === 0 ? 0 : 1),
}

/** OCP 8-bit floating point (OFP8 1.0): e4m3 keeps only 0x7f for NaN and has no infinity. */
function fromF8(bits: number, exponentBits: number, fractionBits: number): number {
  const sign = bits & 0x80 ? -1 : 1
  const magnitude = bits & 0x7f
  const fraction = magnitude & ((1 << fractionBits) - 1)
  const exponent = magnitude >> fractionBits
  const bias = (1 << (exponentBits - 1)) - 1
  if (exponentBits === 4 && magnitude === 0x7f) return Number.NaN
  if (exponentBits === 5 && exponent === 31)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  const scale = 2 ** fractionBits
  if (exponent === 0) return sign * (fraction / scale) * 2 ** (1 - bias)
  return sign * (1 + fraction / scale) * 2 ** (exponent - bias)
}
