// What the columns of a table of prompts mean: recognised by their names (XSTest's and their like), or as the user
// says. Rows keep every cell they came with, so that an export gives back what was brought.

import type { UserPrompt } from '../../../workers/api/play.ts'
import type { Table } from './promptFile.ts'

export type PromptLabel = 'safe' | 'unsafe' | 'ignore'
export const promptLabels: readonly PromptLabel[] = ['safe', 'unsafe', 'ignore']

/** Places of columns in their table; null where there is none. */
export interface Mapping {
  prompt: number
  label: number | null
  /** what each value of the label column says; others say nothing, and their prompts are ignored */
  values: Record<string, PromptLabel>
  topic: number | null
  aligned: number | null
  misaligned: number | null
}

export interface PromptRow {
  /** place in the file, 1 is the first */ number: number
  prompt: string
  label: PromptLabel
  topic: string
  aligned: string
  misaligned: string
  /** all cells as they came */ cells: string[]
}

/** What was left out on the way in, and why. */
export interface ReadReport {
  /** rows without a prompt */ empty: number
  /** rows whose prompt had been there */ duplicates: number
  /** duplicates that were labelled otherwise than the first */ contradictions: number
  /** prompts whose label says neither safe nor unsafe; they are ignored until somebody says */ unlabelled: number
}

const names = {
  prompt: [
    'prompt',
    'question',
    'instruction',
    'query',
    'text',
    'input',
    'user',
    'goal',
    'behavior',
    'request',
  ],
  label: [
    'label',
    'safety',
    'final_label',
    'is_safe',
    'safe',
    'is_harmful',
    'harmful',
    'unsafe',
    'toxic',
    'type',
  ],
  topic: ['topic', 'type', 'category', 'focus', 'tag'],
  aligned: ['aligned', 'safe_response', 'chosen', 'refusal'],
  misaligned: ['misaligned', 'unsafe_response', 'rejected', 'target'],
} as const

const safeWords = new Set(['safe', 'harmless', 'benign', 'allowed', 'ok', 'fine', 'good', 'comply'])
const unsafeWords = new Set([
  'unsafe',
  'harmful',
  'toxic',
  'malicious',
  'forbidden',
  'bad',
  'refuse',
  'dangerous',
])
const yes = new Set(['1', 'true', 'yes'])
const no = new Set(['0', 'false', 'no'])

const plain = (text: string) =>
  text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_')

/** What a value says by itself, in a column of this name. */
export function labelOf(value: string, column: string): PromptLabel | undefined {
  const word = plain(value)
  if (word === 'ignore') return 'ignore'
  if (safeWords.has(word)) return 'safe'
  if (unsafeWords.has(word)) return 'unsafe'
  // XSTest's kinds: a contrast is what the safe prompt only looks like.
  if (plain(column) === 'type')
    return word === '' ? undefined : word.startsWith('contrast_') ? 'unsafe' : 'safe'
  const name = plain(column).replace(/^is_/, '')
  if (unsafeWords.has(name)) return yes.has(word) ? 'unsafe' : no.has(word) ? 'safe' : undefined
  if (safeWords.has(name)) return yes.has(word) ? 'safe' : no.has(word) ? 'unsafe' : undefined
  return undefined
}

/** Distinct values of a column, the commonest first. */
export function valuesOf(table: Table, column: number): { value: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const row of table.rows) {
    const value = row[column]!.trim()
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count)
}

/** What the values of a column say, as far as they say it by themselves. */
export function readValues(table: Table, column: number): Record<string, PromptLabel> {
  const found: Record<string, PromptLabel> = {}
  for (const { value } of valuesOf(table, column)) {
    const label = labelOf(value, table.columns[column]!)
    if (label) found[value] = label
  }
  return found
}

function find(
  table: Table,
  wanted: readonly string[],
  taken: readonly (number | null)[] = [],
): number | null {
  const columns = table.columns.map(plain)
  for (const name of wanted) {
    const place = columns.indexOf(name)
    if (place >= 0 && !taken.includes(place)) return place
  }
  return null
}

