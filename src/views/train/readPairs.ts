// Pairs of prompt and answer from text: JSON lines, a JSON list, or a table with a header. What cannot be used is named
// with its line, and the rest is taken.

import { t } from '../../language/translate.ts'
import type { OwnPairs } from '../../state/training/store.ts'

export const MAX_PAIRS = 5000
export const MAX_BYTES = 4 * 2 ** 20
const MAX_CHARACTERS = 4000
const MAX_PROBLEMS = 5

const promptNames = ['prompt', 'question', 'instruction', 'input', 'user']
const answerNames = ['answer', 'completion', 'response', 'output', 'assistant']

/** Throws nothing: problems are part of the result. */
export async function readPairs(name: string, text: string): Promise<OwnPairs> {
  const problems: string[] = []
  let dropped = 0
  const own: OwnPairs = { name: name.slice(0, 60), pairs: [], problems }
  const take = (line: number, row: Record<string, unknown>) => {
    const [prompt, answer] = [textOf(row, promptNames), textOf(row, answerNames)]
    const why =
      prompt === undefined
        ? t('no prompt')
        : answer === undefined
          ? t('no answer')
          : Math.max(prompt.length, answer.length) > MAX_CHARACTERS
            ? t('longer than {count} characters', { count: MAX_CHARACTERS })
            : own.pairs.length >= MAX_PAIRS
              ? t('more than {count} pairs', { count: MAX_PAIRS })
              : undefined
    if (why === undefined) own.pairs.push({ prompt: prompt!, answer: answer! })
    else if (++dropped <= MAX_PROBLEMS) problems.push(t('line {line}: {why}', { line, why }))
  }
  const start = text.trimStart()[0]
  if (start === '{' || start === '[') readJson(text, start === '[', take)
  else await readTable(text, take)
  if (dropped > MAX_PROBLEMS) problems.push(t('and {count} more', { count: dropped - MAX_PROBLEMS }))
  if (own.pairs.length === 0 && dropped === 0) problems.push(t('There is nothing in it.'))
  return own
}

type Take = (line: number, row: Record<string, unknown>) => void

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readJson(text: string, isList: boolean, take: Take): void {
  if (isList) {
    const list = parsed(text)
    const rows: unknown[] = Array.isArray(list) ? list : [undefined]
    for (const [index, row] of rows.entries()) take(index + 1, isRecord(row) ? row : {})
    return
  }
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const row = parsed(line)
    take(index + 1, isRecord(row) ? row : {})
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A table without known names in its first row has prompt and answer in its first two columns. */
async function readTable(text: string, take: Take): Promise<void> {
  const { default: papa } = await import('papaparse')
  const rows = papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { skipEmptyLines: 'greedy' }).data
  const header = rows[0]?.map((cell) => cell.trim().toLowerCase()) ?? []
  const hasHeader = header.some((name) => promptNames.includes(name) || answerNames.includes(name))
  const names = hasHeader ? header : ['prompt', 'answer']
  for (const [index, cells] of rows.entries()) {
    if (index === 0 && hasHeader) continue
    take(index + 1, Object.fromEntries(names.map((name, column) => [name, cells[column]])))
  }
}

function textOf(row: Record<string, unknown>, names: readonly string[]): string | undefined {
  for (const [key, value] of Object.entries(row))
    if (names.includes(key.toLowerCase()) && typeof value === 'string' && value.trim() !== '')
      return value.trim()
  return undefined
}
