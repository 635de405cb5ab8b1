import { useMemo } from 'react'
import { plural, t } from '../../language/translate.ts'
import { runAgain, stopAll } from '../../state/actions/runner.ts'
import { usePinStore } from '../../state/pins/store.ts'
import { remainingTasks } from '../../state/plan.ts'
import { selectPlanInput } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { useSweeps } from '../../state/sweeps/store.ts'
import { planWishes } from '../../state/sweeps/wishes.ts'

/** The running job, what is left, and the way to stop it. Its place is kept when nothing runs. */
export function JobProgress() {
  const job = useStudio((state) => state.runs.job)
  const isStopped = useStudio((state) => state.runs.isStopped)
  const failedCount = useStudio((state) => Object.keys(state.runs.failed).length)
  const isReady = useStudio((state) => state.models.engine.kind === 'ready')
  const remaining = useRemainingCount()
  const share = job && job.total > 0 ? job.done / job.total : 0
  const percent = Math.round(100 * share)
  if (job) {
    return (
      <div className="job">
        <span className="job-label" title={job.label}>
          {job.label}
        </span>
        <progress
          className="job-bar"
          max={100}
          value={job.total > 0 ? percent : undefined}
          aria-label={job.label}
        />
        <span className="job-count">
          {job.isBackground && remaining > 1 ? t('{count} to go', { count: remaining }) : `${percent} %`}
        </span>
        <button type="button" onClick={stopAll}>
          {t('Cancel')}
        </button>
      </div>
    )
  }
  if (isStopped || failedCount > 0) {
    const text = isStopped
      ? t('Stopped; results are kept')
      : plural(failedCount, '1 measurement failed', '{count} measurements failed')
    return (
      <div className="job">
        <span className="job-label" title={text}>
          {text}
        </span>
        <button type="button" disabled={!isReady} onClick={runAgain}>
          {t('Run again')}
        </button>
      </div>
    )
  }
  return (
    <div className="job">
      <span className="job-label muted">{isReady && remaining === 0 ? t('Everything is measured') : ''}</span>
    </div>
  )
}

/** Counted anew when something is finished, not at every step of progress. */
function useRemainingCount(): number {
  const list = useStudio((state) => state.models.list)
  const experiment = useStudio((state) => state.recipe.experiment)
  const preparedKey = useStudio((state) => state.runs.preparedKey)
  const geometries = useStudio((state) => state.runs.geometries)
  const measurements = useStudio((state) => state.runs.measurements)
  const received = useStudio((state) => state.runs.received)
  const failed = useStudio((state) => state.runs.failed)
  const page = useStudio((state) => state.view.page)
  const labeller = useStudio((state) => state.models.labeller)
  const spec = useSweeps((state) => state.spec)
  const pins = usePinStore()
  return useMemo(() => {
    const input = selectPlanInput(
      list,
      experiment,
      { preparedKey, geometries, measurements, received, failed },
      page,
      labeller,
      experiment ? planWishes(experiment, spec, pins) : undefined,
    )
    return input ? remainingTasks(input).length : 0
  }, [list, experiment, preparedKey, geometries, measurements, received, failed, page, labeller, spec, pins])
}
