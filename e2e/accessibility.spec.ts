// WCAG 2.2 AA by axe on every page, dialog and notice, in every theme, wide and narrow; and what a screen reader is told
// first.

import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import { pageNames } from '../src/share/pageNames.ts'
import { breakPage, experiment, header, measured, mergeColumn, stopBackground, test } from './studio.ts'

const looks = [
  { width: 1440, theme: 'light' },
  { width: 1440, theme: 'dark' },
  { width: 1440, theme: 'contrast' },
  { width: 390, theme: 'light' },
  { width: 390, theme: 'dark' },
] as const
type Look = (typeof looks)[number]
/** What lies over the page; the page itself has been looked at. */
const looksOver = looks.filter(({ width, theme }) => theme !== 'dark' || width === 390)
const colours = ['color-contrast', 'link-in-text-block']
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const linkTo = (page: (typeof pageNames)[number]) =>
  `./${encodeLink({ experiment, view: { page, aqiView: 'completions', prompt: '' } })}`

interface What {
  /** for lists of what was found */
  label: string
  /** selectors of the parts to look at; the whole page when missing */
  parts?: readonly string[]
}

/** What axe finds, in words: rule, element, what is wrong. */
async function violations(
  page: Page,
  { label, parts = [] }: What,
  isColoursOnly: boolean,
): Promise<string[]> {
  // In the page itself and without what passes, as there are no frames: most of the time went into carrying both to a
  // page of axe's own. The border between two landmarks belongs to neither.
  const builder = new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .setLegacyMode()
    .exclude('.split-border')
  for (const part of parts) builder.include(part)
  const { violations: found } = await (isColoursOnly
    ? builder.withRules(colours)
    : builder.withTags(rules)
  ).analyze()
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => {
      const why = failureSummary?.split('\n').slice(1).join(' ').trim() ?? ''
      return `${label}: ${id} at ${target.join(' ')}: ${why.slice(0, 220)}`
    }),
  )
}

/** Until charts have taken their new width, and nothing fades: colours would be measured half-way. */
async function settled(page: Page, isResized: boolean): Promise<void> {
  if (isResized) await page.waitForTimeout(200)
  await page.evaluate(async () => {
    await Promise.allSettled(document.getAnimations().map((animation) => animation.finished))
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame)
  })
}

/** The page stays as it is loaded: its width and its theme are changed in place. */
async function everyLook(page: Page, what: What, wanted: readonly Look[] = looks): Promise<string[]> {
  const found: string[] = []
  for (const { width, theme } of wanted) {
    const isResized = page.viewportSize()?.width !== width
    if (isResized) await page.setViewportSize({ width, height: 900 })
    await page.evaluate((name) => {
      document.documentElement.dataset.theme = name
    }, theme)
    await settled(page, isResized)
    // Names, roles and sizes are the same in every theme.
    const label = `${what.label}, ${theme}, ${width} px`
    found.push(...(await violations(page, { ...what, label }, theme !== 'light')))
  }
  return found
}

/** One title, one main part, and in the tree of a screen reader no control without a name. */
async function isReadable(page: Page, label: string): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
  await expect(page.getByRole('main')).toHaveCount(1)
  const tree = await page.locator('body').ariaSnapshot()
  // A role without a name in the tree: "- button" followed by nothing.
  const nameless = tree
    .split('\n')
    .filter((line) =>
      /^\s*- (button|link|textbox|combobox|slider|checkbox|radio|spinbutton|switch|tab|dialog)(?= *$| \[|:? *$)/.test(
        line,
      ),
    )
  expect(nameless, label).toEqual([])
}

const openAll = async (page: Page) => {
  for (const summary of await page.locator('main details:not([open]) > summary').all())
    if (await summary.isVisible()) await summary.click()
}

test('on every page, in any theme, wide or narrow, axe finds nothing, and a screen reader meets one title and controls that all have a name', async ({
  page,
}) => {
  test.setTimeout(600_000)
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto(linkTo('studio'))
  await measured(page, 'Own directions', await mergeColumn(page))
  await stopBackground(page)
  const found: string[] = []
  for (const name of pageNames) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.locator('.page-tabs button').nth(pageNames.indexOf(name)).click()
    await expect(page.locator(`main[data-page="${name}"]`)).toBeVisible()
    await page.waitForLoadState('networkidle')
    await isReadable(page, name)
    await openAll(page)
    found.push(...(await everyLook(page, { label: name })))
  }
  expect(found).toEqual([])
})

/** In place of the engine without WebGPU: refuses to open, or opens and then says no more. */
const cpuEngine = {
  refuses: `{ type: 'HANDLER', name: 'throw', value: { kind: 'engine', code: 'gpu-unavailable', message: 'planted', where: {} } }`,
  opens: `{ type: 'RAW', value: { adapter: 'CPU', vendor: '', architecture: '', isFallback: true, isCpu: true, hasF16: false, maxBindingBytes: 0 } }`,
}

test('axe finds nothing where there is no WebGPU, nor on the page of an error', async ({ page }) => {
  test.setTimeout(300_000)
  await page.addInitScript(() => {
    delete (Object.getPrototypeOf(navigator) as { gpu?: unknown }).gpu
  })
  let answer = cpuEngine.refuses
  await page.route('**/assets/cpuEngine.worker-*.js', async (route) => {
    // With the headers of the site, without which no browser starts a worker of it.
    const response = await route.fetch()
    const body = `onmessage = ({ data: { id, path } }) => path?.[0] === 'open' && postMessage({ id, ...${answer} })`
    return route.fulfill({ response, body })
  })
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto(linkTo('studio'))
  await expect(page.getByRole('heading', { name: 'This browser gives the page no WebGPU' })).toBeVisible()
  const found = await everyLook(page, { label: 'nothing computes' }, looksOver)

  await page.getByRole('main').getByRole('button', { name: 'Learn' }).click()
  await expect(page.getByRole('region', { name: 'No WebGPU' })).toBeVisible()
  await openAll(page)
  found.push(
    ...(await everyLook(page, { label: 'Learn without an engine', parts: ['.without-gpu'] }, looksOver)),
  )

  answer = cpuEngine.opens
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.reload()
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name: 'Studio' }).click()
  await expect(page.getByRole('region', { name: 'No WebGPU' })).toContainText('the processor computes')
  await openAll(page)
  // What is off without gradients is part of the recipe.
  await expect(page.getByRole('spinbutton', { name: 'Rounds' })).toBeDisabled()
  found.push(
    ...(await everyLook(page, { label: 'no WebGPU', parts: ['.without-gpu', '#recipe'] }, looksOver)),
  )

  await breakPage(page)
  await page.reload()
  await expect(page.getByRole('heading', { name: 'The studio has stopped' })).toBeVisible()
  found.push(...(await everyLook(page, { label: 'an error' }, looksOver)))
  expect(found).toEqual([])
})

test('axe finds nothing in the dialogs, nor in the documentation', async ({ page }) => {
  test.setTimeout(300_000)
  await page.goto(linkTo('studio'))
  await stopBackground(page)
  const found: string[] = []
  for (const name of ['Commands', 'Share', 'Export', 'Settings']) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await header(page).getByRole('button', { name }).first().click()
    await page.waitForLoadState('networkidle')
    found.push(...(await everyLook(page, { label: name }, looksOver)))
    await page.keyboard.press('Escape')
  }
  for (const name of ['index', 'truth', 'methods', 'readme']) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.goto(`./docs/${name}.html`)
    found.push(...(await violations(page, { label: `docs/${name}` }, false)))
  }
  expect(found).toEqual([])
})
