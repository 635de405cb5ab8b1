// Every kernel against stored vectors, on the adapter at hand. A failure is remembered on this machine, so that the same
// adapter is tried again before anything is merged on it.

import type { SelfTestResult } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { readState, update } from '../store.ts'
import { announce } from './errors.ts'
import { runForeground } from './runner.ts'

const memoryKey = 'alignmerge-selftest-failed'

/** Adapter that failed last; storage may be closed to us, and then nothing is remembered. */
function failedAdapter(): string | null {
  try {
    return localStorage.getItem(memoryKey)
  } catch {
    return null
  }
}

function remember({ adapter, passed }: SelfTestResult): void {
  try {
    if (!passed) localStorage.setItem(memoryKey, adapter)
    else if (failedAdapter() === adapter) localStorage.removeItem(memoryKey)
  } catch {
    // The next visit has to be told again.
  }
}

export async function askSelfTest(): Promise<SelfTestResult | undefined> {
  const selfTest = await runForeground(
    t('Self-test'),
    async (port, id) => {
      const result = await port.selfTest(id)
      // Inside the job: background work goes on when it ends, and must know by then.
      update('models', { selfTest: result })
      return result
    },
    { needsGeometry: false },
  )
  if (!selfTest) return undefined
  remember(selfTest)
  const failed = selfTest.rows.filter((row) => row.failed > 0).length
  announce(
    selfTest.passed
      ? t('The self-test passed: {count} rows', { count: selfTest.rows.length })
      : t('The self-test failed in {failed} of {count} rows; merging is off', {
          failed,
          count: selfTest.rows.length,
        }),
  )
  return selfTest
}

/** At the start: an adapter that failed before is tested first. */
export async function retestFailedAdapter(): Promise<void> {
  const { engine } = readState().models
  if (engine.kind === 'ready' && failedAdapter() === engine.info.adapter) await askSelfTest()
}
