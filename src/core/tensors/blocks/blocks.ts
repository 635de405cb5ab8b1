// Block quantisations of GGML (ggml-common.h of llama.cpp): elements in blocks that share scales.

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

/** Whole blocks as float64: the slow truth. */
export const BLOCK_DECODERS: Partial<Record<BlockEncoding, (bytes: Uint8Array) => Float64Array>> = {}
