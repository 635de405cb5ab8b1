// The same measures as a table: where the anchor stood, where the model is now.

import type { TrainingMeasure } from '../../../workers/api/training.ts'
import type { Estimate } from '../../../workers/api.ts'
import { plural, t } from '../../language/translate.ts'
import { useTraining } from '../../state/training/store.ts'
import { formatInterval, formatValue, type NumberForm } from '../format.ts'
import { reasonText } from '../reasonText.ts'
import { viewName } from './trainingPanels.ts'

interface Row {
  label: string
  form: NumberForm
  of: (measure: TrainingMeasure) => Estimate | undefined
}

const rows = (): Row[] => [
  { label: t('Refusal of harmful requests'), form: 'share', of: ({ refusal }) => refusal },
  { label: t('Refusal of harmless requests'), form: 'share', of: ({ overRefusal }) => overRefusal },
  ...(['prompts', 'completions', 'answers'] as const).map(
    (view): Row => ({ label: viewName(view), form: 'aqi', of: ({ aqi }) => aqi[view] }),
  ),
]

export function TrainingMeasures() {
  const measures = useTraining((state) => state.measures)
  const kept = useTraining((state) => state.kept)
  const [first, last] = [measures[0], measures.length > 1 ? measures.at(-1) : undefined]
  return (
    <div className="training-table">
      <table>
        <caption className="visually-hidden">{t('Measures before and after')}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('before')}</th>
            <th scope="col">
              {last ? plural(last.step, 'after {count} step', 'after {count} steps') : t('so far')}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows().map(({ label, form, of }) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <Cell form={form} estimate={first && of(first)} />
              <Cell form={form} estimate={last && of(last)} />
            </tr>
          ))}
        </tbody>
      </table>
      <p className="caption">
        {first && 'count' in first.refusal
          ? t(
              '{count} held-out prompts of each kind; the numbers of the studio use as many as its recipe says.',
              {
                count: first.refusal.count,
              },
            )
          : ' '}
      </p>
      <p className="caption training-digest">
        {kept && t('SHA-256 of the weights: {digest}', { digest: kept.digest })}
      </p>
    </div>
  )
}

function Cell({ form, estimate }: { form: NumberForm; estimate: Estimate | undefined }) {
  if (!estimate) return <td>–</td>
  if ('unavailable' in estimate)
    return (
      <td className="is-words">
        {t('no value')} <small>{reasonText(estimate.unavailable)}</small>
      </td>
    )
  return (
    <td>
      {formatValue(form, estimate.value)} <small>{formatInterval(form, estimate.low, estimate.high)}</small>
    </td>
  )
}
