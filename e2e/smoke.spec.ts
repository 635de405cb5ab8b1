import { expect, test } from '@playwright/test'

test('the page is cross-origin isolated and has a WebGPU adapter', async ({ page }) => {
  const response = await page.goto('./')
  expect(response?.headers()['cross-origin-opener-policy']).toBe('same-origin')
  expect(response?.headers()['cross-origin-embedder-policy']).toBe('require-corp')
  expect(await page.title()).toContain('AlignMerge Studio')
  const seen = await page.evaluate(async () => {
    const adapter = await navigator.gpu?.requestAdapter()
    return {
      isolated: crossOriginIsolated,
      hasSharedMemory: typeof SharedArrayBuffer === 'function',
      architecture: adapter?.info.architecture,
    }
  })
  expect(seen).toEqual({ isolated: true, hasSharedMemory: true, architecture: 'swiftshader' })
})

test('files are served whole and by range, and a wrong address is not found', async ({ request }) => {
  const whole = await request.get('./favicon.svg')
  expect(whole.headers()['content-type']).toBe('image/svg+xml')
  const bytes = await whole.body()
  const part = await request.get('./favicon.svg', { headers: { Range: 'bytes=5-14' } })
  expect(part.status()).toBe(206)
  expect(part.headers()['content-range']).toBe(`bytes 5-14/${bytes.length}`)
  expect(await part.body()).toEqual(bytes.subarray(5, 15))
  const past = await request.get('./favicon.svg', { headers: { Range: `bytes=${bytes.length}-` } })
  expect(past.status()).toBe(416)
  expect((await request.get('./no-such-page')).status()).toBe(404)
  expect((await request.get('./%2e%2e/package.json')).status()).toBe(404)
})
