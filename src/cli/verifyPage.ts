// What verifyBrowser.ts runs inside Chromium: the same comparisons as in Node, over fetched files.

import { type CaseResult, verifyFolder } from '../core/evaluate/verifyFolder.ts'
import { urlFolder } from '../core/files/folder.ts'
import { Gpu } from '../core/gpu/device.ts'

export interface PageResult {
  adapter: string
  results: CaseResult[]
}

/** Compares the family folders below `urls`, which are named by `names`. */
async function verifyCases(names: string[], urls: string[]): Promise<PageResult> {
  const gpu = await Gpu.open(navigator.gpu)
  const results: CaseResult[] = []
  for (const [i, url] of urls.entries()) {
    const folder = urlFolder(new URL(url, location.href).href)
    results.push(await verifyFolder(gpu, names[i], folder))
  }
  const { adapter } = gpu.summary
  gpu.close()
  return { adapter, results }
}

Object.assign(globalThis, { verifyCases })
