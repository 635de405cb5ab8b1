// npm run bench -- points [--write]: pictures per second of the studio's cluster plot in Chromium while it is dragged and
// zoomed, as SVG and as pixels, for ever more points. Decides from how many on they are pixels.

import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import playwrightConfig from '../playwright.config.ts'
import { tableLines, writeSection } from './benchPage.ts'
import { buildPointsPage, type FrameRate, measureFrames, openPointsPage } from './points/measure.ts'

const SECONDS = 4
/** pictures per second with 100 000 points */
const TARGET = 30
/** Where even a few points come to fewer than this, others are at work and the clock tells nothing of ours. */
const QUIET = 45
const counts: [count: number, renderers: ('SVG' | 'pixels')[]][] = [
  [500, ['SVG', 'pixels']],
  [2000, ['SVG', 'pixels']],
  [5000, ['SVG', 'pixels']],
  [20_000, ['SVG', 'pixels']],
  [100_000, ['pixels']],
]
const title = 'Points of the cluster plot'

const cells = ({ perSecond, p95Ms, mainMs }: FrameRate) =>
  [perSecond, p95Ms, mainMs].map((value) => value.toFixed(0))

export async function points(args: string[]): Promise<number> {
  if (args.some((arg) => arg !== '--write')) {
    console.error('usage: npm run bench -- points [--write]')
    return 2
  }
  const busy = loadavg()[0]!
  const folder = await mkdtemp(join(tmpdir(), 'points-'))
  const browser = await chromium.launch(playwrightConfig.use?.launchOptions ?? {})
  const rows: string[][] = []
  let slowest = Number.POSITIVE_INFINITY
  let floor = Number.POSITIVE_INFINITY
  let mainMs = 0
  try {
    await buildPointsPage(folder)
    for (const [count, renderers] of counts)
      for (const renderer of renderers) {
        const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
        await openPointsPage(page, folder, count, renderer === 'SVG' ? Number.MAX_SAFE_INTEGER : 0)
        const { pan, zoom } = await measureFrames(page, SECONDS)
        rows.push([count.toLocaleString('en'), renderer, ...cells(pan), ...cells(zoom)])
        console.log(rows.at(-1)!.join('  '))
        if (count === counts[0]![0]) floor = Math.min(floor, pan.perSecond, zoom.perSecond)
        if (count === 100_000) {
          slowest = Math.min(pan.perSecond, zoom.perSecond)
          mainMs = Math.max(pan.mainMs, zoom.mainMs)
        }
        await page.close()
      }
  } finally {
    await browser.close()
    await rm(folder, { recursive: true })
  }
  const isBusy = floor < QUIET
  const byWork = 1000 / mainMs
  const isMet = slowest >= TARGET || (isBusy && byWork >= TARGET)
  const work = `${mainMs.toFixed(0)} ms of CPU for a picture are ${byWork.toFixed(0)} a second`
  const verdict = isBusy
    ? `Others were at work, so that even ${counts[0]![0]} points came to ${floor.toFixed(0)}; by their own work, ${work}${isMet ? '' : ': **missed**'}.`
    : `By the clock ${slowest.toFixed(0)}${isMet ? '' : ': **missed**'}; ${work}.`
  const measures = ['pictures/s', 'p95 ms', 'CPU ms']
  const header = [
    'points',
    'drawn as',
    ...['dragging', 'zooming'].flatMap((what) => measures.map((of) => `${what}, ${of}`)),
  ]
  const version = browser.version()
  const lines = [
    ...tableLines(header, rows),
    '',
    `The studio’s own component, built for release, 640 × 360 CSS pixels, a real pointer and a real wheel for ${SECONDS} s each;`,
    'a picture counts when its contents have moved; CPU: of the page’s main thread, for one picture. No graphics card:',
    'Chromium draws in software,',
    `Chromium ${version} on ${cpus().length} × ${cpus()[0]!.model.trim()}, ${busy.toFixed(0)} other processes at work.`,
    `Target: at least ${TARGET} pictures a second with 100 000 points. ${verdict}`,
  ]
  if (args.includes('--write')) await writeSection(title, lines)
  return isMet ? 0 : 1
}
