// One tensor merged in given tiles, from values on the host; how a method behaves when it never sees a tensor whole.

import type { Gpu } from '../core/gpu/device.ts'
import { runMerge } from '../core/merge/execute.ts'
import type { MergeMethod, PlannedTensor, Tile } from '../core/merge/method.ts'
import { paddedCount } from '../core/model/deviceModel.ts'
import { decodeWeights, encodeWeights, WEIGHT_BYTES, type WeightType } from '../core/tensors/dtype.ts'

export interface TiledMerge {
  gpu: Gpu
  method: MergeMethod<unknown>
  tensor: PlannedTensor
  /** base first, then the models */
  values: readonly Float32Array[]
  type: WeightType
  seed: number
}

/** Values of the merged tensor as stored. */
export async function mergeTiled(merge: TiledMerge, tiles: readonly Tile[]): Promise<Float32Array> {
  const { gpu, method, tensor, values, type, seed } = merge
  const merged = new Float32Array(values[0].length)
  const upload = (source: Float32Array, { start, count }: Tile) => {
    const padded = new Float32Array(paddedCount(count))
    padded.set(source.subarray(start, start + count))
    return gpu.upload(encodeWeights(padded, type))
  }
  await runMerge(method, {
    gpu,
    tensors: [tensor],
    layerCount: 1,
    seed,
    tiles: () => tiles,
    open: (_, tile) => ({
      base: method.declaration.base === 'none' ? undefined : upload(values[0], tile),
      models: values.slice(1).map((model) => upload(model, tile)),
      out: upload(new Float32Array(values[0].length).fill(7), tile),
      type,
    }),
    close: async (_, opened, isWritten, { start, count }) => {
      if (isWritten) {
        const bytes = await gpu.readBytes(opened.out, count * WEIGHT_BYTES[type])
        merged.set(decodeWeights(new Uint8Array(bytes), type), start)
      } else await gpu.idle()
      for (const buffer of [opened.base, ...opened.models, opened.out]) buffer?.destroy()
    },
  })
  return merged
}
