// Which experiments have their results shipped with the page: the one a visitor meets first, and those of the tour. One
// file for each set of experts and metric, since its geometry is one. Made by `npm run shipped`.

import type { Experiment } from '../../workers/api.ts'
import { geometryKey } from '../share/experimentKey.ts'
import { type LessonId, lessons } from './lessons.ts'

/** Raised when what is measured means something else than before, so that older files are not taken. */
export const shippedVersion = 1

export interface ShippedSet {
  /** the file's name, without .json */ id: string
  /** the first is what the others are told as changes of */ lessons: readonly [LessonId, ...LessonId[]]
}

export const shippedSets: readonly ShippedSet[] = [
  { id: 'two-tasks', lessons: ['first', 'harmlessAverage'] },
  {
    id: 'with-uncensored',
    lessons: [
      'shield',
      'average',
      'hardShield',
      'budget',
      'aqiBudget',
      'randomControl',
      'uselessAndSafe',
      'highestIndex',
    ],
  },
  { id: 'euclidean', lessons: ['euclidean'] },
]

/** The experiment that a shipped file is about. */
export const shippedExperiment = ({ lessons: [first] }: ShippedSet): Experiment => lessons[first]

/** The set whose file may answer an experiment: same models, probes, metric and seed. */
export function findShipped(experiment: Experiment): ShippedSet | undefined {
  const key = geometryKey(experiment)
  return shippedSets.find((set) => geometryKey(shippedExperiment(set)) === key)
}
