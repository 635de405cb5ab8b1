// `npm run truth`: how far every kernel is from its float64 reference on this machine's adapter, into docs/truth.json,
// which the documentation shows.

import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { KERNELS } from '../core/kernels/index.ts'
import { type KernelTruth, measureKernel } from '../testing/measureKernel.ts'
import { openTestDevice } from '../testing/openTestDevice.ts'

export interface TruthFile {
  version: 1
  /** that computed it */
  adapter: string
  date: string
  kernels: KernelTruth[]
}

const gpu = await openTestDevice()
const kernels: KernelTruth[] = []
for (const kernel of KERNELS) {
  const truth = await measureKernel(gpu, kernel)
  kernels.push(truth)
  const worst = Math.max(...Object.values(truth.errors).map(({ error }) => error))
  console.log(`${kernel.name}: ${truth.runs} runs, ${truth.isExact ? 'exact' : worst.toExponential(1)}`)
}
const { adapter, vendor, architecture } = gpu.summary
const file: TruthFile = {
  version: 1,
  adapter: adapter || `${vendor} ${architecture}`.trim(),
  date: new Date().toISOString().slice(0, 10),
  kernels,
}
gpu.close()
const path = resolve(import.meta.dirname, '../../docs/truth.json')
await writeFile(path, `${JSON.stringify(file, null, 1)}\n`)
console.log(path)
