// What verifyBrowser.ts runs inside Chromium: the same comparisons as in Node, over fetched files.

import { EngineError } from '../core/errors.ts'
import { verifyFamily } from '../core/evaluate/verifyFamily.ts'
import { openCheckpoint } from '../core/files/checkpoint.ts'
import { urlFolder } from '../core/files/folder.ts'
import { Gpu } from '../core/gpu/device.ts'
import type { CaseResult } from './verify.ts'

export interface PageResult {
  adapter: string
  results: CaseResult[]
}

/** Compares the family folders below `urls`, which are named by `names`. */
async function verifyCases(names: string[], urls: string[]): Promise<PageResult> {
  const gpu = await Gpu.open(navigator.gpu)
  const results: CaseResult[] = []
  for (const [i, url] of urls.entries()) {
    const name = names[i]
    try {
      const folder = urlFolder(new URL(url, location.href).href)
      results.push({ name, rows: await verifyFamily(gpu, await openCheckpoint(folder), folder) })
    } catch (error) {
      const message = error instanceof EngineError ? `${error.code}: ${error.message}` : String(error)
      results.push({ name, rows: [], error: message })
    }
  }
  const { adapter } = gpu.summary
  gpu.close()
  return { adapter, results }
}

Object.assign(globalThis, { verifyCases })
