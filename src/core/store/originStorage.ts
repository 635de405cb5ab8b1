// The browser's own storage as the store wants it: origin-private file system, quota, and locks across tabs.

import { EngineError } from '../errors.ts'
import { messageOf } from '../files/source.ts'
import type { Storage, StoreDirectory } from './storage.ts'

/** Rejects `file-unsupported` where the browser has no such storage or the page may not use it. */
export async function originStorage(): Promise<Storage> {
  const { storage, locks } = navigator
  let root: FileSystemDirectoryHandle
  try {
    root = await storage.getDirectory()
  } catch (error) {
    throw new EngineError(
      'file-unsupported',
      `this browser keeps no files for this page (a private window, or storage is blocked): ${messageOf(error)}`,
    )
  }
  return {
    // Its file handles have `move` in every browser that has sync access; the type library does not know it yet.
    root: root as unknown as StoreDirectory,
    locks: {
      hold: (name, work) => locks.request(name, work) as Promise<Awaited<ReturnType<typeof work>>>,
      tryHold: (name, work) =>
        locks.request(name, { ifAvailable: true }, async (lock) =>
          lock ? { value: await work() } : undefined,
        ),
    },
    quota: async () => {
      const { usage, quota } = await storage.estimate()
      return { used: usage ?? null, limit: quota ?? null }
    },
  }
}
