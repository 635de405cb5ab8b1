// What a user does, on the built site and the real engine over the software adapter.

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { unzipSync } from 'fflate'
import {
  cellsOf,
  exportAction,
  header,
  linkOf,
  linkStart,
  measured,
  mergeColumn,
  stopBackground,
  test,
} from './studio.ts'

/** What the link of the main job must give anywhere. */
const linkedRows = [
  'Prompts',
  'Completions',
  'Harmful refused',
  'Own directions',
  'Held-out directions',
  'Other gradients',
]

async function readRows(page: Page): Promise<(string | undefined)[]> {
  const merge = await mergeColumn(page)
  for (const row of linkedRows) await measured(page, row, merge)
  return Promise.all(linkedRows.map(async (row) => (await cellsOf(page, row))[merge]))
}

// One page does the main job, is stopped on the way, and gives the link that a fresh profile opens.
test('the main job starts by itself, is cancelled and goes on, and its link gives the same numbers elsewhere', async ({
  page,
  browser,
}) => {
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await test.step('cancel stops the work and keeps what is known', async () => {
    const begun = Date.now()
    await page.goto(linkOf({ lambdaAlign: 2, seed: 7 }))
    await expect(page.locator('.plot-path, .recharts-layer path').first()).toBeAttached({ timeout: 60_000 })
    console.log(`first chart after ${((Date.now() - begun) / 1000).toFixed(1)} s`)
    await measured(page, 'Completions', 0)
    await stopBackground(page)
    expect(Number((await cellsOf(page, 'Completions'))[0]!.split(/\s+/)[0])).toBe(50)
  })
  const first =
    await test.step('run again goes on: drift, AQI, clusters and behaviour of anchor and merge', async () => {
      await header(page).getByRole('button', { name: 'Run again' }).click()
      const refusal = Number(await measured(page, 'Harmful refused', 0))
      expect(refusal).toBeGreaterThanOrEqual(90)
      const merge = await mergeColumn(page)
      await measured(page, 'Prompts', merge)
      const mergeRefusal = Number(await measured(page, 'Harmful refused', merge))
      expect(mergeRefusal).toBeLessThanOrEqual(100)
      await measured(page, 'Own directions', merge)
      await measured(page, 'Loss of answers', merge)
      const numbers = await readRows(page)
      await stopBackground(page)
      expect(problems).toEqual([])
      return { numbers, url: page.url() }
    })
  expect(first.url).toContain(linkStart)
  await page.close()
  await test.step('a fresh profile gives the same numbers to the printed digits', async () => {
    const context = await browser.newContext()
    const reader = await context.newPage()
    await reader.goto(first.url)
    expect(await readRows(reader)).toEqual(first.numbers)
    await context.close()
  })
})

test('λ on the slider writes the weights at once and changes the numbers; the second opinion agrees', async ({
  page,
}) => {
  await page.goto(linkOf({ lambdaAlign: 0 }))
  const merge = await mergeColumn(page)
  await measured(page, 'Own directions', merge)
  const before = (await cellsOf(page, 'Own directions'))[merge]
  const slider = page.getByRole('slider', { name: /Shield/ }).first()
  await slider.focus()
  for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowRight')
  await expect(page.locator('.merge-status')).toContainText('written in', { timeout: 60_000 })
  await expect
    .poll(async () => (await cellsOf(page, 'Own directions'))[merge], { timeout: 60_000 })
    .not.toBe(before)
  expect(page.url()).toContain(linkStart)
  await stopBackground(page)
  await (await exportAction(page, 'Second opinion')).click()
  await expect(page.getByText('The second opinion agrees')).toBeAttached({ timeout: 180_000 })
})

