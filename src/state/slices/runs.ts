// What the engine answered, keyed by what it answers: a result under another key than the experiment's own is kept
// for when the user returns to it, and is never shown for anything else.

import type {
  Answer,
  AntidoteReport,
  Experiment,
  GeometrySummary,
  MeasuredPart,
  ModelSummary,
  SearchPoint,
  SecondOpinion,
  Subject,
  WrittenMerge,
} from '../../../workers/api.ts'
import { emptyMeasurement, type Measurement, measurementId, type PartName } from '../../share/measurement.ts'
import type { Failure } from '../failure.ts'

export type { Measurement, PartName }
export { measurementId }

export interface JobView {
  id: number
  label: string
  done: number
  total: number
  /** Started by the studio itself, not by a click. */
  isBackground: boolean
}

export interface ErrorEntry {
  id: number
  /** What was being done. */
  action: string
  failure: Failure
}

export interface AnswerSet {
  prompt: string
  mergeKey: string
  answers: Answer[]
}

export interface OpinionSet {
  mergeKey: string
  opinions: { label: string; opinion: SecondOpinion }[]
}

/** A search of weights: every evaluation as it came. */
export interface SearchRun {
  id: number
  /** probeKey-like text of what is merged: shown only for it */
  key: string
  points: SearchPoint[]
  isRunning: boolean
  pairs: Record<string, number> | null
}

/** Results that were computed elsewhere, under the same keys. */
export interface ReceivedSet {
  /** `shipped`: with the page itself */ source: 'link' | 'shipped'
  /** which the set is about */ experiment: Experiment
  /** anchor, then experts */ models: ModelSummary[]
  measurements: Record<string, Measurement>
  geometries: Record<string, GeometrySummary>
  /** what they were computed on, where that is said */ adapter?: string
  /** as it came, for the address bar */ packed: unknown
  /** the user has asked for shipped ones to be measured here */ isRecomputed: boolean
}

export interface RunsSlice {
  /** a link's first; views read them through state/share/received.ts */
  received: readonly ReceivedSet[]
  /** results from elsewhere are on their way: the page keeps room for what it says of them */
  isAwaiting: boolean
  /** hashes of built-in weights that the link was made with */
  linkWeights: Readonly<Record<string, string>> | null
  search: SearchRun | null
  /** the antidote of the merge with this key */
  antidote: { mergeKey: string; report: AntidoteReport } | null
  geometries: Record<string, GeometrySummary>
  /** By measurementId. */
  measurements: Record<string, Measurement>
  /** Failed tasks by task id; not tried again before the user says so. */
  failed: Record<string, Failure>
  /** Key of the geometry that the engine holds now. */
  preparedKey: string | null
  /** The merge that lies in the engine's merge slot. */
  written: WrittenMerge | null
  job: JobView | null
  /** The user stopped the measuring. */
  isStopped: boolean
  errors: ErrorEntry[]
  answers: AnswerSet | null
  opinions: OpinionSet | null
  /** Last thing worth saying to a screen reader. */
  announcement: string
}

export const initialRuns: RunsSlice = {
  received: [],
  isAwaiting: false,
  linkWeights: null,
  search: null,
  antidote: null,
  geometries: {},
  measurements: {},
  failed: {},
  preparedKey: null,
  written: null,
  job: null,
  isStopped: false,
  errors: [],
  answers: null,
  opinions: null,
  announcement: '',
}

/**
 * Merges kept at once beside pinned ones, with their pictures some 10 kB each: a few sweeps, or the largest grid. A long
 * session with many weights would otherwise grow without end.
 */
export const maxMeasurements = 160

/** Adds a part to the latest state. `kept` names measurements that are never the oldest. */
export function mergePart(
  measurements: Readonly<Record<string, Measurement>>,
  part: MeasuredPart,
  kept: ReadonlySet<string> = new Set(),
): Record<string, Measurement> {
  const id = measurementId(part.key, part.subject)
  const before = measurements[id] ?? emptyMeasurement(part.key, part.subject)
  const after: Measurement = {
    ...before,
    aqi: { ...before.aqi, ...part.aqi },
    budget: { ...before.budget, ...part.budget },
    clusters: { ...before.clusters, ...part.clusters },
    behaviour: {
      ...before.behaviour,
      ...part.behaviour,
      ...(part.behaviour?.skills && {
        skills: { ...before.behaviour.skills, ...part.behaviour.skills },
      }),
    },
    drift: part.drift ?? before.drift,
    labels: part.labels ? { ...before.labels, [part.labels.labeller]: part.labels } : before.labels,
  }
  return dropOldest({ ...measurements, [id]: after }, kept)
}

/** Marks a part as finished. */
export function completePart(
  measurements: Readonly<Record<string, Measurement>>,
  key: string,
  subject: Subject,
  part: PartName,
): Record<string, Measurement> {
  const id = measurementId(key, subject)
  const before = measurements[id] ?? emptyMeasurement(key, subject)
  if (before.complete.includes(part)) return { ...measurements }
  return { ...measurements, [id]: { ...before, complete: [...before.complete, part] } }
}

function dropOldest(
  measurements: Record<string, Measurement>,
  kept: ReadonlySet<string>,
): Record<string, Measurement> {
  const entries = Object.entries(measurements)
  let excess = entries.length - maxMeasurements
  if (excess <= 0) return measurements
  // Whole models are few and every recipe needs them.
  const isKept = ([id, { subject }]: [string, Measurement]) => subject.kind === 'model' || kept.has(id)
  return Object.fromEntries(entries.filter((entry) => isKept(entry) || excess-- <= 0))
}
