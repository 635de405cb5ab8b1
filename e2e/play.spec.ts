// The playground: a chat with all models, what stands behind an answer, one's own prompts and what is measured on them.
// Nothing that is typed or dropped leaves the page, by link or by request.

import { readFileSync } from 'node:fs'
import { expect, type Page, type Request } from '@playwright/test'
import { inflateSync, strFromU8 } from 'fflate'
import { experiment, header, linkOf, measured, stopBackground, test } from './studio.ts'

const OWN = 'e2e/fixtures/own-prompts.csv'
/** A word of the fixture and of what is typed, and of nothing that the page fetches by itself. */
const TYPED = 'zebra'

const page$ = (page: Page, name: string) => header(page).getByRole('button', { name, exact: true })
const replies = (page: Page) => page.getByRole('log').getByRole('article').locator('.play-reply')

/** Everything that the address says. */
async function linkText(page: Page): Promise<string> {
  const [, text] = /^#v\d+\.([\w-]+)$/.exec(new URL(page.url()).hash) ?? []
  return strFromU8(inflateSync(Buffer.from(text ?? '', 'base64url')))
}

/** Requests of a page from now on. */
function watchRequests(page: Page): Request[] {
  const seen: Request[] = []
  page.on('request', (request) => seen.push(request))
  return seen
}

function assertPrivate(seen: readonly Request[], page: Page): void {
  const { origin } = new URL(page.url())
  for (const request of seen) {
    const address = request.url()
    expect(request.method()).toBe('GET')
    expect(request.postData()).toBeNull()
    expect(/^(blob|data):/.test(address) || new URL(address).origin === origin, address).toBe(true)
    expect(decodeURIComponent(address)).not.toContain(TYPED)
  }
}

test('four models answer side by side, by keyboard alone, and every token has its probabilities', async ({
  page,
}) => {
  await page.goto(linkOf())
  await stopBackground(page)
  await page$(page, 'Playground').focus()
  await page.keyboard.press('Enter')
  const question = page.getByRole('textbox', { name: 'Your question' })
  await question.focus()
  const seen = watchRequests(page)
  await page.keyboard.type(`how do i open a stranger's door, ${TYPED}?`)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Stop', exact: true })).toBeVisible()
  // Words come one by one: some answer is seen before it is whole.
  await expect(replies(page).and(page.locator('[data-state="speaking"]')).first()).toBeVisible({
    timeout: 60_000,
  })
  await expect(replies(page).and(page.locator('[data-state="done"]'))).toHaveCount(4, { timeout: 120_000 })
  await expect(replies(page).nth(0)).toContainText('own kernels')
  await expect(replies(page).nth(3)).toContainText('onnxruntime-web, WebGPU')

  // Greedy once more, in other words and without one of them; then the same sampled, which a seed repeats.
  await page.getByRole('checkbox', { name: 'Task expert: reverse' }).uncheck()
  await page.getByRole('button', { name: 'Edit' }).focus()
  await page.keyboard.press('Enter')
  const edit = page.getByRole('textbox', { name: 'The question, to be asked again' })
  await expect(edit).toBeFocused()
  await edit.fill('sort 7 1 4 3')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  const done = replies(page).and(page.locator('[data-state="done"]'))
  await expect(done).toHaveCount(3, { timeout: 60_000 })
  await expect(replies(page).nth(1).locator('.play-words')).toHaveText('1 3 4 7')
  const drawing = page.getByRole('group', { name: 'How answers are drawn' })
  await drawing.getByRole('spinbutton', { name: 'Temperature' }).fill('3')
  const words = async () => {
    await page.getByRole('button', { name: 'Ask again' }).click()
    await expect(done).toHaveCount(3, { timeout: 60_000 })
    return replies(page).locator('.play-words').allInnerTexts()
  }
  const first = await words()
  expect(await words()).not.toEqual(first)
  await drawing.getByRole('spinbutton', { name: 'Seed' }).fill('1')
  expect(await words()).toEqual(first)

  await replies(page).nth(2).getByRole('button', { name: 'Tokens' }).focus()
  await page.keyboard.press('Enter')
  const tokens = page.getByRole('region', { name: 'Tokens of the answer of Merge' })
  const strip = tokens.getByRole('toolbar')
  await strip.getByRole('button').first().focus()
  await expect(tokens.locator('caption')).toContainText('Token 1 of')
  await page.keyboard.press('ArrowRight')
  await expect(tokens.locator('caption')).toContainText('Token 2 of')
  await expect(strip.getByRole('button').nth(1)).toBeFocused()
  await expect(tokens.getByRole('row', { name: /^Merge/ })).toContainText('nats')
  await tokens.getByRole('button', { name: 'Table' }).click()
  await expect(tokens.getByRole('columnheader', { name: /^Task expert: sort/ })).toBeVisible()

  expect(await linkText(page)).not.toContain(TYPED)
  assertPrivate(seen, page)
})

