import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import { drawFactors, LowRankModel } from './lowRankModel.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

it.each(['f32', 'bf16'] as const)(
  'writes base + U diag(s) Vᵀ from a base in %s, and goes back exactly',
  async (type) => {
    const { config, arrays } = tinyModel(TINY_CONFIGS['llama, odd sizes: hidden 18, head 6, inner 26'], type)
    const base = DeviceModel.fromArrays(gpu, config, arrays, type)
    const rank = 3
    const moved = new LowRankModel(base, rank, 11)
    const factors = drawFactors(
      [...base.tensors.values()].map(({ spec }) => spec),
      rank,
      11,
    )
    expect(moved.size).toBe(factors.length * rank)
    const s = Float64Array.from(new Random(2).normals(moved.size))
    const same = async () => {
      for (const name of base.tensors.keys())
        expect(await moved.model.read(name), name).toEqual(await base.read(name))
    }
    await same()
    moved.write(s)
    for (const [name, values] of arrays) {
      const at = factors.findIndex((one) => one.name === name)
      const expected = Float64Array.from(values)
      if (at >= 0) {
        const { N, u, v } = factors[at]
        for (let i = 0; i < expected.length; i++)
          for (let k = 0; k < rank; k++)
            expected[i] += s[at * rank + k] * u[Math.floor(i / N) * rank + k] * v[k * N + (i % N)]
      }
      expect(relativeError(await moved.model.read(name), expected), name).toBeLessThan(1e-6)
      if (at < 0) expect(await moved.model.read(name)).toEqual(values)
    }
    // However often it was moved, nothing is left behind.
    for (let i = 0; i < 3; i++) moved.write(s.map((value) => value * 100 * i))
    moved.write(new Float64Array(moved.size))
    await same()
    moved.dispose()
    base.dispose()
  },
)
