// Who can be asked: anchor, experts and the merge of the page, in the order of the recipe.

import type { Experiment, ModelSummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { currentMerge } from '../plan.ts'
import { selectCast } from '../selectors.ts'
import type { Column } from './store.ts'

export const MERGE_COLUMN = 'merge'

/** What the merge's words follow from: which prompts are measured is no part of it. */
export function mergeWordsKey({ probes: _, ...experiment }: Experiment): string {
  return mergeKey(experiment)
}

/** Columns of an experiment; none while one of its models is missing. */
export function columnsOf(list: readonly ModelSummary[], experiment: Experiment | null): Column[] {
  const cast = selectCast(list, experiment)
  if (!cast || !experiment) return []
  const models = [cast.anchor, ...cast.experts]
  return [
    ...models.map(({ id, name }): Column => ({ key: `model:${id}`, name, subject: { kind: 'model', id } })),
    { key: MERGE_COLUMN, name: t('Merge'), subject: currentMerge(experiment) },
  ].filter((column, c, all) => all.findIndex(({ key }) => key === column.key) === c)
}
