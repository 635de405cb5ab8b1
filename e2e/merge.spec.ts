// Merging to disk in the browser: what is found before, the merge, and a GGUF with the rounding of each weight.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@playwright/test'
import { linkOf, stopBackground, test } from './studio.ts'

test('merge to disk: pre-flight, a merge of built-in models, written as GGUF', async ({ page }) => {
  await page.goto(linkOf())
  await stopBackground(page)
  await page.getByRole('button', { name: 'Merge', exact: true }).click()
  const view = page.getByRole('region', { name: 'Merge to disk' })
  const add = view.getByLabel('Add a known model')
  for (const name of ['anchor', 'task-sort', 'uncensored']) {
    await add.selectOption(name)
    await expect(view.getByRole('rowheader', { name })).toBeVisible()
  }
  const preflight = view.getByRole('region', { name: 'Pre-flight' })
  await expect(preflight.getByRole('status')).toContainText('Nothing was found that speaks against')
  await expect(preflight).toContainText('anchor: safetensors, apache-2.0')
  await expect(preflight).toContainText(/About \d+ s here/)

  await view.locator('label', { hasText: 'GGUF Q8_0' }).click()
  const run = view.getByRole('region', { name: 'Progress of the merge' })
  await run.getByRole('button', { name: 'Merge' }).click()
  await expect(run.getByRole('status')).toContainText(/Written: .* in 1 file/, { timeout: 120_000 })
  const rows = run.getByRole('table').locator('tbody tr')
  await expect(rows).not.toHaveCount(0)
  const errors = (await rows.locator('td:nth-child(3)').allInnerTexts()).map(Number)
  // Worst first; eight bits with a scale for 32 lose less than one in a hundred.
  expect(errors).toEqual([...errors].sort((a, b) => b - a))
  expect(errors[0]).toBeGreaterThan(1e-4)
  expect(errors[0]).toBeLessThan(1e-2)
  const files = await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory()
    const merges = await root.getDirectoryHandle('merges')
    const folder = await merges.getDirectoryHandle('merge')
    const names: string[] = []
    for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) names.push(name)
    return names.sort()
  })
  expect(files).toContain('merge-Q8_0.gguf')
  expect(files.filter((name) => name.endsWith('.safetensors'))).toEqual([])

  // What was made is not written over, can be taken out of the browser, used, and deleted.
  await run.getByRole('button', { name: 'Merge' }).click()
  await expect(view.getByText(/merge holds a model already .*: choose another name/)).toBeVisible()
  const kept = view.getByRole('region', { name: 'Merges in this browser' })
  const downloads: string[] = []
  page.on('download', (download) => downloads.push(download.suggestedFilename()))
  await kept.getByRole('button', { name: 'Save to disk' }).click()
  await expect.poll(() => [...downloads].sort()).toEqual(files)
  await kept.getByRole('button', { name: 'Use in the studio' }).click()
  await expect(page.getByRole('combobox', { name: /^Add an expert/ })).toContainText('merge', {
    timeout: 60_000,
  })
  await page.getByRole('button', { name: 'Merge', exact: true }).click()
  await kept.getByRole('button', { name: 'Delete merge' }).click()
  await kept.getByRole('button', { name: 'Really delete merge' }).click()
  await expect(kept).toBeHidden()
})

test('merge to disk: a family that does not fit is named before anything is read', async ({ page }) => {
  await page.goto(linkOf())
  await stopBackground(page)
  await page.getByRole('button', { name: 'Merge', exact: true }).click()
  const view = page.getByRole('region', { name: 'Merge to disk' })
  await view.getByLabel('Add a known model').selectOption('anchor')
  const folder = mkdtempSync(join(tmpdir(), 'mamba-'))
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ architectures: ['MambaForCausalLM'], hidden_size: 8 }),
  )
  await view.getByLabel('Model folder').setInputFiles(folder)
  const preflight = view.getByRole('region', { name: 'Pre-flight' })
  await expect(preflight.getByRole('alert')).toContainText('cannot be merged')
  await expect(preflight).toContainText('MambaForCausalLM')
  // It stands in the list with what is wrong, takes no part, and can be removed.
  const row = view.getByRole('row').filter({ hasText: 'cannot be opened' })
  await expect(row).toContainText('has no weights')
  await expect(row.getByRole('combobox')).toHaveValue('unused')
  await row.getByRole('button', { name: 'Remove' }).click()
  await expect(row).toHaveCount(0)
  await expect(preflight.getByRole('status')).toContainText('Nothing was found that speaks against')
  // It was chosen while the other was still being opened; neither was lost.
  await expect(view.getByRole('rowheader', { name: 'anchor' })).toBeVisible()
  // An adapter lies on the first model.
  await view.getByLabel('Model folder').setInputFiles('public/zoo/task-sort-lora')
  await expect(view.getByRole('row').filter({ hasText: 'task-sort-lora' })).toContainText('LoRA rank')
})
