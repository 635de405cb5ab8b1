// Some of a model's weights on the device, read from their files: one layer, or a run of rows of a matrix too large to
// be held. In the stored type where that is a type of the engine, in float32 otherwise.

import { EngineError, throwIfCancelled } from '../../errors.ts'
import { countOf, readElements, type StoredWeight } from '../../files/storedWeight.ts'
import type { Gpu } from '../../gpu/device.ts'
import { WEIGHT_BYTES, type WeightType } from '../../tensors/dtype.ts'
import type { ModelConfig } from '../config.ts'
import { DeviceModel, paddedCount } from '../deviceModel.ts'
import { uploadWhole } from '../storedTensor.ts'

export type StoredWeights = ReadonlyMap<string, StoredWeight>

/** Bytes of a weight that are read and sent at once. */
const STRIP_BYTES = 8 * 2 ** 20

export function storedOf(stored: StoredWeights, name: string): StoredWeight {
  const weight = stored.get(name)
  if (!weight) throw new EngineError('file-missing', 'the model has no such weight', { tensor: name })
  return weight
}

/** The engine's type that all of these weights are stored in; float32 where they differ. */
export function commonStorage(stored: StoredWeights): WeightType {
  const types = new Set(Array.from(stored.values(), ({ storage }) => storage.toLowerCase()))
  const [type] = types
  return types.size === 1 && (type === 'bf16' || type === 'f16') ? type : 'f32'
}

/** Loads the weights `names`; the caller disposes of the model. Rejects `not-finite` and what files reject. */
export async function loadPart(
  gpu: Gpu,
  config: ModelConfig,
  stored: StoredWeights,
  names: readonly string[],
  type: WeightType,
  signal?: AbortSignal,
): Promise<DeviceModel> {
  const model = new DeviceModel(gpu, config, type, new Set(names))
  try {
    for (const { spec, buffer } of model.tensors.values()) {
      const weight = storedOf(stored, spec.name)
      if (type === 'f32') await uploadWhole(gpu, weight, buffer, signal)
      else await uploadRange(gpu, weight, 0, countOf(weight), type, buffer, signal)
      // What was written waits in the queue as a copy until the device has taken it.
      await gpu.idle()
    }
    await model.assertFinite(names[0])
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** Elements [begin, begin + count) of a weight that is stored in `type`, or any in float32, into `out`. */
export async function uploadRange(
  gpu: Gpu,
  weight: StoredWeight,
  begin: number,
  count: number,
  type: WeightType,
  out: GPUBuffer,
  signal?: AbortSignal,
): Promise<void> {
  const step = STRIP_BYTES / WEIGHT_BYTES[type]
  for (let done = 0; done < count; done += step) {
    throwIfCancelled(signal)
    const length = Math.min(step, count - done)
    if (type === 'f32') {
      gpu.write(out, await readElements(weight, begin + done, length, signal), done * 4)
      continue
    }
    const { bytes, encoding } = await weight.read(begin + done, length, signal)
    if (encoding !== type)
      throw new EngineError('file-malformed', `found ${encoding}, expected ${type}`, { tensor: weight.name })
    gpu.write(out, bytes, done * WEIGHT_BYTES[type])
  }
}

/** Bytes of `rows` rows of `columns` in a type, padded. */
export const rowBytes = (rows: number, columns: number, type: WeightType): number =>
  paddedCount(rows * columns) * WEIGHT_BYTES[type]

/** Rows of an embedding (ids.length, C) in float32. */
export async function gatherRows(
  weight: StoredWeight,
  ids: ArrayLike<number>,
  columns: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const table = new Float32Array(ids.length * columns)
  for (let i = 0; i < ids.length; i++)
    table.set(await readElements(weight, ids[i] * columns, columns, signal), i * columns)
  return table
}
