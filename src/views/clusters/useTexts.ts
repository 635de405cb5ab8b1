import { useEffect, useMemo } from 'react'
import type { PointTexts } from '../../../workers/api/probes.ts'
import type { AqiView } from '../../../workers/api.ts'
import { loadTexts } from '../../state/probes/actions.ts'
import { textsKey, useProbes } from '../../state/probes/store.ts'
import { useStudio } from '../../state/store.ts'
import type { ClusterSource } from './clusterSources.ts'

/** Texts of each source's points, asked for once they can be told. */
export function useTexts(
  view: AqiView,
  sources: readonly ClusterSource[],
): readonly (PointTexts | null | undefined)[] {
  const isReady = useStudio((state) => state.models.engine.kind === 'ready' && !state.models.isLoading)
  const known = useProbes((state) => state.texts)
  const keys = sources.map(({ experiment, subject }) => textsKey(experiment, view, subject)).join('\n')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the keys stand for whose texts they are
  useEffect(() => {
    if (!isReady) return
    // A merge between two measurements has answered nothing.
    for (const { experiment, subject, isGuess } of sources)
      if (!(isGuess && view === 'answers')) void loadTexts(experiment, view, subject)
  }, [keys, isReady, view])
  return useMemo(() => keys.split('\n').map((key) => known[key]), [keys, known])
}
