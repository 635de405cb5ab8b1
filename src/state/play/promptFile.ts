// Files of prompts as tables: CSV and its kin by Papa Parse, JSON lines and lists by JSON. Every cell is text, every
// fault names its line. What the columns mean is promptColumns.ts's business.

import Papa from 'papaparse'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'

/** Far above any set of prompts that a browser would be asked to run. */
export const MAX_FILE_BYTES = 32 * 2 ** 20
export const MAX_ROWS = 50_000
const MAX_COLUMNS = 200

export interface Table {
  /** in order, all different */ columns: string[]
  /** as wide as `columns` */ rows: string[][]
  /** rows that had more or fewer cells than columns; `line` is the first of them */
  uneven: { count: number; line: number } | null
}

/** Reads a file's text; `file-malformed` with the line, `file-unsupported` for what is too large or empty. */
export function readTable(text: string, file: string, options: { hasHeader: boolean }): Table {
  // A byte-order mark would become part of the first column's name.
  const content = text.replace(/^\uFEFF/, '')
  if (content.trim() === '')
    throw new EngineError('file-malformed', t('expected prompts, found nothing'), { file })
  const isJson = /\.(jsonl|ndjson|json)$/i.test(file) || /^\s*(\[\s*)?\{/.test(content)
  const table = isJson ? readJson(content, file) : readSeparated(content, file, options.hasHeader)
  if (table.rows.length > MAX_ROWS)
    throw new EngineError(
      'file-unsupported',
      t('expected at most {most} rows, found {count}', { most: MAX_ROWS, count: table.rows.length }),
      {
        file,
      },
    )
  if (table.columns.length > MAX_COLUMNS)
    throw new EngineError(
      'file-unsupported',
      t('expected at most {most} columns, found {count}', {
        most: MAX_COLUMNS,
        count: table.columns.length,
      }),
      { file },
    )
  return table
}

/** The text of a chosen file: UTF-8, or what its byte-order mark says. */
export async function readText(file: File): Promise<string> {
  if (file.size > MAX_FILE_BYTES)
    throw new EngineError(
      'file-unsupported',
      t('expected at most {most} MiB, found {size}', {
        most: MAX_FILE_BYTES / 2 ** 20,
        size: (file.size / 2 ** 20).toFixed(1),
      }),
      { file: file.name },
    )
  const bytes = new Uint8Array(await file.arrayBuffer())
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    throw new EngineError('file-malformed', t('expected {encoding} text', { encoding }), { file: file.name })
  }
}

function readSeparated(text: string, file: string, hasHeader: boolean): Table {
  const { data, errors } = Papa.parse<string[]>(text, { header: false, skipEmptyLines: 'greedy' })
  const broken = errors.find(({ type }) => type === 'Quotes')
  if (broken)
    throw new EngineError(
      'file-malformed',
      t('{fault} in row {row}: a quoted cell does not end where it should', {
        fault: broken.message,
        row: (broken.row ?? 0) + 1,
      }),
      { file },
    )
  const width = data.reduce((most, row) => Math.max(most, row.length), 0)
  // Names of columns are data: they are kept with the set and written into its exports, in every language alike.
  const names = hasHeader
    ? (data[0] ?? []).map((name, i) => name.trim() || `column ${i + 1}`)
    : Array.from({ length: width }, (_, i) => `column ${i + 1}`)
  const columns = distinct(names)
  const first = hasHeader ? 1 : 0
  const rows = data.slice(first)
  const uneven = rows.flatMap((row, i) => (row.length === columns.length ? [] : [i + first + 1]))
  return {
    columns,
    rows: rows.map((row) => columns.map((_, i) => row[i] ?? '')),
    uneven: uneven.length > 0 ? { count: uneven.length, line: uneven[0]! } : null,
  }
}

function readJson(text: string, file: string): Table {
  const columns: string[] = []
  const places = new Map<string, number>()
  const rows = jsonRecords(text, file).map(({ record, line }) => {
    if (typeof record === 'string') record = { prompt: record }
    if (typeof record !== 'object' || record === null || Array.isArray(record))
      throw new EngineError(
        'file-malformed',
        t('line {line}: expected an object, found {found}', { line, found: shown(record) }),
        {
          file,
        },
      )
    const row: string[] = []
    for (const [name, value] of Object.entries(record)) {
      let place = places.get(name)
      if (place === undefined) {
        place = columns.push(name) - 1
        places.set(name, place)
      }
      row[place] = cellOf(value)
    }
    return row
  })
  return { columns, rows: rows.map((row) => columns.map((_, i) => row[i] ?? '')), uneven: null }
}

/** One object a line, or one list of them. */
function jsonRecords(text: string, file: string): { record: unknown; line: number }[] {
  if (text.trimStart().startsWith('[')) {
    const list: unknown = parseJson(text, file, 1)
    return (list as unknown[]).map((record, i) => ({ record, line: i + 1 }))
  }
  return text
    .split(/\r\n|\n|\r/)
    .flatMap((one, i) => (one.trim() === '' ? [] : [{ record: parseJson(one, file, i + 1), line: i + 1 }]))
}

function parseJson(text: string, file: string, line: number): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new EngineError(
      'file-malformed',
      t('line {line}: expected JSON, found {found}', { line, found: shown(text.trim()) }),
      {
        file,
      },
    )
  }
}

const cellOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value)

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}

/** Names that are there twice get a number. */
function distinct(names: readonly string[]): string[] {
  const seen = new Set<string>()
  return names.map((name) => {
    let own = name
    for (let i = 2; seen.has(own); i++) own = `${name} ${i}`
    seen.add(own)
    return own
  })
}

/** A table as CSV (RFC 4180), with the mark that spreadsheets need to read UTF-8. */
export function writeCsv(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return `\uFEFF${Papa.unparse({ fields: [...columns], data: rows.map((row) => [...row]) }, { newline: '\r\n' })}\r\n`
}
