// The browser half of `npm run verify -- FOLDER --browser`: Chromium as the end-to-end tests start it, a page
// of one script served from the sources by Vite, and the cases' files beside it.

import { createReadStream, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { basename, join, resolve, sep } from 'node:path'
import { chromium } from '@playwright/test'
import { type Connect, createServer, type ViteDevServer } from 'vite'
import playwrightConfig from '../../playwright.config.ts'
import type { CaseResult } from '../core/evaluate/verifyFolder.ts'
import type { PageResult } from './verifyPage.ts'

const PAGE = '/verify'
const CASES = '/cases/'
const html =
  '<!doctype html><meta charset="utf-8"><title>verify</title><script type="module" src="/src/cli/verifyPage.ts"></script>'

/** Answers the page and, whole, the files directly inside the case folders: CASES + number + name. */
function answer(paths: string[]): Connect.NextHandleFunction {
  return (request, response, next) => {
    const url = decodeURIComponent((request.url ?? '').split('?')[0])
    if (url === PAGE) {
      response.setHeader('Content-Type', 'text/html')
      response.end(html)
      return
    }
    if (!url.startsWith(CASES)) return next()
    const [number, ...rest] = url.slice(CASES.length).split('/')
    const folder = paths[Number(number)] ?? ''
    const file = resolve(folder, rest.join('/'))
    const found = file.startsWith(folder + sep) ? statSync(file, { throwIfNoEntry: false }) : undefined
    response.statusCode = found?.isFile() ? 200 : 404
    if (response.statusCode === 404) {
      response.end()
      return
    }
    response.setHeader('Content-Type', 'application/octet-stream')
    response.setHeader('Content-Length', found?.size ?? 0)
    createReadStream(file).pipe(response)
  }
}

function startServer(paths: string[]): Promise<ViteDevServer> {
  return createServer({
    root: resolve(import.meta.dirname, '../..'),
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    // ml-matrix has dependencies in the old module format, which a browser cannot load as they are.
    optimizeDeps: { noDiscovery: true, include: ['ml-matrix'] },
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null },
    plugins: [
      {
        name: 'alignmerge-verify',
        configureServer: (server) => {
          server.middlewares.use(answer(paths))
        },
      },
    ],
  })
}

/** Runs every case folder in Chromium; prints browser and adapter. */
export async function runInBrowser(paths: string[], log: (line: string) => void): Promise<CaseResult[]> {
  const server = await startServer(paths.map((path) => resolve(path)))
  const browser = await chromium.launch(playwrightConfig.use?.launchOptions ?? {})
  try {
    await server.listen()
    const { port } = server.httpServer!.address() as AddressInfo
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${port}${PAGE}`)
    await page
      .waitForFunction('typeof verifyCases === "function"', undefined, { timeout: 60_000 })
      .catch(() => {
        throw new Error(`the page did not start: ${errors.join('; ') || 'no error was reported'}`)
      })
    const names = paths.map((path) => basename(path))
    const urls = paths.map((_, i) => join(CASES, String(i)))
    const call = `verifyCases(${JSON.stringify(names)}, ${JSON.stringify(urls)})`
    const { adapter, results } = (await page.evaluate(call)) as PageResult
    log(`browser: Chromium ${browser.version()}, adapter: ${adapter}`)
    return results
  } finally {
    await browser.close()
    await server.close()
  }
}
