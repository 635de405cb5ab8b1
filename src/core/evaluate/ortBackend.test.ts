// Models and merges of the engine bound to one session of onnxruntime, in their own buffers or widened.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globals } from 'webgpu'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { allLogits } from '../model/gradients.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { loadOrtNode } from './ort/ortNode.ts'
import { OrtBackend } from './ortBackend.ts'

const ids = [3, 17, 9, 3, 30, 22, 5, 8]
let gpu: Gpu
let loads = 0
const load = () => {
  loads++
  return loadOrtNode({ gpu: navigator.gpu, globals })
}
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu.close())

function model(name: string, type: WeightType, seed: number): DeviceModel {
  const { config, arrays } = tinyModel(TINY_CONFIGS[name], type, seed)
  return DeviceModel.fromArrays(gpu, config, arrays, type)
}

async function difference(backend: OrtBackend, own: DeviceModel): Promise<number> {
  const batch = new Batch(gpu, own.config, [{ ids }])
  const error = relativeError(await (await backend.of(own)).logits(ids), await allLogits(own, batch))
  batch.release()
  return error
}

describe('models of the engine in onnxruntime', () => {
  it('agree whatever they are stored as, one session per architecture', async () => {
    const backend = new OrtBackend(gpu, load)
    expect(loads).toBe(0)
    for (const type of ['f32', 'bf16', 'f16', 'bf16', 'f32'] as const)
      for (const seed of [1, 2])
        expect(await difference(backend, model('gemma2', type, seed))).toBeLessThan(1e-5)
    expect(loads).toBe(1)
    expect(await difference(backend, model('llama, separate', 'bf16', 1))).toBeLessThan(1e-5)
    expect(loads).toBe(2)
    await backend.dispose()
  })
})
