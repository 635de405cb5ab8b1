// tokenizer.json and tokenizer_config.json as the metadata of a GGUF file gives them: byte-level BPE as it stands, a
// sentencepiece vocabulary as the BPE with byte fallback that Hugging Face's converters make of one.

import { parseJsonObject } from '../../source.ts'
import { Metadata } from './metadata.ts'
import { mergesOfScores } from './sentencepieceMerges.ts'
import { SPLIT_RULES } from './splitPatterns.ts'
import type { GgufHeader } from './types.ts'

/** Kinds of tokens in `tokenizer.ggml.token_type`. */
export const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

const MAX_TOKENS = 2 ** 22

export interface GgufTokenizer {
  tokenizerJson?: Record<string, unknown>
  tokenizerConfig: Record<string, unknown>
  notes: string[]
}

interface Vocabulary {
  tokens: readonly string[]
  /** kind of each token */
  kinds: ArrayLike<number>
  /** number of tokens without those that only fill up the rows of the embedding */
  count: number
}

/** Rejects `file-malformed` for keys of the wrong kind; what is well-formed but not known leaves the tokenizer out. */
export function readGgufTokenizer(header: Pick<GgufHeader, 'file' | 'metadata'>): GgufTokenizer {
  const metadata = new Metadata(header)
  const tokens = metadata.texts('tokenizer.ggml.tokens')
  const whole = metadata.text('tokenizer.huggingface.json')
  if (tokens && tokens.length > MAX_TOKENS)
    metadata.fail('tokenizer.ggml.tokens', `at most ${MAX_TOKENS} tokens`)
  const tokenizerConfig = tokenizerConfigOf(metadata, tokens ?? [])
  const without = (note: string): GgufTokenizer => ({ tokenizerConfig, notes: [note] })
  if (whole !== undefined)
    return { tokenizerJson: parseJsonObject(whole, header.file), tokenizerConfig, notes: [] }
  if (!tokens) return without('the file has no tokenizer')
  const twice = findRepeated(tokens)
  if (twice !== undefined)
    return without(`tokenizer left out: token ${JSON.stringify(twice)} stands in it twice`)
  const kinds =
    metadata.numbers('tokenizer.ggml.token_type') ?? new Uint8Array(tokens.length).fill(TOKEN.normal)
  if (kinds.length !== tokens.length)
    metadata.fail('tokenizer.ggml.token_type', `${tokens.length} kinds of tokens`)
  const vocabulary = { tokens, kinds, count: countWithoutPadding(tokens, kinds) }
  const model = metadata.text('tokenizer.ggml.model')
  if (model === 'llama')
    return { tokenizerJson: sentencepiece(metadata, vocabulary), tokenizerConfig, notes: [] }
  if (model !== 'gpt2') return without(`tokenizer left out: model ${String(model)}, expected llama or gpt2`)
  const pre = metadata.text('tokenizer.ggml.pre') ?? 'default'
  if (!Object.hasOwn(SPLIT_RULES, pre))
    return without(`tokenizer left out: how ${pre.slice(0, 80)} cuts text into words is not known`)
  return { tokenizerJson: byteLevel(metadata, vocabulary, pre), tokenizerConfig, notes: [] }
}

function findRepeated(tokens: readonly string[]): string | undefined {
  if (new Set(tokens).size === tokens.length) return undefined
  const seen = new Set<string>()
  return tokens.find((token) => seen.size === seen.add(token).size)
}

/** Converters fill the vocabulary up to the rows of the embedding with [PAD‹id›]. */
function countWithoutPadding(tokens: readonly string[], kinds: ArrayLike<number>): number {
  let count = tokens.length
  while (count > 0 && kinds[count - 1] === TOKEN.unused && tokens[count - 1] === `[PAD${count - 1}]`) count--
  return count
}

const TOKEN_KEYS = { bos: 'bos_token', eos: 'eos_token', unknown: 'unk_token', padding: 'pad_token' } as const

