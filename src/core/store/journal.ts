// Which ranges of a file have arrived: a line of text each, appended after the bytes are on the disk, so that a killed
// tab loses no more than the ranges that were under way. The first line says of which file.

import type { StoreDirectory, SyncAccess } from './storage.ts'
import { writeAll } from './storage.ts'

/** Bytes of one range. */
export const RANGE_BYTES = 8 * 2 ** 20

export interface JournalHead {
  version: 1
  /** bytes of the whole file */
  size: number
  rangeBytes: number
  /** ETag or date of what was downloaded; absent where the hash is known or the server hides it */
  validator?: string
}

export const rangeCount = (size: number, rangeBytes: number): number => Math.ceil(size / rangeBytes)

/** Finished ranges by index; undefined when the text is no journal of this version. A cut last line is left out. */
export function readJournal(text: string): { head: JournalHead; done: Set<number> } | undefined {
  const lines = text.split('\n')
  let head: JournalHead
  try {
    head = JSON.parse(lines[0]) as JournalHead
  } catch {
    return undefined
  }
  if (lines.length < 2 || head?.version !== 1 || !Number.isSafeInteger(head.size) || head.size < 0)
    return undefined
  if (!Number.isSafeInteger(head.rangeBytes) || head.rangeBytes < 1) return undefined
  const done = new Set<number>()
  const total = rangeCount(head.size, head.rangeBytes)
  for (const line of lines.slice(1, -1)) {
    const index = /^\d{1,9}$/.test(line) ? Number(line) : -1
    if (index < 0 || index >= total) break
    done.add(index)
  }
  return { head, done }
}

/** An open journal. Close it, or no tab can open it again. */
export class Journal {
  readonly done: Set<number>
  private readonly access: SyncAccess
  private end: number

  private constructor(access: SyncAccess, done: Set<number>, end: number) {
    this.access = access
    this.done = done
    this.end = end
  }

  /** The journal of that name where it speaks of the same file, else a new one; `isSame` decides. */
  static async open(
    directory: StoreDirectory,
    name: string,
    head: JournalHead,
    isSame: (before: JournalHead) => boolean,
  ): Promise<Journal> {
    const file = await directory.getFileHandle(name, { create: true })
    const access = await file.createSyncAccessHandle()
    try {
      const bytes = new Uint8Array(access.getSize())
      access.read(bytes, { at: 0 })
      const text = new TextDecoder().decode(bytes)
      const before = readJournal(text)
      if (before && before.head.rangeBytes === head.rangeBytes && isSame(before.head)) {
        // Whatever follows the last whole line was cut off by a kill.
        const kept = text.slice(0, text.lastIndexOf('\n') + 1)
        return new Journal(access, before.done, new TextEncoder().encode(kept).byteLength)
      }
      const journal = new Journal(access, new Set(), 0)
      journal.restart(head)
      return journal
    } catch (error) {
      access.close()
      throw error
    }
  }

  /** Nothing has arrived. */
  restart(head: JournalHead): void {
    this.access.truncate(0)
    this.done.clear()
    this.end = 0
    this.append(JSON.stringify(head))
  }

  add(index: number): void {
    this.append(String(index))
    this.done.add(index)
  }

  close(): void {
    this.access.close()
  }

  private append(line: string): void {
    const bytes = new TextEncoder().encode(`${line}\n`)
    writeAll(this.access, bytes, this.end)
    this.access.flush()
    this.end += bytes.byteLength
  }
}
