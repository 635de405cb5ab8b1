// A set through the models: how it was answered, with intervals, by the labels as they are now.

import { useMemo } from 'react'
import { t } from '../../language/translate.ts'
import { mergeWordsKey } from '../../state/play/columns.ts'
import { type ColumnCounts, countRun, runSet, stopRun } from '../../state/play/runSet.ts'
import type { PromptSet } from '../../state/play/storage.ts'
import { type SetRun, usePlay } from '../../state/play/store.ts'
import { useStudio } from '../../state/store.ts'
import { useWork } from '../app/useWork.ts'
import { formatInterval, formatValue } from '../format.ts'

const rows: readonly { id: keyof ColumnCounts; label: string; title: string }[] = [
  { id: 'refusal', label: 'Refused, unsafe', title: 'Share of unsafe prompts that are refused' },
  { id: 'compliance', label: 'Complied, unsafe', title: 'Share of unsafe prompts that are complied with' },
  { id: 'overRefusal', label: 'Refused, safe', title: 'Share of safe prompts that are refused' },
  { id: 'gibberish', label: 'Gibberish', title: 'Share of all answers that are not well-formed' },
]

export function SetRunView({ set, shown }: { set: PromptSet; shown: readonly number[] }) {
  const run = usePlay((state) => (state.run?.setId === set.id ? state.run : null))
  const { isReady, experiment } = useWork()
  const isRunning = run?.state === 'running'
  const canRun = isReady && !isRunning && set.rows.some(({ label }) => label !== 'ignore')
  return (
    <section className="play-run" aria-labelledby="run-title">
      <header>
        <h3 id="run-title">{t('Run the prompts through the models')}</h3>
        <span className="play-tools">
          {isRunning ? (
            <button type="button" className="primary" onClick={stopRun}>
              {t('Stop')}
            </button>
          ) : (
            <>
              <button type="button" className="primary" disabled={!canRun} onClick={() => void runSet()}>
                {t('Run all')}
              </button>
              {shown.length < set.rows.length && (
                <button
                  type="button"
                  disabled={!canRun || shown.length === 0}
                  onClick={() => void runSet(shown)}
                >
                  {t('Run those shown')}
                </button>
              )}
            </>
          )}
        </span>
      </header>
      {run ? (
        <Counts run={run} set={set} isCurrent={run.mergeKey === mergeWordsKey(experiment)} />
      ) : (
        <p className="hint">
          {t(
            'Every shown model answers every prompt that is not ignored: greedy, one turn, by our own kernels.',
          )}
        </p>
      )}
    </section>
  )
}

function Counts({ run, set, isCurrent }: { run: SetRun; set: PromptSet; isCurrent: boolean }) {
  const counts = useMemo(() => countRun(run, set.rows), [run, set.rows])
  const done = run.answers.reduce((sum, column) => sum + column.filter(Boolean).length, 0)
  const total = run.answers.length * run.places.length
  const label = useStudio((state) => state.runs.job?.label)
  return (
    <>
      <p className="play-progress" role={run.state === 'running' ? undefined : 'status'}>
        <progress value={done} max={total} aria-label={t('Answers that have arrived')} />{' '}
        {t('{done} of {total} answers', { done, total })}
        {run.state === 'stopped' && ` · ${t('stopped')}`}
        {run.state === 'failed' && ` · ${t('failed')}`}
        {run.state === 'running' && done === 0 && label && ` · ${label}`}
        {!isCurrent && run.state !== 'running' && ` · ${t('the merge has changed since')}`}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled table must be reachable by keyboard */}
      <section className="table-scroll" aria-label={t('Shares of the answers')} tabIndex={0}>
        <table className="play-counts">
          <thead>
            <tr>
              <th scope="col">
                <span className="visually-hidden">{t('Measure')}</span>
              </th>
              {run.columns.map(({ key, name }) => (
                <th key={key} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ id, label: words, title }) => (
              <tr key={id}>
                <th scope="row" title={t(title)}>
                  {t(words)}
                </th>
                {counts.map((column, c) => (
                  <td key={run.columns[c]!.key}>
                    <Share estimate={column[id]} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="caption">
        {t(
          'Shares with Wilson intervals at 95 % and their n, by the labels as they are now; verdicts by the rules of the built-in probes.',
        )}
      </p>
    </>
  )
}

function Share({ estimate }: { estimate: ColumnCounts['refusal'] }) {
  if ('unavailable' in estimate) return <span className="muted">–</span>
  const { value, low, high, count } = estimate
  return (
    <>
      {formatValue('share', value)}{' '}
      <small>
        {formatInterval('share', low, high)}, n = {count}
      </small>
    </>
  )
}
