// What fails stays where it failed, says so, and can be reported without anything private. Every fault is planted in
// the built files or in the real device; nothing in the page knows of these tests.

import { expect, type Page } from '@playwright/test'
import { breakPage, header, linkOf, measured, mergeColumn, stopBackground, test } from './studio.ts'

const secret = 'sort my own private letters'

/** Presses the button and gives what lies in the clipboard. */
async function copyReport(page: Page): Promise<string> {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.getByRole('button', { name: 'Copy report' }).first().click()
  await expect(page.getByRole('textbox', { name: 'Report' }).first()).toBeVisible()
  return page.evaluate(() => navigator.clipboard.readText())
}

test('a chart that does not arrive takes nothing else with it, and its report holds nothing private', async ({
  page,
}) => {
  await page.route('**/assets/SweepStack-*.js', (route) => route.abort())
  await page.goto(linkOf())
  const broken = page.getByRole('alert', { name: /cannot be shown/ })
  await expect(broken).toContainText('did not arrive')
  await expect(broken).toHaveCount(1)
  expect(Number(await measured(page, 'Completions', 0))).toBe(50)
  await stopBackground(page)
  await page.getByRole('textbox', { name: 'Ask all of them' }).fill(secret)
  const report = await copyReport(page)
  expect(report).toContain('swiftshader')
  expect(report).toMatch(/maxStorageBufferBindingSize \d+/)
  expect(report).toMatch(/version \d+\.\d+\.\d+, build index-/)
  expect(report).toContain('Failed to fetch dynamically imported module')
  expect(report).toContain('expert task-sort, weight 0.5')
  expect(report).toMatch(/\d+ tasks remain: \w+/)
  expect(report).toMatch(/at [\d.]+ s, Reading the built-in models/)
  expect(report).not.toContain(secret)
  expect(report).not.toContain(new URL(page.url()).hash.slice(4, 24))
})

test('a lost device is said, reported, and opened again with what was measured', async ({ page }) => {
  // The engine's own script with one line before it, which keeps hold of the device.
  await page.route('**/assets/engine.worker-*.js', async (route) => {
    const response = await route.fetch()
    const hold = `const ask = GPUAdapter.prototype.requestDevice
      GPUAdapter.prototype.requestDevice = async function (...given) {
        return (self.heldDevice = await ask.apply(this, given))
      }\n`
    await route.fulfill({ response, body: hold + (await response.text()) })
  })
  await page.goto(linkOf())
  expect(Number(await measured(page, 'Completions', 0))).toBe(50)
  const engine = page.workers().find((worker) => worker.url().includes('engine.worker'))!
  await engine.evaluate(() => (self as unknown as { heldDevice: GPUDevice }).heldDevice.destroy())
  await expect(page.locator('.engine-banner')).toContainText('device was lost')
  const report = await copyReport(page)
  expect(report).toMatch(/## Engine\nlost: /)
  await page.getByRole('button', { name: 'Reopen the engine' }).click()
  await expect(page.locator('.engine-banner')).toHaveCount(0)
  expect(Number(await measured(page, 'Completions', 0))).toBe(50)
  await expect(header(page).getByRole('button', { name: /^Self-test/ })).toBeEnabled()
  expect(Number(await measured(page, 'Completions', await mergeColumn(page)))).toBeGreaterThan(0)
})

test('a page that cannot be drawn says what happened, and settings can be reset', async ({ page }) => {
  await page.addInitScript(() => {
    if (sessionStorage.getItem('first')) return
    sessionStorage.setItem('first', 'done')
    localStorage.setItem('alignmerge-theme', 'dark')
    localStorage.setItem('alignmerge-presets', '[]')
  })
  const mend = await breakPage(page)
  await page.goto(linkOf())
  await expect(page.getByRole('heading', { name: 'The studio has stopped' })).toBeVisible()
  const report = await copyReport(page)
  expect(report).toMatch(/The page: Error, planted\n {4}at /)
  mend()
  await page.getByRole('button', { name: 'Reset settings' }).click()
  await expect(header(page)).toBeVisible()
  expect(await page.evaluate(() => ({ ...localStorage }))).toMatchObject({ 'alignmerge-presets': '[]' })
  expect(await page.evaluate(() => localStorage.getItem('alignmerge-theme'))).toBeNull()

  // What nobody caught is said as well.
  await page.evaluate(() => setTimeout(() => Promise.reject(new Error('planted rejection'))))
  await expect(page.getByRole('alert').filter({ hasText: 'planted rejection' })).toContainText('unexpected')
})
