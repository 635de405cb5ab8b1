// The cluster picture from a brush to an answer, the subspace under the slider, and a hundred thousand points.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, type Page, test } from '@playwright/test'
import { buildPointsPage, measureFrames, openPointsPage } from '../bench/points/measure.ts'
import { cellsOf, linkOf, measured, mergeColumn, stopBackground } from './studio.ts'

const surface = (page: Page) => page.getByRole('application', { name: /^Points of the clusters/ })

test('a brush lists prompts, a point shows what anchor and merge answer, by pointer and by keys', async ({
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
})

test('the subspace follows the slider, and what is stored is measured', async ({ page }) => {
  await page.goto(linkOf({ lambdaAlign: 0 }))
  const merge = await mergeColumn(page)
  await measured(page, 'Own directions', merge)
  const panel = page.getByRole('region', { name: 'Alignment subspace' })
  await panel.scrollIntoViewIfNeeded()
  const map = panel.getByRole('table', { name: 'Merge' })
  await expect(map.locator('tbody td[style]').first()).toHaveText(/\d/, { timeout: 60_000 })
  const lengths = async (set: string) => {
    await panel.getByRole('radio', { name: set }).check()
    const text = await panel.locator('.subspace-length').innerText()
    const [before, after] = (text.replace(/×.*$/, '').match(/\d+(\.\d+)?/g) ?? []).map(Number)
    const power = text
      .match(/10⁻([⁰-⁹¹²³]+)/)?.[1]
      ?.replace(/./g, (digit) => String('⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(digit)))
    const unit = 10 ** -Number(power ?? 0)
    return { before: before! * unit, after: after! * unit }
  }
  const plain = { own: await lengths('own'), heldOut: await lengths('held-out') }
  expect(plain.own.after).toBe(plain.own.before)
  expect(plain.heldOut.after).toBe(plain.heldOut.before)
  const cells = await map.locator('tbody').innerText()
  const slider = page.getByRole('slider', { name: /Shield/ }).first()
  await slider.focus()
  for (let i = 0; i < 60; i++) await page.keyboard.press('ArrowRight')
  await expect.poll(() => map.locator('tbody').innerText()).not.toBe(cells)
  const lambda = Number(await page.getByRole('spinbutton', { name: 'Shield' }).inputValue())
  expect(lambda).toBeGreaterThan(0.3)
  const shielded = { own: await lengths('own'), heldOut: await lengths('held-out') }
  expect(shielded.own.before).toBe(plain.own.before)
  // Three printed digits.
  expect(shielded.own.after / (plain.own.before / (1 + lambda))).toBeCloseTo(1, 1)
  // The merge that the engine has written, rounded to its type: summed by layer and module as measured whole.
  await panel.getByRole('checkbox', { name: 'as stored' }).check()
  const scaled = (text: string) => {
    const [mantissa, power] = text.split('×')
    const exponent = power
      ?.match(/10⁻([⁰-⁹¹²³]+)/)?.[1]
      ?.replace(/./g, (d) => String('⁰¹²³⁴⁵⁶⁷⁸⁹'.indexOf(d)))
    return Number.parseFloat(mantissa!) * 10 ** -Number(exponent ?? 0)
  }
  await expect
    .poll(
      async () => {
        const measuredWhole = scaled((await cellsOf(page, 'Held-out directions'))[merge] ?? '')
        return (await lengths('held-out')).after / measuredWhole
      },
      { timeout: 120_000 },
    )
    // Two printed digits.
    .toBeCloseTo(1, 1)
  await panel.getByRole('checkbox', { name: 'as stored' }).uncheck()
  await stopBackground(page)
  const grip = panel.getByRole('slider', { name: /^Rank m/ })
  await grip.focus()
  await page.keyboard.press('ArrowLeft')
  await expect(page.getByRole('spinbutton', { name: 'Rank' })).toHaveValue('7')
})

test('a hundred thousand points are dragged and zoomed', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'points-'))
  await buildPointsPage(folder)
  await openPointsPage(page, folder, 100_000)
  await expect(surface(page)).toHaveAccessibleName('Points of the clusters: 100000')
  const { pan, zoom } = await measureFrames(page, 3)
  console.log(
    [pan, zoom]
      .map(({ perSecond, mainMs }) => `${perSecond.toFixed(0)}/s, ${mainMs.toFixed(0)} ms CPU`)
      .join('; '),
  )
  for (const { perSecond, mainMs } of [pan, zoom]) {
    // 30 pictures a second by the work they are; by the clock a busy machine is allowed a tenth of that.
    expect(mainMs).toBeLessThan(33)
    expect(perSecond).toBeGreaterThan(3)
  }
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
  rmSync(folder, { recursive: true })
})
