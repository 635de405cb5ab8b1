// Element types of stored tensors, and the host's conversions to and from float32.
// bfloat16 is the upper half of a float32; float16 is IEEE 754 binary16. Rounding is to nearest, ties to even.

/** Types that a weight can have on the device. */
export type WeightType = 'f32' | 'f16' | 'bf16'

/** Bytes per element. */
export const WEIGHT_BYTES: Record<WeightType, number> = { f32: 4, f16: 2, bf16: 2 }

const word = new Uint32Array(1)
const float = new Float32Array(word.buffer)

/** Upper 16 bits of `value` rounded to nearest even; NaN stays NaN. */
export function toBf16(value: number): number {
  float[0] = value
  const bits = word[0]
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

export function fromBf16(bits: number): number {
  word[0] = bits << 16
  return float[0]
}

/** IEEE binary16 bits of `value`, rounded to nearest even; overflow gives infinity. */
export function toF16(value: number): number {
  float[0] = value
  const bits = word[0]
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  if (magnitude >= 0x47800000) return sign | 0x7c00
  if (magnitude < 0x38800000) {
    // Subnormal result: the spacing is 2^-24, so scaling turns it into an integer to round.
    const scaled = Math.abs(value) * 16777216
    const floor = Math.floor(scaled)
    const rest = scaled - floor
    return sign | (rest > 0.5 || (rest === 0.5 && floor & 1) ? floor + 1 : floor)
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1)
  return sign | Math.min((rounded - 0x38000000) >>> 13, 0x7c00)
}

export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** of all bit patterns, made when first needed: ten times quicker than working each out */
let halfValues: Float32Array | undefined

/** Decodes `count` little-endian elements of `type` into float32. */
export function decodeWeights(bytes: Uint8Array, type: WeightType): Float32Array {
  // A copy, because tensors in a file need not be aligned to their element size.
  const aligned = bytes.slice()
  if (type === 'f32') return new Float32Array(aligned.buffer, 0, aligned.byteLength >> 2)
  const halves = new Uint16Array(aligned.buffer, 0, aligned.byteLength >> 1)
  const out = new Float32Array(halves.length)
  if (type === 'bf16') {
    const words = new Uint32Array(out.buffer)
    for (let i = 0; i < halves.length; i++) words[i] = halves[i] << 16
  } else {
    halfValues ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => fromF16(bits))
    for (let i = 0; i < halves.length; i++) out[i] = halfValues[halves[i]]
  }
  return out
}

/** Encodes float32 values as little-endian elements of `type`. */
export function encodeWeights(values: Float32Array, type: WeightType): Uint8Array {
  if (type === 'f32') return new Uint8Array(values.slice().buffer)
  const halves = new Uint16Array(values.length)
  const convert = type === 'bf16' ? toBf16 : toF16
  for (let i = 0; i < values.length; i++) halves[i] = convert(values[i])
  return new Uint8Array(halves.buffer)
}
