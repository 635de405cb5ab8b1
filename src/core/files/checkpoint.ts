// A Hugging Face checkpoint: config, tokenizer files and weights, checked against each other when it is opened.
// Weights stay where they are until readWeight asks for one. Only checks, no arithmetic and no device.

import { EngineError } from '../errors.ts'
import { ConfigReader, type ModelConfig, type RawConfig } from '../model/config.ts'
import { listWeights } from '../model/families/decoder.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { readConfig } from '../model/families/registry.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { decodeValues, isWeightType } from '../tensors/encoding.ts'
import { type CheckpointFolder, CONFIG_LIMIT, readJson, readJsonIfPresent } from './folder.ts'
import type { OpenedFormat } from './formats/format.ts'
import { formatOf } from './formats/registry.ts'
import { type Bytes, readText } from './source.ts'
import { countOf, type StoredWeight } from './storedWeight.ts'
import { withTokenizerFiles } from './tokenizerFiles.ts'

const TEMPLATE_LIMIT = 2 ** 20
const MAX_LAYERS = 4096
/** Buffers that older exports wrote beside the weights; recomputed from the config. */
const KNOWN_BUFFERS = /(^|\.)rotary_emb\.inv_freq$/

export interface Checkpoint {
  name: string
  folder: CheckpointFolder
  /** endTokens hold those of generation_config.json too */
  config: ModelConfig
  rawConfig: RawConfig
  /** tokenizer.json; undefined when the folder has none, see `requireTokenizer` */
  tokenizerJson: Record<string, unknown> | undefined
  /** tokenizer_config.json, with chat_template.jinja as its chat_template; {} when the folder has none */
  tokenizerConfig: Record<string, unknown>
  /** id of the format that its weights are in */
  format: string
  /** files of weights */
  files: OpenedFormat['files']
  /** every weight of the model in file order of the family */
  weights: WeightSpec[]
  /** the same as they lie in the files, by name */
  stored: ReadonlyMap<string, StoredWeight>
  /** the type of most parameters; float32 where they are stored as something else */
  dtype: WeightType
  parameterCount: number
  /** bytes of the weights as stored */
  byteLength: number
  /** tensors in the files that the model does not use */
  extraTensors: string[]
  /** what the format has to say to a person */
  notes: string[]
  /**
   * A whole weight, a fresh copy: stored bytes, or float32 where the storage is none of the engine's types.
   * `file-missing` for a name the model does not have.
   */
  readWeight(name: string, signal?: AbortSignal): Promise<{ bytes: Bytes; type: WeightType }>
}

/**
 * Opens a folder of any format: reads config, tokenizer files and headers, and checks that every weight is there with
 * its shape. Rejects `file-missing`, `file-malformed`, `file-unsupported`, `config-unsupported`, `shape-mismatch`.
 */
export async function openCheckpoint(folder: CheckpointFolder, signal?: AbortSignal): Promise<Checkpoint> {
  const beside = await readJsonIfPresent(folder, 'config.json', signal, CONFIG_LIMIT)
  const format = await formatOf(folder, beside, signal)
  const opened = await format.open(folder, beside, signal)
  const rawConfig = opened.rawConfig ?? (await readJson(folder, 'config.json', signal, CONFIG_LIMIT))
  return checkpointOf(folder, format.id, rawConfig, opened, signal)
}

