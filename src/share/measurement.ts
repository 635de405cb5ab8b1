// What is known of one subject under one key, whoever measured it: the engine here, a link, or what ships.

import type {
  AqiResult,
  AqiView,
  Behaviour,
  Budget,
  ClusterPoints,
  Drift,
  MeasuredLabels,
  Subject,
} from '../../workers/api.ts'
import { subjectKey } from './experimentKey.ts'

export type PartName = 'aqi' | 'behaviour' | 'drift'

/** All that is known of one subject under one key. */
export interface Measurement {
  key: string
  subject: Subject
  aqi: Partial<Record<AqiView, AqiResult>>
  budget: Partial<Record<AqiView, Budget>>
  clusters: Partial<Record<AqiView, ClusterPoints>>
  behaviour: Partial<Behaviour>
  drift: Drift | null
  /** By the digest of the labeller that gave them. */
  labels: Record<string, MeasuredLabels>
  /** Parts that the engine has finished; others may still be growing. */
  complete: PartName[]
}

export function measurementId(key: string, subject: Subject): string {
  return `${key}/${subjectKey(subject)}`
}

export function emptyMeasurement(key: string, subject: Subject): Measurement {
  const nothing = { aqi: {}, budget: {}, clusters: {}, behaviour: {}, drift: null, labels: {}, complete: [] }
  return { key, subject, ...nothing }
}
