// One model of a repository that holds several: a GGUF file among its fellows, or a folder inside.

import { EngineError } from '../errors.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { shardPaths } from '../files/formats/gguf/shards.ts'

export interface PartFolder extends CheckpointFolder {
  /** path in the whole folder of a path in this one; undefined for what is not in it */
  outer(path: string): string | undefined
}

/**
 * The folder with `part` as its only GGUF model, or the folder `part` inside it. Rejects `file-missing` naming what could
 * have been meant.
 */
export function partFolder(folder: CheckpointFolder, part: string): PartFolder {
  const all = folder.list()
  const isFile = part.endsWith('.gguf')
  const own = new Set(isFile ? shardPaths(part) : [])
  const prefix = isFile ? '' : `${part.replace(/\/+$/, '')}/`
  const inside = new Map<string, string>()
  for (const path of all) {
    if (!path.startsWith(prefix) || (isFile && path.endsWith('.gguf') && !own.has(path))) continue
    inside.set(path.slice(prefix.length), path)
  }
  if (inside.size === 0 || (isFile && !inside.has(part))) {
    const others = all.filter((path) => (isFile ? path.endsWith('.gguf') : path.includes('/')))
    const meant = others.length > 0 ? `; found ${others.slice(0, 4).join(', ')}` : ''
    throw new EngineError('file-missing', `${folder.name} has no ${part}${meant}`)
  }
  return {
    name: isFile ? part.slice(part.lastIndexOf('/') + 1, -'.gguf'.length) : folder.name,
    list: () => [...inside.keys()],
    outer: (path) => inside.get(path),
    async file(path, signal) {
      const outer = inside.get(path)
      return outer === undefined ? undefined : folder.file(outer, signal)
    },
  }
}
