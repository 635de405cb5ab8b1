// safetensors: model.safetensors, or the shards that model.safetensors.index.json names.

import { EngineError } from '../../../errors.ts'
import { type CheckpointFolder, readJsonIfPresent } from '../../folder.ts'
import { readSafetensorsHeader } from '../../safetensors.ts'
import { encodingOf, type SafetensorsHeader } from '../../safetensorsFormat.ts'
import type { ByteSource } from '../../source.ts'
import { contiguousWeight, type StoredWeight } from '../../storedWeight.ts'
import type { FileFormat, OpenedFormat } from '../format.ts'
import { assertPlainNumbers, readShardIndex } from '../shardIndex.ts'

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

export interface Shard {
  source: ByteSource
  header: SafetensorsHeader
  /** tensors that the index places here; absent without an index */
  placed?: ReadonlySet<string>
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
  for (const [file, names] of readShardIndex(index, INDEX, '.safetensors')) {
    const source = await folder.file(file, signal)
    if (!source) throw new EngineError('file-missing', `named by ${INDEX} but not in the folder`, { file })
    const header = await readSafetensorsHeader(source, signal)
    for (const tensor of names)
      if (!header.tensors.has(tensor))
        throw new EngineError('file-malformed', `${INDEX} places a tensor here that is missing`, {
          file,
          tensor,
        })
    shards.push({ source, header, placed: new Set(names) })
  }
  return shards
}

/** Tensors of the shards as weights; of several of a name the one where the index places it, else the first. */
export function weightsOfShards(shards: readonly Shard[]): Pick<OpenedFormat, 'weights'> & {
  unread: Map<string, string>
} {
  const weights = new Map<string, StoredWeight>()
  const unread = new Map<string, string>()
  const homes = new Map(shards.flatMap((shard) => [...(shard.placed ?? [])].map((name) => [name, shard])))
  for (const shard of shards)
    for (const { name, dtype, shape, begin } of shard.header.tensors.values()) {
      if ((homes.get(name) ?? shard) !== shard) continue
      const { source } = shard
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
    assertPlainNumbers(rawConfig)
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
