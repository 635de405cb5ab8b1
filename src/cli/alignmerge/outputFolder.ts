// A merged model as a Hugging Face folder, written tensor by tensor: shards of at most a given size, their index,
// config and tokenizer files. Written beside its target and renamed at the end, so that no half of one is ever there.

import { type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { COPIED_FILES, writtenConfig } from '../../core/files/exporter.ts'
import type { CheckpointFolder } from '../../core/files/folder.ts'
import { dtypeOf } from '../../core/files/safetensorsFormat.ts'
import { safetensorsHeader, type TensorEntry } from '../../core/files/safetensorsWriter.ts'
import type { MergePlan, PlanTensor } from '../../core/merge/recipe/plan.ts'
import { assertFiniteValues, WEIGHT_TYPES } from '../../core/merge/streamMerge.ts'
import { decodeWeights, encodeWeights, WEIGHT_BYTES, type WeightType } from '../../core/tensors/dtype.ts'

export interface Shard {
  file: string
  tensors: (TensorEntry & { byteLength: number })[]
}

/** Tensors in order into shards; a tensor above the limit has one of its own. */
export function layShards(tensors: readonly PlanTensor[], type: WeightType, limit: number): Shard[] {
  const parts: Shard['tensors'][] = []
  let bytes = Number.POSITIVE_INFINITY
  for (const { name, shape } of tensors) {
    const byteLength = shape.reduce((a, b) => a * b, 1) * WEIGHT_BYTES[type]
    if (bytes + byteLength > limit) {
      parts.push([])
      bytes = 0
    }
    parts[parts.length - 1].push({ name, shape, dtype: dtypeOf(type), byteLength })
    bytes += byteLength
  }
  const digits = (value: number) => String(value).padStart(5, '0')
  return parts.map((part, i) => ({
    file:
      parts.length === 1
        ? 'model.safetensors'
        : `model-${digits(i + 1)}-of-${digits(parts.length)}.safetensors`,
    tensors: part,
  }))
}

/** Writes shards as their tensors come, in order. */
export class ShardWriter {
  readonly shards: Shard[]
  private readonly folder: string
  private readonly type: WeightType
  private readonly order: { shard: Shard; isFirst: boolean; isLast: boolean; name: string }[]
  private next = 0
  private handle: FileHandle | undefined

  constructor(folder: string, tensors: readonly PlanTensor[], type: WeightType, limit: number) {
    this.folder = folder
    this.type = type
    this.shards = layShards(tensors, type, limit)
    this.order = this.shards.flatMap((shard) =>
      shard.tensors.map(({ name }, i) => ({
        shard,
        name,
        isFirst: i === 0,
        isLast: i === shard.tensors.length - 1,
      })),
    )
  }

  /** `not-finite` when a value leaves the range of the stored type. */
  async write(name: string, values: Float32Array): Promise<void> {
    const place = this.order[this.next++]
    if (place?.name !== name)
      throw new EngineError('request-invalid', `out of order: expected ${place?.name}`, { tensor: name })
    const bytes = encodeWeights(values, this.type)
    if (this.type === 'f16')
      assertFiniteValues(decodeWeights(bytes, 'f16'), 'the merged weight in float16', name)
    if (place.isFirst) {
      this.handle = await open(join(this.folder, place.shard.file), 'w')
      await this.handle.writeFile(safetensorsHeader(place.shard.tensors, { format: 'pt' }))
    }
    await this.handle!.writeFile(bytes)
    if (place.isLast) await this.close()
  }

  async close(): Promise<void> {
    await this.handle?.close()
    this.handle = undefined
  }

  /** The index, where there is more than one shard. */
  async finish(): Promise<void> {
    if (this.next !== this.order.length)
      throw new EngineError('request-invalid', `${this.order.length - this.next} tensors were not written`)
    if (this.shards.length === 1) return
    const total = this.shards.flatMap(({ tensors }) => tensors).reduce((sum, t) => sum + t.byteLength, 0)
    const map = this.shards.flatMap(({ file, tensors }) => tensors.map(({ name }) => [name, file]))
    const index = { metadata: { total_size: total }, weight_map: Object.fromEntries(map) }
    await writeFile(join(this.folder, 'model.safetensors.index.json'), `${JSON.stringify(index, null, 2)}\n`)
  }
}

/** config.json of the result: layers as many as it has, each of the kind of the layer it came from. */
export function mergedConfig(plan: MergePlan, configs: ReadonlyMap<string, Record<string, unknown>>): string {
  const raw = { ...configs.get(plan.configFrom)!, num_hidden_layers: plan.layerCount }
  const kinds = new Map<number, unknown>()
  for (const { layer, sources } of plan.tensors) {
    const [{ model, tensor }] = sources
    const from = /layers\.(\d+)\./.exec(tensor)
    const types = configs.get(model)?.layer_types
    if (layer !== undefined && from && Array.isArray(types)) kinds.set(layer, types[Number(from[1])])
  }
  if ('layer_types' in raw && kinds.size === plan.layerCount)
    Object.assign(raw, { layer_types: Array.from({ length: plan.layerCount }, (_, i) => kinds.get(i)) })
  return writtenConfig(raw, WEIGHT_TYPES[plan.outDtype])
}

/** Copies tokenizer files byte for byte, but for a chat template that is given. */
export async function copyTokenizer(
  from: CheckpointFolder,
  to: string,
  template: string | undefined,
): Promise<void> {
  for (const file of COPIED_FILES) {
    const source = await from.file(file)
    if (!source || (file === 'chat_template.jinja' && template !== undefined)) continue
    const bytes = await source.read(0, source.size)
    if (file === 'tokenizer_config.json' && template !== undefined) {
      const config = { ...JSON.parse(new TextDecoder().decode(bytes)), chat_template: template }
      await writeFile(join(to, file), `${JSON.stringify(config, null, 2)}\n`)
    } else await writeFile(join(to, file), bytes)
  }
}

/** Runs `work` in a folder that becomes `target` when it is done, and is gone when it fails. */
export async function withTarget<T>(
  target: string,
  isForced: boolean,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const held = await readdir(target).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw new EngineError('file-missing', `${target} is no folder that can be written`)
  })
  if (held.length > 0 && !isForced)
    throw new EngineError('request-invalid', `${target} is not empty; --force replaces a model folder`)
  if (held.length > 0 && !held.includes('config.json'))
    throw new EngineError('request-invalid', `${target} holds no model, so --force does not replace it`)
  const part = join(dirname(target), `.${basename(target)}.${process.pid}.part`)
  try {
    await mkdir(part, { recursive: true })
    const value = await work(part)
    await rm(target, { recursive: true, force: true })
    await rename(part, target)
    return value
  } catch (error) {
    await rm(part, { recursive: true, force: true })
    if (error instanceof Error && 'syscall' in error)
      throw new EngineError('file-missing', `cannot write ${target}: ${error.message}`)
    throw error
  }
}
