// How everything here is timed: warmed up, then the shortest of a few rounds, since what else runs on the machine
// only ever adds; and the table that a measurement becomes.

// On a software adapter the device is threads of this process, and their CPU time is the work done, whatever else
// the machine does meanwhile; a real device is timed by the clock on the wall.
let isCpuTime = false
export function chooseClock(isSoftware: boolean): string {
  isCpuTime = isSoftware
  return isSoftware ? 'CPU time of the process, all cores added' : 'time on the clock'
}

/** Milliseconds of the chosen clock. */
export function nowMs(): number {
  if (!isCpuTime) return performance.now()
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

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
    const start = nowMs()
    await work()
    best = Math.min(best, nowMs() - start)
  }
  return best
}

/**
 * Milliseconds of one of `encode`, submitted in batches of about `batchMs` so that waiting for the queue does not
 * count; `idle` submits and waits. Many short rounds: on a busy machine some of them are left alone.
 */
export async function timeBatchMs(
  encode: () => void,
  idle: () => Promise<unknown>,
  rounds = 12,
  batchMs = 40,
): Promise<number> {
  const batch = (count: number) => async () => {
    for (let i = 0; i < count; i++) encode()
    await idle()
  }
  const one = await timeMs(batch(1), 2)
  const count = Math.max(1, Math.min(200, Math.round(batchMs / Math.max(one, 0.05))))
  return (await timeMs(batch(count), rounds)) / count
}

export const formatMs = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`
export const formatRatio = (ratio: number): string => `${ratio.toFixed(2)} ×`
