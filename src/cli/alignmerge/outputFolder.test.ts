import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSafetensorsHeader, readTensor } from '../../core/files/safetensors.ts'
import { MemorySource } from '../../core/files/source.ts'
import type { MergePlan, PlanTensor } from '../../core/merge/recipe/plan.ts'
import { decodeWeights } from '../../core/tensors/dtype.ts'
import { layShards, mergedConfig, ShardWriter, withTarget } from './outputFolder.ts'
import { temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
})
afterAll(() => folder.remove())

const tensor = (name: string, ...shape: number[]): PlanTensor => ({
  name,
  shape,
  sources: [],
  parameters: {},
})
const TENSORS = [tensor('a', 4), tensor('b', 2, 2), tensor('c', 10), tensor('d', 1)]

describe('layShards', () => {
  const files = (limit: number) =>
    layShards(TENSORS, 'f32', limit).map(({ tensors }) => tensors.map(({ name }) => name).join(''))
  it('fills shards up to the limit', () => {
    expect(files(1e9)).toEqual(['abcd'])
    expect(files(76)).toEqual(['abcd'])
    expect(files(75)).toEqual(['abc', 'd'])
    expect(files(32)).toEqual(['ab', 'c', 'd'])
    expect(files(31)).toEqual(['a', 'b', 'c', 'd'])
    expect(files(1)).toEqual(['a', 'b', 'c', 'd'])
  })
  it('names them as Hugging Face does', () => {
    expect(layShards(TENSORS, 'bf16', 1e9)[0].file).toBe('model.safetensors')
    expect(layShards(TENSORS, 'bf16', 16).map(({ file }) => file)).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
    ])
  })
})

describe('ShardWriter', () => {
  it('writes shards and index that read back', async () => {
    const path = join(folder.path, 'shards')
    await mkdir(path)
    const writer = new ShardWriter(path, TENSORS, 'f32', 32)
    const values = (name: string, count: number) =>
      Float32Array.from({ length: count }, (_, i) => i + name.charCodeAt(0))
    for (const { name, shape } of TENSORS)
      await writer.write(
        name,
        values(
          name,
          shape.reduce((a, b) => a * b, 1),
        ),
      )
    await writer.finish()
    const index = JSON.parse(await readFile(join(path, 'model.safetensors.index.json'), 'utf8'))
    expect(index).toEqual({
      metadata: { total_size: 76 },
      weight_map: {
        a: 'model-00001-of-00003.safetensors',
        b: 'model-00001-of-00003.safetensors',
        c: 'model-00002-of-00003.safetensors',
        d: 'model-00003-of-00003.safetensors',
      },
    })
    for (const { name, shape } of TENSORS) {
      const source = new MemorySource(
        new Uint8Array(await readFile(join(path, index.weight_map[name]))),
        name,
      )
      const header = await readSafetensorsHeader(source)
      expect(header.tensors.get(name)!.shape).toEqual(shape)
      const read = decodeWeights(await readTensor(source, header, name), 'f32')
      expect(read).toEqual(values(name, read.length))
    }
  })

  it('refuses another order, an early end, and what does not fit float16', async () => {
    const path = join(folder.path, 'wrong')
    await mkdir(path)
    const writer = new ShardWriter(path, TENSORS, 'f16', 1e9)
    await expect(writer.write('b', new Float32Array(4))).rejects.toThrow(
      'out of order: expected a (tensor b)',
    )
    const second = new ShardWriter(path, TENSORS, 'f16', 1e9)
    await expect(second.write('a', new Float32Array([1, 2, 70_000, 4]))).rejects.toThrow(
      'the merged weight in float16 is Infinity at element 2 (tensor a)',
    )
    const third = new ShardWriter(path, TENSORS, 'f16', 1e9)
    await third.write('a', new Float32Array(4))
    await third.close()
    await expect(third.finish()).rejects.toThrow('3 tensors were not written')
  })
})

describe('withTarget', () => {
  const inside = async (name: string) => (await readdir(join(folder.path, name)).catch(() => ['none'])).sort()

  it('leaves nothing behind when the work fails', async () => {
    const target = join(folder.path, 'failed')
    const work = async (part: string) => {
      await writeFile(join(part, 'x'), 'x')
      throw new Error('no')
    }
    await expect(withTarget(target, false, work)).rejects.toThrow('no')
    expect(await inside('failed')).toEqual(['none'])
    expect((await readdir(folder.path)).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('replaces only a model folder, and only when forced', async () => {
    const target = join(folder.path, 'held')
    const put = (file: string) => (part: string) => writeFile(join(part, file), file)
    await withTarget(target, false, put('config.json'))
    await expect(withTarget(target, false, put('y'))).rejects.toThrow(
      'is not empty; --force replaces a model folder',
    )
    await withTarget(target, true, put('y'))
    expect(await inside('held')).toEqual(['y'])
    await expect(withTarget(target, true, put('z'))).rejects.toThrow(
      'holds no model, so --force does not replace it',
    )
    expect(await inside('held')).toEqual(['y'])
    await expect(withTarget(join(target, 'y'), false, put('z'))).rejects.toThrow(
      'is no folder that can be written',
    )
  })
})

describe('mergedConfig', () => {
  const layer = (index: number, model: string, from: number): PlanTensor => ({
    name: `model.layers.${index}.x`,
    shape: [1],
    layer: index,
    sources: [{ model, tensor: `model.layers.${from}.x`, parameters: {} }],
    parameters: {},
  })
  const plan = (tensors: PlanTensor[]): MergePlan => ({
    method: 'passthrough',
    layerCount: tensors.length,
    tensors,
    outDtype: 'float16',
    configFrom: 'a',
    tokenizerFrom: 'a',
    seed: 0,
    roles: {},
    models: ['a', 'b'],
    notes: [],
  })

  it('has the layers of the result, each of the kind it came from', () => {
    const configs = new Map<string, Record<string, unknown>>([
      ['a', { hidden_size: 4, num_hidden_layers: 2, layer_types: ['full', 'sliding'], dtype: 'float32' }],
      ['b', { layer_types: ['x', 'y'] }],
    ])
    const text = mergedConfig(plan([layer(0, 'a', 1), layer(1, 'b', 0), layer(2, 'a', 0)]), configs)
    expect(JSON.parse(text)).toEqual({
      hidden_size: 4,
      num_hidden_layers: 3,
      layer_types: ['sliding', 'x', 'full'],
      dtype: 'float16',
      torch_dtype: 'float16',
    })
    expect(configs.get('a')!.num_hidden_layers).toBe(2)
  })
})
