// Tensors of GGUF files as weights under their Hugging Face names, in Hugging Face's order and meaning.

import { EngineError } from '../../../errors.ts'
import { computedWeight, contiguousWeight, readElements, type StoredWeight } from '../../storedWeight.ts'
import { headOrdered } from './headRows.ts'
import { huggingFaceName, isPermuted, isShiftedNorm } from './names.ts'
import type { RopeTensors } from './ropeScaling.ts'
import type { GgufShard } from './shards.ts'
import type { GgufTensor } from './types.ts'

/** Divisors of angles are as many as half a head has elements. */
const MAX_DIVISORS = 4096

/** No weights of the model: the config is made from them. */
const ROPE_NAMES: Readonly<Record<string, keyof RopeTensors>> = {
  'rope_freqs.weight': 'frequencies',
  'rope_factors_long.weight': 'long',
  'rope_factors_short.weight': 'short',
}

function storedTensor({ source }: GgufShard, tensor: GgufTensor, name: string): StoredWeight | undefined {
  const { encoding, offset, typeName, dimensions } = tensor
  if (!encoding) return undefined
  return contiguousWeight(source, {
    name,
    shape: dimensions.toReversed(),
    encoding,
    offset,
    storage: typeName,
  })
}

/** The rotary tensors of the files; they are small. */
export async function readRopeTensors(
  shards: readonly GgufShard[],
  signal?: AbortSignal,
): Promise<RopeTensors> {
  const found: RopeTensors = {}
  for (const shard of shards)
    for (const tensor of shard.header.tensors.values()) {
      const key = Object.hasOwn(ROPE_NAMES, tensor.name) ? ROPE_NAMES[tensor.name] : undefined
      if (!key) continue
      const weight = storedTensor(shard, tensor, tensor.name)
      if (!weight || !(tensor.dimensions.reduce((a, b) => a * b, 1) <= MAX_DIVISORS))
        throw new EngineError(
          'file-malformed',
          `expected at most ${MAX_DIVISORS} floats, found ${tensor.typeName} of [${tensor.dimensions}]`,
          { file: shard.header.file, tensor: tensor.name },
        )
      found[key] = await readElements(weight, 0, undefined, signal)
    }
  return found
}

/**
 * Weights by Hugging Face name, and tensors whose type has no decoder. `headSize` is D; names that no family has
 * keep their own.
 */
export function ggufWeights(
  shards: readonly GgufShard[],
  architecture: string,
  headSize: number,
): { weights: Map<string, StoredWeight>; unread: Map<string, string> } {
  const weights = new Map<string, StoredWeight>()
  const unread = new Map<string, string>()
  for (const shard of shards)
    for (const tensor of shard.header.tensors.values()) {
      if (Object.hasOwn(ROPE_NAMES, tensor.name)) continue
      const name = huggingFaceName(tensor.name, architecture) ?? tensor.name
      const weight = storedTensor(shard, tensor, name)
      if (!weight) unread.set(name, `element type ${tensor.typeName}: no decoder for it`)
      else if (isShiftedNorm(name, architecture)) weights.set(name, lessOne(weight))
      else if (isPermuted(name, architecture) && canReorder(weight, headSize))
        weights.set(name, headOrdered(weight, headSize))
      else weights.set(name, weight)
    }
  return { weights, unread }
}

/** Where not, the shape does not fit the config, which is said when weights are matched. */
const canReorder = ({ shape }: StoredWeight, headSize: number): boolean =>
  headSize >= 2 && headSize % 2 === 0 && shape.length >= 1 && shape.length <= 2 && shape[0] % headSize === 0

function lessOne(weight: StoredWeight): StoredWeight {
  return computedWeight({ ...weight, storage: `${weight.storage} less 1` }, async (begin, count, signal) => {
    const values = await readElements(weight, begin, count, signal)
    for (let i = 0; i < values.length; i++) values[i] -= 1
    return values
  })
}
