// The page as an instrument: settings can be undone, borders moved, everything reached by name and by keyboard.

import { expect, type Page } from '@playwright/test'
import { header, linkOf, stopBackground, test } from './studio.ts'

const rank = (page: Page) => page.getByRole('spinbutton', { name: 'Rank' })
const method = (page: Page) => page.getByRole('combobox', { name: 'Method', exact: true })

async function open(page: Page): Promise<void> {
  await page.goto(linkOf())
  await expect(method(page)).toHaveValue('alignmerge')
  await expect(rank(page)).toBeEnabled({ timeout: 60_000 })
  await stopBackground(page)
}

test('every setting can be undone and done again, by button and by key', async ({ page }) => {
  await open(page)
  await rank(page).fill('3')
  await rank(page).press('Enter')
  await page.waitForTimeout(700)
  await method(page).selectOption('ties')
  const undo = header(page).getByRole('button', { name: 'Undo', exact: true })
  await expect(undo).toHaveAttribute('title', /^Undo: method AlignMerge → TIES/)
  await undo.click()
  await expect(method(page)).toHaveValue('alignmerge')
  await page.keyboard.press('Control+z')
  await expect(rank(page)).toHaveValue('8')
  await expect(undo).toBeDisabled()
  await page.keyboard.press('Control+Shift+z')
  await page.keyboard.press('Control+y')
  await expect(method(page)).toHaveValue('ties')
})

test('the palette does by name what the page does by hand', async ({ page }) => {
  await open(page)
  await page.keyboard.press('Control+k')
  const input = page.getByRole('combobox', { name: 'Search commands' })
  await expect(input).toBeFocused()
  await input.fill('ties merge')
  await page.getByRole('option', { name: /^Merge by TIES:/ }).click()
  await expect(method(page)).toHaveValue('ties')
  await page.keyboard.press('Control+k')
  await input.fill('margin budget')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('combobox', { name: 'Expert 2' })).toContainText('ncensored')
  await page.keyboard.press('Control+k')
  await page.keyboard.press('Escape')
  await expect(input).toBeHidden()
  await page.keyboard.press('Control+k')
  await input.fill('high contrast')
  await page.keyboard.press('Enter')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'contrast')
})

test('borders, recipes and language stay as they were left', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 })
  await open(page)
  const side = page.getByRole('complementary', { name: 'Experiment' })
  const before = (await side.boundingBox())!.width
  const border = page.getByRole('separator', { name: 'Width of the parts' }).first()
  await border.focus()
  for (let press = 0; press < 3; press++) await page.keyboard.press('ArrowRight')
  await expect.poll(async () => (await side.boundingBox())!.width).toBeGreaterThan(before + 20)
  const moved = (await side.boundingBox())!.width

  await page.getByText('Keep this recipe').click()
  await page.getByRole('textbox', { name: 'Name of the recipe' }).fill('my mixture')
  await page.getByRole('button', { name: 'Keep', exact: true }).click()
  await header(page).getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('combobox', { name: 'Language' }).selectOption('zh-Hans')
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans')

  await page.reload()
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans')
  const kept = page.getByRole('complementary').first()
  await expect.poll(async () => Math.round((await kept.boundingBox())!.width)).toBe(Math.round(moved))
  await expect(page.locator('.presets option', { hasText: 'my mixture' })).toBeAttached()
})
