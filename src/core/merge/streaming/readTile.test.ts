// Quantised blocks in merges by tiles: decoded on the device, with the bits of the host's decoder.

import { beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import { storedWeight } from '../../../testing/storedWeights.ts'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import { MemorySource } from '../../files/source.ts'
import { contiguousWeight, type StoredWeight } from '../../files/storedWeight.ts'
import type { Gpu } from '../../gpu/device.ts'
import { encodeBlocks } from '../../tensors/blocks/encodeBlocks.ts'
import { decodeValues } from '../../tensors/encoding.ts'
import { Random } from '../../tensors/random.ts'
import { methodOf } from '../methods/registry.ts'
import { type PlanInput, planMerge } from '../recipe/plan.ts'
import { readRecipeYaml } from '../recipe/yaml.ts'
import { signatureOf } from '../signatures.ts'
import { streamMerge } from '../streamMerge.ts'
import { readTile } from './readTile.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

const SHAPE = [96, 128]
const NAME = 'model.layers.0.mlp.up_proj.weight'
const bytesOf = (seed: number) => encodeBlocks(new Random(seed).normals(SHAPE[0] * SHAPE[1]), 'q4_0')

const quantised = (bytes: Uint8Array<ArrayBuffer>, granule = 32): StoredWeight => ({
  ...contiguousWeight(new MemorySource(bytes, 'w.gguf'), {
    name: NAME,
    shape: SHAPE,
    encoding: 'q4_0',
    offset: 0,
  }),
  granule,
})
const decoded = (bytes: Uint8Array<ArrayBuffer>) =>
  storedWeight(NAME, decodeValues({ bytes, encoding: 'q4_0' }), 'f32')

const input = (name: string): PlanInput => ({
  name,
  layerCount: 1,
  tensors: new Map([[NAME, SHAPE]]),
  dtype: 'float32',
})

async function merge(weightOf: (seed: number) => StoredWeight, budget: number): Promise<Float32Array> {
  const { recipe } = readRecipeYaml(
    'models:\n- {model: a, parameters: {weight: 1}}\n- {model: b, parameters: {weight: 2.5}}\nmerge_method: linear\n',
  )
  const plan = planMerge(recipe, [input('a'), input('b')], [signatureOf(methodOf('linear').declaration)])
  const readers = new Map(
    ['a', 'b'].map((name, seed) => [name, { stored: { get: () => weightOf(seed + 1) } }]),
  )
  const out = new Float32Array(SHAPE[0] * SHAPE[1])
  await streamMerge(methodOf('linear'), {
    gpu,
    plan,
    readers,
    budget,
    write: (_tensor, { start, bytes }) => out.set(new Float32Array(bytes.slice().buffer), start),
  })
  return out
}

describe('a merge of quantised blocks', () => {
  it.each([1e9, 4e5])('under a budget of %d bytes is that of their values', async (budget) => {
    const expected = await merge((seed) => decoded(bytesOf(seed)), 1e9)
    const dispatches = gpu.dispatchCount
    expect(await merge((seed) => quantised(bytesOf(seed)), budget)).toEqual(expected)
    expect(gpu.dispatchCount).toBeGreaterThan(dispatches + 2)
  })

  it('is the same where tiles cut granules, as those of q and k are', async () => {
    const expected = await merge((seed) => decoded(bytesOf(seed)), 1e9)
    expect(await merge((seed) => quantised(bytesOf(seed), 24 * 128), 4e5)).toEqual(expected)
  })
})

describe('readTile', () => {
  const models = (weight: StoredWeight) => new Map([['a', { stored: { get: () => weight } }]])
  const options = { dtype: undefined, outType: undefined }
  const from = { model: 'a', tensor: NAME }

  it('leaves whole blocks to the device, and rounds on the host', async () => {
    const weight = quantised(bytesOf(1))
    const whole = await readTile(models(weight), from, { start: 64, count: 96 }, options)
    expect(whole).toMatchObject({ type: 'blocks', encoded: { encoding: 'q4_0' } })
    const part = await readTile(models(weight), from, { start: 65, count: 10 }, options)
    expect(part).toEqual({
      type: 'f32',
      values: decodeValues({ bytes: bytesOf(1), encoding: 'q4_0' }).slice(65, 75),
    })
    const rounded = await readTile(
      models(weight),
      from,
      { start: 64, count: 96 },
      { ...options, dtype: 'bf16' },
    )
    expect(rounded.type).toBe('f32')
  })

  it('names the element of a scale that is none', async () => {
    const bytes = bytesOf(1)
    bytes.set([0, 0x7e], 5 * 18)
    const error = await expectFailure(
      readTile(models(quantised(bytes)), from, { start: 64, count: 320 }, options),
      'not-finite',
      { tensor: NAME },
    )
    expect(error.message).toContain('element 160')
  })
})
