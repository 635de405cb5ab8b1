// A folder of the local disk that is written in place.

import { type FileHandle, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { EngineError } from '../core/errors.ts'
import type { OutputFolder } from '../core/files/output/outputFolder.ts'

const isAbsent = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT'

async function openInPlace(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (!isAbsent(error)) throw error
    return open(path, 'w+')
  }
}

export function nodeOutput(folder: string): OutputFolder {
  const at = (path: string) => join(folder, path)
  const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw new EngineError('file-missing', `cannot write ${at(path)}: ${(error as Error).message}`)
    }
  }
  return {
    name: basename(folder),
    isDurable: true,
    async open(path) {
      const handle = await guarded(path, () => openInPlace(at(path)))
      return {
        write: (bytes, offset) =>
          guarded(path, async () => {
            let done = 0
            while (done < bytes.byteLength)
              done += (await handle.write(bytes, done, bytes.byteLength - done, offset + done)).bytesWritten
          }),
        flush: () => guarded(path, () => handle.datasync()),
        close: () => handle.close(),
      }
    },
    size: (path) =>
      stat(at(path)).then(
        ({ size }) => size,
        () => undefined,
      ),
    readText: (path) => readFile(at(path), 'utf8').catch(() => undefined),
    writeBytes: (path, bytes) => guarded(path, () => writeFile(at(path), bytes)),
    remove: (path) => rm(at(path), { force: true }),
  }
}
