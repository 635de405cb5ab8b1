import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { isMergeWritten } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { formatParameter } from '../format.ts'

const budgetNames: Readonly<Record<string, string>> = {
  refusal: 'refusal margin',
  compliance: 'compliance margin',
  'aqi-prompts': 'AQI of prompts',
  'aqi-completions': 'AQI of completions',
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
        {stage === 'fixed' ? `After ${rounds} rounds` : `Search ended at “${stage}”`}: λ{' '}
        <b>{formatParameter(lambdaAlign)}</b>
        {scale < 1 && (
          <>
            , <b>{(100 * scale).toFixed(0)} %</b> of the way from the anchor
          </>
        )}
        {evaluations > 1 && `, ${evaluations} merges measured`}.
      </p>
      {budgets.map(({ name, value, threshold, violation }) => (
        <p key={name}>
          Budget, {budgetNames[name] ?? name}:{' '}
          <b>{violation === 0 ? t('kept') : `broken by ${violation.toPrecision(2)}`}</b> ({value.toFixed(2)}{' '}
          against {threshold.toFixed(2)} nats)
        </p>
      ))}
    </div>
  )
}
