// What a first visit costs: script on the wire before the first picture, the time until it stands, and what moves.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from '@playwright/test'
import { header, test } from './studio.ts'

const dist = resolve(import.meta.dirname, '../dist')
const budgetBytes = 250_000

declare global {
  interface Window {
    /** when the first line of a chart was in the page, ms since navigation; 0 before */
    firstPicture: number
    /** sum of layout shifts, as browsers score them: share of the window that moved × how far */
    moved: number
  }
}

test('script before the first picture is at most 250 kB compressed, and the engine comes after it', async ({
  page,
  baseURL,
}) => {
  await page.addInitScript(() => {
    window.firstPicture = 0
    window.moved = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.moved += (entry as unknown as { value: number }).value
    }).observe({ type: 'layout-shift', buffered: true })
    const watch = new MutationObserver(() => {
      if (!document.querySelector('.plot-path[d]:not([d=""])')) return
      window.firstPicture = performance.now()
      watch.disconnect()
    })
    watch.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['d'] })
  })
  await page.goto('./')
  await expect.poll(() => page.evaluate(() => window.firstPicture)).toBeGreaterThan(0)
  // What was under way while the picture was drawn has arrived by then, so that the page knows of it.
  await expect(header(page).locator('.engine-chip')).toContainText(/swiftshader/i, { timeout: 60_000 })
  // Scripts of the page and of its workers, on the clock of the picture.
  const { ms, before } = await page.evaluate(() => ({
    ms: window.firstPicture,
    before: performance
      .getEntriesByType('resource')
      .filter(({ startTime }) => startTime < window.firstPicture)
      .map(({ name }) => new URL(name).pathname)
      .filter((path) => /\.m?js$/.test(path)),
  }))
  const size = (path: string) =>
    gzipSync(readFileSync(resolve(dist, path.replace(new URL(baseURL!).pathname, ''))), { level: 6 }).length
  const bytes = before.reduce((sum, path) => sum + size(path), 0)
  console.log(`first picture after ${ms.toFixed(0)} ms and ${(bytes / 1000).toFixed(1)} kB of script:`)
  for (const path of before) console.log(`  ${(size(path) / 1000).toFixed(1)} kB ${path}`)
  expect(before.filter((path) => path.includes('.worker'))).toEqual([])
  expect(before.some((path) => path.includes('SweepPlot'))).toBe(true)
  expect(bytes).toBeLessThanOrEqual(budgetBytes)
  // Nothing jumps when results, models and engine arrive.
  const moved = await page.evaluate(() => window.moved)
  console.log(`moved: ${moved.toFixed(4)}`)
  expect(moved).toBeLessThan(0.02)
})
