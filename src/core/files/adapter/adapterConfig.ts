// adapter_config.json of PEFT's LoRA: which modules it changes, how strongly, and what else it asks for. Keys and their
// meaning follow peft/tuners/lora/config.py and check_target_module_exists, get_pattern_key (peft 0.21). What would need
// another computation is refused by its key.

import { EngineError } from '../../errors.ts'
import { type CheckpointFolder, CONFIG_LIMIT, readJson } from '../folder.ts'
import { Pattern } from './pattern.ts'

export const ADAPTER_CONFIG = 'adapter_config.json'
const MAX_RANK = 2 ** 16

export interface AdapterConfig {
  /** r where rank_pattern says nothing else */
  rank: number
  alpha: number
  /** scale alpha / √r instead of alpha / r */
  isRankStabilised: boolean
  /** magnitude and direction apart: DoRA, arXiv 2402.09353 */
  isDora: boolean
  /** base_model_name_or_path */
  baseName: string | undefined
  /** what a person should know */
  notes: string[]
  /** Whether the adapter is for this module, by its name in the base model. */
  targets(module: string): boolean
  /** Rank the config says of a module. */
  rankOf(module: string): number
  /** What B·A is multiplied with. */
  scaleOf(module: string): number
}

/** Keys that ask for more than W + s·B·A; absent, null, and the values given here pass. */
const NOT_COMPUTED: Readonly<Record<string, readonly unknown[]>> = {
  layer_replication: [],
  megatron_config: [],
  trainable_token_indices: [],
  target_parameters: [],
  alora_invocation_tokens: [],
  arrow_config: [],
  kasa_config: [],
  monteclora_config: [],
  velora_config: [],
  lora_bias: [false],
  use_qalora: [false],
  use_bdlora: [false],
  // Not LoRA's own keys; other methods' configs have them.
  is_feedforward: [false],
}
/** Ways to begin training that leave the base as it is. */
const PLAIN_STARTS: readonly unknown[] = [true, false, 'gaussian', 'eva', 'orthogonal']
const KNOWN_SWITCHES = ['use_rslora', 'use_dora', 'use_qalora', 'use_bdlora']

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && Object.keys(value as object).length === 0)

class Reader {
  private readonly raw: Record<string, unknown>
  constructor(raw: Record<string, unknown>) {
    this.raw = raw
  }

  fail(key: string, expected: string, code: 'file-malformed' | 'file-unsupported' = 'file-malformed'): never {
    const found = JSON.stringify(this.raw[key])?.slice(0, 120) ?? 'nothing'
    throw new EngineError(code, `${key}: expected ${expected}, found ${found}`, { file: ADAPTER_CONFIG })
  }

  flag(key: string): boolean {
    const value = this.raw[key] ?? false
    return typeof value === 'boolean' ? value : this.fail(key, 'true or false')
  }

  rank(key: string): number {
    const value = this.raw[key]
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_RANK) return value
    return this.fail(key, 'a positive whole number')
  }

  number(key: string): number {
    const value = this.raw[key]
    return typeof value === 'number' && Number.isFinite(value) ? value : this.fail(key, 'a number')
  }

  /** A text, a list of texts, or nothing. */
  names(key: string): string | readonly string[] | undefined {
    const value = this.raw[key]
    if (value === undefined || value === null || typeof value === 'string') return value ?? undefined
    if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value
    return this.fail(key, 'names or a pattern')
  }

  /** Numbers by pattern of module names, in order. */
  patterns(key: string, accept: (value: unknown) => boolean): { pattern: Pattern; value: number }[] {
    const value = this.raw[key] ?? {}
    if (typeof value !== 'object' || Array.isArray(value)) this.fail(key, 'an object')
    return Object.entries(value as object).map(([source, number]) => {
      if (!accept(number)) this.fail(key, `a number for ${source}`)
      return {
        pattern: new Pattern(`(.*\\.)?(${source})$`, `${ADAPTER_CONFIG}: ${key}`),
        value: number as number,
      }
    })
  }

  /** layers_to_transform */
  layers(): readonly number[] | undefined {
    const value = this.raw.layers_to_transform
    if (isEmpty(value)) return undefined
    const list = Array.isArray(value) ? value : [value]
    return list.every((layer) => Number.isInteger(layer))
      ? (list as number[])
      : this.fail('layers_to_transform', 'layer numbers')
  }
}

/** Rejects `file-missing`, `file-malformed`, and `file-unsupported` naming the key that is not computed. */
export async function readAdapterConfig(
  folder: CheckpointFolder,
  signal?: AbortSignal,
): Promise<AdapterConfig> {
  return adapterConfigOf(await readJson(folder, ADAPTER_CONFIG, signal, CONFIG_LIMIT))
}