/** The column whose values say safe or unsafe; a column of kinds only where it has XSTest's contrasts. */
function findLabel(table: Table): number | null {
  const columns = table.columns.map(plain)
  for (const name of names.label) {
    const place = columns.indexOf(name)
    if (place < 0) continue
    const isKinds = name === 'type' && !table.rows.some((row) => /^contrast_/i.test(row[place]!.trim()))
    if (!isKinds && Object.keys(readValues(table, place)).length > 0) return place
  }
  return null
}

/** A start for the dialog; `isSure` where names and values leave nothing to ask. */
export function guessMapping(table: Table): { mapping: Mapping; isSure: boolean } {
  const named = find(table, names.prompt)
  const longest = table.columns
    .map((_, c) => table.rows.slice(0, 200).reduce((sum, row) => sum + row[c]!.length, 0))
    .reduce((best, length, c, all) => (length > all[best]! ? c : best), 0)
  const prompt = named ?? longest
  const label = findLabel(table)
  const values = label === null ? {} : readValues(table, label)
  const isRead =
    label !== null && table.rows.every((row) => row[label]!.trim() === '' || row[label]!.trim() in values)
  return {
    mapping: {
      prompt,
      label,
      values,
      topic: find(table, names.topic, [prompt, label]),
      aligned: find(table, names.aligned, [prompt, label]),
      misaligned: find(table, names.misaligned, [prompt, label]),
    },
    isSure: named !== null && isRead,
  }
}

/** The column that edited labels are written into; null where theirs would not be told from what stood there. */
export function writableLabel(columns: readonly string[], { label }: Mapping): number | null {
  const isLabel = label !== null && ['label', 'safety', 'final_label'].includes(plain(columns[label]!))
  return isLabel ? label : null
}

/** Rows with a prompt, each prompt once. */
export function readRows(table: Table, mapping: Mapping): { rows: PromptRow[]; report: ReadReport } {
  const report: ReadReport = { empty: 0, duplicates: 0, contradictions: 0, unlabelled: 0 }
  const seen = new Map<string, PromptLabel>()
  const rows: PromptRow[] = []
  const cell = (cells: readonly string[], column: number | null) =>
    column === null ? '' : cells[column]!.trim()
  table.rows.forEach((cells, i) => {
    const prompt = cell(cells, mapping.prompt)
    if (prompt === '') {
      report.empty++
      return
    }
    const said = mapping.label === null ? undefined : mapping.values[cell(cells, mapping.label)]
    const label = said ?? 'ignore'
    const before = seen.get(prompt)
    if (before !== undefined) {
      report.duplicates++
      if (before !== label) report.contradictions++
      return
    }
    seen.set(prompt, label)
    if (!said) report.unlabelled++
    rows.push({
      number: i + 1,
      prompt,
      label,
      topic: cell(cells, mapping.topic),
      aligned: cell(cells, mapping.aligned),
      misaligned: cell(cells, mapping.misaligned),
      cells,
    })
  })
  return { rows, report }
}

/** The prompts that are not ignored, as they are measured on. */
export function promptsInUse(rows: readonly PromptRow[]): UserPrompt[] {
  return rows.flatMap(({ prompt, label, topic, aligned, misaligned }) =>
    label === 'ignore'
      ? []
      : [
          {
            prompt,
            label,
            ...(topic !== '' && { topic }),
            ...(aligned !== '' && { aligned }),
            ...(misaligned !== '' && { misaligned }),
          },
        ],
  )
}

export interface RowFilter {
  label: PromptLabel | 'all'
  /** in prompt or topic, whatever the case */ search: string
}

/** Places of the rows that a filter shows. */
export function shownRows(rows: readonly PromptRow[], { label, search }: RowFilter): number[] {
  const wanted = search.trim().toLowerCase()
  return rows.flatMap((row, i) => {
    if (label !== 'all' && row.label !== label) return []
    if (wanted === '') return [i]
    return row.prompt.toLowerCase().includes(wanted) || row.topic.toLowerCase().includes(wanted) ? [i] : []
  })
}

/** Rows with another label at some places. */
export function relabel(
  rows: readonly PromptRow[],
  places: readonly number[],
  label: PromptLabel,
): PromptRow[] {
  const changed = [...rows]
  for (const place of places) changed[place] = { ...rows[place]!, label }
  return changed
}
