// The numbers GGUF gives to element types and to types of metadata (gguf.md and ggml.h of ggml-org/ggml).

import type { Encoding } from '../../../tensors/encoding.ts'

/** Element types by their number; `encoding` is absent where no decoder is here. */
export const TENSOR_TYPES: ReadonlyMap<number, { name: string; encoding?: Encoding }> = new Map([
  [0, { name: 'F32', encoding: 'f32' }],
  [1, { name: 'F16', encoding: 'f16' }],
  [2, { name: 'Q4_0', encoding: 'q4_0' }],
  [3, { name: 'Q4_1', encoding: 'q4_1' }],
  [6, { name: 'Q5_0', encoding: 'q5_0' }],
  [7, { name: 'Q5_1', encoding: 'q5_1' }],
  [8, { name: 'Q8_0', encoding: 'q8_0' }],
  [9, { name: 'Q8_1' }],
  [10, { name: 'Q2_K', encoding: 'q2_k' }],
  [11, { name: 'Q3_K', encoding: 'q3_k' }],
  [12, { name: 'Q4_K', encoding: 'q4_k' }],
  [13, { name: 'Q5_K', encoding: 'q5_k' }],
  [14, { name: 'Q6_K', encoding: 'q6_k' }],
  [15, { name: 'Q8_K' }],
  [16, { name: 'IQ2_XXS' }],
  [17, { name: 'IQ2_XS' }],
  [18, { name: 'IQ3_XXS' }],
  [19, { name: 'IQ1_S' }],
  [20, { name: 'IQ4_NL' }],
  [21, { name: 'IQ3_S' }],
  [22, { name: 'IQ2_S' }],
  [23, { name: 'IQ4_XS' }],
  [24, { name: 'I8', encoding: 'i8' }],
  [25, { name: 'I16', encoding: 'i16' }],
  [26, { name: 'I32', encoding: 'i32' }],
  [27, { name: 'I64', encoding: 'i64' }],
  [28, { name: 'F64', encoding: 'f64' }],
  [29, { name: 'IQ1_M' }],
  [30, { name: 'BF16', encoding: 'bf16' }],
  [34, { name: 'TQ1_0' }],
  [35, { name: 'TQ2_0' }],
  [39, { name: 'MXFP4' }],
  [40, { name: 'NVFP4' }],
])

/** Types of metadata values. */
export const VALUE = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const

/** Numbers of 64 bits past 2^53 lose their last bits; no key of a model is that large. */
export type GgufScalar = number | boolean | string

export type GgufValue = GgufScalar | readonly string[] | NumericArray

export type NumericArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array

export interface GgufTensor {
  name: string
  /** dimensions in GGUF's order, fastest first: the reverse of Hugging Face's */
  dimensions: number[]
  /** for people: `Q4_K` */
  typeName: string
  /** undefined: no decoder is here, and `byteLength` is unknown (0) */
  encoding: Encoding | undefined
  /** bytes from the start of the file */
  offset: number
  byteLength: number
}

export interface GgufHeader {
  file: string
  version: number
  alignment: number
  metadata: ReadonlyMap<string, GgufValue>
  /** in the order of the header */
  tensors: ReadonlyMap<string, GgufTensor>
  /** bytes from the start of the file to the first tensor */
  dataStart: number
}
