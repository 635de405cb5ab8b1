// What stands behind points and directions: texts of a cluster picture, answers to single probes, and alignment
// coordinates by layer and module. Types only.

import type { AqiView } from '../../src/core/evaluate/aqiVectors.ts'
import type { ProbeSet } from '../../src/core/evaluate/probes.ts'
import type { AnswerKind } from '../../src/core/evaluate/scorer.ts'
import type { RowSetName } from '../../src/core/session/geometry.ts'
import type {
  ModuleCell,
  ModuleCoordinates,
  ModuleName,
  ModuleParts,
} from '../../src/core/session/moduleCoordinates.ts'
import type { Experiment, Subject } from '../api.ts'

export type { AnswerKind, ModuleCell, ModuleName, RowSetName }

/** The text behind one point of a cluster picture. */
export interface PointText {
  /** id of the probe, unique in its file; pairs points of different models */ probe: string
  set: ProbeSet
  topic: string
  prompt: string
  /** the completion whose hidden states are averaged; without one the prompt's are */ completion?: string
}

/** In the order of the points. */
export interface PointTexts {
  safe: PointText[]
  unsafe: PointText[]
}

export interface ProbeAnswer {
  /** id of the probe */ probe: string
  text: string
  verdict: AnswerKind
}

/** Parts of c_i by layer and module; see core/session/moduleCoordinates.ts. */
export interface ModuleSummary extends ModuleCoordinates {
  /** geometryKey of what it is of */ key: string
  /** directions of each row set */ ranks: Record<RowSetName, number>
  durationMs: number
}

/** The same, measured of a merge as it is stored. */
export interface MeasuredModules extends ModuleParts {
  /** mergeKey */ key: string
  ranks: Record<RowSetName, number>
  durationMs: number
}

export interface ProbesApi {
  /**
   * Texts of a view's points, at once. Of the answers view they are the subject's own; null where its answers were not
   * measured in this engine.
   */
  pointTexts(experiment: Experiment, view: AqiView, subject: Subject): Promise<PointTexts | null>
  /** Answers of a subject that are known already, at once. */
  knownAnswers(experiment: Experiment, subject: Subject): Promise<ProbeAnswer[]>
  /** Greedy answers of a subject to probes by id, as its behaviour is counted; `request-invalid` for an unknown id. */
  answerProbes(
    jobId: number,
    experiment: Experiment,
    subject: Subject,
    probes: string[],
  ): Promise<ProbeAnswer[]>
  /** Alignment coordinates of experts and shield by layer and module; cached with the geometry. */
  moduleCoordinates(jobId: number, experiment: Experiment): Promise<ModuleSummary>
  /** The same of the merge at the experiment's λ as it is stored, whatever its method. */
  measureModules(jobId: number, experiment: Experiment): Promise<MeasuredModules>
}
