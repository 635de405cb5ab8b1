import { describe, expect, it } from 'vitest'
import {
  expectFailure,
  packTensors,
  SPECIALS,
  tinyConfig,
  tinyFiles,
  tinyId,
  tinyTensors,
  tinyTokenizer,
} from '../../testing/tinyCheckpoint.ts'
import { decodeWeights } from '../tensors/dtype.ts'
import { openCheckpoint, requireTokenizer } from './checkpoint.ts'
import { memoryFolder } from './folder.ts'
import { assertMergeable } from './mergeable.ts'

type Files = ReturnType<typeof tinyFiles>

/** Opens the tiny folder after `change`. */
function openTiny(change: (files: Files) => void = () => {}, name = 'tiny') {
  const files = tinyFiles()
  change(files)
  return openCheckpoint(memoryFolder(name, files))
}

describe('openCheckpoint', () => {
  it('reads config, tokenizer files, sizes and weights', async () => {
    const checkpoint = await openTiny()
    expect(checkpoint.config).toMatchObject({ family: 'phi3', layerCount: 2, hiddenSize: 8 })
    expect(checkpoint.config.endTokens).toEqual([tinyId('<|endoftext|>'), tinyId('<|end|>')])
    expect(checkpoint.dtype).toBe('bf16')
    expect(checkpoint.extraTensors).toEqual([])
    const tensors = tinyTensors()
    expect(checkpoint.weights.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name))
    expect(checkpoint.byteLength).toBe(tensors.reduce((sum, { bytes }) => sum + bytes.length, 0))
    expect(checkpoint.parameterCount).toBe(checkpoint.byteLength / 2)
    for (const { name, bytes } of tensors)
      expect(await checkpoint.readWeight(name)).toEqual({ bytes: Uint8Array.from(bytes), type: 'bf16' })
    expect(requireTokenizer(checkpoint).tokenizerConfig.bos_token).toBe('<s>')
    await expectFailure(checkpoint.readWeight('none'), 'file-missing', { tensor: 'none' })
    await expectFailure(openCheckpoint(memoryFolder('a', tinyFiles()), AbortSignal.abort()), 'cancelled')
  })

  it('does without generation config and tokenizer, until text is asked for', async () => {
    const checkpoint = await openTiny((files) => {
      for (const path of ['generation_config.json', 'tokenizer.json', 'tokenizer_config.json'])
        files.delete(path)
    })
    expect(checkpoint.config.endTokens).toEqual([98])
    expect(checkpoint.tokenizerConfig).toEqual({})
    await expectFailure(() => requireTokenizer(checkpoint), 'file-missing', { file: 'tokenizer.json' })
  })

  it('takes the chat template from its own file', async () => {
    const checkpoint = await openTiny((files) => {
      files.set('tokenizer_config.json', '{"eos_token":"<|end|>"}').set('chat_template.jinja', '{{ x }}')
    })
    expect(checkpoint.tokenizerConfig).toEqual({ eos_token: '<|end|>', chat_template: '{{ x }}' })
  })

  it('reads mixed types, names extra tensors and passes over known buffers', async () => {
    const checkpoint = await openTiny((files) => {
      const tensors = tinyTensors()
      tensors[0] = tinyTensors(tinyConfig(), 'f32')[0]
      const bytes = new Uint8Array(4)
      tensors.push({ name: 'extra', dtype: 'I32', shape: [1], bytes })
      const buffer = 'model.layers.0.self_attn.rotary_emb.inv_freq'
      tensors.push({ name: buffer, dtype: 'F32', shape: [1], bytes })
      files.set('model.safetensors', packTensors(tensors))
    })
    expect(checkpoint.extraTensors).toEqual(['extra'])
    const { bytes, type } = await checkpoint.readWeight('model.embed_tokens.weight')
    expect(type).toBe('f32')
    expect(decodeWeights(bytes, type)).toHaveLength(104 * 8)
  })

  it('reads shards through their index', async () => {
    const tensors = tinyTensors()
    const halves = [tensors.slice(0, 5), tensors.slice(5)]
    const weightMap = Object.fromEntries(
      halves.flatMap((half, i) => half.map(({ name }) => [name, `model-${i}.safetensors`])),
    )
    const shard = (files: Files) => {
      files.delete('model.safetensors')
      files.set('model.safetensors.index.json', JSON.stringify({ weight_map: weightMap }))
      for (const [i, half] of halves.entries()) files.set(`model-${i}.safetensors`, packTensors(half))
    }
    const checkpoint = await openTiny(shard)
    expect(checkpoint.files).toHaveLength(2)
    for (const { name, bytes } of tensors)
      expect((await checkpoint.readWeight(name)).bytes).toEqual(Uint8Array.from(bytes))

    // A weight that an earlier shard holds too, from a run before: the index says which is meant.
    const stale = { ...halves[1][0], bytes: new Uint8Array(halves[1][0].bytes.byteLength) }
    const twice = await openTiny((files) => {
      shard(files)
      files.set('model-0.safetensors', packTensors([...halves[0], stale]))
    })
    expect((await twice.readWeight(stale.name)).bytes).toEqual(Uint8Array.from(halves[1][0].bytes))

    const lost = openTiny((files) => {
      shard(files)
      files.delete('model-1.safetensors')
    })
    await expectFailure(lost, 'file-missing', { file: 'model-1.safetensors' })
    const wrong = openTiny((files) => {
      shard(files)
      files.set('model-1.safetensors', packTensors(halves[1].slice(1)))
    })
    const where = { file: 'model-1.safetensors', tensor: halves[1][0].name }
    await expectFailure(wrong, 'file-malformed', where)
    for (const map of [undefined, [], {}, { a: 3 }, { a: 'a.bin' }, { a: '../a.safetensors' }]) {
      const index = openTiny((files) => {
        shard(files)
        files.set('model.safetensors.index.json', JSON.stringify({ weight_map: map }))
      })
      await expectFailure(index, 'file-malformed', { file: 'model.safetensors.index.json' })
    }
  })
})

