// Builds the page of made-up points as the studio is built, opens it in Chromium, and counts pictures while a real
// pointer drags and a real wheel zooms.

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from '@playwright/test'
import react from '@vitejs/plugin-react'
import { build } from 'vite'

/** Served by a route of the browser, so that no server is needed. */
const ORIGIN = 'http://points.invalid'

/** The page in `folder`. */
export async function buildPointsPage(folder: string): Promise<void> {
  // Test runners and dev servers leave another mode here, which would build React with its checks.
  const before = process.env.NODE_ENV
  process.env.NODE_ENV = 'production'
  try {
    await build({
      configFile: false,
      root: import.meta.dirname,
      base: './',
      logLevel: 'error',
      plugins: [react()],
      build: { outDir: resolve(folder), emptyOutDir: true, target: 'esnext' },
    })
  } finally {
    if (before === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = before
  }
}

/** Opens a built page with `count` points. */
export async function openPointsPage(
  page: Page,
  folder: string,
  count: number,
  pixelsAbove?: number,
): Promise<void> {
  await page.route(`${ORIGIN}/**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice(1) || 'index.html'
    const path = join(resolve(folder), name)
    if (existsSync(path)) await route.fulfill({ path })
    else await route.fulfill({ status: 404 })
  })
  const limit = pixelsAbove === undefined ? '' : `&pixelsAbove=${pixelsAbove}`
  await page.goto(`${ORIGIN}/?count=${count}${limit}`)
  await page.locator('.plot-surface').waitFor()
}

export interface FrameRate {
  /** pictures per second in which the window has moved */ perSecond: number
  /** 95th percentile of the time between two of them */ p95Ms: number
  /** CPU time of the page's main thread for one of them, which a busy machine does not lengthen much */ mainMs: number
}

/** Notes every picture in which the first mean has moved, from inside the page. */
async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const times: number[] = []
    let last = ''
    const look = (now: number) => {
      const place = document.querySelector('.cluster-marks polygon')?.getAttribute('points') ?? ''
      if (place !== last) times.push(now)
      last = place
      requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
    Object.assign(globalThis, { frameTimes: times })
  })
}

const framesOf = (page: Page): Promise<number[]> =>
  page.evaluate(() => (globalThis as unknown as { frameTimes: number[] }).frameTimes.splice(0))

/** CPU time that the page's main thread has spent on tasks, ms. */
async function cpuClock(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN)
  }
}

function rateOf(times: readonly number[], cpuMs: number): FrameRate {
  const gaps = times.slice(1).map((time, at) => time - times[at]!)
  const total = gaps.reduce((sum, gap) => sum + gap, 0)
  const sorted = [...gaps].sort((a, b) => a - b)
  return {
    perSecond: total > 0 ? (1000 * gaps.length) / total : 0,
    p95Ms: sorted[Math.floor(0.95 * sorted.length)] ?? Number.POSITIVE_INFINITY,
    mainMs: cpuMs / Math.max(1, times.length),
  }
}

/** Drags the picture about for `seconds`, then zooms in and out for as long. */
export async function measureFrames(
  page: Page,
  seconds: number,
): Promise<{ pan: FrameRate; zoom: FrameRate }> {
  const box = (await page.locator('.plot-surface').boundingBox())!
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
  await page.getByRole('button', { name: 'Move', exact: true }).click()
  await watchFrames(page)
  const cpu = await cpuClock(page)
  const until = (from: number) => performance.now() - from < 1000 * seconds
  await page.mouse.move(x, y)
  await page.mouse.down()
  const begun = await cpu()
  const dragging = performance.now()
  for (let step = 1; until(dragging); step++)
    await page.mouse.move(x + 120 * Math.sin(step / 9), y + 60 * Math.cos(step / 13))
  await page.mouse.up()
  const turned = await cpu()
  const pan = rateOf(await framesOf(page), turned - begun)
  const zooming = performance.now()
  for (let step = 0; until(zooming); step++) await page.mouse.wheel(0, step % 60 < 30 ? -25 : 25)
  return { pan, zoom: rateOf(await framesOf(page), (await cpu()) - turned) }
}
