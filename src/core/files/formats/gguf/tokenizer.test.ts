// Tokenizers written and read: the same file through the key that holds it whole, the same ids where it is rebuilt
// from llama.cpp's own keys.

import { describe, expect, it } from 'vitest'
import { ggufOf } from '../../../../testing/ggufBytes.ts'
import { PHI3_TEMPLATE, tinyTokenizer } from '../../../../testing/tinyCheckpoint.ts'
import { TINY_CONFIGS, tinyModel } from '../../../../testing/tinyModels.ts'
import { openCheckpoint } from '../../checkpoint.ts'
import { memoryFolder } from '../../folder.ts'
import { MemorySource } from '../../source.ts'
import { openTokenizer, TextCodec } from '../../tokenizer.ts'
import { readGgufHeader } from './header.ts'
import { mergesOfScores } from './sentencepieceMerges.ts'
import { SPLIT_RULES } from './splitPatterns.ts'
import { readGgufTokenizer } from './tokenizer.ts'
import type { GgufHeader, GgufValue } from './types.ts'

type Json = Record<string, unknown>

const model = tinyModel({
  ...TINY_CONFIGS['phi3, fused, grouped'],
  vocab_size: 300,
  bos_token_id: 99,
  eos_token_id: [98, 102],
})
const tokenizerConfig = {
  bos_token: '<s>',
  eos_token: { content: '<|endoftext|>' },
  chat_template: PHI3_TEMPLATE,
}

async function headerOf(tokenizerJson: Json, config: Json = tokenizerConfig): Promise<GgufHeader> {
  const { bytes } = await ggufOf({ ...model, tokenizerJson, tokenizerConfig: config }, 'f16')
  return readGgufHeader(new MemorySource(bytes, 'x.gguf'))
}

/** As files of other writers are: without the whole tokenizer.json. */
async function rebuilt(
  tokenizerJson: Json,
  change: Record<string, GgufValue | undefined> = {},
  config?: Json,
) {
  const { metadata } = await headerOf(tokenizerJson, config)
  const changed = new Map(metadata)
  changed.delete('tokenizer.huggingface.json')
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) changed.delete(key)
    else changed.set(key, value)
  }
  return readGgufTokenizer({ file: 'x.gguf', metadata: changed })
}

const encode = (json: Json, config: Json, text: string, special = false): number[] =>
  openTokenizer(json, config).encode(text, { add_special_tokens: special }).ids

