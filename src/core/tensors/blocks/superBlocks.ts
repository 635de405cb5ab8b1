// GGML's super-blocks of 256 elements: groups of 16 or 32 have small integer scales (and minima), which a binary16 d
// (and dmin) of the whole block multiplies. Layouts: ggml-common.h of llama.cpp (block_q2_K … block_q6_K).

import { fromF16 } from '../dtype.ts'
import type { BlockDecoder } from './plainBlocks.ts'

const half = (view: DataView, at: number) => fromF16(view.getUint16(at, true))

/** Two bits of element i: each half of the block has 32 bytes, whose bit pairs are 32 elements apart. */
const twoBits = (view: DataView, at: number, i: number) =>
  (view.getUint8(at + 32 * (i >> 7) + (i & 31)) >> (2 * ((i >> 5) & 3))) & 3

/** Four bits of element i: 32 bytes hold 64 elements, low nibbles first. */
const fourBits = (view: DataView, at: number, i: number) =>
  (view.getUint8(at + 32 * (i >> 6) + (i & 31)) >> (4 * ((i >> 5) & 1))) & 15

/**
 * d scale q − dmin minimum in groups of 16; 16 bytes with the scale in the low and the minimum in the high nibble,
 * 64 bytes of bit pairs, d, dmin.
 */
export const q2_k: BlockDecoder = (view, at, out, to) => {
  const [d, dmin] = [half(view, at + 80), half(view, at + 82)]
  for (let i = 0; i < 256; i++) {
    const group = view.getUint8(at + (i >> 4))
    out[to + i] = d * (group & 15) * twoBits(view, at + 16, i) - dmin * (group >> 4)
  }
}

/**
 * d (scale − 32) (q − 4) in groups of 16, q of three bits: 32 bytes of third bits (bit k of byte j is element
 * 32 k + j), 64 bytes of bit pairs, 12 bytes of six-bit scales, d.
 */
export const q3_k: BlockDecoder = (view, at, out, to) => {
  const d = half(view, at + 108)
  for (let i = 0; i < 256; i++) {
    const third = (view.getUint8(at + (i & 31)) >> (i >> 5)) & 1
    const q = twoBits(view, at + 32, i) | (third << 2)
    out[to + i] = d * (sixBitScale(view, at + 96, i >> 4) - 32) * (q - 4)
  }
}

/** Scale g of 16: the low four bits in nibbles of bytes 0 to 7, the high two in bit pairs of bytes 8 to 11. */
function sixBitScale(view: DataView, at: number, g: number): number {
  const low = (view.getUint8(at + (g & 7)) >> (g < 8 ? 0 : 4)) & 15
  const high = (view.getUint8(at + 8 + (g & 3)) >> (2 * (g >> 2))) & 3
  return low | (high << 4)
}

/**
 * Six-bit scale and minimum g of 8 in 12 bytes: those of the first four groups in the low six bits of bytes 0 to 7,
 * the others in nibbles of bytes 8 to 11 with their high bits above the first.
 */
function scaleAndMinimum(view: DataView, at: number, g: number): [number, number] {
  const byte = (i: number) => view.getUint8(at + i)
  if (g < 4) return [byte(g) & 63, byte(g + 4) & 63]
  return [(byte(g + 4) & 15) | ((byte(g - 4) >> 6) << 4), (byte(g + 4) >> 4) | ((byte(g) >> 6) << 4)]
}

/** d scale q − dmin minimum in groups of 32; d, dmin, 12 bytes of scales and minima, 128 bytes of nibbles. */
export const q4_k: BlockDecoder = (view, at, out, to) => {
  const [d, dmin] = [half(view, at), half(view, at + 2)]
  for (let i = 0; i < 256; i++) {
    const [scale, minimum] = scaleAndMinimum(view, at + 4, i >> 5)
    out[to + i] = d * scale * fourBits(view, at + 16, i) - dmin * minimum
  }
}

/** The same with a fifth bit: 32 bytes before the nibbles, bit k of byte j for element 32 k + j. */
export const q5_k: BlockDecoder = (view, at, out, to) => {
  const [d, dmin] = [half(view, at), half(view, at + 2)]
  for (let i = 0; i < 256; i++) {
    const [scale, minimum] = scaleAndMinimum(view, at + 4, i >> 5)
    const fifth = (view.getUint8(at + 16 + (i & 31)) >> (i >> 5)) & 1
    out[to + i] = d * scale * (fourBits(view, at + 48, i) | (fifth << 4)) - dmin * minimum
  }
}

/**
 * d scale (q − 32) in groups of 16, q of six bits; 128 bytes of low nibbles (each half of the block: 64 bytes, low
 * nibbles elements 0 to 63, high ones 64 to 127), 64 bytes of high bit pairs, 16 signed scales, d.
 */
export const q6_k: BlockDecoder = (view, at, out, to) => {
  const d = half(view, at + 208)
  for (let i = 0; i < 256; i++) {
    const low = (view.getUint8(at + 64 * (i >> 7) + (i & 63)) >> (4 * ((i >> 6) & 1))) & 15
    const q = low | (twoBits(view, at + 128, i) << 4)
    out[to + i] = d * view.getInt8(at + 192 + (i >> 4)) * (q - 32)
  }
}
