// MLX's affine quantisation (mlx.core.quantize, mode affine): along a row, groups of codes of a few bits that share a
// scale and a bias, w = scale · code + bias. Codes of a row are one little-endian bit stream, stored as uint32 words;
// https://ml-explore.github.io/mlx/build/html/python/_autosummary/mlx.core.quantize.html

import { EngineError } from '../../../errors.ts'
import { computedWeight, readElements, type StoredWeight } from '../../storedWeight.ts'

export interface AffineSettings {
  /** of a code: 2, 3, 4, 5, 6 or 8 */
  bits: number
  /** codes that share scale and bias, along a row: 32, 64 or 128 */
  groupSize: number
}

export interface AffineParts {
  /** uint32 [out, in · bits / 32] */
  packed: StoredWeight
  /** floats [out, in / groupSize] */
  scales: StoredWeight
  biases: StoredWeight
}

/** Values of whole groups, each rounded once to float32. MLX itself rounds them to the type of the scales. */
export function decodeAffine(
  bytes: Uint8Array,
  scales: Float32Array,
  biases: Float32Array,
  { bits, groupSize }: AffineSettings,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(scales.length * groupSize)
  const mask = (1 << bits) - 1
  for (let i = 0; i < out.length; i++) {
    const at = i * bits
    const byte = at >> 3
    // A code of at most 8 bits lies in two bytes; the last one of the stream ends with it.
    const pair = bytes[byte] | ((bytes[byte + 1] ?? 0) << 8)
    const group = Math.floor(i / groupSize)
    out[i] = scales[group] * ((pair >> (at & 7)) & mask) + biases[group]
  }
  return out
}

/** The weight [out, in] of the three tensors; `shape-mismatch` when they do not fit one another. */
export function affineWeight(name: string, parts: AffineParts, settings: AffineSettings): StoredWeight {
  const { packed, scales, biases } = parts
  const { bits, groupSize } = settings
  const rows = scales.shape.slice(0, -1)
  const groups = scales.shape.at(-1) ?? 0
  const shape = [...rows, groups * groupSize]
  const words = (groups * groupSize * bits) / 32
  const fits = [...rows, words].join() === packed.shape.join() && scales.shape.join() === biases.shape.join()
  if (rows.length === 0 || !fits)
    throw new EngineError(
      'shape-mismatch',
      `${bits} bits in groups of ${groupSize}: found words [${packed.shape}], scales [${scales.shape}] and biases [${biases.shape}], expected words [${[...rows, words]}] and as many biases as scales`,
      { ...packed.where, tensor: name },
    )
  const about = {
    name,
    shape,
    storage: `int${bits}, groups of ${groupSize}`,
    byteLength: packed.byteLength + scales.byteLength + biases.byteLength,
    granule: groupSize,
    ...(packed.where && { where: packed.where }),
  }
  return computedWeight(about, async (begin, count, signal) => {
    const first = begin / groupSize
    const groupCount = count / groupSize
    const wordsPerGroup = (groupSize * bits) / 32
    const { bytes } = await packed.read(first * wordsPerGroup, groupCount * wordsPerGroup, signal)
    return decodeAffine(
      bytes,
      await readElements(scales, first, groupCount, signal),
      await readElements(biases, first, groupCount, signal),
      settings,
    )
  })
}