/** A sentencepiece vocabulary as converters write it: bytes, merges by rank, control tokens, one of a user's own. */
function pieces(hasPrefix: boolean): Json {
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`)
  const made = [
    'he',
    'll',
    '▁he',
    'hell',
    'llo',
    '▁hell',
    '▁hello',
    'hello',
    '▁w',
    'or',
    '▁wor',
    'ld',
    '▁world',
  ]
  const characters = [...'▁helowrd.']
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...made, ...characters, '<|user|>', '<tool>']
  // As sentencepiece joins: any two pieces that make an earlier one, whichever they are.
  const merges = made.flatMap((piece) =>
    Array.from(piece, (_, at) => [piece.slice(0, at), piece.slice(at)])
      .filter((pair) => pair.every((part) => tokens.includes(part)))
      .toReversed(),
  )
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }
  const added = (content: string, special: boolean) => ({
    id: tokens.indexOf(content),
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  })
  const decoders: Json[] = [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
  ]
  return {
    version: '1.0',
    added_tokens: [
      added('<unk>', true),
      added('<s>', true),
      added('</s>', true),
      added('<|user|>', true),
      added('<tool>', false),
    ],
    normalizer: hasPrefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] }
      : spaces,
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: hasPrefix ? [...decoders, { type: 'Strip', content: ' ', start: 1, stop: 0 }] : decoders,
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      fuse_unk: true,
      byte_fallback: true,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  }
}

const TEXTS = [
  'hello',
  'Hello, world. he  ll',
  ' hello world',
  'x\n\n  y',
  'hehel',
  'naïve 東京 🙂',
  '<s>hello<|user|>\nhello world',
]

describe('tokenizer.json', () => {
  it('comes back as it was, with template and special tokens', async () => {
    const { bytes } = await ggufOf({ ...model, tokenizerJson: tinyTokenizer(), tokenizerConfig }, 'f16')
    const checkpoint = await openCheckpoint(memoryFolder('m', new Map([['m.gguf', bytes]])))
    expect(checkpoint.tokenizerJson).toEqual(tinyTokenizer())
    expect(checkpoint.tokenizerConfig).toMatchObject({
      bos_token: '<s>',
      eos_token: '<|endoftext|>',
      chat_template: PHI3_TEMPLATE,
    })
    expect(checkpoint.config.endTokens).toEqual([98, 102])
    const codec = new TextCodec(checkpoint)
    expect(codec.decode(codec.encodeCompletion('hello'))).toBe('hello')
    const file = await checkpoint.folder.file('tokenizer.json')
    expect(JSON.parse(new TextDecoder().decode(await file!.read(0, file!.size)))).toEqual(tinyTokenizer())
  })

  it('is the folder’s where the file has none', async () => {
    const { bytes, notes } = await ggufOf(model, 'f16')
    expect(notes).toEqual(['no tokenizer was written: the model has none'])
    const alone = await openCheckpoint(memoryFolder('m', new Map([['m.gguf', bytes]])))
    expect(alone.tokenizerJson).toBeUndefined()
    expect(alone.notes.join()).toContain('no tokenizer')
    const beside = new Map<string, Uint8Array | string>([
      ['m.gguf', bytes],
      ['tokenizer.json', '{"a":1}'],
    ])
    expect((await openCheckpoint(memoryFolder('m', beside))).tokenizerJson).toEqual({ a: 1 })
  })
})

describe('byte-level BPE', () => {
  it('gives the same ids rebuilt', async () => {
    const { tokenizerJson, notes, tokenizerConfig: config } = await rebuilt(tinyTokenizer())
    expect(notes).toEqual([])
    for (const text of TEXTS.filter((text) => /^[ -~\n]*$/.test(text))) {
      expect(encode(tokenizerJson!, config, text)).toEqual(encode(tinyTokenizer(), tokenizerConfig, text))
      // The begin token of the post-processor is told by a flag.
      expect(encode(tokenizerJson!, config, text, true)).toEqual(
        encode(tinyTokenizer(), tokenizerConfig, text, true),
      )
    }
    const vocab = Object.keys((tokenizerJson!.model as Json).vocab as Json)
    expect(vocab).not.toContain('<s>')
    expect(vocab.some((token) => token.startsWith('[PAD'))).toBe(false)
  })

  it.each(Object.keys(SPLIT_RULES))('text is cut as %s cuts it', async (name) => {
    const { patterns, ignoreMerges = false } = SPLIT_RULES[name]
    const json = tinyTokenizer()
    const splits = patterns.map((Regex) => ({
      type: 'Split',
      pattern: { Regex },
      behavior: 'Isolated',
      invert: false,
    }))
    const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
    json.pre_tokenizer = { type: 'Sequence', pretokenizers: [...splits, bytes] }
    Object.assign(json.model as Json, { ignore_merges: ignoreMerges })
    const header = await headerOf(json)
    const written = String(header.metadata.get('tokenizer.ggml.pre'))
    expect(SPLIT_RULES[written].patterns).toEqual(patterns)
    expect(SPLIT_RULES[written].ignoreMerges ?? false).toBe(ignoreMerges)
    const { tokenizerJson, tokenizerConfig: config } = await rebuilt(json, { 'tokenizer.ggml.pre': name })
    expect(tokenizerJson!.pre_tokenizer).toEqual(json.pre_tokenizer)
    for (const text of ["hello 12345 it’s, IT'S she'll", 'a\r\n\r\n b   c', 'CamelCase $+=^'])
      expect(encode(tokenizerJson!, config, text.replace('’', ''))).toEqual(
        encode(json, tokenizerConfig, text.replace('’', '')),
      )
  })

  it('a way to cut that has no name is said, one that is not known leaves the tokenizer out', async () => {
    const json = {
      ...tinyTokenizer(),
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true },
    }
    const { notes } = await ggufOf({ ...model, tokenizerJson: json, tokenizerConfig }, 'f16')
    expect(notes.join()).toContain('no name for how this tokenizer cuts')
    const unknown = await rebuilt(tinyTokenizer(), { 'tokenizer.ggml.pre': 'martian' })
    expect(unknown.tokenizerJson).toBeUndefined()
    expect(unknown.notes.join()).toContain('martian')
    const other = await rebuilt(tinyTokenizer(), { 'tokenizer.ggml.model': 'rwkv' })
    expect(other.notes.join()).toContain('rwkv')
    const twice = await rebuilt(tinyTokenizer(), { 'tokenizer.ggml.tokens': Array(300).fill('a') })
    expect(twice.notes.join()).toContain('"a" stands in it twice')
  })
})

describe.each([true, false])('sentencepiece, a space before texts: %s', (hasPrefix) => {
  it('gives the same ids rebuilt from scores, bytes where a character is no piece', async () => {
    const json = pieces(hasPrefix)
    const {
      tokenizerJson,
      notes,
      tokenizerConfig: config,
    } = await rebuilt(json, {}, { ...tokenizerConfig, add_bos_token: true })
    expect(notes).toEqual([])
    const tokenizer = openTokenizer(tokenizerJson!, config)
    for (const text of TEXTS) {
      const ids = encode(json, {}, text)
      expect(encode(tokenizerJson!, config, text), text).toEqual(ids)
      expect(tokenizer.decode(ids, { skip_special_tokens: true })).toBe(
        openTokenizer(json, {}).decode(ids, { skip_special_tokens: true }),
      )
    }
    expect(encode(tokenizerJson!, config, 'hello', true)[0]).toBe(99)
    // A token of a user's own is found whole, and is no special one.
    const tool = tokenizer.encode('a<tool>', { add_special_tokens: false }).ids.at(-1)!
    expect(tokenizer.decode([tool], { skip_special_tokens: true })).toBe('<tool>')
  })
})

describe('mergesOfScores', () => {
  it('lists every cut of a piece, best piece first, longer left parts first', () => {
    const tokens = ['a', 'b', 'c', 'ab', 'bc', 'abc', '<s>', 'd']
    const scores = [-9, -9, -9, -1, -2, -2, 0, -9]
    expect(mergesOfScores(tokens, scores, (id) => id !== 6)).toEqual([
      ['a', 'b'],
      ['ab', 'c'],
      ['a', 'bc'],
      ['b', 'c'],
    ])
    expect(mergesOfScores(tokens, scores, (id) => id !== 6 && id !== 3)).toEqual([
      ['a', 'bc'],
      ['b', 'c'],
    ])
  })

  it('takes no time over pieces that no vocabulary has', () => {
    const long = 'x'.repeat(10_000)
    expect(mergesOfScores(['x', long], [0, 0], () => true)).toEqual([])
  })
})
