// A Hugging Face checkpoint: config, tokenizer files and weights, checked against each other when it is opened.
// Weights stay where they are until readWeight asks for one. Only checks, no arithmetic and no device.

import { EngineError } from '../errors.ts'
import { ConfigReader, type ModelConfig, type RawConfig } from '../model/config.ts'
import { listWeights } from '../model/families/decoder.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { readConfig } from '../model/families/registry.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { type CheckpointFolder, readJson, readJsonIfPresent } from './folder.ts'
import { readSafetensorsHeader, readTensor } from './safetensors.ts'
import { type SafetensorsHeader, type TensorInfo, weightTypeOf } from './safetensorsFormat.ts'
import { type ByteSource, type Bytes, readText } from './source.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const TEMPLATE_LIMIT = 2 ** 20
const MAX_LAYERS = 4096
/** Buffers that older exports wrote beside the weights; recomputed from the config. */
const KNOWN_BUFFERS = /(^|\.)rotary_emb\.inv_freq$/

export interface Shard {
  source: ByteSource
  header: SafetensorsHeader
}

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
  /** files of weights: one, or those of the index */
  shards: Shard[]
  /** every weight of the model in file order of the family */
  weights: WeightSpec[]
  /** the type of most parameters */
  dtype: WeightType
  parameterCount: number
  /** bytes of the weights as stored */
  byteLength: number
  /** tensors in the files that the model does not use */
  extraTensors: string[]
  /** stored bytes of a weight, a fresh copy; `file-missing` for a name the model does not have */
  readWeight(name: string, signal?: AbortSignal): Promise<{ bytes: Bytes; type: WeightType }>
}

/**
 * Opens a folder: reads config, tokenizer files and headers, and checks that every weight is there with its
 * shape. Rejects `file-missing`, `file-malformed`, `file-unsupported`, `config-unsupported`, `shape-mismatch`.
 */
export async function openCheckpoint(folder: CheckpointFolder, signal?: AbortSignal): Promise<Checkpoint> {
  const rawConfig = await readJson(folder, 'config.json', signal)
  if (rawConfig.quantization_config != null)
    throw new EngineError('file-unsupported', 'quantised weights: expected F32, F16 or BF16', {
      file: 'config.json',
    })
  const read = readConfig(rawConfig, 'config.json')
  // Weights are listed before a header is read: a forged count must not fill the memory.
  if (read.layerCount > MAX_LAYERS)
    throw new EngineError('config-unsupported', `${read.layerCount} layers: expected at most ${MAX_LAYERS}`, {
      file: 'config.json',
    })
  const config = { ...read, endTokens: await mergeEndTokens(folder, read.endTokens, signal) }
  const shards = await openShards(folder, signal)
  const weights = listWeights(config)
  const found = matchWeights(weights, shards)
  const types = weights.map(({ name }) => found.get(name)!.type)
  const counts = weights.map(({ shape }) => shape.reduce((a, b) => a * b, 1))
  return {
    name: folder.name,
    folder,
    config,
    rawConfig,
    tokenizerJson: await readJsonIfPresent(folder, 'tokenizer.json', signal),
    tokenizerConfig: await readTokenizerConfig(folder, signal),
    shards,
    weights,
    dtype: commonType(types, counts),
    parameterCount: counts.reduce((a, b) => a + b, 0),
    byteLength: weights.reduce((sum, { name }) => sum + found.get(name)!.info.byteLength, 0),
    extraTensors: shards
      .flatMap(({ header }) => [...header.tensors.keys()])
      .filter((name) => !found.has(name) && !KNOWN_BUFFERS.test(name)),
    async readWeight(name, innerSignal) {
      const place = found.get(name)
      if (!place) throw new EngineError('file-missing', `${folder.name} has no such weight`, { tensor: name })
      const { source, header } = place.shard
      return { bytes: await readTensor(source, header, name, innerSignal), type: place.type }
    },
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
  const raw = await readJsonIfPresent(folder, file, signal)
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

async function openShards(folder: CheckpointFolder, signal: AbortSignal | undefined): Promise<Shard[]> {
  const single = await folder.file(SINGLE, signal)
  if (single) return [{ source: single, header: await readSafetensorsHeader(single, signal) }]
  const index = await readJsonIfPresent(folder, INDEX, signal)
  if (!index) {
    const others = folder.list().filter((path) => /\.(bin|pt|pth|gguf|onnx|safetensors)$/.test(path))
    const found = others.length > 0 ? `; found ${others.slice(0, 3).join(', ')}` : ''
    throw new EngineError('file-missing', `${folder.name} has no weights in safetensors${found}`, {
      file: SINGLE,
    })
  }
  const shards: Shard[] = []
  for (const [file, names] of readIndex(index)) {
    const source = await folder.file(file, signal)
    if (!source) throw new EngineError('file-missing', `named by ${INDEX} but not in the folder`, { file })
    const header = await readSafetensorsHeader(source, signal)
    for (const tensor of names)
      if (!header.tensors.has(tensor))
        throw new EngineError('file-malformed', `${INDEX} places a tensor here that is missing`, {
          file,
          tensor,
        })
    shards.push({ source, header })
  }
  return shards
}

/** File → tensors of an index; `file-malformed` when it is none. */
function readIndex(index: Record<string, unknown>): Map<string, string[]> {
  const map = index.weight_map
  const fail = (message: string): never => {
    throw new EngineError('file-malformed', message, { file: INDEX })
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    return fail('expected weight_map to be an object of file names')
  const files = new Map<string, string[]>()
  for (const [tensor, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !file.endsWith('.safetensors') || file.includes('..'))
      return fail(`weight_map of ${tensor}: expected a .safetensors file, found ${JSON.stringify(file)}`)
    const tensors = files.get(file)
    if (tensors) tensors.push(tensor)
    else files.set(file, [tensor])
  }
  if (files.size === 0) return fail('weight_map names no files')
  return files
}

interface Found {
  shard: Shard
  info: TensorInfo
  type: WeightType
}

function matchWeights(weights: readonly WeightSpec[], shards: readonly Shard[]): Map<string, Found> {
  const found = new Map<string, Found>()
  for (const { name, shape } of weights) {
    const shard = shards.find(({ header }) => header.tensors.has(name))
    const info = shard?.header.tensors.get(name)
    if (!shard || !info)
      throw new EngineError('file-malformed', `the model needs a tensor [${shape}] that is missing`, {
        file: shards.length === 1 ? shards[0].header.file : INDEX,
        tensor: name,
      })
    const place = { file: shard.header.file, tensor: name, offset: info.begin }
    if (info.shape.length !== shape.length || info.shape.some((size, i) => size !== shape[i]))
      throw new EngineError('shape-mismatch', `found shape [${info.shape}], expected [${shape}]`, place)
    found.set(name, { shard, info, type: weightTypeOf(info.dtype, place) })
  }
  return found
}

function commonType(types: readonly WeightType[], counts: readonly number[]): WeightType {
  const totals: Record<WeightType, number> = { f32: 0, f16: 0, bf16: 0 }
  types.forEach((type, i) => {
    totals[type] += counts[i]
  })
  return (Object.keys(totals) as WeightType[]).reduce((a, b) => (totals[b] > totals[a] ? b : a))
}
