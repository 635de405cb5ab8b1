import { useMemo } from 'react'
import type { Experiment } from '../../../workers/api.ts'

/**
 * The experiment for what does not depend on λ_align: the same object while only λ_align moves, so that a part of the
 * page which is memoised stays as it is. Its λ_align is an old one and must not be read.
 */
export function useWithoutLambda(experiment: Experiment): Experiment {
  const key = JSON.stringify({ ...experiment, lambdaAlign: 0 })
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all but λ_align
  return useMemo(() => experiment, [key])
}
