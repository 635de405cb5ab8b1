import { useEffect } from 'react'
import type { MeasuredModules, ModuleSummary } from '../../../workers/api/probes.ts'
import type { Experiment } from '../../../workers/api.ts'
import { geometryKey, mergeKey } from '../../share/experimentKey.ts'
import { loadMeasuredModules, loadModules } from '../../state/probes/actions.ts'
import { type Request, useProbes } from '../../state/probes/store.ts'
import { useStudio } from '../../state/store.ts'

export interface Modules {
  summary: ModuleSummary | undefined
  /** of the merge as it is stored, where that is wanted */
  measured: MeasuredModules | undefined
  request: Request | undefined
  /** The engine could sum them, but holds no geometry: the page shows results that were not computed here. */
  canAsk: boolean
}

/** A slider on its way measures nothing. */
const restMs = 600

/** Coordinates by layer and module, asked for once the geometry is there; of the stored merge with `isStored`. */
export function useModules(experiment: Experiment, isStored: boolean): Modules {
  const geometry = geometryKey(experiment)
  const merge = mergeKey(experiment)
  const isReady = useStudio((state) => state.models.engine.kind === 'ready' && !state.models.isLoading)
  const isPrepared = useStudio((state) => state.runs.preparedKey === geometry)
  const isWritten = useStudio((state) => state.runs.written?.key === merge)
  const summary = useProbes((state) => state.modules[geometry])
  const measured = useProbes((state) => (isStored ? state.measuredModules[merge] : undefined))
  const request = useProbes(
    (state) => state.requests[`${geometry}/modules`] ?? state.requests[`${merge}/measured`],
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: the keys stand for all of the experiment that counts
  useEffect(() => {
    if (isPrepared) void loadModules(experiment)
  }, [isPrepared, geometry])
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  useEffect(() => {
    if (!isStored || !isPrepared || !isWritten) return
    const timer = setTimeout(() => void loadMeasuredModules(experiment), restMs)
    return () => clearTimeout(timer)
  }, [isStored, isPrepared, isWritten, merge])
  return { summary, measured, request, canAsk: isReady && !isPrepared && !summary }
}
