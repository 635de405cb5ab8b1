// What `alignmerge merge` refuses, and that it then leaves nothing behind.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { encodeWeights } from '../../core/tensors/dtype.ts'
import { tinyConfig, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
const at = (name: string) => join(folder.path, name)
const put = async (name: string, files: Map<string, Uint8Array | string>) => {
  for (const [path, content] of files) await folder.write(`${name}/${path}`, content)
}
beforeAll(async () => {
  folder = await temporary()
  await put('x', tinyFiles(tinyConfig(), 'f32', 1))
  await put('wide', tinyFiles({ ...tinyConfig(), hidden_size: 12 }, 'f32', 3))
})
afterAll(() => folder.remove())

const TWO = (weights: [string, string], more = '') => `# two
models:
- {model: anchor, parameters: {weight: ${weights[0]}}}
- {model: task-sort, parameters: {weight: ${weights[1]}}}
merge_method: linear
${more}`

describe('alignmerge merge refuses', () => {
  const fail = async (text: string, ...args: string[]) => {
    const recipe = await folder.write('bad.yml', text)
    const { code, json } = await runHere(['merge', recipe, at('bad'), '--json', ...args])
    const { error } = json() as { error: { code: string; message: string } }
    expect(await readdir(at('bad')).catch(() => 'none')).toBe('none')
    return [code, error.code, error.message]
  }

  it('what is wrong in a recipe, with lines', async () => {
    expect(await fail(TWO(['1', '1'], 'colour: red\n'))).toEqual([
      1,
      'file-malformed',
      expect.stringMatching(/^the recipe: line 6, colour: unknown key; expected merge_method/),
    ])
    const found = await fail(TWO(['100', 'heavy'], 'parameters: {normalise: true}\n'))
    expect(found[1]).toBe('request-invalid')
    expect(String(found[2]).split('\n')).toEqual([
      'the recipe has 3 problems:',
      expect.stringMatching(/^- line 3, models\[0\]\.parameters\.weight: 100 is outside /),
      '- line 4, models[1].parameters.weight: expected a number, found "heavy"',
      expect.stringMatching(
        /^- line 6, parameters\.normalise: linear has no parameter of this name, did you mean normalize\?/,
      ),
    ])
  })

  it('models that are not there, not alike, or more than a folder', async () => {
    const one = (model: string) =>
      `models: [{model: anchor}, {model: ${model}}]\nmerge_method: linear\nparameters: {weight: 1}\n`
    expect((await fail(one('nobody')))[2]).toMatch(/^no model nobody: expected a folder with config\.json/)
    expect((await fail(one('safety+lora')))[2]).toMatch(
      /^no adapter lora: expected a folder with adapter_config\.json at /,
    )
    expect((await fail(one('safety@v2')))[2]).toBe(
      'model safety@v2: a folder on the disk has no revisions; give the folder of that revision',
    )
    const shapes = await fail(one(`x`), '--models', folder.path)
    expect(shapes.slice(0, 2)).toEqual([1, 'request-invalid'])
    expect(shapes[2]).toMatch(/all sources need the same number of layers, found anchor 4, x 2/)
    const tiny = await fail(
      'models: [{model: x}, {model: wide}]\nmerge_method: linear\nparameters: {weight: 1}',
      '--models',
      folder.path,
    )
    expect(tiny[2]).toMatch(/model\.embed_tokens\.weight is \[104,8\] in x and \[104,12\] in wide/)
  })

  it('gradients where a method works on the whole model', async () => {
    const text = `models: [{model: task-sort}]\nmerge_method: alignmerge\nbase_model: anchor\nparameters: {weight: [0.5, 1]}\n`
    expect((await fail(text))[2]).toBe(
      'alignmerge works on the whole model at once: gradients and filters do not fit it (tensor model.layers.1.input_layernorm.weight)',
    )
  })

  it('wrong usage', async () => {
    const recipe = await folder.write('good.yml', TWO(['1', '1']))
    const usage = async (...args: string[]) => {
      const { code, json } = await runHere([...args, '--json'])
      expect(code).toBe(2)
      return (json() as { error: { message: string } }).error.message
    }
    expect(await usage('merge', recipe)).toBe('expected RECIPE OUT, found no OUT')
    expect(await usage('merge', recipe, at('no'), '--shard-size', 'big')).toMatch(
      /^--shard-size big: expected a size/,
    )
    expect(await usage('merge', recipe, at('no'), '--fisher', 'x')).toBe('--fisher x: expected MODEL=FILE')
    expect(await usage('merge', recipe, at('no'), '--fisher', 'x=y')).toMatch(
      /the recipe has no model x; it has anchor/,
    )
  })

  it('to write over what is there, unless forced', async () => {
    const recipe = await folder.write('good.yml', TWO(['1', '1']))
    await folder.write('held/config.json', '{}')
    const refused = await runHere(['merge', recipe, at('held'), '--json'])
    expect(refused.code).toBe(1)
    expect((refused.json() as { error: { message: string } }).error.message).toBe(
      `${at('held')} is not empty; --force replaces a model folder`,
    )
    expect(await readFile(at('held/config.json'), 'utf8')).toBe('{}')
    expect((await runHere(['merge', recipe, at('held'), '--force'])).code).toBe(0)
    expect((await openCheckpoint(await nodeFolder(at('held')))).parameterCount).toBe(305_728)
  })

  it('a recipe that is not there, and none when it is only asked', async () => {
    const missing = await runHere(['merge', at('nowhere.yml'), at('bad'), '--json'])
    expect(missing.json()).toMatchObject({ error: { code: 'file-missing', file: 'nowhere.yml' } })
    const recipe = await folder.write(
      'good.json',
      JSON.stringify({
        format: 'alignmerge-recipe',
        version: 1,
        method: 'linear',
        models: [{ model: 'anchor' }],
        parameters: { weight: 1 },
      }),
    )
    const { code, json } = await runHere(['merge', recipe, '--dry-run', '--json'])
    expect(code).toBe(0)
    expect((json() as { tensors: unknown[] }).tensors).toHaveLength(27)
  })

  it('a result that leaves the numbers', async () => {
    const huge = tinyFiles(tinyConfig(), 'f32', 9)
    const bytes = encodeWeights(new Float32Array(4).fill(60_000), 'f32')
    const file = new Uint8Array(huge.get('model.safetensors') as Uint8Array)
    file.set(bytes, file.length - bytes.length)
    huge.set('model.safetensors', file)
    await put('huge', huge)
    const text =
      'models: [{model: huge}, {model: x}]\nmerge_method: linear\nparameters: {weight: 2, normalize: false}\nout_dtype: float16\n'
    expect(await fail(text, '--models', folder.path)).toEqual([
      1,
      'not-finite',
      expect.stringMatching(
        /^the merged weight in float16 is Infinity at element \d+ \(tensor lm_head\.weight\)$/,
      ),
    ])
  })
})
