// Folders and files of the local disk as the core reads them.

import { open, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { CheckpointFolder } from '../core/files/folder.ts'
import { type ByteSource, type Bytes, checkRange } from '../core/files/source.ts'

/** A file read in ranges; opened for each read, so nothing has to be closed. */
export class FileSource implements ByteSource {
  readonly name: string
  readonly size: number
  private readonly path: string
  private constructor(path: string, size: number) {
    this.path = path
    this.name = basename(path)
    this.size = size
  }
  static async open(path: string): Promise<FileSource> {
    return new FileSource(path, (await stat(path)).size)
  }
  async read(offset: number, length: number): Promise<Bytes> {
    checkRange(this, offset, length)
    const handle = await open(this.path)
    try {
      const bytes = new Uint8Array(length)
      await handle.read(bytes, 0, length, offset)
      return bytes
    } finally {
      await handle.close()
    }
  }
}

/** The files directly inside a directory. */
export async function nodeFolder(path: string): Promise<CheckpointFolder> {
  const entries = await readdir(path, { withFileTypes: true })
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name)
  return {
    name: basename(path),
    list: () => names,
    file: async (name) => (names.includes(name) ? FileSource.open(join(path, name)) : undefined),
  }
}
