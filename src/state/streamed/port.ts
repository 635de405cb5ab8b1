// The page's side of the worker that merges to disk, started when it is first needed.

import { proxy, type Remote, wrap } from 'comlink'
import type { MergeProgress, StreamedApi, StreamedRequest } from '../../../workers/streamedApi.ts'
import { registerTransferHandlers } from '../../../workers/transfer.ts'
import { raceEnd } from '../../core/race.ts'
import { t } from '../../language/translate.ts'
import { watchWorker } from '../workerDeath.ts'

export interface StreamedPort {
  remote: Remote<StreamedApi>
  /** Rejects when the worker can no longer answer; never resolves. */
  gone: Promise<never>
}

let port: StreamedPort | undefined

export function streamedPort(): StreamedPort {
  if (port) return port
  registerTransferHandlers()
  const worker = new Worker(new URL('../../../workers/streamedMerge.worker.ts', import.meta.url), {
    type: 'module',
  })
  const { gone } = watchWorker(worker, 'device-lost', (reason) => {
    port = undefined
    return t('Merging to disk stopped: {reason}', { reason })
  })
  port = { remote: wrap<StreamedApi>(worker), gone }
  return port
}

/** Awaits a call, but no longer than the worker lives. */
export const callStreamed = <T>(call: (remote: Remote<StreamedApi>) => Promise<T>): Promise<T> => {
  const { remote, gone } = streamedPort()
  return raceEnd(call(remote), gone)
}

export const startStreamed = (request: StreamedRequest, onProgress: (progress: MergeProgress) => void) =>
  callStreamed((remote) => remote.start(request, proxy(onProgress)))
