// Learning rate over steps: linear warm-up, then a cosine down to the minimum at the last step.

export interface Schedule {
  /** steps in all */ steps: number
  /** peak */ learningRate: number
  /** at the last step */ minimumLearningRate: number
  warmupSteps: number
}

/** Rate of step 0 … steps−1. */
export function rateAt(schedule: Schedule, step: number): number {
  const { steps, learningRate, minimumLearningRate, warmupSteps } = schedule
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps
  const done = Math.min(1, (step - warmupSteps) / Math.max(1, steps - 1 - warmupSteps))
  return minimumLearningRate + 0.5 * (learningRate - minimumLearningRate) * (1 + Math.cos(Math.PI * done))
}
