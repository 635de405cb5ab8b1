import { createServer } from 'node:net'
import { defineConfig } from '@playwright/test'
import { findBrowser, installHint } from './scripts/setup.mjs'

const browser = findBrowser()
if (!browser) throw new Error(installHint)

// Every worker process reads this file again, so the port is chosen once and handed down.
async function freePort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return String(typeof address === 'object' && address ? address.port : 4173)
}
process.env.ALIGNMERGE_PORT ??= await freePort()
const url = `http://localhost:${process.env.ALIGNMERGE_PORT}/`

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  timeout: 240_000,
  expect: { timeout: 30_000 },
  // Files share no port, folder or file: every test has its own browser context, every server a free port.
  workers: 2,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list'], ['json', { outputFile: process.env.ALIGNMERGE_E2E_JSON ?? 'test-results/e2e.json' }]],
  use: {
    baseURL: url,
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    // To record each step takes a tenth of the processor's time, so it is done when asked for.
    trace: process.env.ALIGNMERGE_TRACE ? 'retain-on-failure' : 'off',
    // A page that keeps itself would hide what the tests change of it; e2e/offline.spec.ts lets it.
    serviceWorkers: 'block',
    launchOptions: {
      executablePath: browser.path,
      env: { ...process.env, ...browser.env } as Record<string, string>,
      args: [
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        '--disable-dev-shm-usage',
      ],
    },
  },
  webServer: {
    command: `node scripts/start.mjs --no-open --port ${process.env.ALIGNMERGE_PORT}`,
    url,
    timeout: 120_000,
    reuseExistingServer: false,
  },
})
