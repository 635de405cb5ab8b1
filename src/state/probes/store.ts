// What stands behind points and directions, as the engine told: texts of points, answers to single probes, alignment
// coordinates by layer and module. Everything lies under the key of what it answers and is asked for when it is looked
// at.

import { create } from 'zustand'
import type { MeasuredModules, ModuleSummary, PointTexts, ProbeAnswer } from '../../../workers/api/probes.ts'
import type { AqiView, Experiment, Subject } from '../../../workers/api.ts'
import { measurementKey, probeKey } from '../../share/experimentKey.ts'
import { measurementId } from '../slices/runs.ts'

/** What is being asked of the engine, or why it gave nothing. */
export type Request = { kind: 'asking' } | { kind: 'failed'; message: string }

export interface ProbesState {
  /** by `textsKey`; null where the engine has none */
  texts: Readonly<Record<string, PointTexts | null>>
  /** by measurement, then by probe */
  answers: Readonly<Record<string, Readonly<Record<string, ProbeAnswer>>>>
  /** of experts and shield, by geometryKey */
  modules: Readonly<Record<string, ModuleSummary>>
  /** of merges as they are stored, by mergeKey */
  measuredModules: Readonly<Record<string, MeasuredModules>>
  /** by the key of what is asked */
  requests: Readonly<Record<string, Request>>
}

export const noProbes: ProbesState = {
  texts: {},
  answers: {},
  modules: {},
  measuredModules: {},
  requests: {},
}

export const useProbes = create<ProbesState>()(() => noProbes)

/** Where the texts of a view's points are filed; those of the answers view are the subject's own. */
export const textsKey = (experiment: Experiment, view: AqiView, subject: Subject): string =>
  view === 'answers' ? `${answersKey(experiment, subject)}/answers` : `${probeKey(experiment)}/${view}`

/** Where a subject's answers are filed: under its measurement. */
export const answersKey = (experiment: Experiment, subject: Subject): string =>
  measurementId(measurementKey(experiment, subject), subject)

// Up to 70 kB each: a long session with many weights would otherwise grow without end.
/** Entries kept of each kind: what was looked at last. */
const maxEntries = 16

/** A record with one more entry, the oldest dropped. */
export function withEntry<T>(record: Readonly<Record<string, T>>, key: string, value: T): Record<string, T> {
  const { [key]: _, ...others } = record
  const all = Object.entries({ ...others, [key]: value })
  return Object.fromEntries(all.slice(-maxEntries))
}
