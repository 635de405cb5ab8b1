// One call to the engine that takes a while: an id, a line of progress, a way to stop it.

import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import { callEngine, type EnginePort } from '../engine.ts'
import { readState, update } from '../store.ts'
import { session } from './session.ts'

export interface JobRequest<T> {
  label: string
  isBackground: boolean
  controller: AbortController
  run: (port: EnginePort, jobId: number) => Promise<T>
}

/** Runs a job and shows it; raising the signal tells the engine to stop. */
export async function runJob<T>({ label, isBackground, controller, run }: JobRequest<T>): Promise<T> {
  const { connection } = session
  if (!connection) throw new EngineError('device-lost', t('The engine is not open'))
  const id = session.nextJobId++
  const stop = () => {
    callEngine(connection, (port) => port.cancel(id)).catch(() => {
      // An engine that is gone has stopped as well.
    })
  }
  controller.signal.addEventListener('abort', stop, { once: true })
  update('runs', { job: { id, label, done: 0, total: 0, isBackground } })
  try {
    return await callEngine(connection, (port) => run(port, id), controller.signal)
  } finally {
    controller.signal.removeEventListener('abort', stop)
    if (readState().runs.job?.id === id) update('runs', { job: null })
  }
}
