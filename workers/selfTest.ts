// The self-test as a job: fetches the stored vectors and runs them on the engine's own device.

import { EngineError } from '../src/core/errors.ts'
import { UrlSource } from '../src/core/files/urlSource.ts'
import type { Gpu } from '../src/core/gpu/device.ts'
import { type SelfTestResult, selfTest } from '../src/core/selfTest/selfTest.ts'
import { readVectors, VECTOR_FILE } from '../src/core/selfTest/vectors.ts'
import type { Job } from './jobs.ts'

/** One level above the worker, in development and in the build alike. */
const vectorsUrl = (): string => new URL(`../${VECTOR_FILE}`, self.location.href).href

export async function runSelfTest(gpu: Gpu, job: Job): Promise<SelfTestResult> {
  job.report('reading the stored vectors', 0, 1)
  const source = await UrlSource.open(vectorsUrl(), { signal: job.signal })
  const vectors = await readVectors(source, job.signal)
  return selfTest(gpu, vectors, {
    signal: job.signal,
    onRow: ({ name }, done, total) => job.report(`self-test: ${name}`, done, total),
  })
}

/** Why no merge can be trusted to this adapter. */
export function brokenBy({ adapter, rows }: SelfTestResult): EngineError | undefined {
  const failed = rows.filter((row) => row.failed > 0)
  if (failed.length === 0) return undefined
  const names = failed.slice(0, 3).map(({ name }) => name)
  const more = failed.length > names.length ? ` and ${failed.length - names.length} more` : ''
  return new EngineError(
    'check-failed',
    `${adapter} computes wrong numbers (${names.join(', ')}${more} of ${rows.length} checks): merging is off. Update the browser or the graphics driver, or use another adapter`,
  )
}
