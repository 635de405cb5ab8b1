// Models as they lie in people's folders, merged: the result is that of the same values stored densely in float32.

import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../core/files/checkpoint.ts'
import type { Dtype } from '../../core/files/safetensorsFormat.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import { encodeWeights } from '../../core/tensors/dtype.ts'
import { Random } from '../../core/tensors/random.ts'
import { MLX_CONFIG, mlxModel } from '../../testing/mlxModel.ts'
import {
  packTensors,
  type RawTensor,
  tinyConfig,
  tinyFiles,
  tinyTensors,
} from '../../testing/tinyCheckpoint.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { runHere, temporary } from './testCli.ts'

const CORE = resolve(import.meta.dirname, '../../core')
type Files = Map<string, Uint8Array | string>

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
})
afterAll(() => folder.remove())

const put = async (name: string, files: Files): Promise<void> => {
  for (const [path, content] of files) await folder.write(`${name}/${path}`, content)
}
const golden = async (path: string): Promise<Uint8Array> => new Uint8Array(await readFile(join(CORE, path)))

/** A folder of the same model whose weights are these values in float32. */
function densely(
  files: Files,
  config: Record<string, unknown>,
  values: ReadonlyMap<string, ArrayLike<number>>,
): Files {
  const tensors = tinyTensors(config, 'f32').map((tensor) => ({
    ...tensor,
    bytes: encodeWeights(Float32Array.from(values.get(tensor.name)!), 'f32'),
  }))
  const out = new Map(files)
  for (const path of out.keys()) if (/\.(bin|safetensors)$/.test(path)) out.delete(path)
  return out.set('config.json', JSON.stringify(config)).set('model.safetensors', packTensors(tensors))
}

/**
 * Merges 2 · model − dense, which is dense where the two hold the same values: a scale that is wrong by a factor, or a
 * value that is left out, doubles. Returns the largest difference as a share of the tensor's largest value.
 */
async function mergedDifference(model: string, dense: string): Promise<number> {
  const recipe = await folder.write(
    'recipe.yml',
    `models:\n- {model: ${model}, parameters: {weight: 2}}\n- {model: ${dense}, parameters: {weight: -1}}\nmerge_method: linear\nparameters: {normalize: false}\ndtype: float32\nout_dtype: float32\n`,
  )
  const out = join(folder.path, 'out')
  const { code, stderr } = await runHere(['merge', recipe, out, '--models', folder.path, '--force'])
  expect(code, stderr).toBe(0)
  const merged = await openCheckpoint(await nodeFolder(out))
  const expected = await openCheckpoint(await nodeFolder(join(folder.path, dense)))
  let most = 0
  for (const { name } of expected.weights) {
    const [a, b] = [
      await readElements(merged.stored.get(name)!),
      await readElements(expected.stored.get(name)!),
    ]
    const scale = b.reduce((sum, value) => Math.max(sum, Math.abs(value)), 0)
    a.forEach((value, i) => {
      most = Math.max(most, Math.abs(value - b[i]) / scale)
    })
  }
  return most
}