function tokenizerConfigOf(metadata: Metadata, tokens: readonly string[]): Record<string, unknown> {
  const config: Record<string, unknown> = { tokenizer_class: 'PreTrainedTokenizerFast' }
  for (const [name, key] of Object.entries(TOKEN_KEYS)) {
    const text = tokens[metadata.whole(`tokenizer.ggml.${name}_token_id`) ?? -1]
    if (text !== undefined) config[key] = text
  }
  for (const name of ['bos', 'eos']) {
    const adds = metadata.flag(`tokenizer.ggml.add_${name}_token`)
    if (adds !== undefined) config[`add_${name}_token`] = adds
  }
  const template = metadata.text('tokenizer.chat_template')
  return {
    ...config,
    clean_up_tokenization_spaces: false,
    ...(template !== undefined && { chat_template: template }),
  }
}

/** Tokens that are found in the text before anything else: control tokens and those a user defined. */
function addedTokens({ tokens, kinds, count }: Vocabulary): Record<string, unknown>[] {
  const added: Record<string, unknown>[] = []
  for (let id = 0; id < count; id++) {
    const kind = kinds[id]
    const isSpecial = kind === TOKEN.control || kind === TOKEN.unknown
    if (!isSpecial && kind !== TOKEN.userDefined) continue
    const content = tokens[id]
    added.push({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: isSpecial,
    })
  }
  return added
}

/** Writes the begin token before a text; undefined where the model wants none. */
function postProcessor(metadata: Metadata, tokens: readonly string[], absent: boolean) {
  const id = metadata.whole('tokenizer.ggml.bos_token_id')
  const token = tokens[id ?? -1]
  if (token === undefined || !(metadata.flag('tokenizer.ggml.add_bos_token') ?? absent)) return null
  const begin = { SpecialToken: { id: token, type_id: 0 } }
  const sequence = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } })
  return {
    type: 'TemplateProcessing',
    single: [begin, sequence('A', 0)],
    pair: [begin, sequence('A', 0), sequence('B', 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  }
}

function vocabularyOf({ tokens, count }: Vocabulary, isIn: (id: number) => boolean): Record<string, number> {
  const entries: [string, number][] = []
  for (let id = 0; id < count; id++) if (isIn(id)) entries.push([tokens[id], id])
  return Object.fromEntries(entries)
}

function byteLevel(metadata: Metadata, vocabulary: Vocabulary, pre: string): Record<string, unknown> {
  const { kinds, tokens } = vocabulary
  const { patterns, ignoreMerges = false } = SPLIT_RULES[pre]
  const merges =
    metadata.texts('tokenizer.ggml.merges') ?? metadata.fail('tokenizer.ggml.merges', 'merges of BPE')
  const split = (pattern: string) => ({
    type: 'Split',
    pattern: { Regex: pattern },
    behavior: 'Isolated',
    invert: false,
  })
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary),
    normalizer: null,
    pre_tokenizer: { type: 'Sequence', pretokenizers: [...patterns.map(split), bytes] },
    post_processor: postProcessor(metadata, tokens, false),
    decoder: { ...bytes, add_prefix_space: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab: vocabularyOf(vocabulary, (id) => kinds[id] !== TOKEN.control && kinds[id] !== TOKEN.userDefined),
      merges,
    },
  }
}

/** The space of sentencepiece. */
const SPACE = '▁'

function sentencepiece(metadata: Metadata, vocabulary: Vocabulary): Record<string, unknown> {
  const { tokens, kinds, count } = vocabulary
  const scores = metadata.numbers('tokenizer.ggml.scores')
  if (scores?.length !== tokens.length)
    return metadata.fail('tokenizer.ggml.scores', `${tokens.length} scores`)
  const isPiece = (id: number) => kinds[id] === TOKEN.normal || kinds[id] === TOKEN.userDefined
  const unknown =
    metadata.whole('tokenizer.ggml.unknown_token_id') ?? Array.from(kinds).indexOf(TOKEN.unknown)
  const hasPrefix = metadata.flag('tokenizer.ggml.add_space_prefix') ?? true
  const spaces = { type: 'Replace', pattern: { String: ' ' }, content: SPACE }
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 }
  return {
    version: '1.0',
    added_tokens: addedTokens(vocabulary),
    normalizer: hasPrefix
      ? { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: SPACE }, spaces] }
      : spaces,
    pre_tokenizer: null,
    post_processor: postProcessor(metadata, tokens, true),
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(hasPrefix ? [strip] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: tokens[unknown] ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: Array.from(kinds).includes(TOKEN.byte),
      ignore_merges: false,
      vocab: vocabularyOf(vocabulary, () => true),
      merges: mergesOfScores(tokens.slice(0, count), scores, isPiece),
    },
  }
}
