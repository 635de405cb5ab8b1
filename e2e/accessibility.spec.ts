// WCAG 2.2 AA by axe on every page and dialog, in every theme, wide and narrow; and what a screen reader is told first.

import AxeBuilder from '@axe-core/playwright'
import { expect, type Page, test } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import { pageNames } from '../src/share/pageNames.ts'
import { experiment, header, measured, mergeColumn, stopBackground } from './studio.ts'

const themes = ['light', 'dark', 'contrast'] as const
const widths = [1440, 390] as const
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const linkTo = (page: (typeof pageNames)[number]) =>
  `./${encodeLink({ experiment, view: { page, aqiView: 'completions', prompt: '' } })}`

/** What axe finds, in words: rule, element, what is wrong. */
async function violations(page: Page, label: string): Promise<string[]> {
  const { violations: found } = await new AxeBuilder({ page })
    .withTags(rules)
    // The border between two landmarks belongs to neither.
    .exclude('.split-border')
    .analyze()
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => {
      const why = failureSummary?.split('\n').slice(1).join(' ').trim() ?? ''
      return `${label}: ${id} at ${target.join(' ')}: ${why.slice(0, 220)}`
    }),
  )
}

async function everyLook(page: Page, label: string): Promise<string[]> {
  const found: string[] = []
  for (const width of widths) {
    await page.setViewportSize({ width, height: 900 })
    for (const theme of themes) {
      await page.evaluate((name) => {
        document.documentElement.dataset.theme = name
      }, theme)
      // Colours that fade would be measured half-way.
      await page.waitForTimeout(250)
      found.push(...(await violations(page, `${label}, ${theme}, ${width} px`)))
    }
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

test('axe finds nothing in the dialogs', async ({ page }) => {
  test.setTimeout(300_000)
  await page.goto(linkTo('studio'))
  await stopBackground(page)
  const found: string[] = []
  for (const name of ['Commands', 'Share', 'Export', 'Settings']) {
    await page.setViewportSize({ width: 1440, height: 900 })
    await header(page).getByRole('button', { name }).first().click()
    await page.waitForLoadState('networkidle')
    found.push(...(await everyLook(page, name)))
    await page.keyboard.press('Escape')
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