describe('opened, merged, and equal to the dense result', () => {
  it.each(['phi3-dora', 'phi3-patterns', 'phi3-saved', 'llama-rslora', 'llama-regex', 'llama-layers'])(
    'PEFT adapter %s',
    async (name) => {
      const [base] = name.split('-')
      const configs = JSON.parse(await readFile(join(CORE, 'files/adapter/golden/configs.json'), 'utf8'))
      const config = JSON.stringify(configs[base])
      const at = 'files/adapter/golden'
      await put(
        base,
        new Map<string, Uint8Array | string>([
          ['config.json', config],
          ['model.safetensors', await golden(`${at}/${base}.safetensors`)],
        ]),
      )
      const files: Files = new Map()
      for (const file of await readdir(join(CORE, at, name)))
        if (file.startsWith('adapter')) files.set(file, await golden(`${at}/${name}/${file}`))
      await put(name, files)
      // PEFT's own merge.
      await put(
        `${name}-dense`,
        new Map<string, Uint8Array | string>([
          ['config.json', config],
          ['model.safetensors', await golden(`${at}/${name}/merged.safetensors`)],
        ]),
      )
      expect(await mergedDifference(`${base}+${name}`, `${name}-dense`)).toBeLessThan(1e-6)
    },
  )

  it.each([4, 8])('MLX in %d bits', async (bits) => {
    const { files, values } = mlxModel({ bits, groupSize: 32, type: 'bf16' })
    await put(`mlx${bits}`, files)
    await put(`mlx${bits}-dense`, densely(files, MLX_CONFIG, values))
    expect(await mergedDifference(`mlx${bits}`, `mlx${bits}-dense`)).toBeLessThan(1e-6)
  })

  it('PyTorch .bin', async () => {
    const at = 'files/formats/torch/golden'
    const table = JSON.parse(await readFile(join(CORE, at, 'model.json'), 'utf8')) as Record<
      string,
      { values: number[] }
    >
    const files: Files = tinyFiles()
    files.delete('model.safetensors')
    files.set('pytorch_model.bin', await golden(`${at}/model.bin`))
    const values = new Map(Object.entries(table).map(([name, entry]) => [name, entry.values]))
    await put('torch', files)
    await put('torch-dense', densely(files, tinyConfig(), values))
    expect(await mergedDifference('torch', 'torch-dense')).toBeLessThan(1e-6)
  })

  it('safetensors with every element type in one file', async () => {
    const random = new Random(4)
    const float8 = JSON.parse(await readFile(join(CORE, 'tensors/golden/float8.json'), 'utf8'))
    const whole = (low: number, high: number) => low + random.integer(high - low)
    const store = (
      count: number,
      size: number,
      draw: () => number,
      set: (view: DataView, at: number, v: number) => void,
    ) => {
      const bytes = new Uint8Array(count * size)
      const view = new DataView(bytes.buffer)
      const values = Array.from({ length: count }, draw)
      values.forEach((value, i) => {
        set(view, i * size, value)
      })
      return { bytes, values }
    }
    /** Codes that stand for finite numbers, and what they stand for. */
    const eight = (count: number, table: (number | string)[]) => {
      const codes = Array.from({ length: count }, () => whole(0, 120))
      return { bytes: Uint8Array.from(codes), values: codes.map((code) => Number(table[code])) }
    }
    const types: [Dtype, (count: number) => { bytes: Uint8Array; values: number[] }][] = [
      [
        'F64',
        (n) =>
          store(
            n,
            8,
            () => random.normal(),
            (v, at, x) => v.setFloat64(at, x, true),
          ),
      ],
      ['F8_E4M3', (n) => eight(n, float8.f8_e4m3)],
      ['F8_E5M2', (n) => eight(n, float8.f8_e5m2)],
      [
        'I8',
        (n) =>
          store(
            n,
            1,
            () => whole(-128, 128),
            (v, at, x) => v.setInt8(at, x),
          ),
      ],
      [
        'U8',
        (n) =>
          store(
            n,
            1,
            () => whole(0, 256),
            (v, at, x) => v.setUint8(at, x),
          ),
      ],
      [
        'I16',
        (n) =>
          store(
            n,
            2,
            () => whole(-9, 9),
            (v, at, x) => v.setInt16(at, x, true),
          ),
      ],
      [
        'U16',
        (n) =>
          store(
            n,
            2,
            () => whole(0, 65536),
            (v, at, x) => v.setUint16(at, x, true),
          ),
      ],
      [
        'I32',
        (n) =>
          store(
            n,
            4,
            () => whole(-999, 999),
            (v, at, x) => v.setInt32(at, x, true),
          ),
      ],
      [
        'U32',
        (n) =>
          store(
            n,
            4,
            () => whole(0, 2 ** 32 - 1),
            (v, at, x) => v.setUint32(at, x, true),
          ),
      ],
      [
        'I64',
        (n) =>
          store(
            n,
            8,
            () => whole(-5, 5),
            (v, at, x) => v.setBigInt64(at, BigInt(x), true),
          ),
      ],
      [
        'U64',
        (n) =>
          store(
            n,
            8,
            () => whole(1, 500),
            (v, at, x) => v.setBigUint64(at, BigInt(x), true),
          ),
      ],
      [
        'BOOL',
        (n) =>
          store(
            n,
            1,
            () => whole(0, 2),
            (v, at, x) => v.setUint8(at, x),
          ),
      ],
      [
        'F16',
        (n) =>
          store(
            n,
            2,
            () => 0.5,
            (v, at) => v.setUint16(at, 0x3800, true),
          ),
      ],
      [
        'BF16',
        (n) =>
          store(
            n,
            2,
            () => -2,
            (v, at) => v.setUint16(at, 0xc000, true),
          ),
      ],
      [
        'F32',
        (n) =>
          store(
            n,
            4,
            () => random.normal(),
            (v, at, x) => v.setFloat32(at, x, true),
          ),
      ],
    ]
    const values = new Map<string, number[]>()
    const tensors = tinyTensors(tinyConfig(), 'f32')
    expect(tensors.length).toBe(types.length)
    const stored = tensors.map(({ name, shape }, i): RawTensor => {
      const [dtype, make] = types[i]
      const made = make(shape.reduce((a, b) => a * b, 1))
      values.set(name, made.values)
      return { name, shape, dtype, bytes: made.bytes }
    })
    const files: Files = tinyFiles()
    await put('types', files.set('model.safetensors', packTensors(stored)))
    await put('types-dense', densely(files, tinyConfig(), values))
    expect(await mergedDifference('types', 'types-dense')).toBeLessThan(1e-6)
  })
})

describe('alignmerge extract', () => {
  it('writes an adapter that merges back to what it was taken from', async () => {
    await put('base', tinyFiles(tinyConfig(), 'f32', 1))
    await put('tuned', tinyFiles(tinyConfig(), 'f32', 2))
    const out = join(folder.path, 'lora')
    const run = (...args: string[]) =>
      runHere(['extract', 'base', 'tuned', out, '--models', folder.path, ...args])
    const { code, json, stderr } = await run('--rank', '8', '--json')
    expect(code, stderr).toBe(0)
    const found = json() as { tensors: { error: number; bestError: number }[]; files: string[] }
    expect(found.files).toEqual(['adapter_config.json', 'adapter_model.safetensors', 'README.md'])
    for (const { error, bestError } of found.tensors) expect(Math.abs(error - bestError)).toBeLessThan(1e-6)
    expect(await mergedDifference('base+lora', 'tuned')).toBeLessThan(3e-6)
    // What stands there is not replaced unasked, nor what is no adapter at all.
    expect((await run('--rank', '2')).stderr).toContain('is not empty; --force replaces an adapter')
    const again = await run('--rank', '2', '--energy', '0.5', '--force')
    expect(again.stdout).toMatch(/lm_head\.weight {2}rank [12] {2}leaves out .* least possible/)
    expect(
      (
        await runHere([
          'extract',
          'base',
          'tuned',
          join(folder.path, 'base'),
          '--models',
          folder.path,
          '--force',
        ])
      ).code,
    ).toBe(1)
    expect((await run('--energy', '2')).code).toBe(2)
    expect((await run('--rank', '0')).code).toBe(2)
  })
})
