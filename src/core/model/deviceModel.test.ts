// Weights on the device: what is refused, what a copy into another storage type gives, and what a lost device
// does to pending and later work.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeGpu } from '../../cli/nodeGpu.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import { Gpu } from '../gpu/device.ts'
import { encodeWeights, type WeightType } from '../tensors/dtype.ts'
import { Batch } from './batch.ts'
import { DeviceModel, type WeightReader } from './deviceModel.ts'
import { allLogits } from './gradients.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const tiny = tinyModel(TINY_CONFIGS['llama, odd sizes: hidden 18, head 6, inner 26'])

function reader(type: WeightType, spoil: (name: string, values: Float32Array) => void): WeightReader {
  return {
    name: 'spoiled',
    config: tiny.config,
    readWeight: async (name) => {
      const values = tiny.arrays.get(name)!.slice()
      spoil(name, values)
      return { bytes: encodeWeights(values, type), type }
    },
  }
}

describe.each<[WeightType, WeightType]>([
  ['f32', 'f32'],
  ['bf16', 'f32'],
  ['f16', 'f16'],
  ['bf16', 'bf16'],
])('from %s into %s', (stored, type) => {
  test.each([
    ['model.embed_tokens.weight', Number.NaN],
    ['model.layers.1.mlp.down_proj.bias', Number.POSITIVE_INFINITY],
    ['lm_head.weight', Number.NEGATIVE_INFINITY],
  ])('a bad last element of %s is refused by name (%f)', async (bad, value) => {
    const attempt = DeviceModel.load(
      gpu,
      reader(stored, (name, values) => {
        if (name === bad) values[values.length - 1] = value
      }),
      { type },
    )
    await expect(attempt).rejects.toMatchObject({
      code: 'not-finite',
      where: { tensor: bad, file: 'spoiled' },
      message: expect.stringMatching(/^1 of /),
    })
  })

  test('good weights arrive as the host rounds them', async () => {
    const model = await DeviceModel.load(
      gpu,
      reader(stored, () => {}),
      { type },
    )
    for (const [name, values] of tiny.arrays) {
      const once = encodeWeights(values, stored === 'f32' ? type : stored)
      expect(Buffer.compare(encodeWeights(await model.read(name), stored), once), name).toBe(0)
    }
    model.dispose()
  })
})

test.each<[WeightType, WeightType]>([
  ['f32', 'bf16'],
  ['f32', 'f16'],
  ['bf16', 'f32'],
  ['f16', 'bf16'],
  ['f32', 'f32'],
])('copying %s into %s on the device rounds like the host', async (from, to) => {
  const source = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays, from)
  const target = new DeviceModel(gpu, tiny.config, to)
  target.copyFrom(source)
  for (const name of tiny.arrays.keys())
    expect(
      Buffer.compare(await target.readStored(name), encodeWeights(await source.read(name), to)),
      name,
    ).toBe(0)
  source.dispose()
  target.dispose()
})

test('weights of another size are refused by name', () => {
  const arrays = new Map(tiny.arrays).set('model.norm.weight', new Float32Array(17))
  expect(() => DeviceModel.fromArrays(gpu, tiny.config, arrays)).toThrow(
    expect.objectContaining({ code: 'shape-mismatch', where: { tensor: 'model.norm.weight' } }),
  )
})

test('losing the device rejects pending and later work as device-lost, and a new one works', async () => {
  const open = async () => {
    const own = await Gpu.open(await nodeGpu())
    const model = DeviceModel.fromArrays(own, tiny.config, tiny.arrays)
    return { own, model, batch: new Batch(own, tiny.config, [{ ids: [3, 4, 5] }]) }
  }
  const first = await open()
  const good = await allLogits(first.model, first.batch)
  const pending = allLogits(first.model, first.batch)
  const idle = first.own.idle()
  first.own.device.destroy()
  await expect(pending).rejects.toMatchObject({ code: 'device-lost' })
  await expect(idle).rejects.toMatchObject({ code: 'device-lost' })
  await first.own.lost
  expect(() => first.own.createBuffer(16)).toThrow(expect.objectContaining({ code: 'device-lost' }))
  await expect(first.own.readBytes(first.own.unused, 16)).rejects.toMatchObject({ code: 'device-lost' })
  const second = await open()
  expect(Array.from(await allLogits(second.model, second.batch))).toEqual(Array.from(good))
  second.own.close()
  await expect(second.own.idle()).rejects.toMatchObject({ code: 'device-lost' })
})

test('a tensor that does not fit a binding is refused before it is made', () => {
  const limit = gpu.device.limits.maxStorageBufferBindingSize
  expect(() => gpu.createBuffer(limit + 1, 'lm_head.weight')).toThrow(
    expect.objectContaining({ code: 'gpu-limit', message: expect.stringContaining('lm_head.weight') }),
  )
})
