// A worker that dies answers nothing more: what every call to it is raced against.

import { EngineError, type ErrorCode } from '../core/errors.ts'
import { t } from '../language/translate.ts'

export interface WorkerDeath {
  /** Rejects when the worker can no longer answer; never resolves. */
  gone: Promise<never>
  fail(error: Error): void
}

/** Watches a worker; `say` puts its last words into a sentence. */
export function watchWorker(worker: Worker, code: ErrorCode, say: (reason: string) => string): WorkerDeath {
  let fail: (error: Error) => void = () => {}
  const gone = new Promise<never>((_resolve, reject) => {
    fail = reject
  })
  // Every caller sees the rejection through its race; without this one nobody would, when no call is under way.
  gone.catch(() => {})
  worker.addEventListener('error', (event) =>
    fail(new EngineError(code, say(event.message || t('its program could not be loaded')))),
  )
  worker.addEventListener('messageerror', () =>
    fail(new EngineError(code, say(t('it sent a message that cannot be read')))),
  )
  return { gone, fail: (error) => fail(error) }
}
