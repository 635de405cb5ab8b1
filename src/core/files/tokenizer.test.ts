import { describe, expect, it } from 'vitest'
import {
  expectFailure,
  PHI3_TEMPLATE,
  tinyConfig,
  tinyFiles,
  tinyId,
  tinyTokenizer,
} from '../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from './checkpoint.ts'
import { memoryFolder } from './folder.ts'
import { TextCodec } from './tokenizer.ts'

async function codec(
  change: {
    tokenizer?: (json: Record<string, unknown>) => void
    config?: Record<string, unknown>
    model?: Record<string, unknown>
  } = {},
): Promise<TextCodec> {
  const files = tinyFiles({ ...tinyConfig(), ...change.model })
  const tokenizer = tinyTokenizer()
  change.tokenizer?.(tokenizer)
  files.set('tokenizer.json', JSON.stringify(tokenizer))
  if (change.model) files.delete('generation_config.json')
  if (change.config) files.set('tokenizer_config.json', JSON.stringify(change.config))
  return new TextCodec(await openCheckpoint(memoryFolder('tiny', files)))
}

const ids = (...tokens: string[]) => tokens.map(tinyId)
const config = (template: unknown) => ({
  bos_token: '<s>',
  eos_token: '<|endoftext|>',
  chat_template: template,
})

/** Llama 3's shape: the begin token comes from the template, answers are trimmed. */
const WITH_BEGIN = `{{ bos_token }}{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}`

describe('TextCodec', () => {
  it('writes a chat prompt with the model template', async () => {
    const text = await codec()
    expect(text.encodePrompt('hello')).toEqual(
      ids('<|user|>', 'Ċ', 'hel', 'l', 'o', '<|end|>', 'Ċ', '<|assistant|>', 'Ċ'),
    )
    expect(text.vocabSize).toBe(103)
    expect(text.endOfTurn).toBe(tinyId('<|end|>'))
    expect([...text.endTokens].sort()).toEqual(ids('<|endoftext|>', '<|end|>').sort())
    expect(text.tokenOf(tinyId('he'))).toBe('he')
  })

  it('ends a completion, and prompt and completion are the whole chat', async () => {
    const text = await codec()
    expect(text.encodeCompletion('he is')).toEqual(ids('he', 'Ġ', 'i', 's', '<|end|>'))
    expect(text.encodeCompletion('')).toEqual(ids('<|end|>'))
    for (const [prompt, answer] of [
      ['hi', 'hello'],
      ['a\nb', ' x'],
      ['', 'hel'],
    ]) {
      const whole = `<|user|>\n${prompt}<|end|>\n<|assistant|>\n${answer}<|end|>`
      expect([...text.encodePrompt(prompt), ...text.encodeCompletion(answer)]).toEqual(text.encodeText(whole))
    }
  })

  it('reads a completion as it stands in the chat, not as a text of its own', async () => {
    const text = await codec({
      tokenizer: (json) => {
        json.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: true, use_regex: true }
      },
    })
    expect(text.encodeText('x')).toEqual(ids('Ġ', 'x'))
    expect(text.encodeCompletion('x')).toEqual(ids('x', '<|end|>'))
  })

  it('writes one begin token, that of the template, and none where it has none', async () => {
    const text = await codec({ config: config(WITH_BEGIN) })
    expect(text.encodePrompt(' hi ')).toEqual(ids('<s>', '<|user|>', 'h', 'i', '<|end|>', '<|assistant|>'))
    const without = (await codec()).encodePrompt('hi')
    expect(without).not.toContain(tinyId('<s>'))
    expect(text.encodeText('h')).toEqual(ids('h'))
  })

  it('decodes without specials, byte for byte', async () => {
    const text = await codec()
    const sample = 'he said , "hel" .\nIt \'s  {odd} ?'
    expect(text.decode(text.encodeText(sample))).toBe(sample)
    expect(text.decode([...text.encodePrompt('hi'), ...text.encodeCompletion('ok')])).toBe('\nhi\n\nok')
    expect(text.decode([])).toBe('')
    for (const bad of [-1, 103, 1.5, Number.NaN])
      await expectFailure(() => text.decode([1, bad]), 'request-invalid')
  })

  it('finds the end of turn in templates of other makes', async () => {
    const named = await codec({ config: config([{ name: 'default', template: PHI3_TEMPLATE }]) })
    expect(named.endOfTurn).toBe(tinyId('<|end|>'))
    // No special token after the answer: the config's end token ends it.
    const plain = await codec({
      config: config("{% for m in messages %}{{ m['role'] + ':' + m['content'] + ';' }}{% endfor %}"),
    })
    expect(plain.endOfTurn).toBe(tinyId('<|endoftext|>'))
    expect(plain.encodeCompletion('x')).toEqual(ids('x', '<|endoftext|>'))
    await expectFailure(
      codec({
        config: config("{% for m in messages %}{{ m['content'] }}{% endfor %}"),
        model: { eos_token_id: null },
      }),
      'file-unsupported',
      { file: 'tokenizer_config.json' },
    )
  })

  it('without a template reads text but writes no chat', async () => {
    const text = await codec({ config: { eos_token: '<|endoftext|>' } })
    expect(text.encodeText('he')).toEqual(ids('he'))
    expect(text.endOfTurn).toBeUndefined()
    expect(text.endTokens).toContain(tinyId('<|end|>'))
    const where = { file: 'tokenizer_config.json' }
    const error = await expectFailure(() => text.encodePrompt('hi'), 'file-missing', where)
    expect(error.message).toContain('chat_template')
    await expectFailure(() => text.encodeCompletion('hi'), 'file-missing', where)
  })
})

