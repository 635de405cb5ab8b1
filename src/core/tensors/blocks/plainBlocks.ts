// GGML's blocks of 32 elements: one binary16 scale d, some with a binary16 minimum m. Low nibbles are elements 0 to
// 15, high nibbles 16 to 31; five-bit types keep the fifth bits of all 32 in one little-endian word.
// Layouts: ggml-common.h of llama.cpp (block_q4_0 … block_q8_0).

import { fromF16 } from '../dtype.ts'

/** Writes the elements of the block that begins at `at` to `out` from `to` on. */
export type BlockDecoder = (view: DataView, at: number, out: Float64Array, to: number) => void

const half = (view: DataView, at: number) => fromF16(view.getUint16(at, true))
const nibble = (view: DataView, at: number, i: number) =>
  (view.getUint8(at + (i & 15)) >> (i < 16 ? 0 : 4)) & 15
const bit = (word: number, i: number) => (word >>> i) & 1

/** d (q − 8); 2 bytes d, 16 bytes of nibbles. */
export const q4_0: BlockDecoder = (view, at, out, to) => {
  const d = half(view, at)
  for (let i = 0; i < 32; i++) out[to + i] = d * (nibble(view, at + 2, i) - 8)
}

/** d q + m; 2 bytes d, 2 bytes m, nibbles. */
export const q4_1: BlockDecoder = (view, at, out, to) => {
  const [d, m] = [half(view, at), half(view, at + 2)]
  for (let i = 0; i < 32; i++) out[to + i] = d * nibble(view, at + 4, i) + m
}

/** d (q − 16); 2 bytes d, 4 bytes of fifth bits, nibbles. */
export const q5_0: BlockDecoder = (view, at, out, to) => {
  const d = half(view, at)
  const fifth = view.getUint32(at + 2, true)
  for (let i = 0; i < 32; i++) out[to + i] = d * ((nibble(view, at + 6, i) | (bit(fifth, i) << 4)) - 16)
}

/** d q + m; 2 bytes d, 2 bytes m, 4 bytes of fifth bits, nibbles. */
export const q5_1: BlockDecoder = (view, at, out, to) => {
  const [d, m] = [half(view, at), half(view, at + 2)]
  const fifth = view.getUint32(at + 4, true)
  for (let i = 0; i < 32; i++) out[to + i] = d * (nibble(view, at + 8, i) | (bit(fifth, i) << 4)) + m
}

/** d q; 2 bytes d, 32 signed bytes. */
export const q8_0: BlockDecoder = (view, at, out, to) => {
  const d = half(view, at)
  for (let i = 0; i < 32; i++) out[to + i] = d * view.getInt8(at + 2 + i)
}
