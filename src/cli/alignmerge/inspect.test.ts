import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tinyConfig, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { ZOO } from './models.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
beforeAll(async () => {
  folder = await temporary()
  const put = async (name: string, files: Map<string, Uint8Array | string>) => {
    for (const [path, content] of files) await folder.write(`${name}/${path}`, content)
  }
  await put('a', tinyFiles())
  await put('b', tinyFiles(tinyConfig(), 'f32', 2))
  await put('wide', tinyFiles({ ...tinyConfig(), hidden_size: 12 }))
})
afterAll(() => folder.remove())

const at = (name: string) => join(folder.path, name)

interface Report {
  models: Record<string, unknown>[]
  isMergeable?: boolean
  misfits?: { model: string; reason: string }[]
}

describe('alignmerge inspect', () => {
  it('tells what a model folder holds', async () => {
    const { code, json } = await runCli(['inspect', './a', '--json', '--tensors'], { cwd: folder.path })
    expect(code).toBe(0)
    const [found] = (json() as Report).models
    const file = join(folder.path, 'a/model.safetensors')
    const bytes = await readFile(file)
    expect(found).toMatchObject({
      name: 'a',
      path: join(folder.path, 'a'),
      architecture: 'Phi3ForCausalLM',
      family: 'phi3',
      parameters: 2 * 104 * 8 + 8 + 2 * (8 + 16 * 8 + 8 * 8 + 8 + 24 * 8 + 8 * 12),
      sizes: { layers: 2, hidden: 8, vocabulary: 104, isTied: false },
      files: [
        {
          file: 'model.safetensors',
          byteLength: bytes.length,
          tensors: 15,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        },
      ],
      extraTensors: [],
      tokenizer: { model: 'BPE', tokens: 103, special: 5 },
    })
    expect(found.types).toEqual({ BF16: found.parameters })
    expect(found.chatTemplate).toContain('<|assistant|>')
    expect(found.digest).toMatch(/^[0-9a-f]{64}$/)
    expect(found.tensors).toHaveLength(15)
    expect((found.tensors as unknown[])[1]).toEqual({
      name: 'model.layers.0.input_layernorm.weight',
      type: 'BF16',
      shape: [8],
    })
  })

  it('prints the same in words', async () => {
    const { code, stdout } = await runHere(['inspect', 'anchor', '--no-digest'])
    expect(code).toBe(0)
    expect(stdout).toContain(
      `anchor  ${join(ZOO, 'anchor')}\n  architecture   Phi3ForCausalLM (phi3), safetensors\n`,
    )
    expect(stdout).toContain('  parameters     305,728, 611,456 bytes\n')
    expect(stdout).not.toContain('SHA-256')
  })

  it('finds models below --models, and says where it looked', async () => {
    expect((await runHere(['inspect', 'a', '--models', folder.path, '--no-digest'])).code).toBe(0)
    const missing = await runHere(['inspect', 'nobody', '--models', folder.path, '--json'])
    expect(missing.code).toBe(1)
    expect(missing.json()).toEqual({
      error: {
        code: 'file-missing',
        message: `no model nobody: expected a folder with config.json or a .gguf file at ${resolve('nobody')} or ${at('nobody')} or ${join(ZOO, 'nobody')}`,
      },
    })
  })

  it('of several says whether they can be merged', async () => {
    const fit = await runHere(['inspect', at('a'), at('b'), '--json', '--no-digest'])
    expect(fit.code).toBe(0)
    expect(fit.json()).toMatchObject({ isMergeable: true, misfits: [] })
    const wide = await runHere(['inspect', at('a'), at('b'), at('wide'), '--json', '--no-digest'])
    expect(wide.code).toBe(1)
    expect(wide.json()).toMatchObject({
      isMergeable: false,
      misfits: [{ model: 'wide', reason: 'hidden_size of wide is 12, that of a 8 (file config.json)' }],
    })
  })

  it('refuses a folder whose weights are cut short', async () => {
    const whole = tinyFiles().get('model.safetensors') as Uint8Array
    const files = tinyFiles().set('model.safetensors', whole.slice(0, whole.length - 1))
    for (const [path, content] of files) await folder.write(`cut/${path}`, content)
    const { code, stderr } = await runHere(['inspect', at('cut')])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^file-malformed: /)
  })
})
