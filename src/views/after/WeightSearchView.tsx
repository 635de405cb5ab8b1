// Weights by data: which search, how much safety counts, and the trace of J as it comes.

import { useState } from 'react'
import type { Experiment, WeightSearch } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey } from '../../share/experimentKey.ts'
import { applyBestWeights, bestPoint, searchWeights } from '../../state/actions/afterMerge.ts'
import { stopAll } from '../../state/actions/runner.ts'
import { useMissing } from '../../state/needs.ts'
import { useStudio } from '../../state/store.ts'
import { tracePath } from './tracePath.ts'

const searches: readonly {
  value: WeightSearch['search']
  label: string
  brief: string
  evaluations: number
}[] = [
  { value: 'gradient', label: 'Gradient', brief: 'dJ/dλ = ⟨∇J, τ⟩, at most 10 passes', evaluations: 10 },
  {
    value: 'evolution',
    label: 'EvoMM',
    brief: 'CMA-ES, 100 evaluations (arXiv 2406.14563)',
    evaluations: 100,
  },
  {
    value: 'cocktail',
    label: 'LM-Cocktail',
    brief: 'softmax of the experts’ losses (arXiv 2311.13534)',
    evaluations: 2,
  },
]
const factors = [1, 4, 8, 16, 32]
const [width, height] = [240, 56]

export function WeightSearchView({ experiment, isReady }: { experiment: Experiment; isReady: boolean }) {
  const [search, setSearch] = useState<WeightSearch['search']>('gradient')
  const [alpha, setAlpha] = useState(1)
  const run = useStudio((state) => state.runs.search)
  const missing = useMissing('weightSearch')
  const chosen = searches.find(({ value }) => value === search)!
  const isCurrent = run?.key === geometryKey(experiment)
  const points = isCurrent ? run.points : []
  const best = isCurrent ? bestPoint() : undefined
  return (
    <details className="weight-search">
      <summary>{t('Choose by data')}</summary>
      <p className="caption">
        {t(
          'Minimises the loss of answers that the experts give and of refusals that the anchor gives, on pairs the models write themselves.',
        )}
      </p>
      <div className="field-row">
        <label>
          <span className="visually-hidden">{t('Search')}</span>
          <select value={search} onChange={(event) => setSearch(event.target.value as typeof search)}>
            {searches.map(({ value, label }) => (
              <option key={value} value={value}>
                {t(label)}
              </option>
            ))}
          </select>
        </label>
        <label title={t('How many times more a refusal counts than an answer')}>
          α{' '}
          <select value={alpha} onChange={(event) => setAlpha(Number(event.target.value))}>
            {factors.map((factor) => (
              <option key={factor}>{factor}</option>
            ))}
          </select>
        </label>
        {isCurrent && run.isRunning ? (
          <button type="button" onClick={stopAll}>
            {t('Stop, keep best')}
          </button>
        ) : (
          <button
            type="button"
            disabled={!isReady || missing !== undefined || experiment.experts.length < 2}
            title={
              missing ??
              (experiment.experts.length < 2 ? t('One expert has nothing to share') : t(chosen.brief))
            }
            onClick={() => void searchWeights({ search, alpha, evaluations: chosen.evaluations })}
          >
            {t('Search')}
          </button>
        )}
      </div>
      <p className="caption">{missing ?? t(chosen.brief)}</p>
      {points.length > 0 && (
        <>
          <svg
            className="trace"
            viewBox={`0 0 ${width} ${height}`}
            role="img"
            aria-label={t('J over {count} evaluations, best {best}', {
              count: points.length,
              best: String(best?.objective.toFixed(3)),
            })}
          >
            <path
              d={tracePath(
                points.map(({ objective }) => objective),
                width,
                height,
              )}
              className="trace-each"
            />
            <path
              d={tracePath(
                points.map(({ bestObjective }) => bestObjective),
                width,
                height,
              )}
              className="trace-best"
            />
          </svg>
          <dl className="trace-numbers">
            <dt>{t('evaluation')}</dt>
            <dd>{points.length}</dd>
            <dt>{t('J, start → best')}</dt>
            <dd>
              {points[0]!.objective.toFixed(3)} → {best?.objective.toFixed(3)} {t('nats')}
            </dd>
            <dt>{t('λ of the best')}</dt>
            <dd>{best?.weights.map((weight) => weight.toFixed(2)).join(', ')}</dd>
          </dl>
          <button type="button" disabled={!best || run?.isRunning} onClick={applyBestWeights}>
            {t('Use these weights')}
          </button>
        </>
      )}
    </details>
  )
}
