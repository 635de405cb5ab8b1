// Made-up checkpoints near one another: an anchor and experts moved away from it along seeded noise.

import { type Checkpoint, openCheckpoint } from '../core/files/checkpoint.ts'
import { memoryFolder } from '../core/files/folder.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../core/tensors/dtype.ts'
import { packTensors, tinyConfig, tinyFiles, tinyTensors } from './tinyCheckpoint.ts'

export interface NearOptions {
  type?: WeightType
  /** of the configuration */
  change?: Record<string, unknown>
  name?: string
}

/** Opens the anchor's weights, made smaller so that nothing saturates, with every tensor changed by `move`. */
export function movedCheckpoint(
  name: string,
  move: (values: Float32Array, tensor: string) => ArrayLike<number>,
  { type = 'f32', change = {} }: NearOptions = {},
): Promise<Checkpoint> {
  const config = { ...tinyConfig(), ...change }
  const files = tinyFiles(config, type, 1)
  const tensors = tinyTensors(config, 'f32', 1).map((tensor) => {
    const values = decodeWeights(tensor.bytes, 'f32').map((value) => 0.4 * value)
    return {
      ...tensor,
      dtype: type === 'bf16' ? ('BF16' as const) : tensor.dtype,
      bytes: encodeWeights(Float32Array.from(move(values, tensor.name)), type),
    }
  })
  files.set('model.safetensors', packTensors(tensors, { format: 'pt' }))
  return openCheckpoint(memoryFolder(name, files))
}

/** Seed 1 is the anchor; other seeds are `distance` times their own noise away from it. */
export function nearCheckpoint(
  seed: number,
  distance: number,
  options: NearOptions = {},
): Promise<Checkpoint> {
  const config = { ...tinyConfig(), ...options.change }
  const noise = new Map(
    tinyTensors(config, 'f32', seed).map(({ name, bytes }) => [name, decodeWeights(bytes, 'f32')]),
  )
  return movedCheckpoint(
    options.name ?? `tiny-${seed}`,
    (values, tensor) =>
      seed === 1 ? values : values.map((value, i) => value + distance * noise.get(tensor)![i]),
    options,
  )
}
