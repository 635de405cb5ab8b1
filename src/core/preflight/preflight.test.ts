// Before the download: what is wrong is listed, all of it, from headers; and headers of large models are small.

import { afterEach, describe, expect, it } from 'vitest'
import { type HubServer, startHubServer } from '../../testing/hubServer.ts'
import {
  expectFailure,
  packTensors,
  tinyConfig,
  tinyFiles,
  tinyTensors,
  tinyTokenizer,
} from '../../testing/tinyCheckpoint.ts'
import { type CheckpointFolder, memoryFolder } from '../files/folder.ts'
import { safetensorsHeader, type TensorEntry } from '../files/safetensorsWriter.ts'
import { listWeights } from '../model/families/decoder.ts'
import { readConfig } from '../model/families/registry.ts'
import { hubFolder } from '../sources/hub.ts'
import { preflight } from './preflight.ts'

type Files = Map<string, Uint8Array | string>

const CARD = (licence: string, more = '') =>
  `---\nlicense: ${licence}\nbase_model: org/anchor\n${more}---\n# A model\n`

function tiny(name: string, edit: (files: Files) => void = () => {}, config = tinyConfig()) {
  const files = tinyFiles(config)
  files.set('README.md', CARD('mit'))
  edit(files)
  return { name, folder: memoryFolder(name, files) }
}

const messages = async (...models: { name: string; folder: CheckpointFolder }[]) => {
  const { findings, canMerge } = await preflight(models)
  return {
    canMerge,
    lines: findings.map(
      ({ level, topic, model, message }) => `${level} ${topic} ${model ?? '*'}: ${message}`,
    ),
  }
}

