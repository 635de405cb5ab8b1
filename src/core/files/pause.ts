// Waiting that a cancel ends at once.

import { throwIfCancelled } from '../errors.ts'

/** Resolves after `ms` milliseconds; rejects `cancelled` when the signal is raised. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  throwIfCancelled(signal)
  await new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      // A long download waits often: its signal must not collect listeners.
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
  throwIfCancelled(signal)
}
