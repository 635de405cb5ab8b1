// A directory that the user picked or dropped, or one of the origin-private file system, as a checkpoint folder. Files
// stay where they are and are read by ranges; what changes on the disk meanwhile fails when it is read.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { BlobSource, messageOf } from '../files/source.ts'

/** Deeper folders are no part of a model; this also ends a walk through somebody's whole disk. */
const MAXIMUM_DEPTH = 3
const MAXIMUM_FILES = 2000

/** What is read of a FileSystemDirectoryHandle. */
export interface DirectoryHandle {
  readonly kind: 'directory'
  readonly name: string
  entries(): AsyncIterable<[string, DirectoryHandle | FileHandle]>
}
export interface FileHandle {
  readonly kind: 'file'
  readonly name: string
  getFile(): Promise<Blob>
}

/**
 * Paths count from the folder that holds config.json nearest to the top, else from the directory itself. Rejects
 * `access-refused` where the permission is gone, `request-invalid` where two models lie beside each other.
 */
export async function handleFolder(
  directory: { readonly kind: 'directory'; readonly name: string },
  signal?: AbortSignal,
): Promise<CheckpointFolder> {
  const handles = new Map<string, FileHandle>()
  try {
    await walk(directory as DirectoryHandle, '', 0, handles, signal)
  } catch (error) {
    if (error instanceof EngineError) throw error
    const isRefused = (error as Error).name === 'NotAllowedError'
    throw new EngineError(
      isRefused ? 'access-refused' : 'file-missing',
      isRefused
        ? `the browser no longer lets this page read ${directory.name}; open it again and allow it`
        : `${directory.name} can no longer be read: ${messageOf(error)}`,
    )
  }
  const root = rootOf([...handles.keys()])
  const inside = new Map<string, FileHandle>()
  for (const [path, handle] of handles) if (path.startsWith(root)) inside.set(path.slice(root.length), handle)
  return {
    name: root.split('/').at(-2) ?? (directory.name || 'folder'),
    list: () => [...inside.keys()],
    async file(path) {
      const handle = inside.get(path)
      if (!handle) return undefined
      try {
        return new BlobSource(await handle.getFile(), path)
      } catch (error) {
        throw new EngineError('file-missing', `the file can no longer be read: ${messageOf(error)}`, {
          file: path,
        })
      }
    },
  }
}

async function walk(
  directory: DirectoryHandle,
  prefix: string,
  depth: number,
  found: Map<string, FileHandle>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const [name, handle] of directory.entries()) {
    throwIfCancelled(signal)
    if (name.startsWith('.') || found.size >= MAXIMUM_FILES) continue
    if (handle.kind === 'file') found.set(`${prefix}${name}`, handle)
    else if (depth < MAXIMUM_DEPTH) await walk(handle, `${prefix}${name}/`, depth + 1, found, signal)
  }
}

/** Folder of the uppermost config.json, with its slash; '' for the top or where there is none. */
function rootOf(paths: readonly string[]): string {
  const depth = (path: string) => path.split('/').length
  const configs = paths.filter((path) => /(^|\/)config\.json$/.test(path)).sort((a, b) => depth(a) - depth(b))
  if (configs.length > 1 && depth(configs[0]) === depth(configs[1]))
    throw new EngineError('request-invalid', `one model at a time: found ${configs[0]} and ${configs[1]}`)
  return configs[0]?.slice(0, -'config.json'.length) ?? ''
}
