// The cluster picture from a brush to an answer, the subspace under the slider, and a hundred thousand points.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { buildPointsPage, measureFrames, openPointsPage } from '../bench/points/measure.ts'
import { cellsOf, header, linkOf, measured, mergeColumn, stopBackground, test } from './studio.ts'

const exponentOf = (digits: string | undefined) =>
  Number([...(digits ?? '⁰')].map((digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)).join(''))
/** A number as the page prints it, e.g. 7.6 × 10⁻⁵. */
const scaled = (text: string) =>
  Number.parseFloat(text) * 10 ** -exponentOf(/10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+)/.exec(text)?.[1])

const surface = (page: Page) => page.getByRole('application', { name: /^Points of the clusters/ })

// Both need the same ten seconds of measuring, so one page goes on with the other's.
test('a brush lists prompts, a point shows answers, by pointer and by keys; the subspace follows the slider', async ({
  page,
}) => {
  await page.goto(linkOf())
  const merge = await mergeColumn(page)
  await measured(page, 'Completions', merge)
  await measured(page, 'Harmful refused', merge)
  // Both clouds: 64 of each class.
  await expect(surface(page)).toHaveAccessibleName('Points of the clusters: 256', { timeout: 60_000 })
  await stopBackground(page)
  const plot = surface(page)
  await plot.scrollIntoViewIfNeeded()
  const box = (await plot.boundingBox())!
  await page.mouse.move(box.x + 2, box.y + 2)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2, box.y + box.height - 4, { steps: 4 })
  await page.mouse.up()
  const list = page.getByRole('region', { name: 'Selected points' })
  await expect(list.getByRole('heading')).toHaveText(/^\d+ selected$/)
  expect(Number.parseInt(await list.getByRole('heading').innerText(), 10)).toBeGreaterThan(20)
  // Verdicts of anchor and merge of a whole page, without a further word.
  const rows = list.getByRole('row')
  await expect
    .poll(() => list.locator('.chip').count(), { timeout: 60_000 })
    .toBe(2 * ((await rows.count()) - 1))
  const first = rows.nth(1)
  const prompt = (await first.getByRole('button').innerText()).split('\n')[0]!
  const verdicts = await first.locator('.chip').allInnerTexts()
  await first.getByRole('button').click()
  const card = page.getByRole('region', { name: 'The open point' })
  await expect(card.locator('.point-prompt')).toHaveText(prompt)
  expect(await card.locator('.chip').allInnerTexts()).toEqual(verdicts)
  await expect(card.getByText(/^moved \d+\.\d\d σ$/)).toBeVisible()
  for (const answer of await card.locator('.point-answer').allInnerTexts()) expect(answer).toMatch(/\S/)
  // The same prompt asked in the panel below is answered alike.
  await page.locator('#prompt-text').fill(prompt)
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await expect(page.locator('.answer:not(.is-empty)')).toHaveCount(4, { timeout: 60_000 })
  expect(await page.locator('.answer').first().locator('p').innerText()).toBe(
    await card.locator('.point-answer').first().innerText(),
  )
  await page.keyboard.press('Escape')
  await plot.focus()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await expect(list).toHaveCount(0)
  await page.keyboard.press('ArrowRight')
  const tip = plot.getByRole('status')
  await expect(tip).toContainText(/^(anchor|merge), (safe|unsafe)/)
  const shown = await tip.locator('q').first().innerText()
  await page.keyboard.press('Enter')
  await expect(card.locator('.point-prompt')).toHaveText(shown)
  await page.keyboard.press('+')
  await expect(page.getByRole('button', { name: /^Show the whole picture, now 1\.5 times/ })).toBeVisible()

  // The subspace follows the slider, and what is stored is measured.
  await header(page).getByRole('button', { name: 'Run again' }).click()
  await measured(page, 'Held-out directions', merge)
  const whole = scaled((await cellsOf(page, 'Held-out directions'))[merge]!)
  const panel = page.getByRole('region', { name: 'Alignment subspace' })
  await panel.scrollIntoViewIfNeeded()
  const map = panel.getByRole('table', { name: 'Merge' })
  await expect(map.locator('tbody td[style]').first()).toHaveText(/\d/, { timeout: 60_000 })
  const lengths = async () => {
    const text = await panel.locator('.subspace-length').innerText()
    const found = /D before (\S+), after (\S+)(?: × 10⁻([⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/.exec(text)!
    const unit = 10 ** -exponentOf(found[3])
    return { before: Number(found[1]) * unit, after: Number(found[2]) * unit }
  }
  // The merge that the engine has written, rounded to its type: summed by layer and module as measured whole.
  await panel.getByRole('radio', { name: 'held-out' }).check()
  await panel.getByRole('checkbox', { name: 'as stored' }).check()
  await expect
    .poll(async () => (await lengths()).after / whole, { timeout: 90_000 })
    // The table prints two digits.
    .toBeCloseTo(1, 1)
  await stopBackground(page)
  await panel.getByRole('checkbox', { name: 'as stored' }).uncheck()
  await panel.getByRole('radio', { name: 'own' }).check()
  const shielded = await lengths()
  expect(shielded.after / shielded.before).toBeCloseTo(1 / 5, 2)
  const cells = await map.locator('tbody').innerText()
  const slider = page.getByRole('slider', { name: /Shield/ }).first()
  await slider.focus()
  for (let i = 0; i < 3; i++) await page.keyboard.press('PageDown')
  await expect.poll(() => map.locator('tbody').innerText()).not.toBe(cells)
  const lambda = Number(await page.getByRole('spinbutton', { name: 'Shield' }).inputValue())
  expect(lambda).toBeLessThan(2)
  await expect.poll(async () => (await lengths()).after / shielded.before).toBeCloseTo(1 / (1 + lambda), 2)
  expect((await lengths()).before).toBe(shielded.before)
  const grip = panel.getByRole('slider', { name: /^Rank m/ })
  await grip.focus()
  await page.keyboard.press('ArrowLeft')
  await expect(page.getByRole('spinbutton', { name: 'Rank' })).toHaveValue('7')
})

test('a hundred thousand points are dragged and zoomed', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'points-'))
  await buildPointsPage(folder)
  // What a picture costs whatever is in it: axes, and how busy the machine is.
  await openPointsPage(page, folder, 400, 0)
  const few = await measureFrames(page, 1.5)
  await openPointsPage(page, folder, 100_000)
  await expect(surface(page)).toHaveAccessibleName('Points of the clusters: 100000')
  const many = await measureFrames(page, 2.5)
  // Pointing and brushing find their points at once among so many.
  await page.getByRole('button', { name: 'Select', exact: true }).click()
  await page.getByRole('button', { name: /^Show the whole picture/ }).click()
  const box = (await surface(page).boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await expect(surface(page).getByRole('status')).toBeVisible()
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2 + 40, box.y + box.height / 2 + 40, { steps: 3 })
  await page.mouse.up()
  await expect(page.getByRole('region', { name: 'Selected points' }).getByRole('heading')).toHaveText(
    /^\d{3,} selected$/,
  )
  // Once more, as another journey may have begun beside this one meanwhile.
  await openPointsPage(page, folder, 400, 0)
  const after = await measureFrames(page, 1.5)
  for (const hand of ['pan', 'zoom'] as const) {
    const { perSecond, mainMs } = many[hand]
    console.log(
      `${hand}: ${perSecond.toFixed(0)}/s, ${mainMs.toFixed(0)} ms CPU, ${few[hand].mainMs.toFixed(0)} without`,
    )
    // 30 pictures a second are 33 ms each; of them the points may take this much.
    expect(mainMs - few[hand].mainMs).toBeLessThan(22)
    expect(perSecond).toBeGreaterThan(Math.min(few[hand].perSecond, after[hand].perSecond) / 4)
  }
  rmSync(folder, { recursive: true })
})
