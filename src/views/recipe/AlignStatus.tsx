import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { isMergeWritten } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { formatParameter } from '../format.ts'

const budgetNames: Readonly<Record<string, () => string>> = {
  refusal: () => t('refusal margin'),
  compliance: () => t('compliance margin'),
  'aqi-prompts': () => t('AQI of prompts'),
  'aqi-completions': () => t('AQI of completions'),
}

/** How AlignMerge's rounds and search ended, once the merge is written. */
export function AlignStatus({ experiment }: { experiment: Experiment }) {
  const isWritten = useStudio((state) => isMergeWritten(state.runs, state.recipe.experiment))
  const report = useStudio((state) => state.runs.written?.align)
  if (experiment.method !== 'alignmerge' || !isWritten || !report) return null
  const { stage, lambdaAlign, scale, rounds, isAccepted, budgets, evaluations } = report
  return (
    <div className="caption align-status" data-accepted={isAccepted}>
      <p>
        {stage === 'fixed'
          ? t('After {count} rounds', { count: rounds })
          : t('Search ended at “{stage}”', { stage })}
        : λ <b>{formatParameter(lambdaAlign)}</b>
        {scale < 1 && <>, {t('{share} % of the way from the anchor', { share: (100 * scale).toFixed(0) })}</>}
        {evaluations > 1 && `, ${t('{count} merges measured', { count: evaluations })}`}.
      </p>
      {budgets.map(({ name, value, threshold, violation }) => (
        <p key={name}>
          {t('Budget, {name}', { name: budgetNames[name]?.() ?? name })}:{' '}
          <b>{violation === 0 ? t('kept') : t('broken by {value}', { value: violation.toPrecision(2) })}</b>{' '}
          {t('({value} against {threshold} nats)', {
            value: value.toFixed(2),
            threshold: threshold.toFixed(2),
          })}
        </p>
      ))}
    </div>
  )
}
