// A merge to disk in Chromium through the page itself: folders given as a user gives them, the result in the browser's
// private file system of a profile on the disk, memory of all of the browser's processes watched meanwhile.

import { type BrowserContext, chromium, type Page } from '@playwright/test'
import { findBrowser } from '../../scripts/setup.mjs'
import { commandOf, processTree, type Watched, watchMemory } from './processTree.ts'

const ARGUMENTS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-dev-shm-usage',
]

export interface BrowserJob {
  url: string
  /** folder of the browser's profile, kept between runs */
  profile: string
  folders: readonly string[]
  method: string
  /** name of the folder in the browser */
  target: string
  budgetMegabytes: number
}

export interface BrowserOutcome {
  seconds: number
  idle: number
  watched: Watched
  /** text of the line that says what was written; undefined when the browser was killed */
  result: string | undefined
}

async function open(profile: string): Promise<{ context: BrowserContext; pid: number }> {
  const browser = findBrowser()
  if (!browser) throw new Error('no Chromium')
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browser.path,
    env: { ...process.env, ...browser.env } as Record<string, string>,
    args: ARGUMENTS,
    viewport: { width: 1280, height: 900 },
  })
  // The first process below this one that knows the profile has all others below it.
  for (const pid of (await processTree(process.pid)).slice(1))
    if ((await commandOf(pid)).includes(`--user-data-dir=${profile}`)) return { context, pid }
  throw new Error('the browser’s process was not found')
}

async function fillIn(page: Page, job: BrowserJob): Promise<void> {
  await page.goto(job.url)
  await page.getByRole('button', { name: 'Merge', exact: true }).first().click()
  for (const folder of job.folders) {
    const name = folder.split('/').at(-1)!
    await page.getByLabel('Model folder').setInputFiles(folder)
    await page.getByRole('rowheader', { name, exact: true }).waitFor({ timeout: 60_000 })
  }
  await page.getByLabel('Method', { exact: true }).selectOption(job.method)
  await page.getByLabel('Folder in this browser').fill(job.target)
  await page.getByRole('spinbutton', { name: 'Memory budget' }).fill(String(job.budgetMegabytes))
  await page.getByRole('spinbutton', { name: 'Memory budget' }).press('Enter')
  await page.getByText('Fits:').waitFor()
}

/** Merges; with `killAt` (share of the bytes) the browser is killed on the way. */
export async function mergeInBrowser(job: BrowserJob, killAt?: number): Promise<BrowserOutcome> {
  const { context, pid } = await open(job.profile)
  const page = context.pages()[0] ?? (await context.newPage())
  // An idle tab of the same browser is what is taken off.
  await page.goto('about:blank')
  await page.waitForTimeout(2000)
  const resting = watchMemory(pid)
  await page.waitForTimeout(2000)
  const idle = (await resting.stop()).mean
  await fillIn(page, job)
  const watch = watchMemory(pid)
  const begun = performance.now()
  const run = page.getByRole('region', { name: 'Progress of the merge' })
  await run.getByRole('button', { name: /^(Merge|Go on with the merge)$/ }).click()
  if (killAt !== undefined) {
    await page.waitForFunction(
      (share) => {
        const bar = document.querySelector<HTMLProgressElement>('.streamed progress')
        return bar !== null && bar.value >= share * bar.max
      },
      killAt,
      { timeout: 1_800_000, polling: 50 },
    )
    for (const one of (await processTree(pid)).reverse()) {
      try {
        process.kill(one, 'SIGKILL')
      } catch {
        // It has ended with its parent.
      }
    }
    const watched = await watch.stop()
    await context.close().catch(() => undefined)
    return { seconds: (performance.now() - begun) / 1000, idle, watched, result: undefined }
  }
  const done = run.getByText(/^Written:/)
  const failed = page.getByRole('alert')
  await Promise.race([done.waitFor({ timeout: 1_800_000 }), failed.first().waitFor({ timeout: 1_800_000 })])
  const seconds = (performance.now() - begun) / 1000
  const watched = await watch.stop()
  const result = (await done.count()) > 0 ? await done.innerText() : `FAILED ${await failed.allInnerTexts()}`
  await context.close()
  return { seconds, idle, watched, result }
}
