// One job at a time on one device: jobs wait their turn, can be cancelled by id before or while they run, and
// report progress at most ten times a second. Urgent jobs go before those that wait.

import { EngineError } from '../src/core/errors.ts'
import type { Progress } from './api.ts'

interface Waiting {
  start: () => void
  isUrgent: boolean
}

const PROGRESS_INTERVAL_MS = 100
/** Without a job for so long, nobody is about to ask for more. */
const IDLE_MS = 2000

export interface Job {
  signal: AbortSignal
  report(label: string, done: number, total: number): void
}

export class JobQueue {
  private readonly waiting: Waiting[] = []
  private isBusy = false
  private readonly controllers = new Map<number, AbortController>()
  private readonly onProgress: (progress: Progress) => void
  private readonly onIdle: () => void
  private idle: ReturnType<typeof setTimeout> | undefined

  /** `onIdle` is called once after each time that the queue has been empty for two seconds. */
  constructor(onProgress: (progress: Progress) => void, onIdle: () => void = () => {}) {
    this.onProgress = onProgress
    this.onIdle = onIdle
  }

  /** Runs `work` when its turn comes; rejects `cancelled` when cancelled before. */
  async run<T>(jobId: number | undefined, work: (job: Job) => Promise<T>, isUrgent = false): Promise<T> {
    const controller = new AbortController()
    if (jobId !== undefined) this.controllers.set(jobId, controller)
    if (this.isBusy)
      await new Promise<void>((start) => {
        // Among themselves in the order in which they came: the page takes the last answer for the newest.
        const place = isUrgent ? this.waiting.findIndex((other) => !other.isUrgent) : -1
        this.waiting.splice(place < 0 ? this.waiting.length : place, 0, { start, isUrgent })
      })
    this.isBusy = true
    clearTimeout(this.idle)
    try {
      if (controller.signal.aborted) throw new EngineError('cancelled', 'stopped by the user')
      return await work({ signal: controller.signal, report: this.reporter(jobId) })
    } finally {
      if (jobId !== undefined) this.controllers.delete(jobId)
      this.isBusy = false
      const next = this.waiting.shift()
      if (next) {
        // Claimed here: a call arriving before the next one wakes must queue behind it.
        this.isBusy = true
        next.start()
      } else this.idle = setTimeout(this.onIdle, IDLE_MS)
    }
  }

  private reporter(jobId: number | undefined): Job['report'] {
    let last = Number.NEGATIVE_INFINITY
    return (label, done, total) => {
      const now = performance.now()
      if (jobId === undefined || (now - last < PROGRESS_INTERVAL_MS && done < total)) return
      last = now
      this.onProgress({ jobId, label, done, total })
    }
  }

  cancel(jobId: number): void {
    this.controllers.get(jobId)?.abort()
  }

  cancelAll(): void {
    for (const controller of this.controllers.values()) controller.abort()
  }
}
