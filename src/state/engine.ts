// The page's side of the engine: the only wrap() of the worker. Comlink never settles a call to a worker that has
// died, so every call races with "the worker is gone" and, for jobs, with the user's cancel.

import { proxy, type Remote, releaseProxy, wrap } from 'comlink'
import type { EngineApi, EngineEvent } from '../../workers/api.ts'
import { registerTransferHandlers } from '../../workers/transfer.ts'
import { EngineError } from '../core/errors.ts'
import { raceEnd } from '../core/race.ts'
import { t } from '../language/translate.ts'
import { watchWorker } from './workerDeath.ts'

/** The interface as seen from here: everything takes time. */
export type EnginePort = {
  [Name in keyof EngineApi]: (
    ...parameters: Parameters<EngineApi[Name]>
  ) => Promise<Awaited<ReturnType<EngineApi[Name]>>>
}

/** An open way to an engine. */
export interface Connection {
  port: EnginePort
  /** Rejects when the engine can no longer answer; never resolves. */
  gone: Promise<never>
  close(): void
}

export type Connect = () => Connection

/** Starts the worker that computes with WebGPU; throws `gpu-unavailable` where the browser has none. */
export const connectWorker: Connect = () => {
  if (!('gpu' in navigator)) {
    const reason = isSecureContext
      ? t('This browser offers no WebGPU here.')
      : t('This browser offers no WebGPU here; the page must come over https or from localhost.')
    throw new EngineError('gpu-unavailable', reason)
  }
  return connectTo(new Worker(new URL('../../workers/engine.worker.ts', import.meta.url), { type: 'module' }))
}

/** Starts the worker that does without. */
export const connectCpu: Connect = () =>
  connectTo(new Worker(new URL('../../workers/cpuEngine.worker.ts', import.meta.url), { type: 'module' }))

function connectTo(worker: Worker): Connection {
  registerTransferHandlers()
  const remote: Remote<EngineApi> = wrap<EngineApi>(worker)
  const { gone, fail } = watchWorker(worker, 'device-lost', (reason) =>
    t('The engine stopped: {reason}', { reason }),
  )
  const port = new Proxy({} as EnginePort, {
    get: (_target, name: keyof EngineApi) => {
      if (name === 'open') return (onEvent: (event: EngineEvent) => void) => remote.open(proxy(onEvent))
      return (...parameters: unknown[]) =>
        (remote[name] as (...given: unknown[]) => Promise<unknown>)(...parameters)
    },
  })
  return {
    port,
    gone,
    close: () => {
      fail(new EngineError('device-lost', t('The engine was closed')))
      remote[releaseProxy]()
      worker.terminate()
    },
  }
}

/** A code for our own use: a cancel is no error, and its words are never shown. */
export const cancelled = (): EngineError => new EngineError('cancelled', 'Stopped by the user')

/** The port of a job of several calls: one that is stopped between two of them makes no further one. */
const portUntil = (signal: AbortSignal, port: EnginePort): EnginePort =>
  new Proxy(port, {
    get(target, name: keyof EngineApi) {
      if (signal.aborted) throw cancelled()
      return target[name]
    },
  })

/** Awaits a call, but no longer than the engine lives or the signal allows. */
export async function callEngine<T>(
  connection: Connection,
  call: (port: EnginePort) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal?.aborted) throw cancelled()
  let stopListening = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    const onAbort = () => reject(cancelled())
    signal?.addEventListener('abort', onAbort, { once: true })
    stopListening = () => signal?.removeEventListener('abort', onAbort)
  })
  const answer = call(signal ? portUntil(signal, connection.port) : connection.port)
  // A late rejection of a call that lost the race has been answered for already.
  answer.catch(() => {})
  try {
    return await Promise.race([raceEnd(answer, connection.gone), aborted])
  } finally {
    stopListening()
  }
}
