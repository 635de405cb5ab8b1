// Finished rows, one JSON line each, so that a run that was stopped goes on where it was. A row is found again by
// everything that determines it; lines of another version of the measuring are passed over.

import { createHash } from 'node:crypto'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export class RowCache {
  private readonly path: string | undefined
  private readonly known = new Map<string, unknown>()

  private constructor(path: string | undefined) {
    this.path = path
  }

  /** Reads what is there; a line cut off in the middle is dropped. Without a path nothing is kept. */
  static async open(path: string | undefined): Promise<RowCache> {
    const cache = new RowCache(path)
    if (!path) return cache
    const text = await readFile(path, 'utf8').catch(() => '')
    for (const line of text.split('\n')) {
      try {
        const { key, row } = JSON.parse(line) as { key: string; row: unknown }
        if (typeof key === 'string') cache.known.set(key, row)
      } catch {
        // The last line of a run that was stopped while writing.
      }
    }
    await mkdir(dirname(path), { recursive: true })
    // So that a cut-off line cannot swallow the next one.
    if (text !== '' && !text.endsWith('\n')) await appendFile(path, '\n')
    return cache
  }

  /** The row made from `what`, or `make()`, kept. */
  async row<T>(what: unknown, make: () => Promise<T>): Promise<T> {
    const key = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 24)
    if (this.known.has(key)) return this.known.get(key) as T
    const row = await make()
    this.known.set(key, row)
    if (this.path) await appendFile(this.path, `${JSON.stringify({ key, row })}\n`)
    return row
  }
}
