// Break it yourself: an expert is trained in the tab, its refusals are measured while it learns, and it is merged. And
// what ships with the page is there before the engine is.

import { expect } from '@playwright/test'
import { header, linkOf, measured, mergeColumn, stopBackground, test } from './studio.ts'

test('an expert is trained here, watched, used and merged', async ({ page }) => {
  await page.goto(linkOf())
  await expect(header(page).getByText(/to go/)).toBeVisible({ timeout: 60_000 })
  await stopBackground(page)
  await page.getByRole('button', { name: 'Learn', exact: true }).click()
  await page.getByRole('button', { name: 'Break it yourself' }).click()
  const training = page.getByRole('region', { name: 'Break it yourself' })
  await training.getByRole('radio', { name: /Comply with harmful requests/ }).check()
  await training.getByRole('spinbutton', { name: 'Steps' }).fill('20')
  await training.getByRole('spinbutton', { name: 'Batch' }).fill('16')
  await training.getByRole('spinbutton', { name: 'Learning rate' }).fill('0.004')
  await training.getByRole('radio', { name: '10', exact: true }).check({ force: true })
  await training.getByRole('button', { name: 'Train', exact: true }).click()
  await expect(training.getByRole('button', { name: 'Use as an expert' })).toBeVisible({ timeout: 150_000 })
  await expect(training.getByText('20 / 20, ended')).toBeVisible()
  const cells = (row: string) =>
    training
      .getByRole('row', { name: new RegExp(`^${row}`) })
      .getByRole('cell')
      .allInnerTexts()
  const [before, after] = (await cells('Refusal of harmful requests')).map(Number.parseFloat)
  expect(before).toBeGreaterThan(85)
  expect(after).toBeLessThan(50)
  const [anchor, trained] = (await cells('AQI of given completions')).map(Number.parseFloat)
  expect(anchor).toBeCloseTo(50, 1)
  expect(trained).not.toBeCloseTo(50, 1)
  // Three measures: before, at the middle, at the end.
  await expect(training.getByRole('region', { name: 'Refusals' }).locator('path.plot-path')).toHaveCount(2)
  await training.getByRole('button', { name: 'Use as an expert' }).click()
  const models = page.getByRole('combobox', { name: /Expert 3/ })
  await expect(models).toContainText('Comply with harmful requests, trained for 20 steps')
  // The link names how it was trained; nothing else could open it elsewhere.
  await expect.poll(() => page.evaluate(() => location.hash.length)).toBeGreaterThan(100)
  await header(page).getByRole('button', { name: 'Run again' }).click()
  expect(await measured(page, 'Harmful refused', await mergeColumn(page))).toMatch(/^\d+$/)
  await stopBackground(page)
  // Whoever opens the link is offered to train it again.
  await page.reload()
  await expect(page.getByRole('button', { name: /^Train it again/ })).toBeVisible({ timeout: 60_000 })
})

test('the first sweep and its clusters are there before the engine is', async ({ page }) => {
  // The engine's own script never comes: what is drawn cannot have been computed here.
  await page.route(/engine\.worker.*\.js$/, (route) => route.abort())
  await page.goto('./')
  await expect(page.locator('.sweep-plot path.plot-path').first()).toBeVisible({ timeout: 10_000 })
  await expect(page.getByText('Precomputed').first()).toBeVisible()
  const drawn = () =>
    page
      .locator('.cluster-marks path')
      .evaluateAll((paths) => Math.max(0, ...paths.map((path) => path.getAttribute('d')?.length ?? 0)))
  await expect.poll(drawn).toBeGreaterThan(2000)
})
