// GGUF through the command line: inspected by path, merged from, and written in all three types.

import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Checkpoint, openCheckpoint } from '../../core/files/checkpoint.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import { TextCodec } from '../../core/files/tokenizer.ts'
import { encodeBlocks } from '../../core/tensors/blocks/encodeBlocks.ts'
import { decodeWeights, encodeWeights } from '../../core/tensors/dtype.ts'
import { decodeValues } from '../../core/tensors/encoding.ts'
import { ggufOfCheckpoint } from '../../testing/ggufBytes.ts'
import { tinyConfig, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
const at = (name: string) => join(folder.path, name)
const open = async (path: string): Promise<Checkpoint> => openCheckpoint(await nodeFolder(path))
const wide = { ...tinyConfig(), hidden_size: 32, intermediate_size: 40 }

beforeAll(async () => {
  folder = await temporary()
  for (const [name, seed] of [
    ['x', 1],
    ['y', 2],
  ] as const)
    for (const [path, content] of tinyFiles(wide, 'f32', seed)) await folder.write(`${name}/${path}`, content)
  await folder.write('y.gguf', (await ggufOfCheckpoint(await open(at('y')), 'q8_0')).bytes)
  await folder.write(
    'mean.yml',
    `models:\n- {model: ${at('x')}, parameters: {weight: 1}}\n- {model: ${at('y')}, parameters: {weight: 3}}\nmerge_method: linear\ndtype: float32\n`,
  )
})
afterAll(() => folder.remove())

interface Report {
  files: string[]
  digest: string
  gguf: {
    requantised: { tensor: string; encoding: string; relative: number; max: number }[]
    fallbacks: string[]
  }
}

describe('alignmerge inspect', () => {
  it('tells what a .gguf file holds, and that it fits the model it was made from', async () => {
    const { code, json } = await runCli(['inspect', './y.gguf', './x', '--json'], { cwd: folder.path })
    expect(code).toBe(0)
    const { models, isMergeable } = json() as { models: Record<string, unknown>[]; isMergeable: boolean }
    expect(isMergeable).toBe(true)
    expect(models[0]).toMatchObject({
      name: 'y.gguf',
      format: 'gguf',
      family: 'phi3',
      files: [{ file: 'y.gguf' }],
      tokenizer: { model: 'BPE', tokens: 103, special: 5 },
    })
    expect(Object.keys(models[0].types as object).sort()).toEqual(['F16', 'F32', 'Q8_0'])
    expect((models[0].files as { sha256: string }[])[0].sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('says what is wrong with one', async () => {
    await folder.write('bad.gguf', (await readFile(at('y.gguf'))).subarray(0, 3000))
    const { code, stderr } = await runHere(['inspect', at('bad.gguf')])
    expect(code).toBe(1)
    expect(stderr).toContain('file-malformed')
    expect(stderr).toContain('bad.gguf')
  })
})

describe('alignmerge merge', () => {
  it('takes .gguf files as models, tokenizer and all', async () => {
    const recipe = await folder.write(
      'from.yml',
      `models:\n- {model: ${at('y.gguf')}}\nmerge_method: passthrough\ndtype: float32\n`,
    )
    const { code, stderr } = await runHere(['merge', recipe, at('from')])
    expect(code, stderr).toBe(0)
    const [merged, given] = [await open(at('from')), await open(at('y.gguf'))]
    expect(merged.format).toBe('safetensors')
    for (const [name, weight] of given.stored)
      expect(await readElements(merged.stored.get(name)!), name).toEqual(await readElements(weight))
    expect(new TextCodec(merged).encodePrompt('hello')).toEqual(
      new TextCodec(await open(at('y'))).encodePrompt('hello'),
    )
  })

  it.each(['f16', 'q8_0', 'q4_0'] as const)(
    'writes %s, rounded once from float32, and says by how much',
    async (type) => {
      const out = at(`out-${type}`)
      const { code, stderr, json } = await runHere([
        ...['merge', at('mean.yml'), out, '--format', 'gguf', '--quantize', type, '--json'],
      ])
      expect(code, stderr).toBe(0)
      const { files, gguf } = json() as Report
      const file = `out-${type}-${type.toUpperCase()}.gguf`
      expect(files).toEqual([file])
      expect((await readdir(out)).filter((name) => name.includes('safetensors'))).toEqual([])
      const [x, y, merged] = [await open(at('x')), await open(at('y')), await open(join(out, file))]
      expect(merged.format).toBe('gguf')
      for (const { name, shape } of merged.weights) {
        const [a, b] = [await readElements(x.stored.get(name)!), await readElements(y.stored.get(name)!)]
        const mean = a.map((value, i) => 0.25 * value + 0.75 * b[i])
        const ours = await readElements(merged.stored.get(name)!)
        const isBlocks = type !== 'f16' && shape.length > 1 && shape[1] % 32 === 0
        const bytes = isBlocks
          ? encodeBlocks(mean, type)
          : encodeWeights(mean, shape.length > 1 ? 'f16' : 'f32')
        const expected = isBlocks
          ? decodeValues({ bytes: bytes as Uint8Array<ArrayBuffer>, encoding: type })
          : decodeWeights(bytes, shape.length > 1 ? 'f16' : 'f32')
        // The merge's own float32 may differ in its last place, which now and then tips a code.
        const tipped = ours.filter(
          (value, i) => Math.abs(value - expected[i]) > 1e-6 + 1e-3 * Math.abs(expected[i]),
        )
        expect(tipped.length, name).toBeLessThanOrEqual(Math.ceil(ours.length / 500))
        const told = gguf.requantised.find(({ tensor }) => tensor === name)!
        const norm = (list: Float32Array) => Math.hypot(...list)
        expect(told.relative).toBeCloseTo(norm(ours.map((value, i) => value - mean[i])) / norm(mean), 5)
      }
      const expectedFallbacks =
        type === 'f16' ? [] : [0, 1].map((layer) => `model.layers.${layer}.mlp.down_proj.weight`)
      expect(gguf.fallbacks).toEqual(expectedFallbacks)
      const card = await readFile(join(out, 'README.md'), 'utf8')
      expect(card).toContain(`## ${file}`)
      expect(card).toContain('| model.embed_tokens.weight |')
      expect(new TextCodec(merged).encodePrompt('hello')).toEqual(new TextCodec(x).encodePrompt('hello'))
      // A model folder like any other: inspected by its name, replaced when told to.
      expect((await runHere(['inspect', out, '--no-digest'])).stdout).toContain('gguf')
      const again = await runHere([
        'merge',
        at('mean.yml'),
        out,
        '--format',
        'gguf',
        '--quantize',
        type,
        '--force',
      ])
      expect(again.code, again.stderr).toBe(0)
      expect(again.stdout).toContain('rounding changed')
      await rm(out, { recursive: true })
    },
  )

  it.each([
    ['--format', 'zip'],
    ['--quantize', 'q8_0'],
    ['--format', 'gguf', '--quantize', 'q3_k'],
  ])('%s %s is wrong usage', async (...args) => {
    const { code, stderr } = await runHere(['merge', at('mean.yml'), at('never'), ...args])
    expect(code).toBe(2)
    expect(stderr).toContain('expected')
  })
})
