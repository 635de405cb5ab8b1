// Rows of a sweep as JSON lines: the first line says which sweep it is, every later one is a finished point. A file
// whose last line was cut off by a kill loses that line and no other.

import { createHash } from 'node:crypto'
import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { EngineError } from '../../core/errors.ts'

export const SWEEP_FORMAT = 'alignmerge-sweep'

export interface SweepHeader {
  format: typeof SWEEP_FORMAT
  version: 1
  /** SHA-256 over everything that the rows follow from */
  key: string
  points: number
  adapter: string
}

export const sweepKey = (parts: unknown): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex')

export class RowFile {
  /** finished before */
  readonly rows: Record<string, unknown>[]
  private readonly path: string

  private constructor(path: string, rows: Record<string, unknown>[]) {
    this.path = path
    this.rows = rows
  }

  /** Goes on with the file at `path`, or starts it; `request-invalid` when it is another sweep's, unless forced. */
  static async open(path: string, header: SweepHeader, isForced: boolean): Promise<RowFile> {
    const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0)
      throw new EngineError('file-missing', `cannot read ${path}: ${error.message}`)
    })
    // In bytes: a kill may have cut inside a character.
    const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
    const lines = whole.toString().split('\n').slice(0, -1)
    if (lines.length === 0 || isForced) {
      const isOwnStart = Buffer.from(JSON.stringify(header)).subarray(0, bytes.length).equals(bytes)
      if (!isForced && !isOwnStart)
        throw new EngineError('request-invalid', `${path} holds something else; --force replaces it`)
      await write(path, header)
      return new RowFile(path, [])
    }
    const [found, ...rest] = lines.map(parse)
    const reason = differs(found, header)
    if (reason) throw new EngineError('request-invalid', `${path} ${reason}; --force starts anew`)
    const rows = rest.filter((row) => row !== undefined)
    if (rows.length !== rest.length || rows.some((row, i) => row.index !== i) || rows.length > header.points)
      throw new EngineError(
        'file-malformed',
        `${path} holds rows that are not this sweep’s; --force starts anew`,
      )
    await truncate(path, whole.length)
    return new RowFile(path, rows)
  }

  async add(row: Record<string, unknown>): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(row)}\n`)
    this.rows.push(row)
  }
}

async function write(path: string, header: SweepHeader): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(header)}\n`)
  } catch (error) {
    throw new EngineError('file-missing', `cannot write ${path}: ${(error as Error).message}`)
  }
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function differs(found: Record<string, unknown> | undefined, header: SweepHeader): string | undefined {
  if (found?.format !== SWEEP_FORMAT || found.version !== header.version) return 'is no sweep of this version'
  if (found.key !== header.key) return 'is another sweep: recipe, models, probes or options differ'
  if (found.adapter !== header.adapter) return `was begun on another device (${String(found.adapter)})`
  return undefined
}
