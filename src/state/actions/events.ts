// What the engine says unasked: progress, finished parts, the loss of the device.

import type { EngineEvent, MeasuredPart } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { pinnedMeasurementIds } from '../pins/store.ts'
import { mergePart } from '../slices/runs.ts'
import { readState, update } from '../store.ts'
import { session } from './session.ts'

/** Files a part under its key; parts that nobody asked for are dropped. */
export function acceptPart(part: MeasuredPart): void {
  if (!session.expectedKeys.has(part.key)) return
  update('runs', (runs) => ({ measurements: mergePart(runs.measurements, part, pinnedMeasurementIds()) }))
}

export function handleEvent(event: EngineEvent): void {
  switch (event.kind) {
    case 'progress': {
      const { job } = readState().runs
      // A job that was stopped may still speak for a moment.
      if (job?.id !== event.progress.jobId) return
      const { done, total } = event.progress
      update('runs', { job: { ...job, done, total } })
      return
    }
    case 'measured':
      acceptPart(event.part)
      return
    case 'search': {
      const { search } = readState().runs
      if (search?.id !== event.searchId) return
      update('runs', { search: { ...search, points: [...search.points, event.point] } })
      return
    }
    case 'said':
    case 'prompts-answered':
      session.onPlay?.(event)
      return
    case 'device-lost':
      markLost(event.reason)
  }
}

/** Results stay on the page; the engine must be opened again to go on. */
export function markLost(reason: string): void {
  if (readState().models.engine.kind === 'lost') return
  const { losses } = readState().models
  update('models', { engine: { kind: 'lost', reason }, losses: losses + 1 })
  update('runs', {
    preparedKey: null,
    written: null,
    announcement: t('The graphics device was lost. Results are kept.'),
  })
}
