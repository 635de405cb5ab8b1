import { useMemo } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { curveKey } from '../../share/experimentKey.ts'
import { sweepExperiment } from '../../state/plan.ts'
import { type Measurements, type SweepPoint, selectSweep } from '../../state/selectors.ts'

/** The measured points along λ_align; the same list as before while only λ moves. */
export function useSweep(measurements: Measurements, experiment: Experiment): SweepPoint[] {
  const key = curveKey(sweepExperiment(experiment))
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all of the experiment that counts
  return useMemo(() => selectSweep(measurements, experiment), [measurements, key])
}
