// The self-test in the browser: right numbers are told, wrong ones turn merging off.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect } from '@playwright/test'
import { readSafetensorsHeader } from '../src/core/files/safetensors.ts'
import { MemorySource } from '../src/core/files/source.ts'
import { exportAction, header, linkOf, stopBackground, test } from './studio.ts'

const vectors = new Uint8Array(readFileSync(resolve(import.meta.dirname, '../public/selftest.safetensors')))

test('self-test: every kernel and family agrees here, and a wrong number turns merging off', async ({
  page,
}) => {
  await page.goto(linkOf())
  await stopBackground(page)
  const button = header(page).getByRole('button', { name: /^Self-test/ })
  await button.click()
  const panel = page.getByRole('region', { name: 'Self-test' })
  await expect(panel).toContainText('checks agree', { timeout: 180_000 })
  await expect(panel.getByText('differs', { exact: true })).toHaveCount(0)
  for (const row of ['matmul', 'rmsNorm', 'model: gemma2', 'model: phi3'])
    await expect(panel.getByRole('row', { name: row }).first()).toContainText('agrees')

  // The same file with one number of one kernel's results changed: as if the driver had computed another one.
  const { tensors } = await readSafetensorsHeader(new MemorySource(vectors, 'selftest.safetensors'))
  const wrong = vectors.slice()
  new DataView(wrong.buffer).setFloat32(tensors.get('columnSum/0/f32/out')!.begin, 1e6, true)
  await page.route('**/selftest.safetensors', (route) =>
    route.fulfill({ body: Buffer.from(wrong), contentType: 'application/octet-stream' }),
  )
  await button.click()
  await expect(panel.getByRole('alert')).toContainText('nothing is merged', { timeout: 180_000 })
  await expect(panel.getByRole('row', { name: 'columnSum' }).first()).toContainText('differs')
  await (await exportAction(page, 'Export zip')).click()
  await expect(
    page.getByText(/computes wrong numbers \(columnSum of \d+ checks\): merging is off/),
  ).toBeVisible()
})
