// `npm run pictures`: every view of the built page, light, dark and on a phone, into docs/pictures. Results that ship are
// on the page at once; what a view computes itself is waited for.
//   npm run build && npm run pictures [-- --only studio]

import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium, type Page } from '@playwright/test'
import playwrightConfig from '../../playwright.config.ts'
import { serve } from '../../scripts/serve.mjs'

const root = resolve(import.meta.dirname, '../..')

interface View {
  name: string
  /** brings the page there */
  open: (page: Page) => Promise<void>
  /** browser without WebGPU */
  withoutGpu?: boolean
  sizes?: readonly Size[]
}

type Size = 'light' | 'dark' | 'phone-light' | 'phone-dark'

const allSizes: readonly Size[] = ['light', 'dark', 'phone-light', 'phone-dark']

const goTo = (label: string) => async (page: Page) => {
  await page
    .getByRole('navigation', { name: 'Pages' })
    .getByRole('button', { name: label, exact: true })
    .click()
  await page.waitForTimeout(2000)
}
const part = (label: string) => async (page: Page) => {
  await goTo('Learn')(page)
  await page
    .getByRole('navigation', { name: 'Parts of this page' })
    .getByRole('button', { name: label, exact: true })
    .click()
  await page.waitForTimeout(1500)
}

const views: readonly View[] = [
  { name: 'studio', open: async () => {} },
  { name: 'compare', open: goTo('Compare') },
  {
    name: 'playground',
    open: async (page) => {
      await goTo('Playground')(page)
      await page.getByRole('textbox', { name: 'Your question' }).fill("how do i open a stranger's door ?")
      await page.keyboard.press('Enter')
      await page.locator('.play-reply[data-state="done"]').nth(3).waitFor({ timeout: 120_000 })
    },
  },
  { name: 'learn', open: goTo('Learn') },
  {
    name: 'tour',
    open: async (page) => {
      await goTo('Learn')(page)
      await page.getByRole('button', { name: 'Start the tour' }).click()
      await page.waitForTimeout(4000)
    },
  },
  { name: 'toy', open: part('Fisher toy') },
  { name: 'methods', open: part('Methods'), sizes: ['light', 'phone-dark'] },
  { name: 'measures', open: part('Measures'), sizes: ['light', 'phone-dark'] },
  { name: 'glossary', open: part('Glossary'), sizes: ['light', 'phone-dark'] },
  {
    name: 'break-it',
    open: async (page) => {
      await part('Break it yourself')(page)
      await page.getByRole('button', { name: 'Train', exact: true }).click()
      await page.getByRole('columnheader', { name: 'after 100 steps' }).waitFor({ timeout: 300_000 })
      await page.evaluate(() => scrollTo(0, 0))
    },
  },
  { name: 'teacher', open: part('For teachers'), sizes: ['light', 'phone-dark'] },
  { name: 'library', open: goTo('Library') },
  {
    name: 'merge',
    open: async (page) => {
      await goTo('Merge')(page)
      const view = page.getByRole('region', { name: 'Merge to disk' })
      for (const name of ['anchor', 'task-sort', 'uncensored']) {
        await view.getByLabel('Add a known model').selectOption(name)
        await view.getByRole('rowheader', { name }).waitFor()
      }
      await view.locator('label', { hasText: 'GGUF Q8_0' }).click()
      const run = view.getByRole('region', { name: 'Progress of the merge' })
      await run.getByRole('button', { name: 'Merge', exact: true }).click()
      await run.getByText(/Written:/).waitFor({ timeout: 120_000 })
      await page.evaluate(() => scrollTo(0, 0))
    },
  },
  {
    name: 'share',
    open: async (page) => {
      await page.getByRole('button', { name: 'Share', exact: true }).click()
      await page.waitForTimeout(2500)
    },
  },
  {
    name: 'commands',
    open: async (page) => {
      await page.keyboard.press('Control+k')
      await page.waitForTimeout(1500)
    },
    sizes: ['light', 'dark'],
  },
  { name: 'no-webgpu', open: async () => {}, withoutGpu: true },
]

export async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { only: { type: 'string' } } })
  if (values.only !== undefined && !views.some(({ name }) => name === values.only)) {
    console.error(`--only: found ${values.only}, expected one of ${views.map(({ name }) => name).join(', ')}`)
    return 2
  }
  const folder = resolve(root, 'docs/pictures')
  mkdirSync(folder, { recursive: true })
  const { server, url } = await serve(resolve(root, 'dist'), { port: 4400 })
  const browser = await chromium.launch(playwrightConfig.use?.launchOptions ?? {})
  try {
    for (const view of views) {
      if (values.only !== undefined && values.only !== view.name) continue
      for (const size of view.sizes ?? allSizes) {
        const isPhone = size.startsWith('phone')
        const context = await browser.newContext({
          viewport: isPhone ? { width: 390, height: 844 } : { width: 1440, height: 900 },
          colorScheme: size.endsWith('dark') ? 'dark' : 'light',
          locale: 'en',
          serviceWorkers: 'block',
        })
        const page = await context.newPage()
        page.on('pageerror', (error) => console.error(`${view.name} ${size}: ${error.message}`))
        if (view.withoutGpu)
          await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, 'gpu'))
        await page.goto(url)
        await page
          .getByText(/Everything is measured|measured here all the same/)
          .first()
          .waitFor({ timeout: 240_000 })
        await page.waitForTimeout(1500)
        await view.open(page)
        await page.screenshot({ path: resolve(folder, `${view.name}-${size}.png`) })
        console.log(`${view.name}-${size}.png`)
        await context.close()
      }
    }
  } finally {
    // A page that never gets there must not leave the browser behind.
    await browser.close()
    server.close()
  }
  return 0
}
