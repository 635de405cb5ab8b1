// Refuses numbers that are none, and says where they stand in their tensor.

import { EngineError } from '../../errors.ts'
import { decodeWeights, type WeightType } from '../../tensors/dtype.ts'

/** Names where the values stop being finite; `start` is the first one's place in the tensor. */
export function assertFiniteValues(values: Float32Array, what: string, tensor: string, start = 0): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length)
  // Exponents of all ones overflow into the sign's place: one pass without a branch finds whether there are any.
  let seen = 0
  for (let i = 0; i < words.length; i++) seen |= (words[i] & 0x7f800000) + 0x00800000
  if (seen >= 0) return
  const index = values.findIndex((value) => !Number.isFinite(value))
  if (index >= 0)
    throw new EngineError('not-finite', `${what} is ${values[index]} at element ${start + index}`, { tensor })
}

/** For each 16-bit type the exponent of both halves of a word, and what makes a full one overflow. */
const HALVES = {
  bf16: { exponents: 0x7f807f80, carry: 0x00800080 },
  f16: { exponents: 0x7c007c00, carry: 0x04000400 },
} as const

/** The same of encoded elements. */
export function assertFiniteBytes(
  bytes: Uint8Array,
  type: WeightType,
  what: string,
  tensor: string,
  start = 0,
): void {
  if (type === 'f32' || bytes.byteOffset % 4 !== 0) {
    assertFiniteValues(decodeWeights(bytes, type), what, tensor, start)
    return
  }
  const { exponents, carry } = HALVES[type]
  const whole = Math.floor(bytes.byteLength / 4)
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, whole)
  let seen = 0
  for (let i = 0; i < whole; i++) seen |= (words[i] & exponents) + carry
  const hasTail = bytes.byteLength % 4 !== 0
  if ((seen & 0x80008000) !== 0 || hasTail)
    assertFiniteValues(decodeWeights(bytes, type), what, tensor, start)
}
