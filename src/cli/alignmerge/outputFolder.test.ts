import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineError } from '../../core/errors.ts'
import { JOURNAL_FILE } from '../../core/files/output/journalFile.ts'
import { PlacedWriter } from '../../core/files/output/placedWriter.ts'
import { layShards } from '../../core/files/output/shardLayout.ts'
import { readSafetensorsHeader, readTensor } from '../../core/files/safetensors.ts'
import { MemorySource } from '../../core/files/source.ts'
import type { MergePlan, PlanTensor } from '../../core/merge/recipe/plan.ts'
import { decodeWeights, encodeWeights } from '../../core/tensors/dtype.ts'
import { nodeOutput } from '../nodeOutput.ts'
import { mergedConfig, withTarget } from './outputFolder.ts'
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

describe('PlacedWriter', () => {
  const FLOATS = (name: string, count: number) =>
    Float32Array.from({ length: count }, (_, i) => i + name.charCodeAt(0))
  const countOf = ({ shape }: PlanTensor) => shape.reduce((a, b) => a * b, 1)
  const output = (path: string, digest = 'one') => ({
    folder: nodeOutput(path),
    tensors: TENSORS,
    type: 'f32' as const,
    shardBytes: 32,
    digest,
  })
  const put = async (writer: PlacedWriter, ...names: string[]) => {
    for (const one of TENSORS.filter(({ name }) => names.includes(name))) {
      const bytes = encodeWeights(FLOATS(one.name, countOf(one)), 'f32')
      // In two parts, the second first.
      const half = Math.floor(bytes.byteLength / 8) * 4
      await writer.write(one.name, half, bytes.subarray(half))
      await writer.write(one.name, 0, bytes.subarray(0, half))
      await writer.finish(one.name)
    }
  }
  const made = async (name: string) => {
    const path = join(folder.path, name)
    await mkdir(path)
    return path
  }
  const contents = async (path: string) =>
    Promise.all(
      (await readdir(path)).sort().map(async (file) => [file, await readFile(join(path, file), 'hex')]),
    )

  it('writes shards and index that read back', async () => {
    const path = await made('shards')
    const writer = await PlacedWriter.open(output(path))
    await put(writer, 'a', 'b', 'c', 'd')
    await writer.complete()
    await writer.settle()
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
      const file = join(path, index.weight_map[name])
      const source = new MemorySource(new Uint8Array(await readFile(file)), name)
      const header = await readSafetensorsHeader(source)
      expect(header.tensors.get(name)!.shape).toEqual(shape)
      const read = decodeWeights(await readTensor(source, header, name), 'f32')
      expect(read).toEqual(FLOATS(name, read.length))
    }
    expect(await readdir(path)).not.toContain(JOURNAL_FILE)
  })

  it('goes on where it was left, whatever stood half written, and ends with the same files', async () => {
    const whole = await made('uninterrupted')
    const first = await PlacedWriter.open(output(whole))
    await put(first, 'a', 'b', 'c', 'd')
    await first.complete()
    await first.settle()
    const path = await made('killed')
    const killed = await PlacedWriter.open(output(path))
    await put(killed, 'a', 'b')
    await killed.write('c', 4, new Uint8Array([1, 2, 3, 4]))
    // No close: the process is gone, and the line of the next tensor is torn.
    const journal = join(path, JOURNAL_FILE)
    await writeFile(journal, `${await readFile(journal, 'utf8')}{"done":"c`)
    const resumed = await PlacedWriter.open(output(path))
    expect([...resumed.done]).toEqual(['a', 'b'])
    expect(resumed.resumed).toBe(2)
    await put(resumed, 'c')
    await resumed.close()
    const last = await PlacedWriter.open(output(path))
    expect([...last.done]).toEqual(['a', 'b', 'c'])
    await put(last, 'd')
    await last.complete()
    // Killed while something else is made of the shards: they are all there still.
    const again = await PlacedWriter.open(output(path))
    expect([...again.done]).toEqual(['a', 'b', 'c', 'd'])
    await again.complete()
    await again.settle()
    expect(await contents(path)).toEqual(await contents(whole))
    await killed.close()
    await resumed.close()
  })

  it('begins anew for another merge, and believes no journal without the file', async () => {
    const path = await made('another')
    const first = await PlacedWriter.open(output(path))
    await put(first, 'a', 'b', 'c')
    await first.close()
    await rm(join(path, 'model-00002-of-00003.safetensors'))
    const second = await PlacedWriter.open(output(path))
    expect([...second.done]).toEqual(['a', 'b'])
    await second.close()
    const third = await PlacedWriter.open({ ...output(path, 'two'), shardBytes: 1e9 })
    expect([...third.done]).toEqual([])
    await third.close()
    expect((await readdir(path)).filter((file) => file.startsWith('model-'))).toEqual([])
  })

  it('refuses what is no tensor, what is too long, and an early end', async () => {
    const writer = await PlacedWriter.open(output(await made('wrong')))
    await expect(writer.write('x', 0, new Uint8Array(4))).rejects.toThrow('has no such tensor (tensor x)')
    await expect(writer.write('a', 8, new Uint8Array(12))).rejects.toThrow('expected 16 bytes, found 20')
    await put(writer, 'a')
    await expect(writer.complete()).rejects.toThrow('3 tensors were not written')
    await writer.close()
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

  it('keeps what a stopped work has written, for the next one', async () => {
    const target = join(folder.path, 'stopped')
    const stop = async (part: string) => {
      await writeFile(join(part, 'x'), 'x')
      throw new EngineError('cancelled', 'stopped')
    }
    await expect(withTarget(target, false, stop)).rejects.toThrow('stopped')
    expect(await inside('.stopped.part')).toEqual(['x'])
    await writeFile(join(folder.path, '.stopped.part/.lock'), String(process.ppid))
    await expect(withTarget(target, false, stop)).rejects.toThrow(`process ${process.ppid} is writing`)
    // The id of another process by now.
    await writeFile(join(folder.path, '.stopped.part/.lock'), `${process.ppid} 1`)
    await withTarget(target, false, async (part) => writeFile(join(part, 'y'), 'y'))
    expect(await inside('stopped')).toEqual(['x', 'y'])
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
