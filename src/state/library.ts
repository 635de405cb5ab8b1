// The page's side of the library's worker: started when the library is first looked at.

import { proxy, type Remote, wrap } from 'comlink'
import type { LibraryApi, LibraryEvent } from '../../workers/libraryApi.ts'
import { registerTransferHandlers } from '../../workers/transfer.ts'
import { raceEnd } from '../core/race.ts'
import { t } from '../language/translate.ts'
import { watchWorker } from './workerDeath.ts'

/** The interface as seen from here: everything takes time. */
export type LibraryPort = {
  [Name in keyof LibraryApi]: (
    ...parameters: Parameters<LibraryApi[Name]>
  ) => Promise<Awaited<ReturnType<LibraryApi[Name]>>>
}

export type ConnectLibrary = () => LibraryPort

/** Starts the worker. A worker that dies rejects every call, later ones too. */
export const connectLibrary: ConnectLibrary = () => {
  registerTransferHandlers()
  const worker = new Worker(new URL('../../workers/library.worker.ts', import.meta.url), { type: 'module' })
  const remote: Remote<LibraryApi> = wrap<LibraryApi>(worker)
  const { gone } = watchWorker(worker, 'file-unsupported', (reason) =>
    t('The library stopped: {reason}. Reload the page; what has arrived is kept.', { reason }),
  )
  return new Proxy({} as LibraryPort, {
    get: (_target, name: keyof LibraryApi) => {
      if (name === 'open')
        return (onEvent: (event: LibraryEvent) => void) => raceEnd(remote.open(proxy(onEvent)), gone)
      return (...parameters: unknown[]) =>
        raceEnd((remote[name] as (...given: unknown[]) => Promise<unknown>)(...parameters), gone)
    },
  })
}
