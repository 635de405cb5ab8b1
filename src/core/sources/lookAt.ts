// A source by its headers: what it is, and which of its files belong to the model, whether it is kept later or not.

import { type Checkpoint, openCheckpoint } from '../files/checkpoint.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import type { FileToKeep } from '../store/download.ts'
import type { ModelAbout } from '../store/manifest.ts'
import type { HubEntry } from './hub.ts'

export interface LookedAt {
  checkpoint: Checkpoint
  about: ModelAbout
  /** what opening the model read, and the small texts beside it */
  files: FileToKeep[]
}

/** Cards, licences, templates and tokenizer parts: kept with a model, though nothing here reads them. */
const BESIDE = /^(readme\.md|licen[cs]e[^/]*|notice[^/]*|[^/]+\.(json|txt|jinja|model))$/i
const BESIDE_BYTES = 32 * 2 ** 20

/** A folder that remembers which files were found in it. */
function tracked(folder: CheckpointFolder): {
  folder: CheckpointFolder
  found: Map<string, FileToKeep['source']>
} {
  const found = new Map<string, FileToKeep['source']>()
  return {
    found,
    folder: {
      name: folder.name,
      list: () => folder.list(),
      async file(path, signal) {
        const source = await folder.file(path, signal)
        if (source) found.set(path, source)
        return source
      },
    },
  }
}

/**
 * Opens a folder by its headers and lists what belongs to the model. `entries`: a hub's listing, for hashes.
 * Rejects as `openCheckpoint`.
 */
export async function lookAt(
  folder: CheckpointFolder,
  options: {
    entries?: readonly HubEntry[] | undefined
    licence?: unknown
    signal?: AbortSignal | undefined
  } = {},
): Promise<LookedAt> {
  const { folder: watched, found } = tracked(folder)
  const checkpoint = await openCheckpoint(watched, options.signal)
  // Headers of all weight files were read; what was merely asked for by a format that refused the folder stays out.
  for (const path of folder.list()) {
    const size = options.entries?.find((entry) => entry.path === path)?.size ?? 0
    if (found.has(path) || !BESIDE.test(path) || size > BESIDE_BYTES) continue
    const source = await folder.file(path, options.signal)
    if (source && source.size <= BESIDE_BYTES) found.set(path, source)
  }
  const hashes = new Map(options.entries?.map(({ path, hash }) => [path, hash]))
  const files = [...found].map(([path, source]) => ({
    path,
    size: source.size,
    hash: hashes.get(path),
    source,
  }))
  const { config, format, parameterCount, byteLength } = checkpoint
  const licence = typeof options.licence === 'string' ? options.licence.slice(0, 60) : undefined
  return {
    checkpoint,
    about: { format, family: config.family, parameterCount, byteLength, ...(licence && { licence }) },
    files,
  }
}
