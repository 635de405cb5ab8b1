// tokenizer.json and tokenizer_config.json as GGUF metadata: llama.cpp's own keys, and the whole tokenizer.json under
// the key that GGUF has for it, so that reading gives the very same tokenizer back.

import type { ModelConfig } from '../../../model/config.ts'
import type { MetadataWriter } from './metadataWriter.ts'
import { SPLIT_RULES } from './splitPatterns.ts'
import { TOKEN } from './tokenizer.ts'

type Json = Record<string, unknown>

const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {}
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

/** A special token is a text, or an object that holds one. */
function tokenText(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value : objectOf(value).content
  return typeof text === 'string' ? text : undefined
}

/** Puts the tokenizer's keys; returns what a person should know. */
export function putTokenizer(
  out: MetadataWriter,
  config: ModelConfig,
  tokenizerJson: Json | undefined,
  tokenizerConfig: Json,
): string[] {
  if (!tokenizerJson) {
    out.put('tokenizer.ggml.model', 'string', 'none')
    putIds(out, config, new Map(), tokenizerConfig)
    return ['no tokenizer was written: the model has none']
  }
  const model = objectOf(tokenizerJson.model)
  const type = String(model.type ?? 'BPE')
  const notes: string[] = []
  const ids = readIds(tokenizerJson)
  const kinds = kindsOf(tokenizerJson, ids)
  const rows = Math.max(config.vocabSize, ...(ids.size > 0 ? [maxOf(ids.values()) + 1] : []))
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`)
  const types = new Int32Array(rows).fill(TOKEN.unused)
  for (const [text, id] of ids) {
    tokens[id] = text
    types[id] = kinds.get(text) ?? TOKEN.normal
  }
  if (type !== 'BPE') {
    out.put('tokenizer.ggml.model', 'string', 'none')
    notes.push(`llama.cpp gets no tokenizer: ${type} is written as tokenizer.huggingface.json alone`)
  } else if (model.byte_fallback === true) {
    out.put('tokenizer.ggml.model', 'string', 'llama')
    out.put('tokenizer.ggml.pre', 'string', 'default')
    out.putArray('tokenizer.ggml.scores', 'f32', scoresOf(model, tokens))
    out.put('tokenizer.ggml.add_space_prefix', 'bool', hasSpacePrefix(tokenizerJson))
  } else {
    const pre = preTokenizerName(tokenizerJson)
    if (pre === undefined)
      notes.push('llama.cpp has no name for how this tokenizer cuts text into words and will use its default')
    out.put('tokenizer.ggml.model', 'string', 'gpt2')
    out.put('tokenizer.ggml.pre', 'string', pre ?? 'default')
    out.putArray(
      'tokenizer.ggml.merges',
      'string',
      mergesOf(model).map((pair) => pair.join(' ')),
    )
  }
  out.putArray('tokenizer.ggml.tokens', 'string', tokens)
  out.putArray('tokenizer.ggml.token_type', 'i32', types)
  putIds(out, config, ids, tokenizerConfig)
  out.put('tokenizer.ggml.add_bos_token', 'bool', addsBegin(tokenizerJson, tokenizerConfig))
  putTemplate(out, tokenizerConfig)
  out.put('tokenizer.huggingface.json', 'string', JSON.stringify(tokenizerJson))
  return notes
}

function maxOf(values: Iterable<number>): number {
  let most = 0
  for (const value of values) most = Math.max(most, value)
  return most
}

/** Ids by token, of the vocabulary and of added tokens. */
function readIds(tokenizerJson: Json): Map<string, number> {
  const { vocab } = objectOf(tokenizerJson.model)
  const ids = new Map<string, number>()
  const add = (text: unknown, id: unknown) => {
    if (typeof text === 'string' && Number.isInteger(id) && Number(id) >= 0 && Number(id) < 2 ** 22)
      ids.set(text, id as number)
  }
  if (Array.isArray(vocab))
    for (const [id, entry] of vocab.entries()) add(Array.isArray(entry) ? entry[0] : entry, id)
  else for (const [text, id] of Object.entries(objectOf(vocab))) add(text, id)
  for (const token of listOf(tokenizerJson.added_tokens)) add(objectOf(token).content, objectOf(token).id)
  return ids
}

/** Kinds other than normal. */
function kindsOf(tokenizerJson: Json, ids: ReadonlyMap<string, number>): Map<string, number> {
  const model = objectOf(tokenizerJson.model)
  const kinds = new Map<string, number>()
  if (model.byte_fallback === true)
    for (const text of ids.keys()) if (/^<0x[0-9A-F]{2}>$/.test(text)) kinds.set(text, TOKEN.byte)
  for (const token of listOf(tokenizerJson.added_tokens)) {
    const { content, special } = objectOf(token)
    if (typeof content === 'string') kinds.set(content, special === true ? TOKEN.control : TOKEN.userDefined)
  }
  const unknown = tokenText(model.unk_token)
  if (unknown !== undefined && ids.has(unknown)) kinds.set(unknown, TOKEN.unknown)
  return kinds
}

/** Two spellings of a merge are in use: "a b" and ["a", "b"]. */
function mergesOf(model: Json): [string, string][] {
  return listOf(model.merges).map((merge) => {
    const [left, right] = Array.isArray(merge) ? merge : String(merge).split(' ')
    return [String(left), String(right)]
  })
}

/** Earlier merges score higher; single characters, which no merge makes, below all of them. */
function scoresOf(model: Json, tokens: readonly string[]): Float32Array {
  const merges = mergesOf(model)
  const ranks = new Map<string, number>()
  merges.forEach(([left, right], rank) => {
    if (!ranks.has(left + right)) ranks.set(left + right, rank)
  })
  return Float32Array.from(tokens, (token, id) => -(ranks.get(token) ?? merges.length + id))
}

function hasSpacePrefix(tokenizerJson: Json): boolean {
  const text = JSON.stringify([tokenizerJson.normalizer ?? null, tokenizerJson.pre_tokenizer ?? null])
  return /"type":"Prepend"/.test(text) || /"prepend_scheme":"(first|always)"/.test(text)
}

/** The name of the rule that cuts text as this tokenizer does. */
function preTokenizerName(tokenizerJson: Json): string | undefined {
  const outer = objectOf(tokenizerJson.pre_tokenizer)
  const steps = outer.type === 'Sequence' ? listOf(outer.pretokenizers).map(objectOf) : [outer]
  const last = steps[steps.length - 1]
  if (last?.type !== 'ByteLevel' || last.add_prefix_space === true) return undefined
  const patterns = steps.slice(0, -1).map((step) => {
    if (step.type === 'Digits' && step.individual_digits === true) return '\\p{N}'
    return step.type === 'Split' && step.behavior === 'Isolated' ? objectOf(step.pattern).Regex : undefined
  })
  // The step itself cuts as GPT-2 does unless told not to.
  if (last.use_regex !== false) patterns.push(SPLIT_RULES['gpt-2'].patterns[0])
  const ignoreMerges = objectOf(tokenizerJson.model).ignore_merges === true
  return Object.keys(SPLIT_RULES).find((name) => {
    const rule = SPLIT_RULES[name]
    return (
      (rule.ignoreMerges ?? false) === ignoreMerges &&
      JSON.stringify(rule.patterns) === JSON.stringify(patterns)
    )
  })
}

function putIds(
  out: MetadataWriter,
  config: ModelConfig,
  ids: ReadonlyMap<string, number>,
  tokenizerConfig: Json,
): void {
  const named = (key: string) => ids.get(tokenText(tokenizerConfig[key]) ?? '')
  const [end, turn, message] = config.endTokens
  const found: [name: string, id: number | undefined][] = [
    ['bos', config.beginToken ?? named('bos_token')],
    ['eos', end ?? named('eos_token')],
    ['eot', turn],
    ['eom', message],
    ['unknown', named('unk_token')],
    ['padding', named('pad_token')],
  ]
  for (const [name, id] of found) if (id !== undefined) out.put(`tokenizer.ggml.${name}_token_id`, 'u32', id)
}

/** Whether a text gets a begin token: as told, else as the post-processor does. */
function addsBegin(tokenizerJson: Json, tokenizerConfig: Json): boolean {
  if (typeof tokenizerConfig.add_bos_token === 'boolean') return tokenizerConfig.add_bos_token
  const post = objectOf(tokenizerJson.post_processor)
  const steps = post.type === 'Sequence' ? listOf(post.processors).map(objectOf) : [post]
  const template = steps.find(({ type }) => type === 'TemplateProcessing')
  return objectOf(listOf(template?.single)[0]).SpecialToken !== undefined
}

/** One text, or the default of a list. */
function putTemplate(out: MetadataWriter, tokenizerConfig: Json): void {
  const given = tokenizerConfig.chat_template
  const text = Array.isArray(given)
    ? objectOf(given.find((entry) => objectOf(entry).name === 'default')).template
    : given
  if (typeof text === 'string') out.put('tokenizer.chat_template', 'string', text)
}
