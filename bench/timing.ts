// How everything here is timed: warmed up, then the shortest of a few rounds, since what else runs on the machine
// only ever adds; and the table that a measurement becomes.

export interface BenchTable {
  title: string
  header: string[]
  rows: string[][]
  notes: string[]
  /** targets that were missed, in words */
  missed: string[]
}

/** Milliseconds of one `work`, which encodes and resolves when the device is idle. */
export async function timeMs(work: () => Promise<unknown>, rounds = 5): Promise<number> {
  await work()
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    await work()
    best = Math.min(best, performance.now() - start)
  }
  return best
}

/**
 * Milliseconds of one of `encode`, submitted in batches of about `batchMs` so that waiting for the queue does not
 * count; `idle` submits and waits.
 */
export async function timeBatchMs(
  encode: () => void,
  idle: () => Promise<void>,
  batchMs = 300,
): Promise<number> {
  const one = await timeMs(async () => {
    encode()
    await idle()
  }, 1)
  const count = Math.max(1, Math.min(200, Math.round(batchMs / Math.max(one, 0.05))))
  const batch = await timeMs(async () => {
    for (let i = 0; i < count; i++) encode()
    await idle()
  }, 3)
  return batch / count
}

export const formatMs = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`
export const formatRatio = (ratio: number): string => `${ratio.toFixed(2)} ×`
