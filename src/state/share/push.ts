// The merge of the page to a repository of the user's. The token is handed to the engine for this one call; it stands
// in no store, no link and no storage.

import { create } from 'zustand'
import type { PushedFolder, PushTarget } from '../../../workers/api/push.ts'
import { t } from '../../language/translate.ts'
import { announce } from '../actions/errors.ts'
import { runForeground } from '../actions/runner.ts'
import { session } from '../actions/session.ts'
import { callEngine } from '../engine.ts'
import { type Failure, isCancelled, toFailure } from '../failure.ts'
import { readState } from '../store.ts'

export type PushStatus =
  | { kind: 'idle' }
  /** no job while the merge is still being prepared */
  | { kind: 'running'; jobId: number | null }
  | { kind: 'done'; pushed: PushedFolder }
  | { kind: 'stopped' }
  | { kind: 'failed'; failure: Failure }

export const usePush = create<{ status: PushStatus }>()(() => ({ status: { kind: 'idle' } }))

const setStatus = (status: PushStatus): void => usePush.setState({ status })

/** Stops an upload that has not begun; one that has may be done by then, and says so itself. */
let preparing = new AbortController()

/** Uploads the merge; what happens is told by usePush. */
export async function pushMerge(target: PushTarget): Promise<void> {
  const { experiment } = readState().recipe
  if (!experiment || usePush.getState().status.kind === 'running') return
  setStatus({ kind: 'running', jobId: null })
  preparing = new AbortController()
  await runForeground(
    t('Uploading to {repo}', { repo: target.repo }),
    async (port, jobId) => {
      // An upload that was stopped from elsewhere may end while the next one runs.
      const end = (ended: PushStatus) => {
        const { status } = usePush.getState()
        if (status.kind !== 'running' || status.jobId === jobId) setStatus(ended)
      }
      setStatus({ kind: 'running', jobId })
      try {
        const pushed = await port.pushMerge(jobId, experiment, target)
        end({ kind: 'done', pushed })
        announce(t('The merge is at {url}', { url: pushed.url }))
      } catch (error) {
        end(isCancelled(error) ? { kind: 'stopped' } : { kind: 'failed', failure: toFailure(error) })
      }
    },
    { needsGeometry: true, controller: preparing },
  )
  // Whatever ended before the upload began has been told by the error panel.
  if (usePush.getState().status.kind === 'running') setStatus({ kind: 'stopped' })
}

/** Stops the upload and nothing else. */
export function stopPush(): void {
  const { status } = usePush.getState()
  const { connection } = session
  if (status.kind !== 'running' || !connection) return
  const { jobId } = status
  if (jobId === null) preparing.abort()
  else
    callEngine(connection, (port) => port.cancel(jobId)).catch(() => {
      // An engine that is gone has stopped as well.
    })
}
