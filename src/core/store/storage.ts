// What the store needs of a file system: the part of FileSystemDirectoryHandle that the origin-private file system has
// in every browser. Tests give a folder of the disk the same shape.

export interface SyncAccess {
  read(into: Uint8Array, options: { at: number }): number
  write(from: Uint8Array, options: { at: number }): number
  truncate(size: number): void
  getSize(): number
  flush(): void
  close(): void
}

export interface StoreFile {
  readonly kind: 'file'
  readonly name: string
  getFile(): Promise<Blob>
  /** dedicated workers only; one at a time per file */
  createSyncAccessHandle(): Promise<SyncAccess>
  /** replaces what has that name */
  move(directory: StoreDirectory, name: string): Promise<void>
}

export interface StoreDirectory {
  readonly kind: 'directory'
  readonly name: string
  getDirectoryHandle(name: string, options?: { create?: boolean }): Promise<StoreDirectory>
  getFileHandle(name: string, options?: { create?: boolean }): Promise<StoreFile>
  removeEntry(name: string, options?: { recursive?: boolean }): Promise<void>
  entries(): AsyncIterable<[string, { readonly kind: 'file' | 'directory' }]>
}

/** What may be stored here and what is, bytes; null where the browser does not say. */
export interface Quota {
  used: number | null
  limit: number | null
}

/** Named locks across tabs, as `navigator.locks`. */
export interface Locks {
  /** Runs `work` when the lock is free. */
  hold<T>(name: string, work: () => Promise<T>): Promise<T>
  /** Runs `work` if the lock is free now; `undefined` without running it otherwise. */
  tryHold<T>(name: string, work: () => Promise<T>): Promise<{ value: T } | undefined>
}

export interface Storage {
  root: StoreDirectory
  locks: Locks
  quota(): Promise<Quota>
  /** bytes of a range of a download, 8 MiB unless said */
  rangeBytes?: number
}

/** A file's handle; undefined when there is none. */
export async function findFile(directory: StoreDirectory, name: string): Promise<StoreFile | undefined> {
  try {
    return await directory.getFileHandle(name)
  } catch (error) {
    if ((error as Error).name === 'NotFoundError') return undefined
    throw error
  }
}

export async function removeFile(directory: StoreDirectory, name: string): Promise<void> {
  try {
    await directory.removeEntry(name)
  } catch (error) {
    if ((error as Error).name !== 'NotFoundError') throw error
  }
}

const HAS_GONE: ReadonlySet<string> = new Set(['NotFoundError', 'NotReadableError'])
const READ_ATTEMPTS = 4

/** Runs a read of a file that others may move, replace or extend meanwhile: what was opened is then stale, once. */
async function whileOthersWrite<T>(read: () => Promise<T>): Promise<T | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (error) {
      if (!HAS_GONE.has((error as Error).name)) throw error
      if (attempt === READ_ATTEMPTS) return undefined
    }
  }
}

/** Bytes of a file; undefined when there is none. */
export async function sizeOf(directory: StoreDirectory, name: string): Promise<number | undefined> {
  return whileOthersWrite(async () => {
    const file = await findFile(directory, name)
    return file && (await file.getFile()).size
  })
}

/** Text of a file; undefined when there is none. */
export async function readTextOf(directory: StoreDirectory, name: string): Promise<string | undefined> {
  return whileOthersWrite(async () => {
    const file = await findFile(directory, name)
    return file && (await (await file.getFile()).text())
  })
}

/** Names and kinds in a directory. */
export async function namesIn(directory: StoreDirectory): Promise<string[]> {
  const names: string[] = []
  for await (const [name, { kind }] of directory.entries()) if (kind === 'file') names.push(name)
  return names.sort()
}

/** Text as a whole or not at all: written beside the target, then moved onto it. */
export async function writeText(directory: StoreDirectory, name: string, text: string): Promise<void> {
  const beside = `${name}.new`
  const file = await directory.getFileHandle(beside, { create: true })
  const access = await file.createSyncAccessHandle()
  try {
    access.truncate(0)
    writeAll(access, new TextEncoder().encode(text), 0)
    access.flush()
  } finally {
    access.close()
  }
  await file.move(directory, name)
}

/** Writes every byte; some systems answer a full disk with a short count instead of an error. */
export function writeAll(access: SyncAccess, bytes: Uint8Array, at: number): void {
  const written = access.write(bytes, { at })
  if (written !== bytes.byteLength)
    throw new DOMException(`${written} of ${bytes.byteLength} bytes were written`, 'QuotaExceededError')
}

export const isQuotaError = (error: unknown): boolean => (error as Error)?.name === 'QuotaExceededError'
