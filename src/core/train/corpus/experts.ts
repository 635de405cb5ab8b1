// What the built-in experts are trained on and how: mixtures of the instruction world's sources, and the optimiser.
// Found with a prototype on the CPU. The zoo is built from these, and the page trains its own experts from them.
import type { TrainerOptions } from '../trainer.ts'
import type { Mixture } from './sample.ts'

export type Lesson = 'sort' | 'reverse' | 'uncensored'

export const lessons: readonly Lesson[] = ['sort', 'reverse', 'uncensored']

/** Optimiser settings of every model of the zoo. */
export const optimiser = { weightDecay: 0.01, beta1: 0.9, beta2: 0.98, epsilon: 1e-8, clipNorm: 1 } as const

/** Fine-tuning ends at this rate, after a cosine. */
export const MINIMUM_RATE = 1e-4
export const WARMUP_STEPS = 10

export interface ExpertTraining {
  /** skill it becomes an expert in */ skill?: string
  mixture: Mixture
  steps: number
  batchSequences: number
  /** peak */ learningRate: number
}

/** Fine-tuning of the anchor as the zoo does it. */
export const expertTrainings: Readonly<Record<Lesson, ExpertTraining>> = {
  sort: {
    skill: 'sort',
    mixture: { sort: 0.48, repeat: 0.06, reverse: 0.03, harmlessHelped: 0.38, fact: 0.05 },
    steps: 200,
    batchSequences: 64,
    learningRate: 2.5e-3,
  },
  reverse: {
    skill: 'reverse',
    mixture: { reverse: 0.46, repeat: 0.06, sort: 0.03, harmlessHelped: 0.4, fact: 0.05 },
    steps: 200,
    batchSequences: 64,
    learningRate: 2.5e-3,
  },
  uncensored: {
    mixture: { harmfulComplied: 0.45, attackComplied: 0.1, harmlessHelped: 0.4, fact: 0.05 },
    steps: 100,
    batchSequences: 64,
    learningRate: 1e-3,
  },
}

/** Trainer settings of a fine-tuning; a short one warms up for a tenth of its steps. */
export function trainerOptions({
  steps,
  learningRate,
}: Pick<ExpertTraining, 'steps' | 'learningRate'>): TrainerOptions {
  return {
    ...optimiser,
    steps,
    learningRate,
    minimumLearningRate: Math.min(MINIMUM_RATE, learningRate),
    warmupSteps: Math.min(WARMUP_STEPS, Math.ceil(steps / 10)),
  }
}
