import { memo } from 'react'
import type { Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { availableRank, barycentreNorm, explainedShare } from '../../state/algebra.ts'
import { selectWeights } from '../../state/selectors.ts'
import { formatDuration, formatSignificant } from '../format.ts'

export interface GeometryLineProps {
  experiment: Experiment
  geometry: GeometrySummary | undefined
}

/** What the preparation found, in one row of figures. */
export const GeometryLine = memo(function GeometryLine({ experiment, geometry }: GeometryLineProps) {
  const weights = selectWeights(experiment)
  const figures: { label: string; title: string; value: string | undefined }[] = [
    {
      label: 'explained by m',
      title: 'Share of the alignment Fisher’s eigenvalues that the m leading directions hold',
      value: geometry && `${Math.round(100 * explainedShare(geometry, experiment.rank))} %`,
    },
    {
      label: 'directions',
      title: 'Directions in use, of those asked for',
      value:
        geometry &&
        t('{done} of {total}', { done: availableRank(geometry, experiment.rank), total: experiment.rank }),
    },
    {
      label: t('‖δ̄‖ in G'),
      title: 'Length of the barycentre’s displacement from the anchor in the metric',
      value: geometry && formatSignificant(barycentreNorm(geometry, weights)),
    },
    {
      label: 'metric ~ F',
      title:
        'Spearman correlation of the damped metric with the Fisher information: low means that damping rules',
      value: geometry && correlationText(geometry.metricCorrelation),
    },
    {
      label: 'fast F ~ exact',
      title: 'Spearman correlation of the fast Fisher form with the exact one',
      value: geometry && correlationText(geometry.fastFormCorrelation),
    },
    {
      label: 'with G = I, δ moves',
      title:
        'How much the fully shielded, equally weighted merge would differ with the identity metric, as a share of ‖δ̄‖',
      value: geometry && `${Math.round(100 * geometry.identityDifference)} %`,
    },
    {
      label: 'prepared in',
      title: 'Fisher information, gradients, eigenproblem and projections',
      value: geometry && formatDuration(geometry.durationMs),
    },
  ]
  return (
    <dl className="geometry-line">
      {figures.map(({ label, title, value }) => (
        <div key={label} title={t(title)}>
          <dt>{t(label)}</dt>
          <dd>{value ?? '·'}</dd>
        </div>
      ))}
    </dl>
  )
})

/** A rank correlation, or the reason why there is none. */
function correlationText(value: number | string): string {
  return typeof value === 'number' ? value.toFixed(3) : value
}