/** The same of parsed JSON. */
export function adapterConfigOf(raw: Record<string, unknown>): AdapterConfig {
  const reader = new Reader(raw)
  assertComputed(raw, reader)
  const [rank, alpha] = [reader.rank('r'), reader.number('lora_alpha')]
  const isRankStabilised = reader.flag('use_rslora')
  const ranks = reader.patterns('rank_pattern', (v) => Number.isInteger(v) && Number(v) >= 1)
  const alphas = reader.patterns('alpha_pattern', (v) => typeof v === 'number' && Number.isFinite(v))
  const lookUp = (table: typeof ranks, module: string, otherwise: number) =>
    table.find(({ pattern }) => pattern.matchesStart(module))?.value ?? otherwise
  const rankOf = (module: string) => lookUp(ranks, module, rank)
  const notes = reader.flag('fan_in_fan_out')
    ? ['fan_in_fan_out has no effect: every matrix here is [out, in], and PEFT ignores it for such']
    : []
  return {
    rank,
    alpha,
    isRankStabilised,
    isDora: reader.flag('use_dora'),
    baseName: typeof raw.base_model_name_or_path === 'string' ? raw.base_model_name_or_path : undefined,
    notes,
    targets: targetsOf(reader),
    rankOf,
    scaleOf: (module) => {
      const own = rankOf(module)
      return lookUp(alphas, module, alpha) / (isRankStabilised ? Math.sqrt(own) : own)
    },
  }
}

function assertComputed(raw: Record<string, unknown>, reader: Reader): void {
  if (raw.peft_type !== 'LORA') reader.fail('peft_type', 'LORA', 'file-unsupported')
  for (const [key, plain] of Object.entries(NOT_COMPUTED))
    if (!isEmpty(raw[key]) && !plain.includes(raw[key])) reader.fail(key, 'nothing', 'file-unsupported')
  // A switch that a later PEFT has and this reader does not know changes what is computed.
  for (const [key, value] of Object.entries(raw))
    if (key.startsWith('use_') && !KNOWN_SWITCHES.includes(key) && value === true)
      reader.fail(key, 'nothing', 'file-unsupported')
  // PiSSA, OLoRA, CorDA and LoftQ move part of the base into the adapter: on the base as published it would be wrong.
  if (!PLAIN_STARTS.includes(raw.init_lora_weights ?? true))
    reader.fail(
      'init_lora_weights',
      'a start that leaves the base as it is (true, false, gaussian, eva, orthogonal)',
      'file-unsupported',
    )
  if (!['none', 'all', 'lora_only'].includes(String(raw.bias ?? 'none')))
    reader.fail('bias', 'none, all or lora_only')
}

/** As check_target_module_exists of peft/tuners/tuners_utils.py. */
function targetsOf(reader: Reader): (module: string) => boolean {
  const targets = reader.names('target_modules')
  const excluded = reader.names('exclude_modules')
  const saved = reader.names('modules_to_save')
  const layers = reader.layers()
  const layerPattern = reader.names('layers_pattern')
  const isNamed = (names: string | readonly string[], key: string): ((module: string) => boolean) => {
    if (typeof names === 'string') {
      const pattern = new Pattern(names, `${ADAPTER_CONFIG}: ${key}`)
      return (module) => pattern.matchesWhole(module)
    }
    return (module) => names.some((name) => module === name || module.endsWith(`.${name}`))
  }
  const isExcluded = isEmpty(excluded) ? () => false : isNamed(excluded!, 'exclude_modules')
  const isTarget =
    targets === undefined
      ? () => true
      : typeof targets === 'string' && targets.toLowerCase() === 'all-linear'
        ? (module: string) => !/(^|\.)(lm_head|embed_tokens)$/.test(module)
        : isNamed(targets, 'target_modules')
  const isInLayers = (module: string): boolean => {
    if (!layers || typeof targets === 'string' || (Array.isArray(targets) && targets.includes(module)))
      return true
    const parts = module.split('.')
    const lists = typeof layerPattern === 'string' ? [layerPattern] : (layerPattern ?? [])
    const at = parts.findIndex(
      (part, i) =>
        i > 0 &&
        i < parts.length - 1 &&
        /^\d+$/.test(part) &&
        (lists.length === 0 || lists.includes(parts[i - 1])),
    )
    return at > 0 && layers.includes(Number(parts[at]))
  }
  const isSaved =
    typeof saved === 'string' || isEmpty(saved) ? () => false : isNamed(saved!, 'modules_to_save')
  return (module) => isTarget(module) && isInLayers(module) && !isExcluded(module) && !isSaved(module)
}
