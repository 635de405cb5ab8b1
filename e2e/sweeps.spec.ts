// A sweep over two parameters on the real engine: chosen, measured, opened by a click and by keys, runs A and B pinned.

import { expect, type Page } from '@playwright/test'
import { cellsOf, header, linkOf, test } from './studio.ts'

const labelsOf = (page: Page, map: string) =>
  page
    .getByRole('listbox', { name: map })
    .getByRole('option')
    .evaluateAll((cells) => cells.map((cell) => cell.getAttribute('aria-label') ?? ''))

test('a map of λ_align × λ_bud is measured, sets the recipe, and keeps runs A and B', async ({ page }) => {
  test.setTimeout(300_000)
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(linkOf())
  await page.locator('.sweep-settings summary').click({ timeout: 60_000 })
  await page.getByRole('button', { name: 'Two parameters' }).click()
  for (const axis of ['Across', 'Up']) {
    const count = page.getByRole('spinbutton', { name: `${axis}: points` })
    await count.fill('2')
    await count.press('Enter')
  }
  const refusal = page.getByRole('listbox', { name: 'Map of harmful refused' })
  await expect(refusal.getByRole('option')).toHaveCount(4)
  await expect(page.locator('.sweep-summary')).toContainText('4 points')
  // Without a shield and without a budget weight: the first point of the plan.
  await expect(refusal.getByRole('option').first()).toHaveAttribute('aria-label', /95 % interval/, {
    timeout: 240_000,
  })
  await expect(page.locator('.sweep-progress')).toContainText('points/s')
  const [first] = await labelsOf(page, 'Map of harmful refused')
  expect(first).toMatch(/^λ_align 0, λ_bud 0: harmful refused \d+ %/)

  // A click makes the point the recipe, with all that it takes: the numbers beside are those of the cell.
  await refusal.getByRole('option').first().click()
  await expect(page.locator('.merge-status')).toContainText('λ 0')
  await expect(page.getByRole('radio', { name: 'Margin' }).first()).toBeChecked()
  await page.getByRole('button', { name: 'Pin as A' }).click()
  const share = /refused (\d+) %/.exec(first!)![1]!
  const columnOf = async (name: RegExp) => {
    const heads = await page.locator('.numbers-table thead th').allInnerTexts()
    return heads.findIndex((head) => name.test(head)) - 1
  }
  await expect
    .poll(async () => (await cellsOf(page, 'Harmful refused'))[await columnOf(/^A:/)])
    .toMatch(new RegExp(`^${share}\\b`))

  // By keys alone: the opposite corner.
  await refusal.focus()
  await refusal.press('End')
  await refusal.press('Enter')
  await expect(page.locator('.merge-status')).toContainText('λ 1024')
  await page.getByRole('button', { name: 'Pin as B' }).click()
  await expect(
    page.getByRole('button', { name: /^Restore B: AlignMerge, λ 1024, Budget Margin$/ }),
  ).toBeVisible()
  await header(page).getByRole('button', { name: 'Cancel' }).click()
  await expect.poll(() => page.url()).toContain('#v')
  const address = page.url()

  // Pins, sweep and recipe are there again.
  await page.reload()
  await expect(
    page.getByRole('button', { name: /^Restore A: AlignMerge, λ 0, Budget Margin, λ_bud 0$/ }),
  ).toBeVisible()
  await expect(page.locator('.sweep-summary')).toContainText('4 points')
  expect(page.url()).toBe(address)
  await page.getByRole('button', { name: /^Restore A/ }).click()
  await expect.poll(() => page.url()).not.toBe(address)
  await expect(page.locator('.map-picture').first().getByText('B', { exact: true })).toBeVisible()
  expect(problems).toEqual([])
})
