// Whether checkpoints can be merged weight by weight: same architecture, weights, shapes and tokenizer.
// Says nothing about whether merging them is wise.

import { EngineError } from '../errors.ts'
import type { ModelConfig } from '../model/config.ts'
import type { WeightSpec } from '../model/families/family.ts'
import type { Checkpoint } from './checkpoint.ts'
import { cut, readVocabulary, vocabularyDifferences } from './vocabulary/vocabulary.ts'

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
  ['hidden_act', (c) => c.activation],
  ['scale of attention scores', (c) => c.scoreScale],
  ['attn_logit_softcapping', (c) => c.scoreCap || null],
  ['final_logit_softcapping', (c) => c.logitCap || null],
  ['rotary position embedding', (c) => c.rotary],
]

export interface Difference {
  message: string
  /** of weights */
  tensor?: string
}

/** Some formats keep numbers of the config as float32. */
const asFloat32 = (value: unknown): string =>
  JSON.stringify(value, (_key, part) => (typeof part === 'number' ? Math.fround(part) : part))

/** Config values that do not agree, `vocab_size` among them; another family is the only difference named. */
export function configDifferences(
  anchor: { name: string; config: ModelConfig },
  other: { name: string; config: ModelConfig },
): string[] {
  if (anchor.config.family !== other.config.family)
    return [
      `${other.name} is a ${other.config.family}, ${anchor.name} a ${anchor.config.family}: merging needs one architecture`,
    ]
  return SHARED.flatMap(([key, read]) => {
    const [expected, found] = [anchor, other].map(({ config }) => JSON.stringify(read(config)))
    if (expected === found || asFloat32(read(anchor.config)) === asFloat32(read(other.config))) return []
    return [`${key} of ${other.name} is ${cut(found)}, that of ${anchor.name} ${cut(expected)}`]
  })
}

/** Weights that one of two lists lacks or has in another shape. */
export function weightDifferences(
  anchor: { name: string; weights: readonly WeightSpec[] },
  other: { name: string; weights: readonly WeightSpec[] },
): Difference[] {
  const differences: Difference[] = []
  const shapes = new Map(other.weights.map(({ name, shape }) => [name, shape]))
  for (const { name, shape } of anchor.weights) {
    const found = shapes.get(name)
    if (!found) differences.push({ message: `${other.name} lacks a weight`, tensor: name })
    else if (found.join() !== shape.join())
      differences.push({
        message: `${other.name} has shape [${found}], ${anchor.name} [${shape}]`,
        tensor: name,
      })
    shapes.delete(name)
  }
  for (const extra of shapes.keys())
    differences.push({ message: `${anchor.name} lacks a weight of ${other.name}`, tensor: extra })
  return differences
}

/**
 * Throws `shape-mismatch` (architecture, config or a weight differs) or `tokenizer-mismatch` (names the first
 * differing token) when one of `others` does not fit `anchor`.
 */
export function assertMergeable(anchor: Mergeable, others: readonly Mergeable[]): void {
  for (const other of others) {
    const [config] = configDifferences(anchor, other)
    if (config) throw new EngineError('shape-mismatch', config, { file: 'config.json' })
    const [weight] = weightDifferences(anchor, other)
    if (weight) throw new EngineError('shape-mismatch', weight.message, { tensor: weight.tensor! })
    compareTokenizers(anchor, other)
  }
}

function compareTokenizers(anchor: Mergeable, other: Mergeable): void {
  const mine = anchor.tokenizerJson
  const theirs = other.tokenizerJson
  // Bare folders of weights can be merged; a tokenizer on one side only cannot be vouched for.
  if (!mine && !theirs) return
  if (!mine || !theirs) fail(`${(mine ? other : anchor).name} has no tokenizer.json to compare with`)
  const [difference] = vocabularyDifferences(
    { name: anchor.name, vocabulary: readVocabulary(mine, anchor.name) },
    { name: other.name, vocabulary: readVocabulary(theirs, other.name) },
  )
  if (difference) fail(difference)
}

function fail(message: string): never {
  throw new EngineError('tokenizer-mismatch', message, { file: 'tokenizer.json' })
}
