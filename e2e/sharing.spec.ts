// Sharing on the built page: a link with results read where nothing can be computed and replaced by an own run, models
// elsewhere that are asked about first, a frame without controls, links of every version, pictures and tables saved, a
// merge pushed to a hub on this machine.

import { readFileSync } from 'node:fs'
import { type Browser, type BrowserContext, type Download, expect, type Page } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import { type HubServer, startHubServer } from '../src/testing/hubServer.ts'
import { storedLinks } from '../src/testing/storedLinks.ts'
import { cellsOf, experiment, header, linkOf, measured, mergeColumn, test } from './studio.ts'

const TOKEN = 'hf_writeswriteswrites'
let hub: HubServer
test.beforeAll(async () => {
  hub = await startHubServer(new Map(), { writers: { owners: new Map([[TOKEN, 'me']]) } })
})
test.afterAll(() => hub.close())
test.beforeEach(() => {
  hub.log.length = 0
})

/** A visitor whose browser computes nothing: no worker of the page arrives. */
async function readerOf(browser: Browser, baseURL: string): Promise<BrowserContext> {
  const context = await browser.newContext({ baseURL, viewport: { width: 390, height: 844 } })
  await context.route(/worker.*\.js/, (route) => route.abort())
  return context
}

const notice = (page: Page) => page.getByRole('region', { name: 'Results from elsewhere' })
const panel = (page: Page, name: RegExp) => page.getByRole('region', { name })

async function saved(page: Page, of: string, form: string): Promise<Buffer> {
  await page.getByRole('button', { name: `Save ${of}` }).click()
  const [download] = (await Promise.all([
    page.waitForEvent('download'),
    page
      .getByRole('group', { name: `Save ${of}` })
      .getByRole('button', { name: form })
      .click(),
  ])) as [Download, unknown]
  return readFileSync(await download.path())
}

test('a link brings its results, is marked, and gives way to an own run that agrees', async ({
  page,
  browser,
  baseURL,
}) => {
  await page.goto(linkOf())
  await measured(page, 'Harmful refused', await mergeColumn(page))
  await measured(page, 'Harmful refused', 0)
  await header(page).getByRole('button', { name: 'Cancel' }).click()

  await test.step('panels are saved as pictures and numbers', async () => {
    const svg = (await saved(page, 'the sweep', 'Picture, SVG')).toString()
    expect(svg).toContain('harmful refused')
    expect(svg).not.toMatch(/var\(--|class=|<script|foreignObject/)
    const png = await saved(page, 'the clusters', 'Picture, PNG')
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    expect(png.length).toBeGreaterThan(5000)
    // At the foot of the window, where there is no room under the button.
    const button = page.getByRole('button', { name: 'Save the numbers' })
    await button.evaluate((element) => element.scrollIntoView({ block: 'end' }))
    const csv = (await saved(page, 'the numbers', 'Numbers, CSV')).toString()
    expect(csv).toMatch(/^subject,method,lambda_align,weights,quantity,unit,value,low,high,n,note\n/)
    expect(csv).toMatch(/\nmerge,alignmerge,4,0\.5\S* 0\.5\S*,refusal,share,0?\.?\d/)
  })

  await header(page).getByRole('button', { name: 'Share' }).click()
  const dialog = page.getByRole('dialog', { name: 'Share' })
  const address = await dialog.getByRole('textbox', { name: 'Link' }).inputValue()
  expect(new URL(address).hash.length).toBeLessThanOrEqual(16_385)
  await expect(dialog).toContainText('characters, with all')

  await test.step('the merge is pushed with its card, and the token stays nowhere', async () => {
    await dialog.getByRole('tab', { name: 'Push to hub' }).click()
    await dialog.getByRole('textbox', { name: 'Repository' }).fill('me/merge')
    await dialog.getByLabel('Token that may write').fill(TOKEN)
    await dialog.getByLabel('Hub', { exact: true }).fill(hub.url)
    await dialog.getByRole('button', { name: 'Push the merge' }).click()
    await expect(dialog.getByRole('link', { name: `${hub.url}/me/merge` })).toBeVisible({ timeout: 120_000 })
    const files = hub.repos.get('me/merge')!.files
    expect(files.get('model.safetensors')!.length).toBeGreaterThan(500_000)
    expect(new TextDecoder().decode(files.get('README.md'))).toContain('Anchor: anchor')
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, location.href]),
    )
    expect(kept).not.toContain(TOKEN)
  })

  const refused = (await cellsOf(page, 'Harmful refused'))[await mergeColumn(page)]!.split(/\s/)[0]!
  const reader = await readerOf(browser, baseURL!)
  const phone = await reader.newPage()
  await phone.goto(address)
  await expect(notice(phone)).toContainText('From the link')
  await expect(panel(phone, /^Sweep/).getByText('from the link', { exact: true })).toBeVisible()
  await expect(panel(phone, /^Sweep/).locator('.sweep-progress')).toContainText(/\d of 10 from the link/)
  expect((await cellsOf(phone, 'Harmful refused'))[await mergeColumn(phone)]).toContain(refused)
  await test.step('on a phone pictures and numbers stand before the recipe, for eyes and for keys', async () => {
    const top = async (selector: string) => (await phone.locator(selector).boundingBox())!.y
    // It begins in the first screen, although a banner above it says that no engine came.
    expect(await top('.sweep')).toBeLessThan(800)
    expect(await top('.numbers')).toBeLessThan(await top('#recipe'))
    await header(phone).getByRole('button', { name: 'Settings' }).focus()
    await phone.keyboard.press('Tab')
    await expect(phone.getByRole('button', { name: '↓ Recipe' })).toBeFocused()
    await phone.keyboard.press('Enter')
    await expect(phone.locator('#recipe')).toBeFocused()
    await expect(phone.locator('#recipe')).toBeInViewport()
    await phone.keyboard.press('Tab')
    await phone.keyboard.press('Enter')
    await expect(phone.getByRole('main')).toBeFocused()
    await expect(header(phone)).toBeInViewport()
  })
  await reader.close()

  const other = await browser.newContext({ baseURL: baseURL! })
  const own = await other.newPage()
  await own.goto(address)
  await expect(panel(own, /^Clusters/).getByText('from the link')).toBeVisible()
  // Anchor and merge are measured first; the same seed on the same machine gives the same numbers.
  await expect(panel(own, /^Clusters/).getByText('from the link')).toHaveCount(0, { timeout: 120_000 })
  await expect(notice(own)).toContainText(
    /measured [1-9]\d* of \d+ numbers: [1-9]\d* equal, \d+ within the interval, 0 outside/,
  )
  await other.close()
})

