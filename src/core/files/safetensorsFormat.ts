// The element types and the header types of safetensors, shared by reader and writer.
// https://huggingface.co/docs/safetensors: 8 bytes little-endian header length, JSON header, then raw data.

import { EngineError, type ErrorPlace } from '../errors.ts'
import { decodeWeights, type WeightType } from '../tensors/dtype.ts'
import type { Encoding } from '../tensors/encoding.ts'

/** Bits per element of every type the format knows; sub-byte types must fill whole bytes. */
const DTYPE_BITS = {
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
  C64: 64,
} as const

/** Element type as the header spells it. */
export type Dtype = keyof typeof DTYPE_BITS

export interface TensorInfo {
  name: string
  dtype: Dtype
  shape: number[]
  /** bytes from the start of the file */
  begin: number
  /** bytes; may be 0 */
  byteLength: number
}

export interface SafetensorsHeader {
  file: string
  /** in the order of the header */
  tensors: Map<string, TensorInfo>
  metadata: Record<string, string>
  /** bytes from the start of the file to the first tensor */
  dataStart: number
}

export function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(DTYPE_BITS, value)
}

/** Bytes of `shape` elements; undefined when they do not fill whole bytes or pass 2^53. */
export function tensorBytes(dtype: Dtype, shape: readonly number[]): number | undefined {
  // A zero anywhere makes the tensor empty, however large the other dimensions are.
  let count = shape.includes(0) ? 0 : 1
  for (const size of shape) {
    if (count === 0) break
    count *= size
    if (count > Number.MAX_SAFE_INTEGER / 64) return undefined
  }
  const bits = count * DTYPE_BITS[dtype]
  return bits % 8 === 0 ? bits / 8 : undefined
}

const WEIGHT_TYPES: Partial<Record<Dtype, WeightType>> = { F32: 'f32', F16: 'f16', BF16: 'bf16' }
const DTYPES: Record<WeightType, Dtype> = { f32: 'F32', f16: 'F16', bf16: 'BF16' }

/** The engine's type of a stored type; `file-unsupported` names any other. */
export function weightTypeOf(dtype: Dtype, place: ErrorPlace): WeightType {
  const type = WEIGHT_TYPES[dtype]
  if (!type)
    throw new EngineError('file-unsupported', `element type ${dtype}: expected F32, F16 or BF16`, place)
  return type
}

const ENCODINGS: Partial<Record<Dtype, Encoding>> = {
  ...WEIGHT_TYPES,
  F64: 'f64',
  F8_E4M3: 'f8_e4m3',
  F8_E5M2: 'f8_e5m2',
  I8: 'i8',
  U8: 'u8',
  I16: 'i16',
  U16: 'u16',
  I32: 'i32',
  U32: 'u32',
  I64: 'i64',
  U64: 'u64',
  BOOL: 'bool',
}

/** How a stored type is decoded; undefined for types that no value can be read from alone. */
export const encodingOf = (dtype: Dtype): Encoding | undefined => ENCODINGS[dtype]

/** The header's spelling of an engine type. */
export function dtypeOf(type: WeightType): Dtype {
  return DTYPES[type]
}

/** Bytes of one tensor as float32; `file-unsupported` for types that are not F32, F16 or BF16. */
export function decodeTensor(bytes: Uint8Array, dtype: Dtype, place: ErrorPlace): Float32Array {
  return decodeWeights(bytes, weightTypeOf(dtype, place))
}
