import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Checkpoint, openCheckpoint } from '../../core/files/checkpoint.ts'
import { readRecipeYaml } from '../../core/merge/recipe/yaml.ts'
import { decodeWeights, fromBf16, toBf16 } from '../../core/tensors/dtype.ts'
import { tinyConfig, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { ZOO } from './models.ts'
import { runCli, runHere, temporary } from './testCli.ts'

let folder: Awaited<ReturnType<typeof temporary>>
const at = (name: string) => join(folder.path, name)
beforeAll(async () => {
  folder = await temporary()
  const put = async (name: string, files: Map<string, Uint8Array | string>) => {
    for (const [path, content] of files) await folder.write(`${name}/${path}`, content)
  }
  await put('x', tinyFiles(tinyConfig(), 'f32', 1))
  await put('y', tinyFiles(tinyConfig(), 'bf16', 2))
})
afterAll(() => folder.remove())

const open = async (path: string): Promise<Checkpoint> => openCheckpoint(await nodeFolder(path))
async function weightOf(path: string, name: string): Promise<Float32Array> {
  const { bytes, type } = await (await open(path)).readWeight(name)
  return decodeWeights(bytes, type)
}

interface Report {
  out: string
  files: string[]
  digest: string
  notes: string[]
  models: { name: string; digest: string; role: string }[]
  measured?: { behaviour: { refusal: { count: number } } }
}

const TWO = (weights: [string, string], more = '') => `# two
models:
- {model: anchor, parameters: {weight: ${weights[0]}}}
- {model: task-sort, parameters: {weight: ${weights[1]}}}
merge_method: linear
${more}`

describe('vocabularies of different size', () => {
  const text = (more: string) =>
    `models:\n- {model: ${at('x')}, parameters: {weight: 1}}\n- {model: ${at('wide')}, parameters: {weight: 3}}\nmerge_method: linear\ndtype: float32\n${more}`

  it('are refused, with what to say, and joined when it is said', async () => {
    const config = { ...tinyConfig(), vocab_size: 106 }
    const files = tinyFiles(config, 'f32', 3)
    const tokenizer = JSON.parse(files.get('tokenizer.json') as string)
    tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id: 103, content: '<|tool|>' })
    files.set('tokenizer.json', JSON.stringify(tokenizer))
    for (const [path, content] of files) await folder.write(`wide/${path}`, content)

    const bare = await folder.write('bare.yml', text(''))
    const refused = await runHere(['merge', bare, at('refused')])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('tokenizer_source: union, base or a model')

    const recipe = await folder.write('union.yml', text('tokenizer_source: union\n'))
    expect((await runHere(['merge', recipe, at('joined')])).code).toBe(0)
    const joined = await open(at('joined'))
    expect(joined.config.vocabSize).toBe(104)
    expect(JSON.stringify(joined.tokenizerJson)).toContain('<|tool|>')
    const [x, wide, merged] = await Promise.all(
      ['x', 'wide', 'joined'].map((name) => weightOf(at(name), 'model.embed_tokens.weight')),
    )
    // Row 103 is <|tool|> in wide and padding in x, so both give wide's; row 0 is everybody's own.
    for (let c = 0; c < 8; c++) {
      expect(merged[103 * 8 + c]).toBeCloseTo(wide[103 * 8 + c], 6)
      expect(merged[c]).toBeCloseTo(0.25 * x[c] + 0.75 * wide[c], 6)
    }
  })
})

