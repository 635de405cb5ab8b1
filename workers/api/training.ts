// Training an expert in the tab. Types only. The page drives: it asks for a few steps at a time, so that whatever else
// somebody asks of the engine comes between them, and pausing is asking for no more.

import type { Estimate } from '../../src/core/evaluate/estimate.ts'
import type { Lesson } from '../../src/core/train/corpus/experts.ts'
import type { Pair } from '../../src/core/train/corpus/sample.ts'
import type { TrainedStep } from '../../src/core/train/fineTuning.ts'
import type { AqiView, ModelSummary } from '../api.ts'

export type { Lesson, Pair, TrainedStep }

/** A model that was trained in a tab on a built-in lesson: all that decides its weights, so that a link can name it. */
export interface TrainedOrigin {
  kind: 'trained'
  /** id of a built-in model */ base: string
  lesson: Lesson
  /** of the learning rate's schedule */ steps: number
  /** steps taken, where it was stopped before the last */ done?: number
  /** highest learning rate */ rate: number
  /** sequences of a step */ batch: number
  seed: number
}

/** Settings of the optimiser; with lesson and base all that decides the weights. */
export interface TrainingSettings {
  steps: number
  rate: number
  batch: number
  seed: number
}

export interface TrainingRequest extends TrainingSettings {
  /** model that is trained, open in the session: its id */ base: string
  lesson: Lesson | { /** for the name of the expert */ name: string; pairs: Pair[] }
}

export interface OpenedTraining {
  parameterCount: number
  /** float32 copies, gradient and moments on the device */ byteLength: number
  /** pairs trained on and held out; a lesson's are drawn without end */ pairs: number | null
  heldOut: number
  /** pairs left out as they are longer than the model reads */ tooLong: number
}

/** What was done since the last call. */
export interface TrainedSteps {
  steps: TrainedStep[]
  /** steps done in all */ done: number
  /** mean loss of the held-out pairs now, nats per token; null without any, or before the last step asked for */
  heldOutLoss: number | null
}

/** The model so far, on held-out probes, with 95 % intervals. */
export interface TrainingMeasure {
  /** steps done */ step: number
  aqi: Partial<Record<AqiView, Estimate>>
  refusal: Estimate
  overRefusal: Estimate
  durationMs: number
}

/** What has become a model of the session. */
export interface KeptTraining {
  model: ModelSummary
  /** SHA-256 of its weights, hex */ digest: string
}

export interface TrainingApi {
  /** Copies a model's weights to be trained; a training that was open before is let go. */
  openTraining(jobId: number, request: TrainingRequest): Promise<OpenedTraining>
  /**
   * Trains for about `budgetMs`, one step at least, or up to step `until`, where the held-out pairs are measured if so
   * asked; `not-finite` names the step that failed.
   */
  trainSteps(jobId: number, until: number, budgetMs: number, withHeldOut: boolean): Promise<TrainedSteps>
  /** AQI in all views, refusal and over-refusal of the model so far. */
  measureTraining(jobId: number, probesPerClass: number, seed: number): Promise<TrainingMeasure>
  /** The model as a further one of the session, stored like its base; training can go on afterwards. */
  keepTraining(jobId: number): Promise<KeptTraining>
  /** A kept model as a Hugging Face folder in a zip. */
  exportTraining(jobId: number, id: string): Promise<Blob>
  /** Frees the training; the models made of it stay. */
  closeTraining(): Promise<void>
}
