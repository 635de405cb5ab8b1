// Output folders of a browser. In the private file system a worker writes in place and flushes; a directory that the
// user picked commits a file only when it is closed, so there a merge resumes at its last complete file.

import { EngineError } from '../../errors.ts'
import { messageOf } from '../source.ts'
import type { OutputFile, OutputFolder } from './outputFolder.ts'

/** Missing from TypeScript's DOM library, where it belongs to workers. */
interface SyncAccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number
  flush(): void
  close(): void
}
type PrivateFile = FileSystemFileHandle & { createSyncAccessHandle(): Promise<SyncAccessHandle> }

function failed(path: string, error: unknown): EngineError {
  if (error instanceof EngineError) return error
  if (error instanceof DOMException && error.name === 'QuotaExceededError')
    return new EngineError('file-missing', `the browser gives no more room to write: ${error.message}`, {
      file: path,
    })
  return new EngineError('file-missing', `cannot write: ${messageOf(error)}`, { file: path })
}

async function guarded<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw failed(path, error)
  }
}

async function existing(
  directory: FileSystemDirectoryHandle,
  path: string,
): Promise<FileSystemFileHandle | undefined> {
  try {
    return await directory.getFileHandle(path)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return undefined
    throw failed(path, error)
  }
}

async function openPrivate(directory: FileSystemDirectoryHandle, path: string): Promise<OutputFile> {
  const handle = await guarded(path, async () => {
    const file = (await directory.getFileHandle(path, { create: true })) as PrivateFile
    return file.createSyncAccessHandle()
  })
  return {
    write: (bytes, offset) =>
      guarded(path, () => {
        const written = handle.write(bytes, { at: offset })
        if (written !== bytes.byteLength)
          throw new EngineError('file-missing', `wrote ${written} of ${bytes.byteLength} bytes`, {
            file: path,
            offset,
          })
      }),
    flush: () => guarded(path, () => handle.flush()),
    close: async () => handle.close(),
  }
}

async function openPicked(directory: FileSystemDirectoryHandle, path: string): Promise<OutputFile> {
  const stream = await guarded(path, async () => {
    const file = await directory.getFileHandle(path, { create: true })
    return file.createWritable({ keepExistingData: true })
  })
  return {
    write: (bytes, position) =>
      guarded(path, () => stream.write({ type: 'write', position, data: bytes as Uint8Array<ArrayBuffer> })),
    flush: async () => {},
    close: () => guarded(path, () => stream.close()),
  }
}

/** A directory of the browser; `isPrivate` in the origin-private file system, where only workers write in place. */
export function handleOutput(directory: FileSystemDirectoryHandle, isPrivate: boolean): OutputFolder {
  const open = (path: string) => (isPrivate ? openPrivate(directory, path) : openPicked(directory, path))
  return {
    name: directory.name,
    isDurable: isPrivate,
    open,
    size: async (path) => (await (await existing(directory, path))?.getFile())?.size,
    readText: async (path) => (await (await existing(directory, path))?.getFile())?.text(),
    async writeBytes(path, bytes) {
      // What was longer before must not show behind the new end.
      await this.remove(path)
      const file = await open(path)
      await file.write(bytes, 0)
      await file.flush()
      await file.close()
    },
    async remove(path) {
      if (await existing(directory, path)) await guarded(path, () => directory.removeEntry(path))
    },
  }
}
