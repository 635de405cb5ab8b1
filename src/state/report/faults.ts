// What a report will need when something fails: the last failures with their stacks and the last lines of progress.
// Nothing leaves the page; the user copies the report, or does not.

import { EngineError } from '../../core/errors.ts'
import { useStudio } from '../store.ts'

export interface Fault {
  /** milliseconds since the page was opened */
  atMs: number
  /** what was being done, or which part of the page has failed */
  place: string
  code: string
  message: string
  stack: string
}

export interface Step {
  atMs: number
  label: string
}

const maxFaults = 8
const maxSteps = 20

export const faults: Fault[] = []
export const steps: Step[] = []

function push<T>(list: T[], entry: T, maximum: number): void {
  list.push(entry)
  if (list.length > maximum) list.shift()
}

export function noteFault(place: string, error: unknown, addition = ''): void {
  const thrown = error instanceof Error ? error : new Error(String(error))
  const code = error instanceof EngineError ? error.code : thrown.name
  const stack = `${thrown.stack ?? ''}${addition}`
  push(faults, { atMs: performance.now(), place, code, message: thrown.message, stack }, maxFaults)
}

/** A part of the build that did not arrive: no network, or a deployment that has replaced it. */
export const isMissingPart = (error: unknown): boolean =>
  error instanceof Error &&
  /dynamically imported module|module script failed|Unable to preload/i.test(error.message)

/** Follows failures that nobody caught, and the labels of jobs. `tell` shows them. */
export function watchFaults(tell: (error: unknown) => void): () => void {
  const onError = (event: ErrorEvent) => {
    // Browsers report here that a layout took two rounds, which it may.
    if (/ResizeObserver loop/.test(event.message)) return
    tell(event.error ?? new Error(event.message))
  }
  const onRejection = (event: PromiseRejectionEvent) => tell(event.reason)
  addEventListener('error', onError)
  addEventListener('unhandledrejection', onRejection)
  const stopSteps = useStudio.subscribe(({ runs }, { runs: before }) => {
    if (runs.job && runs.job.id !== before.job?.id)
      push(steps, { atMs: performance.now(), label: runs.job.label }, maxSteps)
  })
  return () => {
    removeEventListener('error', onError)
    removeEventListener('unhandledrejection', onRejection)
    stopSteps()
  }
}
