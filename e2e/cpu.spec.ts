// A browser without WebGPU: the page says what to do, merges and measures the built-in models all the same, and shows
// what came with a link. Numbers are those of a session on a device (docs/no-webgpu.md).

import { readFileSync } from 'node:fs'
import { expect, type Page } from '@playwright/test'
import { encodeLink } from '../src/share/encode.ts'
import type { PackedResults } from '../src/share/results.ts'
import { cellsOf, experiment, header, linkOf, measured, mergeColumn, stopBackground, test } from './studio.ts'

/** As in a browser that has never heard of it; the engine without it has its own worker, which does not ask. */
const hideWebGpu = (page: Page) =>
  page.addInitScript(() => {
    delete (Object.getPrototypeOf(navigator) as { gpu?: unknown }).gpu
  })

const notice = (page: Page) => page.getByRole('region', { name: 'No WebGPU' })

test.beforeEach(({ page }) => hideWebGpu(page))

test('without WebGPU the page says what to do, merges and measures', async ({ page }) => {
  const wasm: string[] = []
  page.on('request', (request) => {
    if (request.url().endsWith('.wasm')) wasm.push(request.url())
  })
  await page.goto(linkOf())
  await expect(notice(page)).toContainText('No WebGPU: the processor computes.')
  expect(await page.evaluate(() => 'gpu' in navigator)).toBe(false)
  await notice(page).getByText('How to get WebGPU').click()
  await expect(notice(page)).toContainText('113 and newer on Windows')
  await expect(notice(page)).toContainText('This browser offers no WebGPU here')
  await notice(page).getByText('How to get WebGPU').click()

  await measured(page, 'Own directions', await mergeColumn(page))
  const merge = await mergeColumn(page)
  const wanted: [string, RegExp][] = [
    ['Harmful refused', /^92 /],
    ['Harmful complied', /^3 /],
    ['reverse', /^83 /],
    ['sort', /^98 /],
  ]
  for (const [label, text] of wanted) {
    await measured(page, label, merge)
    expect((await cellsOf(page, label))[merge]?.replace(/\s+/g, ' ')).toMatch(text)
  }
  // Within rounding of the merge to bfloat16: 48.616 on a device.
  expect(Number(await measured(page, 'Completions', merge))).toBeCloseTo(48.6, 1)
  expect(Number(await measured(page, 'Own directions', merge))).toBeCloseTo(0.00035, 5)
  expect(Number(await measured(page, 'Held-out directions', merge))).toBeCloseTo(0.00071, 5)
  await stopBackground(page)

  await expect(header(page).getByRole('button', { name: 'Self-test' })).toBeDisabled()
  await page.getByRole('textbox', { name: 'Ask all of them' }).fill('sort 3 1 2')
  await page.getByRole('button', { name: 'Ask', exact: true }).click()
  await expect(page.getByText('onnxruntime-web, CPU').first()).toBeVisible()
  // The smaller build, and once.
  expect(new Set(wasm.map((url) => url.replace(/.*\/|-[\w-]{8}\.wasm$/g, '')))).toEqual(
    new Set(['ort-wasm-simd-threaded']),
  )
})

test('a geometry that is not shipped is refused, and the average is measured', async ({ page }) => {
  await page.goto(linkOf({ source: 'margin' }))
  await expect(page.getByRole('alert').filter({ hasText: 'source of A margin' })).toBeVisible()
  const average = (await mergeColumn(page)) - 1
  await measured(page, 'Harmful refused', average)
  expect((await cellsOf(page, 'Harmful refused'))[average]).toMatch(/^36/)
})

test('results that came with a link are shown', async ({ page }) => {
  const { results } = JSON.parse(readFileSync('public/results/two-tasks.json', 'utf8')) as {
    results: PackedResults
  }
  const numbers = {
    ...results,
    // Without their points they fit into an address; one number is changed, to be told from what ships.
    rows: results.rows.map(({ points: _, ...row }) =>
      JSON.parse(JSON.stringify(row).replace('50,43.4,55.9', '50,41.2,57.3')),
    ),
  } as PackedResults
  const link = encodeLink({
    experiment: { ...experiment, probesPerClass: 128, source: 'path' },
    view: { page: 'studio', aqiView: 'completions', prompt: '' },
    results: numbers,
  })
  await page.goto(`./${link}`)
  await expect(page.getByRole('region', { name: 'Results from elsewhere' })).toContainText('From the link')
  await expect(notice(page)).toBeVisible()
  await expect
    .poll(async () => (await cellsOf(page, 'Prompts'))[0]?.replace(/\s+/g, ' '))
    .toContain('41.2–57.3')
})
