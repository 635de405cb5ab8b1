// One script of the sources in Chromium, as the end-to-end tests start it: a page served by Vite, with files beside it.

import { createReadStream, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { resolve, sep } from 'node:path'
import { chromium, type Page } from '@playwright/test'
import { type Connect, createServer, type ViteDevServer } from 'vite'
import playwrightConfig from '../../playwright.config.ts'

const PAGE = '/page'
/** Where the page finds the folders: this, a number, the file's name. */
export const FOLDERS = '/folders/'

/** Answers the page and, whole, the files directly inside the folders. */
function answer(script: string, folders: readonly string[]): Connect.NextHandleFunction {
  const html = `<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="${script}"></script>`
  return (request, response, next) => {
    const url = decodeURIComponent((request.url ?? '').split('?')[0])
    if (url === PAGE) {
      response.setHeader('Content-Type', 'text/html')
      response.end(html)
      return
    }
    if (!url.startsWith(FOLDERS)) return next()
    const [number, ...rest] = url.slice(FOLDERS.length).split('/')
    const folder = folders[Number(number)] ?? ''
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

function startServer(script: string, folders: readonly string[]): Promise<ViteDevServer> {
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
        name: 'alignmerge-page',
        configureServer: (server) => {
          server.middlewares.use(answer(script, folders))
        },
      },
    ],
  })
}

/**
 * Runs `work` on a page of `script` (from the root of the sources, with a leading slash) once its global function
 * `ready` is there. Rejects with what the page threw when it is not within a minute.
 */
export async function onPage<Result>(
  script: string,
  ready: string,
  folders: readonly string[],
  work: (page: Page, version: string) => Promise<Result>,
): Promise<Result> {
  const server = await startServer(
    script,
    folders.map((folder) => resolve(folder)),
  )
  const browser = await chromium.launch(playwrightConfig.use?.launchOptions ?? {})
  try {
    await server.listen()
    const { port } = server.httpServer!.address() as AddressInfo
    const page = await browser.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(`http://127.0.0.1:${port}${PAGE}`)
    await page.waitForFunction(`typeof ${ready} === "function"`, undefined, { timeout: 60_000 }).catch(() => {
      throw new Error(`the page did not start: ${errors.join('; ') || 'no error was reported'}`)
    })
    return await work(page, browser.version())
  } finally {
    await browser.close()
    await server.close()
  }
}