describe('tokenizers that are refused', () => {
  it('templates that cannot be read or run', async () => {
    const where = { file: 'tokenizer_config.json' }
    await expectFailure(codec({ config: config('{% for %}') }), 'file-unsupported', where)
    await expectFailure(codec({ config: config("{{ raise_exception('no') }}") }), 'file-unsupported', where)
    await expectFailure(codec({ config: config('nothing') }), 'file-unsupported', where)
    await expectFailure(codec({ config: config(7) }), 'file-malformed', where)
  })

  it('more ids than the embedding has rows', async () => {
    const error = await expectFailure(codec({ model: { vocab_size: 96 } }), 'tokenizer-mismatch', {
      file: 'tokenizer.json',
    })
    expect(error.message).toContain('ids up to 102')
    expect(error.message).toContain('96 rows')
  })

  it('unknown kinds, missing models, missing tokenizers', async () => {
    const where = { file: 'tokenizer.json' }
    const odd = (json: Record<string, unknown>) => {
      json.model = { type: 'Sorcery', vocab: {} }
    }
    await expectFailure(codec({ tokenizer: odd }), 'file-unsupported', where)
    const noModel = (json: Record<string, unknown>) => {
      delete json.model
    }
    await expectFailure(codec({ tokenizer: noModel }), 'file-unsupported', where)
    const files = tinyFiles()
    files.delete('tokenizer.json')
    const bare = await openCheckpoint(memoryFolder('bare', files))
    await expectFailure(() => new TextCodec(bare), 'file-missing', where)
  })

  it('ids that are none: a forged one would be counted up to', async () => {
    const where = { file: 'tokenizer.json' }
    for (const id of [2 ** 31, 2 ** 20 + 1, -1, 1.5, '7', null]) {
      const added = (json: Record<string, unknown>) => {
        json.added_tokens = [{ id, content: '<s>', special: true }]
      }
      await expectFailure(codec({ tokenizer: added }), 'file-malformed', where)
      const listed = (json: Record<string, unknown>) => {
        ;(json.model as { vocab: Record<string, unknown> }).vocab.a = id
      }
      await expectFailure(codec({ tokenizer: listed }), 'file-malformed', where)
    }
    const config = { added_tokens_decoder: { 4294967295: { content: '<x>' } } }
    await expectFailure(codec({ config }), 'file-malformed', { file: 'tokenizer_config.json' })
  })

  it('bytes that a vocabulary lacks vanish, as in the reference implementation', async () => {
    const text = await codec()
    expect(text.encodeText('aüb')).toEqual(ids('a', 'b'))
  })
})
