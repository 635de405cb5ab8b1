// Block quantisations of GGML (ggml-common.h of llama.cpp): elements in blocks that share scales.

import { type BlockDecoder, q4_0, q4_1, q5_0, q5_1, q8_0 } from './plainBlocks.ts'
import { q2_k, q3_k, q4_k, q5_k, q6_k } from './superBlocks.ts'

/** As GGUF names them, in lower case. */
export type BlockEncoding =
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q8_0'
  | 'q2_k'
  | 'q3_k'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k'

/** Elements and bytes of one block. */
export const BLOCK_SIZES: Record<BlockEncoding, { elements: number; bytes: number }> = {
  q4_0: { elements: 32, bytes: 18 },
  q4_1: { elements: 32, bytes: 20 },
  q5_0: { elements: 32, bytes: 22 },
  q5_1: { elements: 32, bytes: 24 },
  q8_0: { elements: 32, bytes: 34 },
  q2_k: { elements: 256, bytes: 84 },
  q3_k: { elements: 256, bytes: 110 },
  q4_k: { elements: 256, bytes: 144 },
  q5_k: { elements: 256, bytes: 176 },
  q6_k: { elements: 256, bytes: 210 },
}

/** Bytes at which the binary16 numbers of a block stand. */
export const BLOCK_HALVES: Record<BlockEncoding, readonly number[]> = {
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  q8_0: [0],
  q2_k: [80, 82],
  q3_k: [108],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
}

/** First of whole blocks that holds infinity or NaN, which only its binary16 numbers can bring; −1 for none. */
export function findNonFiniteBlock(bytes: Uint8Array, encoding: BlockEncoding): number {
  const { bytes: size } = BLOCK_SIZES[encoding]
  const halves = BLOCK_HALVES[encoding]
  for (let at = 0; at < bytes.byteLength; at += size)
    for (const offset of halves) if ((bytes[at + offset + 1] & 0x7c) === 0x7c) return at / size
  return -1
}

/** In the order that kernels/dequantize numbers them. */
export const BLOCK_ENCODINGS = Object.keys(BLOCK_SIZES) as BlockEncoding[]

const DECODERS: Record<BlockEncoding, BlockDecoder> = {
  ...{ q4_0, q4_1, q5_0, q5_1, q8_0 },
  ...{ q2_k, q3_k, q4_k, q5_k, q6_k },
}

/** Whole blocks as float64: the slow truth. */
export function decodeBlocks(bytes: Uint8Array, encoding: BlockEncoding): Float64Array {
  const { elements, bytes: size } = BLOCK_SIZES[encoding]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const blocks = Math.floor(bytes.byteLength / size)
  const out = new Float64Array(blocks * elements)
  const decode = DECODERS[encoding]
  for (let b = 0; b < blocks; b++) decode(view, b * size, out, b * elements)
  return out
}
