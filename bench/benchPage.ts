// docs/bench.md: a section for each thing that is measured, renewed on its own.

import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

export const benchPage = resolve(import.meta.dirname, '../docs/bench.md')

/** Lines of a table. */
export function tableLines(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)]
}

/** The page with the section of this title replaced, a new one at its end; `text` begins with its heading. */
export function withSection(page: string, title: string, text: string): string {
  const parts = page.split(/^(?=## )/m)
  const at = parts.findIndex((part) => part.startsWith(`## ${title}\n`))
  if (at >= 0) parts[at] = `${text}\n`
  else parts.push(`\n${text}`)
  return `${parts.join('').trimEnd()}\n`
}

/** Renews the section of this title on the page; `lines` are what stands below its heading. */
export async function writeSection(title: string, lines: readonly string[]): Promise<void> {
  const text = [`## ${title}`, '', ...lines, ''].join('\n')
  await writeFile(benchPage, withSection(await readFile(benchPage, 'utf8'), title, text))
}