describe('alignmerge merge', () => {
  it('writes a model folder: shards, index, config, tokenizer, card and recipe', async () => {
    const text = TWO(
      ['[{filter: mlp, value: [1, 3]}, {value: 1}]', '1'],
      'parameters: {normalize: false}\ndtype: float32\nout_dtype: bfloat16\n',
    )
    const recipe = await folder.write('linear.yml', text)
    const { code, stderr, json } = await runCli([
      'merge',
      recipe,
      at('out'),
      '--shard-size',
      '200KB',
      '--json',
    ])
    expect(stderr).toContain('merging: 27 of 27')
    expect(code).toBe(0)
    const report = json() as Report
    expect(report).toMatchObject({
      out: at('out'),
      method: 'linear',
      layers: 4,
      dtype: 'bfloat16',
      notes: [],
    })
    expect(report.models.map(({ name, role }) => [name, role])).toEqual([
      ['anchor', 'merged'],
      ['task-sort', 'merged'],
    ])
    const files = await readdir(at('out'))
    expect(files.sort()).toEqual(
      [
        ...['README.md', 'alignmerge_config.yml', 'config.json', 'model.safetensors.index.json'],
        ...['tokenizer.json', 'tokenizer_config.json', ...report.files],
      ].sort(),
    )
    expect(report.files.length).toBeGreaterThan(2)
    const sizes = await Promise.all(
      report.files.map(async (name) => (await readFile(at(`out/${name}`))).length),
    )
    for (const size of sizes) expect(size).toBeLessThan(203_000)

    // The same by hand, in float64: Σ w θ, rounded once to bfloat16.
    const { weights } = await open(at('out'))
    for (const { name, layer } of weights) {
      const [a, b] = [await weightOf(join(ZOO, 'anchor'), name), await weightOf(join(ZOO, 'task-sort'), name)]
      const weight = name.includes('mlp') && layer !== undefined ? 1 + (2 * layer) / 3 : 1
      const merged = await weightOf(at('out'), name)
      let wrong = 0
      merged.forEach((value, i) => {
        // One unit of float32 may tip a tie, and with it one unit of bfloat16.
        const exact = weight * a[i] + b[i]
        const slack = (Math.abs(weight * a[i]) + Math.abs(b[i])) * 2 ** -22
        if (Math.abs(value - fromBf16(toBf16(exact))) > Math.abs(exact) * 2 ** -7 + slack) wrong++
      })
      expect(wrong, name).toBe(0)
    }
    for (const file of ['tokenizer.json', 'tokenizer_config.json'])
      expect(await readFile(at(`out/${file}`))).toEqual(await readFile(join(ZOO, 'anchor', file)))
    const config = JSON.parse(await readFile(at('out/config.json'), 'utf8'))
    expect(config).toEqual({
      ...JSON.parse(await readFile(join(ZOO, 'anchor/config.json'), 'utf8')),
      torch_dtype: 'bfloat16',
    })
    const written = await readFile(at('out/alignmerge_config.yml'), 'utf8')
    expect(readRecipeYaml(written).recipe).toEqual(readRecipeYaml(text).recipe)
    const card = await readFile(at('out/README.md'), 'utf8')
    for (const part of [
      'tags:\n- alignmerge-studio\n- merge\n- linear\n',
      '# out\n',
      written,
      'arxiv.org',
      report.digest,
      report.models[1].digest,
    ])
      expect(card).toContain(part)
    const inspected = (await runHere(['inspect', at('out'), 'anchor', '--json'])).json() as {
      isMergeable: boolean
      models: { digest: string }[]
    }
    expect(inspected.isMergeable).toBe(true)
    expect(inspected.models.map(({ digest }) => digest)).toEqual([report.digest, report.models[0].digest])
  })

  it('stacks layers, bit for bit, and says how many in the config', async () => {
    const recipe = await folder.write(
      'stack.yml',
      `slices:
- sources: [{model: anchor, layer_range: [0, 3], parameters: {weight: 1}}]
- sources: [{model: safety, layer_range: [1, 4], parameters: {weight: 1}}]
merge_method: linear
`,
    )
    const { code, json } = await runHere(['merge', recipe, at('stack'), '--json'])
    expect(code).toBe(0)
    expect(json()).toMatchObject({ layers: 6, dtype: 'bfloat16', files: ['model.safetensors'] })
    const merged = await open(at('stack'))
    expect(merged.config.layerCount).toBe(6)
    const same = async (name: string, model: string, from = name) =>
      expect((await merged.readWeight(name)).bytes).toEqual(
        (await (await open(join(ZOO, model))).readWeight(from)).bytes,
      )
    const rest = 'mlp.gate_up_proj.weight'
    await same(`model.layers.2.${rest}`, 'anchor')
    await same(`model.layers.3.${rest}`, 'safety', `model.layers.1.${rest}`)
    await same(`model.layers.5.${rest}`, 'safety', `model.layers.3.${rest}`)
    await same('model.embed_tokens.weight', 'anchor')
    await same('lm_head.weight', 'safety')
  })

  it('takes models from --models, tokenizer and template as the recipe says', async () => {
    const template = '{% for m in messages %}{{ m.content }}{% endfor %}'
    const recipe = await folder.write(
      'tiny.yml',
      `models: [{model: x}, {model: y}]
merge_method: linear
parameters: {weight: 1}
tokenizer_source: y
chat_template: '${template}'
dtype: float32
`,
    )
    await folder.write('y/special_tokens_map.json', '{"only": "y"}')
    const { code } = await runHere(['merge', recipe, at('tiny'), '--models', folder.path])
    expect(code).toBe(0)
    expect(await readFile(at('tiny/special_tokens_map.json'), 'utf8')).toBe('{"only": "y"}')
    expect(JSON.parse(await readFile(at('tiny/tokenizer_config.json'), 'utf8')).chat_template).toBe(template)
    const merged = await open(at('tiny'))
    expect(merged.dtype).toBe('f32')
    const [x, y] = [await weightOf(at('x'), 'lm_head.weight'), await weightOf(at('y'), 'lm_head.weight')]
    const found = await weightOf(at('tiny'), 'lm_head.weight')
    expect(Math.max(...found.map((value, i) => Math.abs(value - (x[i] + y[i]) / 2)))).toBeLessThan(1e-6)
  })

  it('of equal models is that model, bit for bit', async () => {
    for (const [path, content] of tinyFiles(tinyConfig(), 'f32', 1))
      await folder.write(`twin/${path}`, content)
    const recipe = await folder.write(
      'twins.yml',
      'models: [{model: x}, {model: twin}]\nmerge_method: linear\nparameters: {weight: 0.5}\n',
    )
    const args = ['merge', recipe, at('twins'), '--models', folder.path, '--json']
    const { digest, models } = (await runHere(args)).json() as Report
    expect([models[0].digest, models[1].digest]).toEqual([digest, digest])
  })

  it('turns a recipe into the other form', async () => {
    const recipe = await folder.write('forms.yml', TWO(['[1, 2]', '1'], 'alignmerge: {seed: 4}\n'))
    const [json, yaml] = [at('forms.json'), at('again.yml')]
    expect((await runHere(['merge', recipe, '--dry-run', '--write-recipe', json])).code).toBe(0)
    expect(JSON.parse(await readFile(json, 'utf8'))).toMatchObject({
      format: 'alignmerge-recipe',
      version: 1,
    })
    expect((await runHere(['merge', json, '--dry-run', '--write-recipe', yaml])).code).toBe(0)
    const read = async (path: string) => readRecipeYaml(await readFile(path, 'utf8')).recipe
    expect(await read(yaml)).toEqual(await read(recipe))
    const nowhere = ['merge', recipe, '--dry-run', '--write-recipe', at('no/where.yml'), '--json']
    expect((await runHere(nowhere)).json()).toMatchObject({ error: { code: 'file-missing' } })
  })

  it('uses Fisher files in place of what it would compute', async () => {
    const text = `models: [{model: task-sort}, {model: task-reverse}]
merge_method: fisher_average
parameters: {weight: 1}
dtype: float32
alignmerge: {seed: 3}
`
    const recipe = await folder.write('fisher.yml', text)
    const computed = (await runHere(['merge', recipe, at('computed'), '--json'])).json() as Report
    const given: string[] = []
    for (const model of ['task-sort', 'task-reverse']) {
      const file = at(`${model}.safetensors`)
      expect((await runHere(['fisher', model, '--seed', '3', '--out', file])).code).toBe(0)
      given.push('--fisher', `${model}=${file}`)
    }
    const read = (await runHere(['merge', recipe, at('read'), '--json', ...given])).json() as Report
    expect(read.digest).toBe(computed.digest)
    const swapped = given.map((word) =>
      word.replace('task-sort=', '?').replace('task-reverse=', 'task-sort=').replace('?', 'task-reverse='),
    )
    const refused = await runHere(['merge', recipe, at('swapped'), '--json', ...swapped])
    expect(refused.code).toBe(1)
    expect(refused.json()).toMatchObject({ error: { code: 'shape-mismatch' } })
    const linear = await folder.write('plain.yml', text.replace('fisher_average', 'linear'))
    const unused = await runHere(['merge', linear, at('half'), '--json', ...given.slice(0, 2)])
    expect(unused.json()).toMatchObject({
      error: { code: 'usage', message: '--fisher task-sort: linear uses no Fisher diagonal of it' },
    })
    const half = await runHere(['merge', recipe, at('half'), '--json', ...given.slice(0, 2)])
    expect(half.code).toBe(2)
    expect(half.json()).toMatchObject({
      error: { message: '--fisher is missing for task-reverse: give all or none' },
    })
    expect(await readdir(folder.path)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/swapped|half|part/)]),
    )
  })

  it('merges by the anchor’s geometry, and measures', async () => {
    const recipe = await folder.write(
      'align.yml',
      `models: [{model: task-sort}]
merge_method: alignmerge
base_model: anchor
parameters: {weight: 1, lambda_align: 0, source: unwanted}
`,
    )
    const { code, json } = await runHere([
      'merge',
      recipe,
      at('align'),
      '--measure',
      '--per-class',
      '8',
      '--no-aqi',
      '--json',
    ])
    expect(code).toBe(0)
    const report = json() as Report
    expect(report.measured!.behaviour.refusal.count).toBe(8)
    const card = await readFile(at('align/README.md'), 'utf8')
    expect(card).toContain('## Measures\n')
    expect(card).toContain('| refuses harmful requests |')
    // Without a shield a merge of one expert is that expert.
    const [merged, expert] = [
      await weightOf(at('align'), 'lm_head.weight'),
      await weightOf(join(ZOO, 'task-sort'), 'lm_head.weight'),
    ]
    expect(Math.max(...merged.map((value, i) => Math.abs(value - expert[i])))).toBeLessThan(2 ** -8)
  })
})

