// Whether checkpoints can be merged weight by weight: same architecture, weights, shapes and tokenizer.
// Names the first thing that differs. Says nothing about whether merging them is wise.

import { EngineError } from '../errors.ts'
import type { ModelConfig } from '../model/config.ts'
import type { Checkpoint } from './checkpoint.ts'

/** What a checkpoint is compared by. */
export type Mergeable = Pick<Checkpoint, 'name' | 'config' | 'weights' | 'tokenizerJson'>

/** Config values that must agree, as config.json spells them. */
const SHARED: [string, (config: ModelConfig) => unknown][] = [
  ['vocab_size', (c) => c.vocabSize],
  ['hidden_size', (c) => c.hiddenSize],
  ['intermediate_size', (c) => c.intermediateSize],
  ['num_hidden_layers', (c) => c.layerCount],
  ['num_attention_heads', (c) => c.headCount],
  ['num_key_value_heads', (c) => c.kvHeadCount],
  ['head_dim', (c) => c.headSize],
  ['tie_word_embeddings', (c) => c.tied],
  ['rms_norm_eps', (c) => c.normEpsilon],
  ['rotary position embedding', (c) => c.rotary],
]

/**
 * Throws `shape-mismatch` (architecture, config or a weight differs) or `tokenizer-mismatch` (names the first
 * differing token) when one of `others` does not fit `anchor`.
 */
export function assertMergeable(anchor: Mergeable, others: readonly Mergeable[]): void {
  for (const other of others) {
    compareConfigs(anchor, other)
    compareWeights(anchor, other)
    compareTokenizers(anchor, other)
  }
}

function compareConfigs(anchor: Mergeable, other: Mergeable): void {
  if (anchor.config.family !== other.config.family)
    throw new EngineError(
      'shape-mismatch',
      `${other.name} is a ${other.config.family}, ${anchor.name} a ${anchor.config.family}: merging needs one architecture`,
      { file: 'config.json' },
    )
  for (const [key, read] of SHARED) {
    const expected = JSON.stringify(read(anchor.config))
    const found = JSON.stringify(read(other.config))
    if (expected !== found)
      throw new EngineError(
        'shape-mismatch',
        `${key} of ${other.name} is ${cut(found)}, that of ${anchor.name} ${cut(expected)}`,
        { file: 'config.json' },
      )
  }
}

function compareWeights(anchor: Mergeable, other: Mergeable): void {
  const shapes = new Map(other.weights.map(({ name, shape }) => [name, shape]))
  for (const { name, shape } of anchor.weights) {
    const found = shapes.get(name)
    if (!found) throw new EngineError('shape-mismatch', `${other.name} lacks a weight`, { tensor: name })
    if (found.join() !== shape.join())
      throw new EngineError(
        'shape-mismatch',
        `${other.name} has shape [${found}], ${anchor.name} [${shape}]`,
        { tensor: name },
      )
    shapes.delete(name)
  }
  const [extra] = shapes.keys()
  if (extra !== undefined)
    throw new EngineError('shape-mismatch', `${anchor.name} lacks a weight of ${other.name}`, {
      tensor: extra,
    })
}

function compareTokenizers(anchor: Mergeable, other: Mergeable): void {
  const mine = anchor.tokenizerJson
  const theirs = other.tokenizerJson
  // Bare folders of weights can be merged; a tokenizer on one side only cannot be vouched for.
  if (!mine && !theirs) return
  if (!mine || !theirs) fail(`${(mine ? other : anchor).name} has no tokenizer.json to compare with`)
  const a = readVocabulary(mine, anchor.name)
  const b = readVocabulary(theirs, other.name)
  if (a.model !== b.model) fail(`${other.name} has a ${b.model} tokenizer, ${anchor.name} a ${a.model}`)
  for (let id = 0; id < Math.max(a.tokens.length, b.tokens.length); id++)
    if (a.tokens[id] !== b.tokens[id])
      fail(
        `token ${id} is ${show(b.tokens[id])} in ${other.name} and ${show(a.tokens[id])} in ${anchor.name}`,
      )
  for (let i = 0; i < Math.max(a.rules.length, b.rules.length); i++)
    if (a.rules[i] !== b.rules[i])
      fail(
        `merge rule ${i} is ${show(b.rules[i])} in ${other.name} and ${show(a.rules[i])} in ${anchor.name}`,
      )
}

interface Vocabulary {
  model: string
  /** by id; holes are undefined */
  tokens: (string | undefined)[]
  /** merges of BPE, scores of Unigram */
  rules: string[]
}

const MAX_TOKENS = 2 ** 22

function readVocabulary(json: Record<string, unknown>, name: string): Vocabulary {
  const malformed = (message: string): never => {
    throw new EngineError('file-malformed', `${name}: ${message}`, { file: 'tokenizer.json' })
  }
  const model = json.model as Record<string, unknown> | null | undefined
  if (typeof model !== 'object' || model === null) return malformed('expected a model')
  const tokens: (string | undefined)[] = []
  const place = (token: unknown, id: unknown) => {
    if (typeof token !== 'string' || !Number.isInteger(id) || Number(id) < 0 || Number(id) > MAX_TOKENS)
      malformed(`expected a token and its id, found ${cut(JSON.stringify([token, id]))}`)
    tokens[id as number] = token as string
  }
  const rules: string[] = []
  if (Array.isArray(model.vocab)) {
    model.vocab.forEach((entry, id) => {
      place(Array.isArray(entry) ? entry[0] : entry, id)
      rules.push(JSON.stringify(entry))
    })
  } else if (typeof model.vocab === 'object' && model.vocab !== null) {
    for (const [token, id] of Object.entries(model.vocab)) place(token, id)
  } else malformed('expected model.vocab')
  // Two spellings of the same merge are in use: "a b" and ["a", "b"].
  for (const merge of Array.isArray(model.merges) ? model.merges : [])
    rules.push(Array.isArray(merge) ? merge.join(' ') : String(merge))
  for (const added of Array.isArray(json.added_tokens) ? json.added_tokens : [])
    place(added?.content, added?.id)
  return { model: String(model.type ?? 'BPE'), tokens, rules }
}

function fail(message: string): never {
  throw new EngineError('tokenizer-mismatch', message, { file: 'tokenizer.json' })
}

function show(value: string | undefined): string {
  return value === undefined ? 'absent' : cut(JSON.stringify(value))
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
