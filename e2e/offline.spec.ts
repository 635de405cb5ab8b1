// After the first visit the studio needs no network, wherever it is served from and by whatever host.

import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type BrowserContext, expect, type Page } from '@playwright/test'
import { startPlainHost } from './plainHost.ts'
import { header, linkOf, measured, test } from './studio.ts'

const dist = resolve(import.meta.dirname, '../dist')

/** The other tests look past the service worker; these are about it. */
const withServiceWorker = { serviceWorkers: 'allow' } as const

async function visit(context: BrowserContext, address: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(address)
  await expect(header(page)).toBeVisible()
  return page
}

/** Opens About and waits until the whole site is kept. */
async function readyOffline(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true)
  await page.locator('details.about > summary').click()
  await expect(page.locator('.offline-line')).toContainText('Ready offline', { timeout: 90_000 })
}

test('below a path of a plain host: isolated by the service worker, and measures without the host', async ({
  browser,
}) => {
  const host = await startPlainHost(dist, '/a/b/')
  const context = await browser.newContext(withServiceWorker)
  const problems: string[] = []
  context.on('weberror', (error) => problems.push(error.error().message))
  const page = await visit(context, host.url + linkOf().slice(2))
  await readyOffline(page)
  await host.stop()

  await page.reload()
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
  expect(Number(await measured(page, 'Completions', 0))).toBe(50)
  const part = await page.evaluate(async () => {
    const response = await fetch('./selftest.safetensors', { headers: { Range: 'bytes=5-14' } })
    const past = await fetch('./selftest.safetensors', { headers: { Range: 'bytes=99000000-' } })
    return {
      status: response.status,
      range: response.headers.get('Content-Range'),
      bytes: [...new Uint8Array(await response.arrayBuffer())],
      past: past.status,
    }
  })
  const whole = readFileSync(join(dist, 'selftest.safetensors'))
  expect(part).toEqual({
    status: 206,
    range: `bytes 5-14/${whole.length}`,
    bytes: [...whole.subarray(5, 15)],
    past: 416,
  })
  expect(problems).toEqual([])
  await context.close()
})

test('a new version waits until it is let in; bytes that are not the version’s are not kept', async ({
  browser,
}) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'site-')), 'site')
  cpSync(dist, folder, { recursive: true })
  const host = await startPlainHost(folder, '/')
  const context = await browser.newContext(withServiceWorker)
  const page = await visit(context, host.url)
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true)

  // A deployment in flux: the new page is there, the list of files still names the old one, or the other way round.
  const index = readFileSync(join(folder, 'index.html'), 'utf8')
  const worker = readFileSync(join(folder, 'sw.js'), 'utf8')
  const changed = index.replace('<title>AlignMerge Studio', '<title>Newer AlignMerge Studio')
  const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32)
  expect(worker).toContain(hashOf(index))
  const changedWorker = worker.replace(hashOf(index), hashOf(changed))
  writeFileSync(join(folder, 'sw.js'), changedWorker)
  const look = () =>
    page.evaluate(() =>
      navigator.serviceWorker.getRegistration().then((found) => found?.update().then(() => {})),
    )
  await look()
  await page.waitForTimeout(1500)
  await expect(page.getByRole('status', { name: 'New version' })).toHaveCount(0)

  writeFileSync(join(folder, 'index.html'), changed)
  await look()
  const notice = page.getByRole('status', { name: 'New version' })
  await expect(notice).toBeVisible()
  // A second tab, opened meanwhile, is still the version that runs.
  const second = await visit(context, host.url)
  expect(await second.title()).toBe('AlignMerge Studio')
  await second.close()
  await notice.getByRole('button', { name: 'Reload' }).click()
  await expect(page).toHaveTitle('Newer AlignMerge Studio')
  await host.stop()
  await context.close()
})

test('on this machine the server is asked first, and the page opens without it', async ({
  browser,
  baseURL,
}) => {
  const context = await browser.newContext({ ...withServiceWorker, baseURL: baseURL! })
  const page = await visit(context, './')
  await expect.poll(() => page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true)
  const fromServer = context.waitForEvent(
    'request',
    (request) => request.serviceWorker() !== null && request.url() === baseURL,
  )
  await page.reload()
  await fromServer
  await context.setOffline(true)
  await page.reload()
  await expect(header(page)).toBeVisible()
  await context.close()
})