describe('alignmerge merge with the anchor’s Fisher file', () => {
  it('gives what it would compute, and refuses one made otherwise or for another model', async () => {
    const text = `models: [{model: task-sort}]
merge_method: alignmerge
base_model: anchor
parameters: {weight: 1, source: unwanted}
alignmerge: {seed: 1}
`
    const recipe = await folder.write('shield.yml', text)
    const file = at('anchor.safetensors')
    await runHere(['fisher', 'anchor', '--out', file])
    const run = async (path: string, ...more: string[]) =>
      (await runHere(['merge', path, at('shield'), '--json', '--force', ...more])).json()
    const computed = (await run(recipe)) as Report
    expect(((await run(recipe, '--fisher', `anchor=${file}`)) as Report).digest).toBe(computed.digest)
    const other = await folder.write('seed.yml', text.replace('seed: 1', 'seed: 2'))
    expect(await run(other, '--fisher', `anchor=${file}`)).toMatchObject({
      error: {
        message:
          'the Fisher file of anchor has sampled labels, sequence form, seed 1; the recipe asks for sampled labels, sequence form, seed 2',
      },
    })
    expect(await run(recipe, '--fisher', `task-sort=${file}`)).toMatchObject({
      error: { message: '--fisher task-sort: alignmerge uses the Fisher diagonal of anchor alone' },
    })
  })
})
