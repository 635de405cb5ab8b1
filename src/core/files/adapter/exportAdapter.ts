// A PEFT LoRA folder out of low-rank factors: adapter_config.json, adapter_model.safetensors and a card, as
// PeftModel.save_pretrained lays them out, so that PEFT and applyAdapter read it alike.

import { EngineError } from '../../errors.ts'
import { encodeWeights, WEIGHT_BYTES, type WeightType } from '../../tensors/dtype.ts'
import { type ExportEntry, textEntry } from '../exporter.ts'
import { dtypeOf } from '../safetensorsFormat.ts'
import { safetensorsByteLength, type TensorEntry, writeSafetensors } from '../safetensorsWriter.ts'
import { ADAPTER_CONFIG } from './adapterConfig.ts'

/** W + up · down of one weight; scale 1. */
export interface AdapterFactors {
  /** name of the weight in the base, with `.weight` */
  weight: string
  rank: number
  /** [out, rank] */
  up: Float32Array
  /** [rank, in] */
  down: Float32Array
  isEmbedding: boolean
}

export interface AdapterParts {
  /** base_model_name_or_path */
  baseName: string
  /** element type of the written factors */
  type: WeightType
  factors: readonly AdapterFactors[]
  /** whole weights that are no matrices: gains; by the base's names */
  saved: readonly { weight: string; shape: readonly number[]; values: Float32Array }[]
  /** every module of a matrix in the base, by which targets are named as shortly as possible */
  modules: readonly string[]
  /** text of README.md */
  card: string
}

const PREFIX = 'base_model.model.'
const moduleOf = (weight: string): string => weight.replace(/\.weight$/, '')
const lastOf = (module: string): string => module.slice(module.lastIndexOf('.') + 1)

/** The commonest rank: what `r` says, so that fewest modules need an entry of their own. */
function commonRank(factors: readonly AdapterFactors[]): number {
  const counts = new Map<number, number>()
  for (const { rank } of factors) counts.set(rank, (counts.get(rank) ?? 0) + 1)
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0]
}

/** Last names where all modules of that name are changed; whole names otherwise. */
function targetModules(changed: readonly string[], modules: readonly string[]): string[] {
  const isChanged = new Set(changed)
  const isWhole = (last: string) =>
    modules.every((module) => lastOf(module) !== last || isChanged.has(module))
  return [...new Set(changed.map((module) => (isWhole(lastOf(module)) ? lastOf(module) : module)))]
}

/** adapter_config.json: alpha equals rank everywhere, so the scale is 1. */
export function adapterConfigText(parts: AdapterParts): string {
  const { factors, saved, modules } = parts
  const rank = commonRank(factors)
  const others = factors.filter((entry) => entry.rank !== rank)
  const own = Object.fromEntries(others.map((entry) => [moduleOf(entry.weight), entry.rank]))
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: parts.baseName,
    inference_mode: true,
    r: rank,
    lora_alpha: rank,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: false,
    init_lora_weights: true,
    use_rslora: false,
    use_dora: false,
    target_modules: targetModules(
      factors.map(({ weight }) => moduleOf(weight)),
      modules,
    ),
    rank_pattern: own,
    alpha_pattern: own,
    modules_to_save: saved.length > 0 ? saved.map(({ weight }) => moduleOf(weight)) : null,
  }
  return `${JSON.stringify(config, null, 2)}\n`
}

/** The files of the folder. Throws `request-invalid` when nothing is changed. */
export function adapterEntries(parts: AdapterParts): ExportEntry[] {
  const { factors, saved, type } = parts
  if (factors.length === 0)
    throw new EngineError('request-invalid', 'no matrix differs from the base: there is nothing to adapt')
  const tensors: (TensorEntry & { values: Float32Array })[] = []
  const add = (name: string, shape: readonly number[], values: Float32Array) =>
    tensors.push({ name: `${PREFIX}${name}`, dtype: dtypeOf(type), shape, values })
  for (const { weight, rank, up, down, isEmbedding } of factors) {
    const module = moduleOf(weight)
    const [out, into] = [up.length / rank, down.length / rank]
    if (isEmbedding) {
      // PEFT keeps an embedding's factors the other way round: W + (B · A)ᵀ.
      add(`${module}.lora_embedding_A`, [rank, out], transpose(up, out, rank))
      add(`${module}.lora_embedding_B`, [into, rank], transpose(down, rank, into))
    } else {
      add(`${module}.lora_A.weight`, [rank, into], down)
      add(`${module}.lora_B.weight`, [out, rank], up)
    }
  }
  for (const { weight, shape, values } of saved) add(weight, shape, values)
  const metadata = { format: 'pt' }
  return [
    textEntry(ADAPTER_CONFIG, adapterConfigText(parts)),
    {
      path: 'adapter_model.safetensors',
      byteLength: safetensorsByteLength(tensors, metadata),
      chunks: (signal) =>
        writeSafetensors(tensors, metadata, ({ values }) => encodeWeights(values, type), signal),
    },
    textEntry('README.md', parts.card),
  ]
}

/** Bytes of the factors in a type. */
export const factorBytes = (factors: readonly AdapterFactors[], type: WeightType): number =>
  factors.reduce((sum, { up, down }) => sum + (up.length + down.length) * WEIGHT_BYTES[type], 0)

function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j]
  return out
}
