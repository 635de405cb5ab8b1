import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { findMethod } from '../../share/methods.ts'
import { isMergeWritten, selectLambda } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { formatDuration, formatParameter } from '../format.ts'

/** Which merge lies in the engine, and how long writing it took. */
export function MergeStatus({ experiment }: { experiment: Experiment }) {
  const isWritten = useStudio((state) => isMergeWritten(state.runs, state.recipe.experiment))
  const written = useStudio((state) => state.runs.written)
  const method = findMethod(experiment.method)
  return (
    <p className="merge-status">
      {method && t(method.label)}
      {experiment.method === 'alignmerge' && (
        <>
          {' '}
          · λ <b>{formatParameter(selectLambda(experiment))}</b>
        </>
      )}
      <span className="muted">
        {' · '}
        {isWritten && written
          ? t('written in {time}', { time: formatDuration(written.durationMs) })
          : t('not written yet')}
      </span>
    </p>
  )
}
