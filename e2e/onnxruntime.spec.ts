// Our merged weights through onnxruntime-web in the browser, all families: the same logits and the same tokens.

import { expect, test } from '@playwright/test'
import { onPage } from '../src/cli/browserPage.ts'
import type { FamilyResult } from './harness/ortFamilies.ts'

test('merges of all families through onnxruntime-web equal our forward', async () => {
  const results = await onPage(
    '/e2e/harness/ortFamilies.ts',
    'compareFamilies',
    [],
    async (page) => (await page.evaluate('compareFamilies()')) as FamilyResult[],
  )
  for (const { family, provider, attention, logitsError } of results)
    console.log(`${family} ${provider} ${attention}: ${logitsError.toExponential(1)}`)
  const families = ['phi3', 'llama', 'mistral', 'qwen2', 'gemma2']
  expect(results.map(({ family, provider }) => `${family} ${provider}`)).toEqual(
    families.flatMap((family) => [`${family} webgpu`, `${family} wasm`]),
  )
  for (const { family, provider, logitsError, isEqual } of results) {
    expect(logitsError, `${family} ${provider}`).toBeLessThan(1e-4)
    expect(isEqual, `tokens of ${family} ${provider}`).toBe(true)
  }
})
