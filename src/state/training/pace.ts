// How long training takes here: from the steps of this run, or from the last run on the same adapter.

import type { TrainedStep, TrainingMeasure, TrainingSettings } from '../../../workers/api/training.ts'

const key = 'alignmerge.trainingPace'
/** Steps that a rate is taken from: the machine may be busy with other things for a while. */
const WINDOW = 20

export interface Pace {
  /** tokens a second, prompts included */ tokensPerSecond: number
  /** of one step and one pair of it */ secondsPerPair: number
  /** of one measure */ secondsPerMeasure: number | null
}

export function paceOf(
  steps: readonly TrainedStep[],
  measures: readonly TrainingMeasure[],
  { batch }: Pick<TrainingSettings, 'batch'>,
): Pace | null {
  // The first step compiles the kernels.
  const recent = steps.slice(1).slice(-WINDOW)
  if (recent.length === 0) return null
  const seconds = recent.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000
  const tokens = recent.reduce((sum, step) => sum + step.tokens, 0)
  const later = measures.length > 1 ? measures.slice(1) : measures
  const measuring = later.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000
  return {
    tokensPerSecond: tokens / seconds,
    secondsPerPair: seconds / recent.length / batch,
    secondsPerMeasure: later.length > 0 ? measuring / later.length : null,
  }
}

/** Seconds that so many steps and measures take. */
export const secondsOf = (pace: Pace, steps: number, batch: number, measures: number): number =>
  steps * batch * pace.secondsPerPair + measures * (pace.secondsPerMeasure ?? 0)

/** Keeps the pace of an adapter for the next visit. */
export function rememberPace(adapter: string, pace: Pace): void {
  try {
    localStorage.setItem(key, JSON.stringify({ adapter, pace }))
  } catch {
    // Without it the page says less.
  }
}

export function rememberedPace(adapter: string): Pace | null {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? 'null') as { adapter: string; pace: Pace } | null
    const isWhole =
      found?.adapter === adapter &&
      found.pace.secondsPerPair > 0 &&
      Number.isFinite(found.pace.tokensPerSecond)
    return isWhole ? found.pace : null
  } catch {
    return null
  }
}
