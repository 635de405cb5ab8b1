// MLX: safetensors whose matrices are packed words beside their scales and biases, told by `quantization` in config.json.
// Only affine groups are read; unquantised MLX folders are plain safetensors and are opened as such.

import { EngineError } from '../../../errors.ts'
import type { RawConfig } from '../../../model/config.ts'
import type { StoredWeight } from '../../storedWeight.ts'
import type { FileFormat } from '../format.ts'
import { openShards, type Shard, weightsOfShards } from '../safetensors/format.ts'
import { type AffineSettings, affineWeight } from './affine.ts'

const BITS: readonly unknown[] = [2, 3, 4, 5, 6, 8]
const GROUP_SIZES: readonly unknown[] = [32, 64, 128]

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What config.json says of MLX's quantisation; undefined where it says nothing. */
function quantisationOf(rawConfig: RawConfig | undefined): Record<string, unknown> | undefined {
  if (isObject(rawConfig?.quantization)) return rawConfig.quantization
  // Other tools write this key too, but always with the name of their method.
  const other = rawConfig?.quantization_config
  return isObject(other) && other.quant_method === undefined && 'group_size' in other ? other : undefined
}

/** Settings of one module: its own entry, or the folder's. */
function settingsOf(quantisation: Record<string, unknown>, module: string): AffineSettings {
  const own = Object.hasOwn(quantisation, module) ? quantisation[module] : undefined
  const key = isObject(own) ? `quantization.${module}` : 'quantization'
  const entry = isObject(own) ? own : quantisation
  const fail = (message: string): never => {
    throw new EngineError('file-unsupported', `${key}: ${message}`, {
      file: 'config.json',
      tensor: `${module}.weight`,
    })
  }
  const mode = entry.mode ?? 'affine'
  if (mode !== 'affine') fail(`mode ${JSON.stringify(mode)} is not read: expected affine`)
  if (!BITS.includes(entry.bits))
    fail(`bits: expected one of ${BITS.join(', ')}, found ${JSON.stringify(entry.bits)}`)
  if (!GROUP_SIZES.includes(entry.group_size))
    fail(`group_size: expected one of ${GROUP_SIZES.join(', ')}, found ${JSON.stringify(entry.group_size)}`)
  return { bits: entry.bits as number, groupSize: entry.group_size as number }
}

/** Packed tensors with their scales and biases put together; the rest as they are. */
function assemble(shards: readonly Shard[], quantisation: Record<string, unknown>) {
  const { weights: stored, unread } = weightsOfShards(shards)
  const weights = new Map<string, StoredWeight>()
  const found = new Map<string, number>()
  for (const [name, weight] of stored) {
    const module = /^(.*)\.(scales|biases)$/.exec(name)?.[1]
    if (module !== undefined && stored.has(`${module}.weight`)) continue
    const isPacked = weight.storage === 'U32' && name.endsWith('.weight')
    if (!isPacked) {
      weights.set(name, weight)
      continue
    }
    const own = name.slice(0, -'.weight'.length)
    const settings = settingsOf(quantisation, own)
    const [scales, biases] = [stored.get(`${own}.scales`), stored.get(`${own}.biases`)]
    if (!scales || !biases) {
      unread.set(name, `packed words without ${own}.${scales ? 'biases' : 'scales'}`)
      continue
    }
    weights.set(name, affineWeight(name, { packed: weight, scales, biases }, settings))
    const kind = `${settings.bits} bits in groups of ${settings.groupSize}`
    found.set(kind, (found.get(kind) ?? 0) + 1)
  }
  const notes = [...found].map(([kind, count]) => `${count} tensors of ${kind}, worked out in float32`)
  return { weights, unread, notes }
}

export const format: FileFormat = {
  id: 'mlx',
  label: 'MLX',
  rank: 40,
  async accepts(folder, rawConfig, signal) {
    if (!quantisationOf(rawConfig)) return false
    const names = ['model.safetensors', 'model.safetensors.index.json']
    for (const name of names) if (await folder.file(name, signal)) return true
    return false
  },
  async open(folder, rawConfig = {}, signal) {
    const quantisation = quantisationOf(rawConfig) ?? {}
    const { mode } = quantisation
    if (mode !== undefined && mode !== 'affine')
      throw new EngineError(
        'file-unsupported',
        `quantization: mode ${JSON.stringify(mode)} is not read: expected affine`,
        { file: 'config.json' },
      )
    const shards = (await openShards(folder, signal)) ?? []
    // What is made of these weights is not quantised, and its config must not say so.
    const { quantization: _, quantization_config: __, ...plain } = rawConfig
    return {
      files: shards.map(({ source, header }) => ({
        source,
        tensorCount: header.tensors.size,
        metadata: header.metadata,
      })),
      ...assemble(shards, quantisation),
      rawConfig: plain,
    }
  },
}
