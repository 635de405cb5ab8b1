// A training in the tab: what to teach, how far it is, what was measured on the way. One at a time, kept until the
// next one is started or the engine is opened anew.

import { create } from 'zustand'
import type {
  KeptTraining,
  Lesson,
  OpenedTraining,
  Pair,
  TrainedStep,
  TrainingMeasure,
  TrainingSettings,
} from '../../../workers/api/training.ts'
import { lessonIds, trainingParameters } from '../../share/training.ts'
import type { Failure } from '../failure.ts'

export interface OwnPairs {
  name: string
  pairs: Pair[]
  /** what could not be read, as it stands in the file */ problems: string[]
}

export type TrainingPhase = 'idle' | 'opening' | 'running' | 'paused' | 'ended' | 'failed'

/** What is being trained: fixed while its curves are shown. */
export interface TrainingRun {
  lesson: Lesson | 'own'
  /** of own pairs */ name: string
  settings: TrainingSettings
  measureEvery: number
  /** id of the model that is trained */ base: string
  probesPerClass: number
  /** of the probes */ seed: number
  opened: OpenedTraining | null
}

export interface TrainingState {
  lesson: Lesson | 'own'
  settings: TrainingSettings
  /** steps between two measures */ measureEvery: number
  own: OwnPairs | null
  phase: TrainingPhase
  run: TrainingRun | null
  steps: TrainedStep[]
  heldOut: { step: number; loss: number }[]
  measures: TrainingMeasure[]
  failure: Failure | null
  kept: (KeptTraining & { step: number }) | null
  /** what is going on beside the steps */ activity: 'measuring' | 'keeping' | null
}

/** Rates that the zoo's recipe has. */
export const lessonRates: Record<Lesson | 'own', number> = {
  sort: 2.5e-3,
  reverse: 2.5e-3,
  uncensored: 1e-3,
  own: 1e-3,
}

export const measureSteps = [10, 25, 50, 100] as const

const nothing = {
  run: null,
  steps: [],
  heldOut: [],
  measures: [],
  failure: null,
  kept: null,
  activity: null,
} satisfies Partial<TrainingState>

export const initialTraining = (): TrainingState => ({
  lesson: lessonIds[0],
  settings: {
    steps: trainingParameters.steps.default,
    rate: lessonRates[lessonIds[0]],
    batch: trainingParameters.batch.default,
    seed: trainingParameters.seed.default,
  },
  measureEvery: 25,
  own: null,
  phase: 'idle',
  ...nothing,
})

export const useTraining = create<TrainingState>()(initialTraining)

export const readTraining = (): TrainingState => useTraining.getState()

export const setTraining = (change: Partial<TrainingState>): void => useTraining.setState(change)

/** Forgets curves and results; choices stay. */
export const clearTraining = (): void => setTraining({ phase: 'idle', ...nothing })

/** True while settings stand for what is being trained. */
export const isUnderWay = (phase: TrainingPhase): boolean =>
  phase === 'opening' || phase === 'running' || phase === 'paused'
