// A made-up MLX checkpoint for tests, packed by a way of its own: a row's codes as one long number. Not imported outside
// tests.

import { dtypeOf } from '../core/files/safetensorsFormat.ts'
import { listWeights } from '../core/model/families/decoder.ts'
import { readConfig } from '../core/model/families/registry.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../core/tensors/dtype.ts'
import { Random } from '../core/tensors/random.ts'
import { packTensors, type RawTensor, tinyConfig, tinyFiles } from './tinyCheckpoint.ts'

export const MLX_CONFIG = {
  ...tinyConfig(),
  hidden_size: 64,
  intermediate_size: 96,
  num_attention_heads: 4,
  num_key_value_heads: 2,
}

/** Codes of a row, the first in the lowest bits, as uint32 words: one long number. */
function packRow(codes: readonly number[], bits: number): number[] {
  let stream = 0n
  codes.forEach((code, i) => {
    stream |= BigInt(code) << BigInt(i * bits)
  })
  return Array.from({ length: (codes.length * bits) / 32 }, (_, i) =>
    Number((stream >> BigInt(32 * i)) & 0xffffffffn),
  )
}

/** A matrix in affine groups, and its values in float64. */
function quantised(
  module: string,
  [rows, columns]: readonly number[],
  { bits, groupSize, type }: { bits: number; groupSize: number; type: WeightType },
  random: Random,
): { tensors: RawTensor[]; values: Float64Array } {
  const groups = columns / groupSize
  const round = (values: Float32Array) => decodeWeights(encodeWeights(values, type), type)
  const scales = round(random.normals(rows * groups, 0.1))
  const biases = round(random.normals(rows * groups, 0.5))
  const words: number[] = []
  const values = new Float64Array(rows * columns)
  for (let i = 0; i < rows; i++) {
    const codes = Array.from({ length: columns }, () => random.integer(2 ** bits))
    words.push(...packRow(codes, bits))
    codes.forEach((code, j) => {
      const group = i * groups + Math.floor(j / groupSize)
      values[i * columns + j] = scales[group] * code + biases[group]
    })
  }
  const packed = new Uint8Array(Uint32Array.from(words).buffer)
  const side = (name: string, numbers: Float32Array): RawTensor => ({
    name: `${module}.${name}`,
    dtype: dtypeOf(type),
    shape: [rows, groups],
    bytes: encodeWeights(numbers, type),
  })
  return {
    values,
    tensors: [
      { name: `${module}.weight`, dtype: 'U32', shape: [rows, (columns * bits) / 32], bytes: packed },
      side('scales', scales),
      side('biases', biases),
    ],
  }
}

/** A whole model; `lm_head` has settings of its own, and gains stay as they are. */
export function mlxModel(
  settings: { bits: number; groupSize: number; type: WeightType },
  head = { bits: 8, groupSize: 32 },
) {
  const random = new Random(settings.bits)
  const tensors: RawTensor[] = []
  const values = new Map<string, ArrayLike<number>>()
  for (const { name, shape, role } of listWeights(readConfig(MLX_CONFIG))) {
    const module = name.slice(0, -'.weight'.length)
    if (role === 'gain') {
      const gain = random.normals(shape[0])
      tensors.push({ name, dtype: 'F32', shape, bytes: encodeWeights(gain, 'f32') })
      values.set(name, gain)
      continue
    }
    const made = quantised(module, shape, role === 'head' ? { ...settings, ...head } : settings, random)
    tensors.push(...made.tensors)
    values.set(name, made.values)
  }
  const quantization: Record<string, unknown> = {
    group_size: settings.groupSize,
    bits: settings.bits,
    lm_head: { group_size: head.groupSize, bits: head.bits },
  }
  // As mlx-lm writes it: twice.
  const config = { ...MLX_CONFIG, quantization, quantization_config: quantization }
  const files = tinyFiles(MLX_CONFIG)
  files.set('config.json', JSON.stringify(config))
  files.set('model.safetensors', packTensors(tensors, { format: 'mlx' }))
  return { files, values, config, tensors }
}
