// One model from its headers alone: what it is, and everything that is wrong with it, not only the first thing. Nothing
// here rejects for what a model is; a folder that cannot be read is a finding as well.

import { EngineError } from '../errors.ts'
import { type CheckpointFolder, readJsonIfPresent } from '../files/folder.ts'
import type { OpenedFormat } from '../files/formats/format.ts'
import { formatOf } from '../files/formats/registry.ts'
import { countOf } from '../files/storedWeight.ts'
import type { ModelConfig, RawConfig } from '../model/config.ts'
import { listWeights } from '../model/families/decoder.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { readConfig } from '../model/families/registry.ts'
import { type CardFacts, factsOfCard, readCard } from './card.ts'
import { readTokens, type TokenFacts } from './tokens.ts'

export type Topic =
  | 'files'
  | 'architecture'
  | 'weights'
  | 'types'
  | 'vocabulary'
  | 'template'
  | 'licence'
  | 'size'

/** error: cannot be merged; warning: can, but perhaps should not; note: good to know. */
export interface Finding {
  level: 'error' | 'warning' | 'note'
  topic: Topic
  /** whom it is of; undefined: of all together */
  model?: string
  message: string
  /** what to do about it */
  remedy?: string
}

export interface ModelFacts {
  name: string
  format?: string
  architecture?: string
  family?: string
  parameterCount: number
  /** bytes of the weights as stored */
  byteLength: number
  /** stored type → elements */
  types: Record<string, number>
  vocabularyRows?: number
  tokens: TokenFacts
  card: CardFacts
}

export interface Inspected {
  facts: ModelFacts
  findings: Finding[]
  config?: ModelConfig
  weights: WeightSpec[]
}

/** Names in a message before the rest is counted. */
const SHOWN = 3
const PLAIN_TYPES = ['F32', 'F16', 'BF16']

export function listed(names: readonly string[]): string {
  const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''
  return `${names.slice(0, SHOWN).join(', ')}${more}`
}

/** Rejects only `cancelled`, and what is no EngineError. */
export async function inspectModel(
  name: string,
  folder: CheckpointFolder & { card?: Record<string, unknown> },
  signal?: AbortSignal,
): Promise<Inspected> {
  const facts: ModelFacts = {
    ...{ name, parameterCount: 0, byteLength: 0, types: {} },
    ...{ tokens: { added: new Map() }, card: { baseModels: [], tags: [] } },
  }
  const found: Inspected = { facts, findings: [], weights: [] }
  const add = (level: Finding['level'], topic: Topic, message: string, remedy?: string) =>
    found.findings.push({ level, topic, model: name, message, ...(remedy !== undefined && { remedy }) })
  const attempt = async <T>(topic: Topic, work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof EngineError) || error.code === 'cancelled') throw error
      add('error', topic, error.message)
      return undefined
    }
  }
  const raw = await attempt('files', () => readJsonIfPresent(folder, 'config.json', signal))
  // Beside one another: each costs a round trip or two.
  const [opened, tokens, card] = await Promise.all([
    attempt('files', () => openFormat(folder, raw, signal)),
    attempt('vocabulary', () => readTokens(folder, name, signal)),
    folder.card ? factsOfCard(folder.card) : attempt('licence', () => readCard(folder, signal)),
  ])
  if (tokens) facts.tokens = tokens
  if (card) facts.card = card
  const config = opened?.format.rawConfig ?? raw
  if (opened) describeWeights(facts, opened.format, opened.id)
  if (!config) {
    if (opened) add('error', 'files', 'no config.json', 'give the folder that holds it, beside the weights')
    return found
  }
  facts.architecture = String(
    (config.architectures as unknown[] | undefined)?.[0] ?? config.model_type ?? 'none',
  )
  const read = await attempt('architecture', () => readConfig(config, 'config.json'))
  if (!read) return found
  found.config = read
  facts.family = read.family
  found.weights = listWeights(read)
  if (opened) compareWithConfig(found, opened.format, add)
  judgeTokens(found, read, add)
  return found
}

async function openFormat(
  folder: CheckpointFolder,
  raw: RawConfig | undefined,
  signal: AbortSignal | undefined,
): Promise<{ id: string; format: OpenedFormat }> {
  const format = await formatOf(folder, raw, signal)
  return { id: format.label, format: await format.open(folder, raw, signal) }
}

function describeWeights(facts: ModelFacts, { weights }: OpenedFormat, format: string): void {
  facts.format = format
  for (const weight of weights.values()) {
    facts.parameterCount += countOf(weight)
    facts.byteLength += weight.byteLength
    facts.types[weight.storage] = (facts.types[weight.storage] ?? 0) + countOf(weight)
  }
}

type Add = (level: Finding['level'], topic: Topic, message: string, remedy?: string) => void

function compareWithConfig({ facts, weights }: Inspected, opened: OpenedFormat, add: Add): void {
  const missing: string[] = []
  const misshapen: string[] = []
  const names = new Set<string>()
  for (const { name, shape } of weights) {
    names.add(name)
    const stored = opened.weights.get(name)
    const reason = opened.unread?.get(name)
    if (!stored) missing.push(reason ? `${name} (${reason})` : name)
    else if (stored.shape.join() !== shape.join())
      misshapen.push(`${name} is [${stored.shape}], the config says [${shape}]`)
  }
  const extra = [...opened.weights.keys()].filter(
    (name) => !names.has(name) && !/(^|\.)rotary_emb\.inv_freq$/.test(name),
  )
  if (missing.length > 0)
    add('error', 'weights', `${missing.length} of ${weights.length} weights are missing: ${listed(missing)}`)
  if (misshapen.length > 0)
    add('error', 'weights', `${misshapen.length} weights do not fit: ${listed(misshapen)}`)
  if (extra.length > 0)
    add(
      'note',
      'weights',
      `${extra.length} tensors that the model does not use are left out: ${listed(extra)}`,
    )
  const coarse = Object.keys(facts.types).filter((type) => !PLAIN_TYPES.includes(type))
  if (coarse.length > 0)
    add(
      'note',
      'types',
      `stored as ${coarse.join(', ')}: read as float32; what was rounded away when it was quantised is not there`,
    )
  for (const note of opened.notes ?? []) add('note', 'weights', note)
}

function judgeTokens({ facts }: Inspected, config: ModelConfig, add: Add): void {
  facts.vocabularyRows = config.vocabSize
  const { added, vocabulary, template, size } = facts.tokens
  if (size === undefined)
    add('warning', 'vocabulary', 'no tokenizer.json: it can be merged, but not be given text or measured')
  else if (template === undefined)
    add(
      'warning',
      'template',
      'no chat template: prompts cannot be written for it',
      'merge it with a model that has one',
    )
  let last = (vocabulary?.tokens.length ?? 0) - 1
  for (const id of added.keys()) last = Math.max(last, id)
  if (last >= config.vocabSize)
    add(
      'error',
      'vocabulary',
      `token ${last} has no row: the embedding has ${config.vocabSize}`,
      'the tokenizer belongs to another model, or tokens were added without resizing the embedding',
    )
}
