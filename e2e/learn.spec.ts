// Learn: the tour from its first step to its last without a mouse, the toy by hand, the glossary, an exercise.

import { expect, type Locator, type Page } from '@playwright/test'
import { inflateSync, strFromU8 } from 'fflate'
import { tourSteps } from '../src/help/tour.ts'
import type { LinkState } from '../src/share/experiment.ts'
import { header, linkOf, stopBackground, test } from './studio.ts'

const isFocused = (locator: Locator) => locator.evaluate((element) => element === document.activeElement)

/** Presses Tab until the element has the focus. */
async function tabTo(page: Page, locator: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await expect(locator).toHaveCount(1)
  for (let presses = 0; presses < 160; presses++) {
    if (await isFocused(locator)) return
    await page.keyboard.press(key)
  }
  throw new Error(`${presses(key)} never came to ${locator}`)
}
const presses = (key: string) => `160 presses of ${key}`

async function press(page: Page, locator: Locator): Promise<void> {
  await tabTo(page, locator)
  await page.keyboard.press('Enter')
}

/** What the address says now. */
function linked(page: Page): LinkState['experiment'] {
  const content = new URL(page.url()).hash.replace(/^#v\d+\./, '')
  const { experiment } = JSON.parse(strFromU8(inflateSync(Buffer.from(content, 'base64url')))) as LinkState
  return experiment
}

const tour = (page: Page): Locator => page.getByRole('complementary', { name: 'Tour' })
const button = (within: Locator, name: string | RegExp): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' })

async function openLearn(page: Page): Promise<void> {
  await press(page, button(page.getByRole('navigation', { name: 'Pages' }), 'Learn'))
  await expect(page.getByRole('navigation', { name: 'Parts of this page' })).toBeVisible()
}

test('the whole tour by keyboard alone, and one’s own recipe after it', async ({ page }) => {
  await page.goto(linkOf({ lambdaAlign: 7, rank: 5 }))
  await stopBackground(page)
  await page.locator('body').press('Tab')
  await openLearn(page)
  await press(page, page.getByRole('button', { name: 'Start the tour' }))
  const panel = tour(page)
  for (const [index, step] of tourSteps.entries()) {
    const heading = panel.getByRole('heading', { name: step.title, exact: true })
    await expect(heading).toBeFocused()
    await expect(page.locator('[data-pointed]')).toHaveCount(1)
    if (step.task) {
      await expect(panel.getByRole('status')).toHaveText('Waiting for you')
      if (step.id === 'fall') {
        // By hand: F6 goes to the sweep, its cursor goes to the left end, F6 comes back to the text.
        await page.keyboard.press('F6')
        await tabTo(page, page.locator('.sweep').getByRole('slider'))
        await page.keyboard.press('Home')
        await page.keyboard.press('F6')
        await expect(heading).toBeFocused()
      } else if (step.id === 'certain') {
        await page.keyboard.press('F6')
        await tabTo(page, page.getByRole('slider', { name: 'Anchor', exact: true }))
        await page.keyboard.press('Shift+ArrowUp')
        await page.keyboard.press('F6')
      } else await press(page, button(panel, 'Do it for me'))
      await expect(panel.getByRole('status')).toHaveText('Done')
    }
    // What is shipped is quoted at once; nothing is measured here, as measuring was stopped.
    await expect(panel.locator('.help-text .is-pending')).toHaveCount(0)
    if (index < tourSteps.length - 1) await press(page, button(panel, 'Next'))
  }
  await press(page, button(panel, 'Finish'))
  await expect(panel).toHaveCount(0)
  await expect
    .poll(() => linked(page))
    .toMatchObject({ lambdaAlign: 7, rank: 5, experts: [{}, { origin: { id: 'task-reverse' } }] })
})

test('the tour is left in the middle, found again, and its place is kept', async ({ page }) => {
  await page.goto(linkOf({ lambdaAlign: 7 }))
  await stopBackground(page)
  await header(page).getByRole('button', { name: 'Learn' }).click()
  await page.getByRole('button', { name: 'With an uncensored expert' }).click()
  const panel = tour(page)
  await expect(panel.getByRole('heading', { level: 2 })).toHaveText('With an uncensored expert')
  await expect(page.getByRole('combobox', { name: /Expert 2/ })).toContainText('Uncensored expert')
  await page.reload()
  await header(page).getByRole('button', { name: 'Learn' }).click()
  await page.getByRole('button', { name: 'Bring my own recipe back' }).click()
  await expect.poll(() => linked(page).lambdaAlign).toBe(7)
  await expect(page.getByRole('button', { name: 'Go on with the tour' })).toBeVisible()
})

test('the toy moves by mouse and by keys; the glossary is searched; an exercise opens', async ({ page }) => {
  await page.goto(linkOf())
  await stopBackground(page)
  await header(page).getByRole('button', { name: 'Learn' }).click()
  const parts = page.getByRole('navigation', { name: 'Parts of this page' })
  await parts.getByRole('button', { name: 'Fisher toy' }).click()
  const merge = page.locator('.toy-table tr', { has: page.getByRole('rowheader', { name: 'Merge' }) })
  const before = await merge.innerText()
  const expert = page.getByRole('slider', { name: 'Expert 1', exact: true })
  const box = (await expert.locator('.toy-mark').boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.mouse.down()
  await page.mouse.move(box.x - 60, box.y - 80, { steps: 4 })
  await page.mouse.up()
  await expect(expert).not.toHaveAttribute('aria-valuetext', '3.00, −1.60')
  const dragged = await merge.innerText()
  expect(dragged).not.toBe(before)
  await expert.press('ArrowLeft')
  await expect.poll(() => merge.innerText()).not.toBe(dragged)
  // A symbol says what it is, and leads to the glossary.
  const chip = page.getByRole('button', { name: /weight of the shield/ }).first()
  await chip.focus()
  await expect(page.getByRole('tooltip')).toContainText('Each alignment coordinate is divided by 1 + λ')
  await chip.press('Enter')
  await expect(page.locator('#term-shield')).toBeFocused()
  await page.getByRole('searchbox', { name: 'Search the glossary' }).fill('over refus')
  await expect(page.locator('.glossary-entry h3').first()).toHaveText(/Over-refusal|Refusal/)
  await parts.getByRole('button', { name: 'For teachers' }).click()
  await page.getByRole('link', { name: 'Model Stock' }).click()
  await expect(page.getByRole('combobox', { name: 'Method' })).toHaveValue('model_stock')
})
