// A folder of the disk in the shape of the origin-private file system, with a quota and locks of its own, so that the
// store is tested in Node with real files: a "kill" is to abandon one and open the folder again.

import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openAsBlob,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Locks, Storage, StoreDirectory, StoreFile, SyncAccess } from '../core/store/storage.ts'

/** bytes of a range in tests */
export const TEST_RANGE_BYTES = 2 ** 18

const notFound = (name: string) => new DOMException(`${name} is not there`, 'NotFoundError')

function sizeOf(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

/** One tab's view of a folder; `limit` in bytes. Another tab is another call with the same locks. */
export function diskStorage(
  path: string,
  { limit = Number.POSITIVE_INFINITY, locks = memoryLocks() }: { limit?: number; locks?: Locks } = {},
): Storage & { limit: number } {
  const open = new Set<string>()
  const storage = {
    limit,
    root: directoryOf(path, ''),
    locks,
    // Small ranges: many of them in little time.
    rangeBytes: TEST_RANGE_BYTES,
    quota: async () => ({ used: sizeOf(path), limit: storage.limit }),
  }

  function grow(bytes: number): void {
    if (sizeOf(path) + bytes > storage.limit) throw new DOMException('no room', 'QuotaExceededError')
  }

  function accessOf(file: string): SyncAccess {
    if (open.has(file)) throw new DOMException(`${file} is open`, 'NoModificationAllowedError')
    const handle = openSync(file, 'r+')
    open.add(file)
    const getSize = () => fstatSync(handle).size
    return {
      getSize,
      read: (into, { at }) => readSync(handle, into, 0, into.byteLength, at),
      write: (from, { at }) => {
        grow(Math.max(0, at + from.byteLength - getSize()))
        return writeSync(handle, from, 0, from.byteLength, at)
      },
      truncate: (size) => {
        grow(Math.max(0, size - getSize()))
        ftruncateSync(handle, size)
      },
      // What a power cut would lose is not tested; waiting for the disk each time would take most of the time.
      flush: () => {},
      close: () => {
        if (open.delete(file)) closeSync(handle)
      },
    }
  }

  function fileOf(file: string, name: string): StoreFile {
    return {
      kind: 'file',
      name,
      getFile: () =>
        openAsBlob(file).catch(() => {
          throw notFound(name)
        }),
      createSyncAccessHandle: async () => accessOf(file),
      move: async (directory, to) => renameSync(file, join(pathOf.get(directory)!, to)),
    }
  }

  function directoryOf(folder: string, name: string): StoreDirectory {
    mkdirSync(folder, { recursive: true })
    const directory: StoreDirectory = {
      kind: 'directory',
      name,
      getDirectoryHandle: async (child, options) => {
        if (!options?.create && !existsSync(join(folder, child))) throw notFound(child)
        return directoryOf(join(folder, child), child)
      },
      getFileHandle: async (child, options) => {
        const file = join(folder, child)
        if (!existsSync(file)) {
          if (!options?.create) throw notFound(child)
          closeSync(openSync(file, 'w'))
        }
        return fileOf(file, child)
      },
      removeEntry: async (child, options) => {
        if (!existsSync(join(folder, child))) throw notFound(child)
        if (open.has(join(folder, child)))
          throw new DOMException(`${child} is open`, 'NoModificationAllowedError')
        rmSync(join(folder, child), { recursive: options?.recursive ?? false })
      },
      async *entries() {
        for (const entry of readdirSync(folder, { withFileTypes: true }))
          yield [entry.name, { kind: entry.isDirectory() ? ('directory' as const) : ('file' as const) }]
      },
    }
    pathOf.set(directory, folder)
    return directory
  }
  return storage
}

const pathOf = new WeakMap<StoreDirectory, string>()

/** Locks of one process, shared by all tabs that are given the same object. */
export function memoryLocks(): Locks {
  const tails = new Map<string, Promise<unknown>>()
  const hold = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const before = tails.get(name)
    const turn = (async () => {
      await before?.catch(() => {})
      return work()
    })()
    tails.set(name, turn)
    try {
      return await turn
    } finally {
      if (tails.get(name) === turn) tails.delete(name)
    }
  }
  return {
    hold,
    tryHold: async (name, work) => (tails.has(name) ? undefined : { value: await hold(name, work) }),
  }
}
