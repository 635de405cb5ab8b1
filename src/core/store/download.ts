// One file into the store: ranges in parallel, each journalled once it is on the disk, then verified by hash. Anything
// that ends it early leaves what has arrived for the next start, except bytes that are known to be wrong.

import { EngineError, throwIfCancelled } from '../errors.ts'
import type { ByteSource, Bytes } from '../files/source.ts'
import { ChangedError, UrlSource } from '../files/urlSource.ts'
import type { FileHash } from '../sources/hub.ts'
import { FollowingHash } from './fileHash.ts'
import { Journal, type JournalHead, RANGE_BYTES, rangeCount, readJournal } from './journal.ts'
import {
  findFile,
  readTextOf,
  removeFile,
  type StoreDirectory,
  type SyncAccess,
  writeAll,
} from './storage.ts'

/** Ranges under way at once. */
export const CONNECTIONS = 4

export interface FileToKeep {
  path: string
  /** bytes */
  size: number
  /** what its bytes must hash to, where somebody has said so */
  hash: FileHash | undefined
  source: ByteSource
}

export interface DownloadOptions {
  signal?: AbortSignal | undefined
  /** bytes of this file that are here, those of unfinished ranges included */
  onArrived?: ((bytes: number) => void) | undefined
  /** bytes of one range, 8 MiB */
  rangeBytes?: number | undefined
  /** what a person should know */
  onNote?: ((note: string) => void) | undefined
}

export const dataName = (key: string): string => `${key}.data`
export const journalName = (key: string): string => `${key}.journal`

export async function removePartial(directory: StoreDirectory, key: string): Promise<void> {
  // Data first: a journal without data is begun anew, data without a journal too.
  await removeFile(directory, dataName(key))
  await removeFile(directory, journalName(key))
}

/**
 * Fetches what is missing of a file into `<key>.data` and gives its hash. Rejects `hash-mismatch` after discarding
 * everything, ChangedError (`file-malformed`) likewise, `cancelled` and failures of the source keeping what has arrived.
 */
export async function downloadFile(
  directory: StoreDirectory,
  key: string,
  file: FileToKeep,
  options: DownloadOptions = {},
): Promise<FileHash> {
  const head = headOf(file, options.rangeBytes ?? RANGE_BYTES)
  let discarded = 0
  const journal = await Journal.open(directory, journalName(key), head, (before) => {
    const isSame = before.size === head.size && (Boolean(file.hash) || isSameValidator(before, head))
    if (!isSame) discarded = before.size
    return isSame
  })
  if (discarded > 0)
    options.onNote?.(`${file.path} is another file than when its download began; what had come was discarded`)
  let access: SyncAccess | undefined
  let isWrong = false
  try {
    const data = await directory.getFileHandle(dataName(key), { create: true })
    access = await data.createSyncAccessHandle()
    if (access.getSize() !== file.size) {
      if (journal.done.size > 0) journal.restart(head)
      // Room is taken at once: a quota that is too small shows here and not after an hour.
      access.truncate(file.size)
    }
    const found = await fetchAndHash(file, access, journal, head.rangeBytes, options)
    if (file.hash && found.hex !== file.hash.hex) {
      isWrong = true
      throw new EngineError(
        'hash-mismatch',
        `expected ${nameOf(file.hash)}, received ${nameOf(found)}; all of it was discarded. The copy was damaged on its way, or the server's is: try again, then another source`,
        { file: file.path },
      )
    }
    return found
  } catch (error) {
    if (!(error instanceof ChangedError)) throw error
    isWrong = true
    throw new EngineError(
      'hash-mismatch',
      `it changed on the server in the middle of the download; what had come was discarded. Resume to fetch the new one`,
      { file: file.path },
    )
  } finally {
    access?.close()
    journal.close()
    if (isWrong) await removePartial(directory, key)
  }
}

/** Bytes of a file that have arrived and are on the disk. */
export async function arrivedBytes(directory: StoreDirectory, key: string, size: number): Promise<number> {
  const journal = await readTextOf(directory, journalName(key))
  const data = await findFile(directory, dataName(key))
  const read = data && journal !== undefined ? readJournal(journal) : undefined
  if (!read || read.head.size !== size) return 0
  const { rangeBytes } = read.head
  return [...read.done].reduce((sum, index) => sum + rangeOf(index, size, rangeBytes).length, 0)
}

/** Enough digits to tell hashes apart by eye. */
const nameOf = ({ kind, hex }: FileHash): string =>
  `${kind === 'git' ? 'git object' : 'SHA-256'} ${hex.slice(0, 16)}…`

function headOf({ size, source }: FileToKeep, rangeBytes: number): JournalHead {
  const validator = source instanceof UrlSource ? source.validator : undefined
  return { version: 1, size, rangeBytes, ...(validator !== undefined && { validator }) }
}

/** Without an ETag or date nothing says that the file is still the same. */
const isSameValidator = (a: JournalHead, b: JournalHead): boolean =>
  a.validator !== undefined && a.validator === b.validator

function rangeOf(index: number, size: number, rangeBytes: number): { offset: number; length: number } {
  const offset = index * rangeBytes
  return { offset, length: Math.min(rangeBytes, size - offset) }
}

async function fetchAndHash(
  file: FileToKeep,
  access: SyncAccess,
  journal: Journal,
  rangeBytes: number,
  { signal, onArrived }: DownloadOptions,
): Promise<FileHash> {
  const { size } = file
  const kind = file.hash?.kind ?? 'sha256'
  const hash = await FollowingHash.of(kind, access, size)
  const total = rangeCount(size, rangeBytes)
  const underWay = new Map<number, number>()
  let onDisk = [...journal.done].reduce((sum, index) => sum + rangeOf(index, size, rangeBytes).length, 0)
  let next = 0
  let gap = 0
  const report = () => onArrived?.(onDisk + [...underWay.values()].reduce((a, b) => a + b, 0))
  const ending = new AbortController()
  const all = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal

  async function connection(): Promise<void> {
    for (;;) {
      while (journal.done.has(next)) next++
      const index = next++
      if (index >= total) return
      const { offset, length } = rangeOf(index, size, rangeBytes)
      const bytes = await readRange(file.source, offset, length, all, (count) => {
        underWay.set(index, count)
        report()
      })
      throwIfCancelled(all)
      writeAll(access, bytes, offset)
      access.flush()
      journal.add(index)
      underWay.delete(index)
      onDisk += length
      report()
      while (journal.done.has(gap)) gap++
      // Two steps a range: hashing keeps pace with the download, and catches up after a resume.
      for (let step = 0; step < 2; step++) if (!hash.step(Math.min(size, gap * rangeBytes))) break
    }
  }

  report()
  let failure: unknown
  await Promise.all(
    Array.from({ length: Math.min(CONNECTIONS, total) }, () =>
      connection().catch((error) => {
        failure ??= error
        ending.abort()
      }),
    ),
  )
  if (failure !== undefined) {
    throwIfCancelled(signal)
    throw failure
  }
  while (hash.step(size)) {
    throwIfCancelled(signal)
    // Messages, such as the user's pause, come between two steps.
    await new Promise((done) => setTimeout(done, 0))
  }
  return { kind, hex: hash.digest() }
}

async function readRange(
  source: ByteSource,
  offset: number,
  length: number,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): Promise<Bytes> {
  if (source instanceof UrlSource) return source.readCounted(offset, length, onBytes, signal)
  return source.read(offset, length, signal)
}