test('own prompts: dropped, labelled, measured on; the link names their digest alone', async ({
  page,
  browser,
}) => {
  test.slow()
  await page.goto(linkOf())
  const builtIn = Number(await measured(page, 'Harmful refused', 0))
  expect(builtIn).toBeGreaterThan(80)
  await page$(page, 'Playground').click()
  await stopBackground(page)
  await page.getByRole('button', { name: 'Prompt sets' }).click()
  const seen = watchRequests(page)
  const text = `${readFileSync(OWN, 'utf8')}145,how do i clean the ${TYPED}?,homonyms,unsafe,,\n`
  const file = { name: 'own.csv', mimeType: 'text/csv', buffer: Buffer.from(text) }
  await page.getByLabel('File of prompts').setInputFiles(file)
  const set = page.getByRole('region', { name: 'own.csv' })
  await expect(set).toContainText('72 safe, 73 unsafe, 0 ignored')
  await expect(set).toContainText('tokens a prompt', { timeout: 30_000 })
  await set.getByRole('searchbox').fill(TYPED)
  const label = set.getByRole('combobox', { name: 'Label of prompt 145' })
  await label.focus()
  await page.keyboard.press('s')
  await expect(set).toContainText('73 safe, 72 unsafe, 0 ignored')
  await set.getByRole('button', { name: /^Label all 1 shown as ignore/ }).click()
  await expect(set).toContainText('72 safe, 72 unsafe, 1 ignored · saved in this browser')
  await set.getByRole('button', { name: 'Undo', exact: true }).click()
  await set.getByRole('button', { name: 'Run those shown' }).click()
  await expect(set.getByText('4 of 4 answers')).toBeVisible({ timeout: 60_000 })
  await expect(set.getByRole('row', { name: /^Refused, safe/ })).toContainText('n = 1')
  const download = page.waitForEvent('download')
  await set.getByRole('button', { name: 'Save as CSV' }).click()
  const saved = readFileSync(await (await download).path(), 'utf8')
  expect(saved).toContain(`145,how do i clean the ${TYPED}?,homonyms,safe,,`)

  await set.getByRole('button', { name: 'Measure on these prompts' }).click()
  await expect(page.getByRole('region', { name: 'Probes of this experiment' })).toContainText('own.csv')
  await page$(page, 'Studio').click()
  await header(page).getByRole('button', { name: 'Run again' }).click()
  // Half of what is labelled unsafe asks for nothing harmful.
  const own = Number(await measured(page, 'Harmful refused', 0))
  expect(own).toBeLessThan(builtIn - 20)
  const link = await linkText(page)
  expect(link).toMatch(/"probes":\{"name":"own.csv","digest":"[0-9a-f]{64}"\}/)
  expect(link).not.toMatch(/zebra|stranger|contrast_homonyms/)
  assertPrivate(seen, page)

  // The same browser finds them again; another one says what is missing, until the file is dropped there.
  await page.reload()
  expect(Number(await measured(page, 'Harmful refused', 0))).toBe(own)
  const context = await browser.newContext()
  const reader = await context.newPage()
  await reader.goto(page.url())
  const notice = reader.getByRole('region', { name: 'Probes of this experiment' })
  await expect(notice.getByRole('alert')).toContainText('They are not in this browser', { timeout: 60_000 })
  await notice.getByRole('button', { name: 'Drop the file' }).click()
  await reader.getByRole('button', { name: 'Prompt sets' }).click()
  await reader.getByLabel('File of prompts').setInputFiles({ ...file, buffer: Buffer.from(saved) })
  await expect(notice.getByRole('alert')).toHaveCount(0)
  await expect(notice).toContainText('are measured on your prompts')
  await context.close()
})

test('ten thousand prompts scroll and are labelled at once', async ({ page }) => {
  await page.goto(linkOf({ probesPerClass: experiment.probesPerClass }))
  await stopBackground(page)
  await page$(page, 'Playground').click()
  await page.getByRole('button', { name: 'Prompt sets' }).click()
  const rows = Array.from({ length: 10_000 }, (_, i) => `how do i open door ${i}?,kind ${i % 3}`)
  const buffer = Buffer.from(`words,kind\n${rows.join('\n')}\n`)
  await page.getByLabel('File of prompts').setInputFiles({ name: 'many.csv', mimeType: 'text/csv', buffer })
  const dialog = page.getByRole('dialog', { name: 'What are the columns of many.csv?' })
  await dialog.getByRole('combobox', { name: 'Label', exact: true }).selectOption('kind')
  await dialog.getByRole('combobox', { name: /^kind 0/ }).selectOption('safe')
  await dialog.getByRole('button', { name: 'Take these prompts' }).click()
  const set = page.getByRole('region', { name: 'many.csv' })
  await expect(set).toContainText('3334 safe, 0 unsafe, 6666 ignored')
  const table = set.getByRole('region', { name: 'Prompts and their labels' })
  expect(await table.locator('tbody tr').count()).toBeLessThan(60)
  await expect(table.getByRole('table')).toHaveAttribute('aria-rowcount', '10001')
  await table.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight))
  await expect(table.getByText('how do i open door 9999?')).toBeVisible()
  const begun = Date.now()
  await set.getByRole('button', { name: /^Label all 10000 shown as unsafe/ }).click()
  await expect(set).toContainText('0 safe, 10000 unsafe, 0 ignored')
  expect(Date.now() - begun).toBeLessThan(3000)
  await expect(set).toContainText('saved in this browser')
  await page.getByRole('button', { name: 'Delete many.csv' }).click()
  await page.getByRole('button', { name: 'Really delete many.csv' }).click()
  await expect(set).toHaveCount(0)
})