describe('one model', () => {
  it('that is sound has nothing to be said of it, and its facts', async () => {
    const { models, findings, canMerge, estimate } = await preflight([tiny('a'), tiny('b')])
    expect(findings).toEqual([])
    expect(canMerge).toBe(true)
    const [facts] = models
    expect(facts).toMatchObject({
      ...{ name: 'a', format: 'safetensors', architecture: 'Phi3ForCausalLM', family: 'phi3' },
      ...{ vocabularyRows: 104, card: { licence: 'mit', baseModels: ['org/anchor'] } },
    })
    expect(facts.types).toEqual({ BF16: facts.parameterCount })
    expect([...facts.tokens.added.values()]).toContain('<|end|>')
    expect(estimate.readBytes).toBe(4 * facts.parameterCount)
    expect(estimate.writtenBytes).toBe(2 * facts.parameterCount)
    expect(estimate.residentBytes).toBe(12 * facts.parameterCount)
    expect(estimate.largestTensorBytes).toBe(104 * 8 * 4)
    expect(estimate.seconds).toBeUndefined()
    const timed = await preflight([tiny('a')], { rates: { read: 100, merge: 200 }, outBytes: 4 })
    const bytes = facts.parameterCount * 2
    expect(timed.estimate.seconds).toBeCloseTo(bytes / 100 + (bytes + 2 * bytes) / 200, 6)
  })

  it('with many faults has all of them listed', async () => {
    const { canMerge, lines } = await messages(
      tiny('bad', (files) => {
        const tensors = tinyTensors()
        tensors.splice(3, 1)
        tensors[1].shape = [...tensors[1].shape].reverse().concat(1)
        tensors.push({ name: 'extra.weight', dtype: 'I32', shape: [1], bytes: new Uint8Array(4) })
        files.set('model.safetensors', packTensors(tensors))
        files.delete('tokenizer.json')
        files.set('README.md', CARD('cc-by-nc-nd-4.0'))
      }),
    )
    expect(canMerge).toBe(false)
    expect(lines).toEqual([
      expect.stringMatching(/^error weights bad: 1 of 15 weights are missing: model\.layers/),
      expect.stringMatching(
        /^error weights bad: 1 weights do not fit: .* is \[8,1\], the config says \[8\]$/,
      ),
      'warning vocabulary bad: no tokenizer.json: it can be merged, but not be given text or measured',
      'warning licence bad: licence cc-by-nc-nd-4.0 does not allow derivatives, and a merge is one',
      'note weights bad: 1 tensors that the model does not use are left out: extra.weight',
      'note types bad: stored as I32: read as float32; what was rounded away when it was quantised is not there',
      'note licence bad: licence cc-by-nc-nd-4.0 does not allow commercial use',
    ])
  })

  it('that cannot be read at all is a finding, and the others are still looked at', async () => {
    const broken = tiny('broken', (files) => files.set('model.safetensors', new Uint8Array(20)))
    const empty = { name: 'empty', folder: memoryFolder('empty', new Map()) }
    const strange = tiny('strange', (files) => {
      files.set('config.json', JSON.stringify({ ...tinyConfig(), architectures: ['MambaForCausalLM'] }))
    })
    const { canMerge, lines } = await messages(tiny('a'), broken, empty, strange)
    expect(canMerge).toBe(false)
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('error files broken: '),
      expect.stringContaining('error files empty: '),
      expect.stringMatching(/^error architecture strange: architecture MambaForCausalLM/),
    ])
  })

  it('whose tokens have no row, or which no chat can be written for', async () => {
    const { lines } = await messages(
      tiny('a', (files) => {
        const tokenizer = tinyTokenizer() as { added_tokens: Record<string, unknown>[] }
        tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id: 104, content: '<|x|>' })
        files.set('tokenizer.json', JSON.stringify(tokenizer))
        files.set('tokenizer_config.json', '{}')
      }),
    )
    expect(lines).toEqual([
      'error vocabulary a: token 104 has no row: the embedding has 104',
      'warning template a: no chat template: prompts cannot be written for it',
    ])
  })

  it('with forged small files has findings, and is told of in time', async () => {
    const bomb = ['a', 'b', 'c', 'd'].reduce(
      (text, name, i, all) =>
        `${text}${name}: &${name} [${i ? `*${all[i - 1]},`.repeat(9) : 'x,'.repeat(9)}]\n`,
      '',
    )
    const many = Object.fromEntries(
      Array.from({ length: 150_000 }, (_, id) => [id, { content: `<|${id}|>` }]),
    )
    const forged = (list: string) => (files: Files) => {
      files.set('README.md', `---\n${bomb}---\n`)
      files.set('tokenizer_config.json', '{}')
      // Above the size to which it is read whole.
      files.set('tokenizer.json', `{"added_tokens":${list},"model":"${' '.repeat(300_000)}"}`)
    }
    const { lines } = await messages(
      tiny('a', (files) =>
        files.set('tokenizer_config.json', JSON.stringify({ added_tokens_decoder: many })),
      ),
      tiny('b', (files) =>
        files.set('tokenizer_config.json', JSON.stringify({ added_tokens_decoder: many })),
      ),
      tiny('nulls', forged('[null]')),
      tiny('braces', forged('[}')),
      tiny('deep', (files) => files.set('README.md', `---\n${'['.repeat(16_000)}\n---\n`)),
    )
    expect(lines).toContain('error vocabulary a: token 149999 has no row: the embedding has 104')
    for (const name of ['nulls', 'braces', 'deep'])
      expect(lines).toContain(`note licence ${name}: its card names no licence`)
  })

  it('stops when told', async () => {
    await expectFailure(preflight([tiny('a')], { signal: AbortSignal.abort() }), 'cancelled')
  })
})

describe('several models', () => {
  it('of other shapes, families, templates, vocabularies, licences', async () => {
    const wide = { ...tinyConfig(), intermediate_size: 16 }
    const padded = { ...tinyConfig(), vocab_size: 110 }
    const llama = { ...tinyConfig(), architectures: ['LlamaForCausalLM'] }
    const { lines } = await messages(
      tiny('a'),
      tiny('wide', () => {}, wide),
      tiny(
        'padded',
        (files) => {
          const tokenizer = tinyTokenizer() as { added_tokens: Record<string, unknown>[] }
          tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id: 103, content: '<|tool|>' })
          files.set('tokenizer.json', JSON.stringify(tokenizer))
          files.set('README.md', CARD('llama3.1'))
        },
        padded,
      ),
      tiny('llama', () => {}, llama),
      tiny('template', (files) => files.set('tokenizer_config.json', '{"chat_template": "{{ x }}"}')),
    )
    expect(lines).toEqual([
      'error architecture wide: intermediate_size of wide is 16, that of a 12',
      expect.stringMatching(/^error weights wide: 4 weights differ in shape or name: model\.layers\.0\.mlp/),
      'error architecture llama: llama is a llama, a a phi3: merging needs one architecture',
      'warning vocabulary padded: vocab_size of padded is 110, that of a 104',
      'warning vocabulary padded: 1 tokens that a does not have: <|tool|>',
      'warning template template: its chat template is another one than that of a',
      'warning licence *: the models have 2 licences: mit, llama3.1',
      'note licence padded: licence llama3.1 asks that derivatives be named after Llama and carry its licence',
    ])
  })
})