test('a link to models elsewhere asks first, and nothing is fetched before', async ({ page }) => {
  const origin = { kind: 'hub', repo: 'owner/model', revision: 'ab'.repeat(20), hub: hub.url } as const
  const link = encodeLink({
    experiment: { ...experiment, experts: [{ origin, weight: 1 }] },
    view: { page: 'studio', aqiView: 'completions', prompt: '' },
  })
  await page.goto(`./${link}`)
  const question = page.getByRole('alertdialog')
  await expect(question).toContainText(new URL(hub.url).host)
  await expect(question).toContainText(`owner/model @ ${'ab'.repeat(20)}`)
  await page.waitForTimeout(1500)
  expect(hub.log).toEqual([])
  await question.getByRole('button', { name: 'Open without them' }).click()
  await expect(question).toHaveCount(0)
  await page.waitForTimeout(500)
  expect(hub.log).toEqual([])
  await page.reload()
  await page.getByRole('button', { name: 'Fetch from these hosts' }).click()
  await expect.poll(() => hub.log.length, { timeout: 60_000 }).toBeGreaterThan(0)
})

test('a frame has charts and numbers and nothing to set; parts are left out for a class', async ({
  page,
}) => {
  const v4 = storedLinks.at(-1)!.hash
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(`./?embed${v4}`)
  await expect(page.getByRole('region', { name: /^Sweep/ })).toContainText('harmful refused')
  expect((await cellsOf(page, 'Harmful refused')).filter((cell) => /\d/.test(cell)).length).toBeGreaterThan(3)
  await expect(page.getByRole('banner', { name: '' }).getByRole('navigation')).toHaveCount(0)
  await expect(page.locator('input:visible, select:visible, textarea:visible')).toHaveCount(0)
  await expect(page.locator('[role=slider]:not([aria-disabled=true]):visible')).toHaveCount(0)
  expect(asked.filter((url) => /\/zoo\/|worker/.test(url))).toEqual([])
  const open = page.getByRole('link', { name: 'Open in the studio' })
  expect(await open.getAttribute('href')).toMatch(/^\/#v4\./)

  await page.goto(`./?hide=library,recipe,commands,export${v4}`)
  await expect(header(page).getByRole('button', { name: 'Share' })).toBeVisible()
  await expect(header(page).getByRole('button', { name: 'Library' })).toHaveCount(0)
  await expect(header(page).getByRole('button', { name: /Commands/ })).toHaveCount(0)
  await expect(page.getByRole('heading', { name: 'Method' })).toHaveCount(0)
})

test('a link of every version opens', async ({ page }) => {
  for (const { version, hash, method, page: name } of storedLinks) {
    await page.goto('about:blank')
    await page.goto(`./${hash}`)
    await test.step(`version ${version}`, async () => {
      if (version === 3) await page.getByRole('button', { name: 'Open without them' }).click()
      // The comparison shows all methods; there is none to choose.
      if (name === 'compare') await expect(page.getByRole('region', { name: 'Methods' })).toBeVisible()
      else await expect(page.getByLabel('Method', { exact: true })).toHaveValue(method)
      const tab = { studio: 'Studio', compare: 'Compare' }[name]!
      await expect(header(page).getByRole('button', { name: tab })).toHaveAttribute('aria-current', 'page')
      await expect(page.getByText('This link cannot be read')).toHaveCount(0)
    })
  }
})
