// A tour as data: what a step sets, what it asks for, how it sees that it was done. The page carries it out.

import type { AqiView } from '../../workers/api.ts'
import type { LessonId } from './lessons.ts'
import type { TargetId } from './targets.ts'
import type { Point } from './types.ts'

/** What a text may quote, measured on the page when it is read. */
export type Quantity =
  | 'refusal'
  | 'complied'
  | 'overRefusal'
  | 'ruined'
  | 'attack'
  | 'sort'
  | 'reverse'
  | 'aqi'
  | 'drift'
export type QuantityOf = 'anchor' | 'first' | 'second' | 'average' | 'merge'
export type ToyValue = 'toyRefusalAnchor' | 'toyRefusalAverage' | 'toyRefusalMerge' | 'toyShare'
/** {refusal_merge} in a text; `first` and `second` are the experts in order */
export type ValueName = `${Quantity}_${QuantityOf}` | ToyValue

/** The toy's state as far as a step sets it. */
export interface ToySetting {
  anchor?: Point
  experts?: readonly Point[]
  point?: { index: number; at: Point }
  lambdaAlign?: number
  metric?: 'fisher' | 'identity'
}

/** What a step puts on the page. Everything else stays. */
export interface TourSetting {
  lesson?: LessonId
  lambdaAlign?: number
  aqiView?: AqiView
  /** the toy from its beginning, with these */
  toy?: ToySetting
}

/** How a step sees that it was done. */
export type TourCheck =
  | { kind: 'lambda'; least: number; most: number }
  | { kind: 'parameter'; id: string; value: number | string }
  | { kind: 'view'; aqiView: AqiView }
  | { kind: 'toyMoved'; what: 'point' | 'anchor' | 'expert' }
  | { kind: 'toyLambda'; least: number }

export interface TourTask {
  /** what to do, in one sentence */
  instruction: string
  checks: readonly TourCheck[]
  /** the same, done by the page */
  doIt: TourSetting
  /** what to see afterwards */
  seen: string
}

export interface TourStep {
  id: string
  title: string
  page: 'studio' | 'learn'
  target: TargetId
  set: TourSetting
  text: readonly string[]
  task?: TourTask
}

export interface TourChapter {
  id: string
  title: string
  steps: readonly TourStep[]
}