describe('folders that are refused', () => {
  const config = (change: object) => (files: Files) => {
    files.set('config.json', JSON.stringify({ ...tinyConfig(), ...change }))
  }

  it('an unknown architecture, a quantised model, a forged layer count', async () => {
    const place = { file: 'config.json' }
    const unknown = await expectFailure(
      openTiny(config({ architectures: ['MambaForCausalLM'] })),
      'config-unsupported',
      place,
    )
    expect(unknown.message).toContain('MambaForCausalLM')
    expect(unknown.message).toContain('Phi3ForCausalLM')
    await expectFailure(openTiny(config({ quantization_config: { bits: 4 } })), 'file-unsupported', place)
    await expectFailure(openTiny(config({ num_hidden_layers: 2 ** 31 })), 'config-unsupported', place)
    await expectFailure(openTiny(config({ hidden_size: 'x' })), 'config-unsupported', place)
  })

  it('missing and broken files', async () => {
    for (const file of ['config.json', 'model.safetensors'])
      await expectFailure(
        openTiny((files) => void files.delete(file)),
        'file-missing',
        { file },
      )
    const other = await expectFailure(
      openTiny((files) => {
        files.delete('model.safetensors')
        files.set('model.h5', 'x')
      }),
      'file-missing',
    )
    expect(other.message).toContain('model.h5')
    for (const file of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])
      for (const content of ['<!doctype html>', '[]', ''])
        await expectFailure(
          openTiny((files) => void files.set(file, content)),
          'file-malformed',
          { file },
        )
  })

  it('a missing tensor, a wrong shape, a type that is not a float', async () => {
    const change = (edit: (tensors: ReturnType<typeof tinyTensors>) => void) =>
      openTiny((files) => {
        const tensors = tinyTensors()
        edit(tensors)
        files.set('model.safetensors', packTensors(tensors))
      })
    const file = 'model.safetensors'
    const tensor = 'model.layers.1.mlp.down_proj.weight'
    const at = tinyTensors().findIndex(({ name }) => name === tensor)
    const missing = await expectFailure(
      change((tensors) => void tensors.splice(at, 1)),
      'file-malformed',
      {
        file,
        tensor,
      },
    )
    expect(missing.message).toContain('[8,12]')
    const shape = await expectFailure(
      change((tensors) => {
        tensors[at].shape = [12, 8]
      }),
      'shape-mismatch',
      { file, tensor },
    )
    expect(shape.message).toContain('found shape [12,8], expected [8,12]')
    expect(shape.where.offset).toBeGreaterThan(8)
    const type = await expectFailure(
      change((tensors) => {
        tensors[at].dtype = 'F8_E8M0'
        tensors[at].bytes = tensors[at].bytes.slice(0, 96)
      }),
      'file-unsupported',
      { file, tensor },
    )
    expect(type.message).toContain('F8_E8M0')
    await expectFailure(
      openTiny((files) => {
        files.set(file, (files.get(file) as Uint8Array).slice(0, -1))
      }),
      'file-malformed',
      { file, tensor: 'lm_head.weight' },
    )
  })
})

