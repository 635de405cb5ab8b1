// A tab that is swept for a long time: Chromium with the studio in it, what its processes hold, and the heaps of page
// and workers after a garbage collection.

import { type Browser, chromium, type Page } from '@playwright/test'
import { findBrowser } from '../../scripts/setup.mjs'
import { ownBytes, processTree } from '../large/processTree.ts'

export interface Memory {
  /** what the browser's processes hold beside files, bytes: the median of several readings */ tree: number
  /** JavaScript in use in the page, bytes */ page: number
  /** and in its workers, all together */ workers: number
}

export interface Tab {
  page: Page
  /** Memory after forced garbage collections, with nothing running. */
  memory(): Promise<Memory>
  close(): Promise<void>
}

const READINGS = 9
const READING_INTERVAL_MS = 500
/** Collections until one gives back less than a share of everything, but so many at most. */
const MAX_COLLECTIONS = 6
const STILL = 0.01

interface HeapReport {
  breakdown: { bytes: number; types: string[]; attribution: { scope: string }[] }[]
}

interface WithHeap {
  gc?: () => void
  performance: Performance & { measureUserAgentSpecificMemory?: () => Promise<HeapReport> }
}

/** JavaScript in use in page and workers after a collection, by kind of scope. Runs in the page. */
const collectedHeaps = async (): Promise<{ page: number; workers: number }> => {
  const { gc, performance } = globalThis as unknown as WithHeap
  if (!gc || !performance.measureUserAgentSpecificMemory)
    throw new Error('expected a cross-origin isolated page and --expose-gc')
  gc()
  const { breakdown } = await performance.measureUserAgentSpecificMemory()
  const sum = (isWanted: (scope: string) => boolean) =>
    breakdown
      .filter(({ attribution: [first] }) => first !== undefined && isWanted(first.scope))
      .reduce((total, { bytes }) => total + bytes, 0)
  return { page: sum((scope) => scope === 'Window'), workers: sum((scope) => scope !== 'Window') }
}

async function processOf(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = (await session.send('SystemInfo.getProcessInfo')) as {
    processInfo: { type: string; id: number }[]
  }
  await session.detach()
  return processInfo.find(({ type }) => type === 'browser')!.id
}

export async function openTab(url: string): Promise<Tab> {
  const found = findBrowser()
  if (!found) throw new Error('no Chromium')
  const browser = await chromium.launch({
    executablePath: found.path,
    env: { ...process.env, ...found.env } as Record<string, string>,
    args: [
      '--no-sandbox',
      '--enable-unsafe-webgpu',
      '--use-webgpu-adapter=swiftshader',
      '--disable-dev-shm-usage',
      // Half a dozen threads keep a young generation of up to 32 MB each, or not, as it happens: their sizes would hide
      // what stays behind.
      '--js-flags=--expose-gc --max-semi-space-size=2',
      // Collects at once when memory is measured, in workers too.
      '--enable-blink-features=ForceEagerMeasureMemory',
    ],
  })
  const root = await processOf(browser)
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const session = await page.context().newCDPSession(page)
  await page.goto(url)
  /** What the processes hold after one collection, and the heaps. */
  const collected = async (): Promise<Memory> => {
    // Caches and freed pages that the browser holds while nobody else wants them are no part of what stays behind:
    // without this a reading says how long ago the last collection was, and differs by a tenth from the next.
    await session.send('Memory.simulatePressureNotification', { level: 'critical' })
    const heaps = await page.evaluate(collectedHeaps)
    // What was collected is given back by the allocators a moment later.
    await page.waitForTimeout(3000)
    const readings: number[] = []
    for (let i = 0; i < READINGS; i++) {
      readings.push(await ownBytes(await processTree(root)))
      await page.waitForTimeout(READING_INTERVAL_MS)
    }
    return { tree: readings.sort((a, b) => a - b)[READINGS >> 1], ...heaps }
  }
  return {
    page,
    async memory() {
      // One collection frees the handles, the next what they held in other processes.
      let last = await collected()
      for (let i = 1; i < MAX_COLLECTIONS; i++) {
        const next = await collected()
        const isStill = next.tree > (1 - STILL) * last.tree
        last = next
        if (isStill) break
      }
      return last
    },
    close: () => browser.close(),
  }
}
