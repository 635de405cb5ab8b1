// A checkpoint folder behind a directory handle: the browser's private file system, or a directory the user picked.

import type { CheckpointFolder } from '../src/core/files/folder.ts'
import { BlobSource } from '../src/core/files/source.ts'

export async function openHandleFolder(directory: FileSystemDirectoryHandle): Promise<CheckpointFolder> {
  const files = new Map<string, FileSystemFileHandle>()
  // Missing from TypeScript's DOM library.
  const entries = directory as unknown as AsyncIterable<[string, FileSystemHandle]>
  for await (const [name, handle] of entries)
    if (handle.kind === 'file') files.set(name, handle as FileSystemFileHandle)
  return {
    name: directory.name,
    list: () => [...files.keys()],
    async file(path) {
      const handle = files.get(path)
      return handle && new BlobSource(await handle.getFile(), path)
    },
  }
}