/** A checkpoint of what a format has opened. */
export async function checkpointOf(
  folder: CheckpointFolder,
  format: string,
  rawConfig: RawConfig,
  opened: OpenedFormat,
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const read = readConfig(rawConfig, 'config.json')
  // Weights are listed before a header is read: a forged count must not fill the memory.
  if (read.layerCount > MAX_LAYERS)
    throw new EngineError('config-unsupported', `${read.layerCount} layers: expected at most ${MAX_LAYERS}`, {
      file: 'config.json',
    })
  const config = { ...read, endTokens: await mergeEndTokens(folder, read.endTokens, signal) }
  const weights = listWeights(config)
  const stored = matchWeights(weights, opened)
  return {
    name: folder.name,
    folder: withTokenizerFiles(folder, opened),
    config,
    rawConfig,
    tokenizerJson: opened.tokenizerJson ?? (await readJsonIfPresent(folder, 'tokenizer.json', signal)),
    tokenizerConfig: opened.tokenizerConfig ?? (await readTokenizerConfig(folder, signal)),
    format,
    files: opened.files,
    weights,
    stored,
    dtype: commonType([...stored.values()]),
    parameterCount: weights.reduce((sum, weight) => sum + countOf(weight), 0),
    byteLength: [...stored.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    extraTensors: [...opened.weights.keys()].filter((name) => !stored.has(name) && !KNOWN_BUFFERS.test(name)),
    notes: opened.notes ?? [],
    readWeight: readerOf(folder.name, stored),
  }
}

/** The reader of whole weights over stored ones. */
function readerOf(model: string, stored: ReadonlyMap<string, StoredWeight>): Checkpoint['readWeight'] {
  return async (name, signal) => {
    const weight = stored.get(name)
    if (!weight) throw new EngineError('file-missing', `${model} has no such weight`, { tensor: name })
    const values = await weight.read(0, countOf(weight), signal)
    if (isWeightType(values.encoding)) return { bytes: values.bytes, type: values.encoding }
    return { bytes: new Uint8Array(decodeValues(values).buffer), type: 'f32' }
  }
}

/** The same model with other values of some weights: an adapter on it, for one. Its type stays the base's. */
export function withWeights(
  base: Checkpoint,
  {
    name,
    stored,
    files,
    notes,
  }: { name: string; stored: ReadonlyMap<string, StoredWeight>; files: Checkpoint['files']; notes: string[] },
): Checkpoint {
  return {
    ...base,
    name,
    stored,
    files,
    byteLength: [...stored.values()].reduce((sum, { byteLength }) => sum + byteLength, 0),
    notes: [...base.notes, ...notes],
    readWeight: readerOf(name, stored),
  }
}

/** The tokenizer files; `file-missing` when the folder has no tokenizer.json. */
export function requireTokenizer(checkpoint: Checkpoint): {
  tokenizerJson: Record<string, unknown>
  tokenizerConfig: Record<string, unknown>
} {
  const { tokenizerJson, tokenizerConfig, name } = checkpoint
  if (!tokenizerJson)
    throw new EngineError('file-missing', `${name} has no tokenizer, so no text can be given to it`, {
      file: 'tokenizer.json',
    })
  return { tokenizerJson, tokenizerConfig }
}

async function mergeEndTokens(
  folder: CheckpointFolder,
  endTokens: number[],
  signal: AbortSignal | undefined,
): Promise<number[]> {
  const file = 'generation_config.json'
  const raw = await readJsonIfPresent(folder, file, signal, CONFIG_LIMIT)
  const more = raw ? new ConfigReader(raw, file).tokens('eos_token_id') : []
  return [...new Set([...endTokens, ...more])]
}

async function readTokenizerConfig(
  folder: CheckpointFolder,
  signal: AbortSignal | undefined,
): Promise<Record<string, unknown>> {
  const config = (await readJsonIfPresent(folder, 'tokenizer_config.json', signal)) ?? {}
  if (config.chat_template != null) return config
  // Newer exports keep the template in a file of its own.
  const source = await folder.file('chat_template.jinja', signal)
  return source ? { ...config, chat_template: await readText(source, TEMPLATE_LIMIT, signal) } : config
}

/** The format's weights that the model has, shapes checked. */
function matchWeights(weights: readonly WeightSpec[], opened: OpenedFormat): Map<string, StoredWeight> {
  const stored = new Map<string, StoredWeight>()
  const file = opened.files.length === 1 ? opened.files[0].source.name : undefined
  for (const { name, shape } of weights) {
    const weight = opened.weights.get(name)
    const place = { ...(file !== undefined && { file }), ...weight?.where, tensor: name }
    const reason = opened.unread?.get(name)
    if (!weight && reason) throw new EngineError('file-unsupported', reason, place)
    if (!weight)
      throw new EngineError('file-malformed', `the model needs a tensor [${shape}] that is missing`, place)
    if (weight.shape.length !== shape.length || weight.shape.some((size, i) => size !== shape[i]))
      throw new EngineError('shape-mismatch', `found shape [${weight.shape}], expected [${shape}]`, place)
    stored.set(name, weight)
  }
  return stored
}

/** The engine's type that holds most elements. */
function commonType(weights: readonly StoredWeight[]): WeightType {
  const totals: Record<WeightType, number> = { f32: 0, f16: 0, bf16: 0 }
  for (const weight of weights) {
    const type = weight.storage.toLowerCase()
    totals[type === 'f16' || type === 'bf16' ? type : 'f32'] += countOf(weight)
  }
  return (Object.keys(totals) as WeightType[]).reduce((a, b) => (totals[b] > totals[a] ? b : a))
}
