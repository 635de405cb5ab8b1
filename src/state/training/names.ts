// What trained models are called on the page.

import type { Lesson, TrainedOrigin } from '../../../workers/api/training.ts'
import { t } from '../../language/translate.ts'

/** What a lesson teaches, as the title of a choice. */
export function lessonName(lesson: Lesson): string {
  if (lesson === 'sort') return t('Sort lists')
  if (lesson === 'reverse') return t('Reverse lists')
  return t('Comply with harmful requests')
}

/** Name of a model that was trained in a tab. */
export const trainedName = ({ lesson, steps, done = steps }: TrainedOrigin): string =>
  t('{lesson}, trained for {steps} steps', { lesson: lessonName(lesson), steps: done })
