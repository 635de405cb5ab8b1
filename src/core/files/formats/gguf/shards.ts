// The files of one GGUF model in a folder: a single .gguf, or `NAME-00001-of-0000N.gguf` and its fellows.

import { EngineError } from '../../../errors.ts'
import type { CheckpointFolder } from '../../folder.ts'
import type { ByteSource } from '../../source.ts'
import { readGgufHeader } from './header.ts'
import type { GgufHeader } from './types.ts'

const SHARD = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/
const MAX_SHARDS = 1024

export interface GgufShard {
  source: ByteSource
  header: GgufHeader
}

/** Paths of .gguf files that begin a model: single files and first shards. */
export function ggufModels(paths: readonly string[]): string[] {
  return paths.filter((path) => path.endsWith('.gguf') && (SHARD.exec(path)?.[2] ?? '00001') === '00001')
}

/** Names of the shards of a first one, itself included; a single file alone. `request-invalid` for too many. */
export function shardPaths(first: string): string[] {
  const match = SHARD.exec(first)
  if (!match) return [first]
  const count = Number(match[3])
  if (count < 1 || count > MAX_SHARDS)
    throw new EngineError('file-malformed', `${count} shards: expected 1 to ${MAX_SHARDS}`, { file: first })
  return Array.from(
    { length: count },
    (_, i) => `${match[1]}-${String(i + 1).padStart(5, '0')}-of-${match[3]}.gguf`,
  )
}

/**
 * Opens all files of the folder's model, headers read; the first one's metadata is the model's. Rejects
 * `request-invalid` when there are several models, `file-missing` for a shard that is not there.
 */
export async function openGgufShards(folder: CheckpointFolder, signal?: AbortSignal): Promise<GgufShard[]> {
  const models = ggufModels(folder.list())
  if (models.length === 0) {
    const lost = folder.list().find((path) => path.endsWith('.gguf')) ?? folder.name
    throw new EngineError('file-missing', `${lost} is a later part of a model whose first part is not here`)
  }
  if (models.length > 1)
    throw new EngineError(
      'request-invalid',
      `one model at a time: found ${models.slice(0, 4).join(', ')}; name one of them`,
    )
  const paths = shardPaths(models[0])
  const shards: GgufShard[] = []
  for (const path of paths) {
    const source = await folder.file(path, signal)
    if (!source)
      throw new EngineError('file-missing', `one of the ${paths.length} parts of the model`, { file: path })
    shards.push({ source, header: await readGgufHeader(source, signal) })
  }
  checkSplit(shards)
  return shards
}

/** What the shards say of themselves must agree with their names and with one another. */
function checkSplit(shards: readonly GgufShard[]): void {
  const fail = (file: string, message: string, tensor?: string): never => {
    throw new EngineError('file-malformed', message, { file, ...(tensor !== undefined && { tensor }) })
  }
  const seen = new Set<string>()
  for (const [index, { header }] of shards.entries()) {
    const { file, metadata, tensors } = header
    const count = metadata.get('split.count')
    if (count !== undefined && count !== 0 && count !== shards.length)
      fail(file, `split.count ${String(count)}: the model has ${shards.length} files here`)
    const number = metadata.get('split.no')
    if (number !== undefined && number !== index) fail(file, `split.no ${String(number)}: expected ${index}`)
    for (const name of tensors.keys()) {
      if (seen.has(name)) fail(file, 'stands in an earlier part too', name)
      seen.add(name)
    }
  }
  const total = shards[0].header.metadata.get('split.tensors.count')
  if (shards.length > 1 && total !== undefined && total !== seen.size)
    fail(shards[0].header.file, `split.tensors.count ${String(total)}: the parts hold ${seen.size}`)
}
