import { useEffect } from 'react'
import type { ProbeAnswer } from '../../../workers/api/probes.ts'
import { answeringKey, askProbes, loadKnownAnswers } from '../../state/probes/actions.ts'
import { answersKey, type Request, useProbes } from '../../state/probes/store.ts'
import { useStudio } from '../../state/store.ts'
import type { ClusterSource } from './clusterSources.ts'

export interface SourceAnswers {
  /** by probe */
  answers: Readonly<Record<string, ProbeAnswer>>
  request: Request | undefined
}

const nothing: SourceAnswers['answers'] = {}

/** What sources answered to probes: what is known at once, the rest is asked for. */
export function useAnswers(sources: readonly ClusterSource[], probes: readonly string[]): SourceAnswers[] {
  const isReady = useStudio((state) => state.models.engine.kind === 'ready' && !state.models.isLoading)
  const all = useProbes((state) => state.answers)
  const requests = useProbes((state) => state.requests)
  const keys = sources.map(({ experiment, subject }) => answersKey(experiment, subject)).join('\n')
  const asked = probes.join('\n')
  // biome-ignore lint/correctness/useExhaustiveDependencies: the keys stand for who is asked what
  useEffect(() => {
    if (!isReady || asked === '') return
    let isStale = false
    // A slider on its way asks nobody; where it rests, the merge is asked.
    const timer = setTimeout(async () => {
      await Promise.all(sources.map(({ experiment, subject }) => loadKnownAnswers(experiment, subject)))
      if (isStale) return
      for (const { experiment, subject } of sources) void askProbes(experiment, [subject], probes)
    }, 250)
    return () => {
      isStale = true
      clearTimeout(timer)
    }
  }, [keys, asked, isReady])
  return sources.map(({ experiment, subject }) => ({
    answers: all[answersKey(experiment, subject)] ?? nothing,
    request: requests[answeringKey(experiment, subject)],
  }))
}
