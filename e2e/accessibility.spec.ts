// WCAG 2.2 AA by axe on every page and dialog, in every theme, wide and narrow; and what a screen reader is told first.

import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import { pageNames } from '../src/share/pageNames.ts'
import { experiment, header, measured, mergeColumn, stopBackground } from './studio.ts'

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

/** What axe finds, in words: rule, element, what is wrong. */
async function violations(page: Page, label: string, isColoursOnly: boolean): Promise<string[]> {
  // The border between two landmarks belongs to neither.
  const builder = new AxeBuilder({ page }).exclude('.split-border')
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

async function everyLook(page: Page, label: string, wanted: readonly Look[] = looks): Promise<string[]> {
  const found: string[] = []
  for (const { width, theme } of wanted) {
    await page.setViewportSize({ width, height: 900 })
    await page.evaluate((name) => {
      document.documentElement.dataset.theme = name
    }, theme)
    // Colours that fade would be measured half-way.
    await page.waitForTimeout(250)
    // Names, roles and sizes are the same in every theme.
    found.push(...(await violations(page, `${label}, ${theme}, ${width} px`, theme !== 'light')))
  }
  return found
}

test('axe finds nothing on any page, in any theme, wide or narrow', async ({ page }) => {
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
    for (const summary of await page.locator('main details:not([open]) > summary').all())
      if (await summary.isVisible()) await summary.click()
    found.push(...(await everyLook(page, name)))
  }
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
    found.push(...(await everyLook(page, name, looksOver)))
    await page.keyboard.press('Escape')
  }
  for (const name of ['index', 'truth', 'methods', 'readme']) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.goto(`./docs/${name}.html`)
    found.push(...(await violations(page, `docs/${name}`, false)))
  }
  expect(found).toEqual([])
})

test('a screen reader meets one title, named regions, and controls that all have a name', async ({
  page,
}) => {
  await page.goto(linkTo('studio'))
  await stopBackground(page)
  for (const name of pageNames) {
    await page.locator('.page-tabs button').nth(pageNames.indexOf(name)).click()
    await expect(page.locator(`main[data-page="${name}"]`)).toBeVisible()
    await page.waitForLoadState('networkidle')
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
    expect(nameless, name).toEqual([])
  }
})
