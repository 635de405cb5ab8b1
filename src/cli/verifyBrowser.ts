// The browser half of `npm run verify -- FOLDER --browser`: the cases' files beside a page of one script in Chromium.

import { basename, join } from 'node:path'
import type { CaseResult } from '../core/evaluate/verifyFolder.ts'
import { FOLDERS, onPage } from './browserPage.ts'
import type { PageResult } from './verifyPage.ts'

/** Runs every case folder in Chromium; prints browser and adapter. */
export function runInBrowser(paths: string[], log: (line: string) => void): Promise<CaseResult[]> {
  return onPage('/src/cli/verifyPage.ts', 'verifyCases', paths, async (page, version) => {
    const names = paths.map((path) => basename(path))
    const urls = paths.map((_, i) => join(FOLDERS, String(i)))
    const call = `verifyCases(${JSON.stringify(names)}, ${JSON.stringify(urls)})`
    const { adapter, results } = (await page.evaluate(call)) as PageResult
    log(`browser: Chromium ${version}, adapter: ${adapter}`)
    return results
  })
}