describe('assertMergeable', () => {
  const withTokenizer = (edit: (json: ReturnType<typeof tinyTokenizer>) => void) =>
    openTiny((files) => {
      const json = tinyTokenizer()
      edit(json)
      files.set('tokenizer.json', JSON.stringify(json))
    }, 'other')
  const withConfig = (change: object) => {
    const config = { ...tinyConfig(), ...change }
    return openCheckpoint(memoryFolder('other', tinyFiles(config)))
  }
  type Model = { vocab: Record<string, number>; merges: unknown[] }

  it('accepts models of one kind, with merges in either spelling and without tokenizers', async () => {
    const anchor = await openTiny()
    const pairs = await withTokenizer((json) => {
      const model = json.model as Model
      model.merges = [
        ['h', 'e'],
        ['he', 'l'],
      ]
      model.vocab = Object.fromEntries(Object.entries(model.vocab).reverse())
    })
    const bare = await openTiny((files) => void files.delete('tokenizer.json'))
    expect(() => assertMergeable(anchor, [{ ...anchor }, pairs])).not.toThrow()
    expect(() => assertMergeable(bare, [bare])).not.toThrow()
    await expectFailure(() => assertMergeable(anchor, [bare]), 'tokenizer-mismatch', {
      file: 'tokenizer.json',
    })
  })

  it('names the first token or rule that differs', async () => {
    const anchor = await openTiny()
    const swapped = await withTokenizer((json) => {
      const { vocab } = json.model as Model
      vocab['%'] = tinyId('&')
      vocab['&'] = tinyId('%')
    })
    const token = await expectFailure(() => assertMergeable(anchor, [swapped]), 'tokenizer-mismatch')
    expect(token.message).toContain(`token ${tinyId('%')} is "&" in other and "%" in tiny`)
    const rules = await withTokenizer((json) => {
      ;(json.model as Model).merges.pop()
    })
    const rule = await expectFailure(() => assertMergeable(anchor, [rules]), 'tokenizer-mismatch')
    expect(rule.message).toContain('merge rule 1 is absent in other and "he l" in tiny')
    const added = await withTokenizer((json) => {
      ;(json.added_tokens as { id: number; content: string }[])[3].content = '<|bot|>'
    })
    const special = await expectFailure(() => assertMergeable(anchor, [anchor, added]), 'tokenizer-mismatch')
    expect(special.message).toContain(`"<|bot|>" in other and "${SPECIALS[3]}" in tiny`)
    for (const broken of [{ model: 3 }, { model: {} }, { model: { vocab: { a: -1 } } }, { model: null }])
      await expectFailure(
        () => assertMergeable(anchor, [{ ...anchor, tokenizerJson: broken }]),
        'file-malformed',
        { file: 'tokenizer.json' },
      )
  })

  it('names the config value or weight that differs', async () => {
    const anchor = await openTiny()
    const cases: [object, string][] = [
      [{ num_hidden_layers: 1 }, 'num_hidden_layers of other is 1, that of tiny 2'],
      [{ rope_theta: 5e5 }, 'rotary position embedding'],
      [{ vocab_size: 112 }, 'vocab_size'],
      [{ rms_norm_eps: 1e-6 }, 'rms_norm_eps'],
      [{ num_attention_heads: 4, num_key_value_heads: 2 }, 'num_attention_heads'],
      [{ architectures: ['LlamaForCausalLM'], model_type: 'llama' }, 'one architecture'],
    ]
    for (const [change, text] of cases) {
      const other = await withConfig(change)
      const error = await expectFailure(() => assertMergeable(anchor, [other]), 'shape-mismatch', {
        file: 'config.json',
      })
      expect(error.message).toContain(text)
    }
    const [first, ...rest] = anchor.weights
    const tensor = first.name
    const lacks = { ...anchor, weights: rest }
    const shape = { ...anchor, weights: [{ ...first, shape: [8, 104] }, ...rest] }
    for (const pair of [
      [anchor, lacks],
      [lacks, anchor],
      [anchor, shape],
    ])
      await expectFailure(() => assertMergeable(pair[0], [pair[1]]), 'shape-mismatch', { tensor })
  })
})
