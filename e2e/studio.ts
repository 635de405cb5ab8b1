// What the journeys share: a small experiment as a link, and waiting for what the page shows.

import { test as base, expect, type Locator, type Page } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import { builtInExperiment, twoTasks } from '../src/share/parameters.ts'
import { currentVersion } from '../src/share/upgrades.ts'
import type { Experiment } from '../workers/api.ts'

/** Every journey ends with what it intercepts answered: a request in flight when its page closes would fail it. */
export const test = base.extend({
  page: async ({ page }, use) => {
    await use(page)
    if (!page.isClosed()) await page.unrouteAll({ behavior: 'wait' })
  },
})

/** The default experiment at the smallest number of probes, so that a journey takes seconds. */
export const experiment = builtInExperiment(twoTasks, { references: {}, probesPerClass: 64 })

export function linkOf(change: Partial<Experiment> = {}): string {
  return `./${encodeLink({ experiment: { ...experiment, ...change }, view: { page: 'studio', aqiView: 'completions', prompt: '' } })}`
}

/** How links begin now. */
export const linkStart = `#v${currentVersion}.`

export const header = (page: Page): Locator => page.getByRole('banner')

/** Opens the menu of what can be done with the merge and gives one of its lines. */
export async function exportAction(page: Page, name: string): Promise<Locator> {
  await header(page).getByRole('button', { name: 'Export', exact: true }).click()
  return page.getByRole('button', { name, exact: true })
}

/** The cells of a row of the numbers table, by the row's label. */
export async function cellsOf(page: Page, label: string): Promise<string[]> {
  const row = page.locator('.numbers-table tr', {
    has: page.locator('th[scope=row]', { hasText: new RegExp(`^${label}$`) }),
  })
  return row.locator('td').allInnerTexts()
}

/** Waits until a cell holds a number or a word, and gives its first word. */
export async function measured(page: Page, label: string, column: number): Promise<string> {
  await expect
    .poll(async () => (await cellsOf(page, label))[column]?.trim() ?? '', { timeout: 120_000 })
    .toMatch(/[\dA-Za-z]/)
  return (await cellsOf(page, label))[column]!.trim().split(/\s+/)[0]!
}

/** Column of the merge: the last one. */
export const mergeColumn = async (page: Page): Promise<number> =>
  (await page.locator('.numbers-table thead th').count()) - 2

/** Stops background work, so that a journey pays for nothing it does not look at. */
export async function stopBackground(page: Page): Promise<void> {
  await header(page).getByRole('button', { name: 'Cancel' }).click()
  await expect(header(page).getByText('Stopped; results are kept')).toBeVisible()
}

/** The first words of the page throw instead when it is loaded next, until the returned function is called. */
export async function breakPage(page: Page): Promise<() => void> {
  let isBroken = true
  await page.route('**/assets/index-*.js', async (route) => {
    const response = await route.fetch()
    const text = await response.text()
    const words = /[`"']Skip to the charts[`"']/
    const body = isBroken ? text.replace(words, '(()=>{throw Error("planted")})()') : text
    return route.fulfill({ response, body })
  })
  return () => {
    isBroken = false
  }
}
