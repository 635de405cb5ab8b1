// All methods side by side on the real engine, at the smallest number of probes: as soon as some are measured they are
// sorted, opened and exported, and a classifier of the user's scores what was answered.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import { classifierFiles, classifierGraph, tinyClassifier } from '../src/testing/tinyClassifier.ts'
import { experiment, header, linkStart, measured, mergeColumn, stopBackground, test } from './studio.ts'

/** One expert: the fewest models to measure before the first merge. */
const small = {
  ...experiment,
  experts: experiment.experts.slice(0, 1).map((expert) => ({ ...expert, weight: 1 })),
}
const link = `./${encodeLink({ experiment: small, view: { page: 'compare', aqiView: 'completions', prompt: '' } })}`

interface Row {
  label: string
  cells: string[]
}

/** Column labels, and every merge with what its cells say: the number alone, without the interval. */
async function readTable(page: Page): Promise<{ columns: string[]; rows: Row[] }> {
  return page.locator('.compare-table').evaluate((table) => {
    const heads = [...table.querySelectorAll('thead tr:last-child th button')]
    return {
      columns: heads.map((head) => (head.firstChild?.textContent ?? '').trim()),
      rows: [...table.querySelectorAll('tbody tr[data-role="merge"]')].map((row) => ({
        label: row.querySelector('th')?.textContent ?? '',
        cells: [...row.querySelectorAll('td')].map((cell) => cell.querySelector('b')?.textContent ?? ''),
      })),
    }
  })
}

const isMeasured = (row: Row) => row.cells.length > 1 && row.cells.every((cell) => cell !== '')

/** Lines of RFC 4180. */
function parseCsv(text: string): string[][] {
  return text
    .trimEnd()
    .split('\r\n')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) =>
        match[1] === undefined ? match[2]! : match[1].replaceAll('""', '"'),
      ),
    )
}

/** As the table writes them. */
const written: Record<string, (value: number) => string> = {
  refusal: (value) => (100 * value).toFixed(0),
  skill: (value) => (100 * value).toFixed(0),
  answerLoss: (value) => value.toFixed(2),
  toxicity: (value) => value.toFixed(2),
  judge: (value) => value.toFixed(2),
  aqi: (value) => value.toFixed(1),
}

test('methods are measured one by one, sorted, opened and exported; a classifier scores their answers', async ({
  page,
}) => {
  test.setTimeout(1_500_000)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(link)
  await expect
    .poll(async () => (await readTable(page)).rows.filter(isMeasured).length, { timeout: 900_000 })
    .toBeGreaterThanOrEqual(3)
  await stopBackground(page)

  // The plot has a dot for each of them, and for the anchor and the expert.
  const { columns, rows } = await readTable(page)
  const done = rows.filter((row) => row.cells[columns.indexOf('Skill')] !== '')
  expect(await page.locator('.pareto-point').count()).toBe(done.length + 2)

  // Sorted by keyboard: least gibberish first, then most.
  const numbersOf = async (column: string) =>
    (await readTable(page)).rows.filter(isMeasured).map((row) => Number(row.cells[columns.indexOf(column)]))
  const gibberish = page.getByRole('button', { name: 'Gibberish' })
  await gibberish.focus()
  await page.keyboard.press('Enter')
  const ascending = await numbersOf('Gibberish')
  expect(ascending).toEqual([...ascending].sort((a, b) => a - b))
  await page.keyboard.press('Enter')
  expect(await numbersOf('Gibberish')).toEqual([...ascending].sort((a, b) => b - a))

  // The exported numbers are those of the table.
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ])
  expect(download.suggestedFilename()).toBe('alignmerge-comparison.csv')
  const [head, ...lines] = parseCsv(readFileSync((await download.path())!, 'utf8'))
  const names: Record<string, string> = {
    refusal: 'Harmful refused',
    skill: 'Skill',
    answerLoss: 'Answer loss',
    toxicity: 'Toxicity',
    judge: 'Judge',
    aqi: 'AQI',
  }
  expect(lines).toHaveLength(rows.length + 2)
  for (const row of rows.filter(isMeasured)) {
    const line = lines.find(([label]) => label === row.label)
    for (const [id, name] of Object.entries(names)) {
      const value = line?.[head!.indexOf(id)]
      expect(written[id]!(Number(value)), `${row.label}, ${id}`).toBe(row.cells[columns.indexOf(name)])
    }
    expect(line?.at(-1)).toContain(linkStart)
  }

  // A classifier through onnxruntime in the browser: its own group, other scores, nothing decoded again.
  const before = await numbersOf('Toxicity')
  const folder = join(mkdtempSync(join(tmpdir(), 'labeller-')), 'tiny-classifier')
  mkdirSync(folder)
  const files = classifierFiles(classifierGraph(tinyClassifier(2, 3)), {
    id2label: { 0: 'fine', 1: 'toxic' },
    max_position_embeddings: 64,
  })
  for (const [name, content] of files) writeFileSync(join(folder, name), content)
  await page.getByLabel('Classifier folder').setInputFiles(folder)
  await expect(page.locator('th[scope=colgroup]', { hasText: 'Labeller: tiny-classifier' })).toBeVisible({
    timeout: 120_000,
  })
  await expect(page.getByRole('combobox', { name: 'Toxic is' })).toHaveValue('toxic')
  // Columns are one fewer now: this classifier gives no judge score.
  const toxicity = (await readTable(page)).columns.indexOf('Toxicity')
  await header(page).getByRole('button', { name: 'Run again' }).click()
  await expect
    .poll(
      async () => (await readTable(page)).rows.filter(({ cells }) => /\d/.test(cells[toxicity] ?? '')).length,
      { timeout: 240_000 },
    )
    .toBeGreaterThanOrEqual(3)
  await stopBackground(page)
  const scores = (await readTable(page)).rows
    .map(({ cells }) => cells[toxicity] ?? '')
    .filter((cell) => cell !== '')
    .map(Number)
  expect(scores.every((score) => score > 0 && score < 1)).toBe(true)
  expect(scores.slice(0, before.length)).not.toEqual(before)

  // A row's link opens that merge in the studio, with the numbers that the table had.
  const opened = (await readTable(page)).rows.find(
    ({ label, cells }) => !label.startsWith('AlignMerge') && (cells[0] ?? '') !== '',
  )
  const name = opened?.label ?? (await readTable(page)).rows.filter(({ cells }) => cells[0] !== '')[0]!.label
  const refused = (await readTable(page)).rows.find(({ label }) => label === name)!.cells[0]
  await page.getByRole('rowheader', { name, exact: true }).getByRole('link').click()
  await expect(page.getByRole('button', { name: 'Studio' })).toHaveAttribute('aria-current', 'page')
  const merge = await mergeColumn(page)
  expect(await measured(page, 'Harmful refused', merge)).toBe(refused)
  await expect(page.locator('.numbers-table thead th').last()).toContainText(
    name.startsWith('AlignMerge') ? name.replace('AlignMerge, ', 'Merge, ') : `Merge: ${name.split(',')[0]}`,
  )
  expect(problems).toEqual([])
})
