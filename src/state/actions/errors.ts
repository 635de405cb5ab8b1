import { isCancelled, toFailure } from '../failure.ts'
import { noteFault } from '../report/faults.ts'
import { readState, update } from '../store.ts'

const maxErrors = 5
let nextErrorId = 1

/** Puts an error on the panel; all other state stays as it was. A cancel is no error. */
export function reportError(action: string, error: unknown): void {
  if (isCancelled(error)) return
  const failure = toFailure(error)
  const { errors } = readState().runs
  const isKnown = errors.some((entry) => entry.action === action && entry.failure.message === failure.message)
  if (isKnown) return
  noteFault(action, error)
  update('runs', { errors: [...errors, { id: nextErrorId++, action, failure }].slice(-maxErrors) })
}

export function dismissError(id: number): void {
  update('runs', (runs) => ({ errors: runs.errors.filter((entry) => entry.id !== id) }))
}

export function announce(announcement: string): void {
  update('runs', { announcement })
}