/** Phi-3.5-mini as it is published: shapes and sizes true, weights zero and never sent. */
const PHI35 = {
  ...{ architectures: ['Phi3ForCausalLM'], model_type: 'phi3', hidden_size: 3072, intermediate_size: 8192 },
  ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 32, vocab_size: 32064 },
  ...{ max_position_embeddings: 131072, original_max_position_embeddings: 4096, rms_norm_eps: 1e-5 },
  ...{ rope_theta: 10000, sliding_window: 262144, tie_word_embeddings: false, torch_dtype: 'bfloat16' },
  rope_scaling: {
    type: 'longrope',
    long_factor: Array.from({ length: 48 }, (_, i) => 1 + i),
    short_factor: Array.from({ length: 48 }, () => 1),
  },
}

function phiRepo(vocabularyBytes: number, card: Record<string, unknown>) {
  const weights = listWeights(readConfig(PHI35))
  const half = Math.ceil(weights.length / 2)
  const parts = [weights.slice(0, half), weights.slice(half)]
  const names = parts.map((_, i) => `model-0000${i + 1}-of-00002.safetensors`)
  const sparse = new Map(
    parts.map((part, i) => {
      const entries: TensorEntry[] = part.map(({ name, shape }) => ({ name, shape, dtype: 'BF16' }))
      const head = safetensorsHeader(entries, { format: 'pt' })
      const data = part.reduce((sum, { shape }) => sum + 2 * shape.reduce((a, b) => a * b, 1), 0)
      return [names[i], { head, size: head.byteLength + data }]
    }),
  )
  const tokenizer = { ...tinyTokenizer(), padding: 'x'.repeat(vocabularyBytes) }
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  const files = new Map([
    ['config.json', text(PHI35)],
    ['tokenizer.json', text(tokenizer)],
    ['tokenizer_config.json', text({ chat_template: '{{ messages }}', bos_token: '<s>' })],
    [
      'model.safetensors.index.json',
      text({
        metadata: { total_size: 7642159104 },
        weight_map: Object.fromEntries(parts.flatMap((part, i) => part.map(({ name }) => [name, names[i]]))),
      }),
    ],
  ])
  return { files, sparse, card, inGit: (path: string) => path !== 'tokenizer.json' }
}

describe('three models of 3.8 B parameters on a hub', () => {
  let server: HubServer | undefined
  afterEach(() => server?.close())

  it('are looked through in less than 2 s and 2 MB', async () => {
    const ids = ['microsoft/Phi-3.5-mini-instruct', 'org/phi-coder', 'org/phi-other']
    server = await startHubServer(
      new Map([
        [ids[0], phiRepo(1_800_000, { license: 'mit' })],
        [ids[1], phiRepo(1_800_000, { license: 'mit', base_model: ids[0] })],
        [ids[2], phiRepo(1_900_000, { license: 'cc-by-nc-4.0' })],
      ]),
    )
    const begun = performance.now()
    const folders = await Promise.all(ids.map((id) => hubFolder(id, { hubUrl: server!.url })))
    const { models, findings, canMerge, estimate } = await preflight(
      ids.map((name, i) => ({ name, folder: folders[i] })),
    )
    const seconds = (performance.now() - begun) / 1000
    const sent = server.log.reduce((sum, entry) => sum + entry.sent, 0)
    expect(canMerge).toBe(true)
    expect(models.map(({ parameterCount }) => parameterCount)).toEqual([3821079552, 3821079552, 3821079552])
    expect(estimate.readBytes).toBe(3 * 7642159104)
    expect(findings.map(({ topic, model }) => `${topic} ${model ?? '*'}`)).toEqual([
      'licence *',
      // The second one's tokenizer.json has the hash of the first; the third one's has not.
      'vocabulary org/phi-other',
      'licence org/phi-other',
    ])
    console.info(`pre-flight: ${seconds.toFixed(2)} s, ${sent} bytes, ${server.log.length} requests`)
    expect(sent).toBeLessThan(2e6)
    expect(seconds).toBeLessThan(2)
  })
})