test('a dropped folder is opened and can be merged; a broken one is refused by name; an exported merge opens again', async ({
  page,
}) => {
  await page.goto(linkOf({ lambdaAlign: 16 }))
  await expect(page.getByText('5 models are loaded')).toBeAttached({ timeout: 60_000 })
  const zoo = join(import.meta.dirname, '../public/zoo/safety')
  const files = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors'].map((name) =>
    join(zoo, name),
  )
  const folder = mkdtempSync(join(tmpdir(), 'dropped-'))
  for (const path of files) writeFileSync(join(folder, path.split('/').pop()!), readFileSync(path))
  await page.getByLabel('Model folder', { exact: true }).setInputFiles(folder)
  await expect(page.locator('select', { hasText: folder.split('/').pop()! }).first()).toBeAttached({
    timeout: 60_000,
  })
  await page.getByRole('button', { name: 'Add as expert' }).click()
  await expect(page.locator('.merge-status')).toContainText('written in', { timeout: 120_000 })
  // The same folder with half of its weights: file and offset are named, the experiment stays as it was.
  const before = page.url()
  const whole = readFileSync(join(folder, 'model.safetensors'))
  writeFileSync(join(folder, 'model.safetensors'), whole.subarray(0, whole.length / 2))
  await page.getByLabel('Model folder', { exact: true }).setInputFiles(folder)
  const card = page.getByRole('alert').filter({ hasText: 'file-malformed' })
  await expect(card).toContainText('model.safetensors')
  expect(page.url()).toBe(before)
  await expect(page.locator('select', { hasText: folder.split('/').pop()! }).first()).toBeAttached()

  // Exported as a zip and opened again, the merge answers like the merge.
  await measured(page, 'Own directions', await mergeColumn(page))
  await stopBackground(page)
  const exportZip = await exportAction(page, 'Export zip')
  const [download] = await Promise.all([
    page.waitForEvent('download', { timeout: 120_000 }),
    exportZip.click(),
  ])
  const entries = unzipSync(new Uint8Array(readFileSync((await download.path())!)))
  const names = Object.keys(entries).map((name) => name.split('/').pop())
  expect(names).toEqual(
    expect.arrayContaining(['config.json', 'tokenizer.json', 'model.safetensors', 'README.md']),
  )
  const reopened = mkdtempSync(join(tmpdir(), 'merged-'))
  for (const [name, bytes] of Object.entries(entries))
    if (!name.endsWith('/')) writeFileSync(join(reopened, name.split('/').pop()!), bytes)
  await page.getByLabel('Model folder', { exact: true }).setInputFiles(reopened)
  const name = reopened.split('/').pop()!
  await expect(page.locator('select', { hasText: name }).first()).toBeAttached({ timeout: 60_000 })
  // As the only expert at λ_align 0, the re-opened folder is the merge itself. The merge answers through
  // onnxruntime-web, the folder's model through our kernels.
  await page.getByRole('button', { name: 'sort 7 1 4 3' }).click()
  await expect(page.locator('.answer:not(.is-empty)')).toHaveCount(5, { timeout: 60_000 })
  const merged = await page.locator('.answer').last().locator('p').innerText()
  await expect(page.locator('.answer').last().locator('footer')).toContainText('onnxruntime-web, WebGPU')
  await expect(page.locator('.answer').first().locator('footer')).toContainText('own kernels')
  await page.locator('select', { hasText: 'Add an expert' }).selectOption({ label: name })
  await expect(page.locator('.answers[data-stale]')).toBeAttached({ timeout: 30_000 })
  await page.getByRole('button', { name: 'sort 7 1 4 3' }).click()
  await expect(page.locator('.answer:not(.is-empty)')).toHaveCount(6, { timeout: 60_000 })
  expect(await page.locator('.answer').nth(4).locator('p').innerText()).toBe(merged)
})

test('a broken link says so and opens the default experiment', async ({ page }) => {
  await page.goto('./#v1.garbage')
  await expect(page.getByRole('alert').filter({ hasText: 'link-invalid' })).toBeVisible()
  await page.goto('about:blank')
  await page.goto('./#v99.AAAA')
  await expect(page.getByRole('alert').filter({ hasText: 'link-invalid' })).toContainText(/newer|version/i)
})

test('a micro family opens when asked for and takes part as a whole', async ({ page }) => {
  await page.goto(linkOf())
  const anchor = page.locator('#anchor-select')
  await expect(anchor).toHaveValue('built-in:anchor')
  await page.getByLabel('Small built-in family').selectOption('gemma2')
  await expect(anchor).toHaveValue('built-in:gemma2/anchor')
  await expect(page.getByLabel('Opened models').getByText('in use')).toHaveCount(3)
  await stopBackground(page)
})
