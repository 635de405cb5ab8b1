// safetensors: model.safetensors, or the shards that model.safetensors.index.json names.

import { EngineError } from '../../../errors.ts'
import { type CheckpointFolder, readJsonIfPresent } from '../../folder.ts'
import { readSafetensorsHeader } from '../../safetensors.ts'
import { encodingOf, type SafetensorsHeader } from '../../safetensorsFormat.ts'
import type { ByteSource } from '../../source.ts'
import { contiguousWeight, type StoredWeight } from '../../storedWeight.ts'
import type { FileFormat, OpenedFormat } from '../format.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

export interface Shard {
  source: ByteSource
  header: SafetensorsHeader
}

/** The shards of a folder, headers read; undefined when it has neither a single file nor an index. */
export async function openShards(
  folder: CheckpointFolder,
  signal?: AbortSignal,
): Promise<Shard[] | undefined> {
  const single = await folder.file(SINGLE, signal)
  if (single) return [{ source: single, header: await readSafetensorsHeader(single, signal) }]
  const index = await readJsonIfPresent(folder, INDEX, signal)
  if (!index) return undefined
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

/** Tensors of the shards as weights, the first of a name. */
export function weightsOfShards(shards: readonly Shard[]): Pick<OpenedFormat, 'weights'> & {
  unread: Map<string, string>
} {
  const weights = new Map<string, StoredWeight>()
  const unread = new Map<string, string>()
  for (const { source, header } of shards)
    for (const { name, dtype, shape, begin } of header.tensors.values()) {
      const encoding = encodingOf(dtype)
      if (!encoding) unread.set(name, `element type ${dtype}: expected floats of 8 to 64 bits, or integers`)
      else if (!weights.has(name))
        weights.set(name, contiguousWeight(source, { name, shape, encoding, offset: begin, storage: dtype }))
    }
  return { weights, unread }
}

export const format: FileFormat = {
  id: 'safetensors',
  label: 'safetensors',
  rank: 50,
  async accepts(folder, _rawConfig, signal) {
    return (
      (await folder.file(SINGLE, signal)) !== undefined || (await folder.file(INDEX, signal)) !== undefined
    )
  },
  async open(folder, rawConfig, signal) {
    // GPTQ, AWQ and bitsandbytes keep packed words under other names; their values are not these tensors.
    const quantised = rawConfig?.quantization_config as { quant_method?: unknown } | null | undefined
    if (quantised != null)
      throw new EngineError(
        'file-unsupported',
        `weights quantised by ${String(quantised.quant_method ?? 'an unnamed method')}: expected plain numbers`,
        { file: 'config.json' },
      )
    const shards = (await openShards(folder, signal)) ?? []
    return {
      files: shards.map(({ source, header }) => ({
        source,
        tensorCount: header.tensors.size,
        metadata: header.metadata,
      })),
      ...weightsOfShards(shards),
    }
  },
}
