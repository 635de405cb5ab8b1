// Where safe and unsafe text lies in the hidden states of anchor and merge, in the anchor's stored plane. What can be
// done with the picture is loaded with it: ClusterExplorer.

import { Suspense, useMemo } from 'react'
import type { AqiResult, AqiView, Budget, Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { isOnCurve } from '../../share/experimentKey.ts'
import { choiceParameters } from '../../share/parameters.ts'
import { usePins } from '../../state/pins/store.ts'
import { currentMerge } from '../../state/plan.ts'
import {
  type Measurements,
  selectLambda,
  selectMeasurement,
  selectMergeMeasurement,
} from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { TableToggle } from '../controls/TableToggle.tsx'
import { describeEstimate, formatInterval, formatParameter, formatValue } from '../format.ts'
import { lazyAfterCharts, lazyInTurn } from '../lazyInTurn.ts'
import { BudgetBadge } from '../numbers/BudgetBadge.tsx'
import { reasonText } from '../reasonText.ts'
import { PanelTools } from '../share/PanelTools.tsx'
import { useSweep } from '../sweep/useSweep.ts'
import { legendOf, pinnedSources, sourceOf } from './clusterSources.ts'
import { clustersAt, noClusters, type ShownClusters } from './interpolateClusters.ts'
import { LegendMark } from './LegendMark.tsx'
import { ViewTabs } from './ViewTabs.tsx'

const ClusterExplorer = lazyInTurn(() => import('./ClusterExplorer.tsx'))
const AqiFormula = lazyAfterCharts(() => import('./AqiFormula.tsx'))
const plotHeight = 262
/** Tools and picture, kept free until they come. */
const explorerHeight = plotHeight + 30

export interface ClusterViewProps {
  experiment: Experiment
  anchorId: string | undefined
  measurements: Measurements
  view: AqiView
}

function statusOf(shown: ShownClusters, lambda: number): string {
  switch (shown.kind) {
    case 'measured':
      return t('The merge is measured at these settings')
    case 'between':
      return t('The merge at λ {lambda} is drawn between the measured {low} and {high}', {
        lambda: formatParameter(lambda),
        low: formatParameter(shown.low),
        high: formatParameter(shown.high),
      })
    case 'none':
      return t('The merge is not measured yet at this λ')
  }
}

export function ClusterView({ experiment, anchorId, measurements, view }: ClusterViewProps) {
  const isTable = useStudio((state) => state.view.asTable.clusters)
  const pins = usePins()
  const anchor = anchorId
    ? selectMeasurement(measurements, experiment, { kind: 'model', id: anchorId })
    : undefined
  const merge = selectMergeMeasurement(measurements, experiment)
  const anchorPoints = anchor?.clusters[view]
  const lambda = selectLambda(experiment)
  const sweep = useSweep(measurements, experiment)
  const isSoup = !isOnCurve(experiment)
  const soupPoints = isSoup ? merge?.clusters[view] : undefined
  const shown = useMemo<ShownClusters>(() => {
    if (isSoup) return soupPoints ? { kind: 'measured', points: soupPoints } : noClusters
    return clustersAt(sweep, lambda, view)
  }, [isSoup, soupPoints, sweep, lambda, view])
  const sources = useMemo(
    () => [
      ...sourceOf('anchor', experiment, { kind: 'model', id: anchorId ?? '' }, anchorPoints),
      ...pinnedSources(pins, experiment, view),
      ...(shown.kind === 'none'
        ? []
        : sourceOf('merge', experiment, currentMerge(experiment), shown.points, shown.kind === 'between')),
    ],
    [experiment, anchorId, anchorPoints, pins, view, shown],
  )
  const sweepClouds = useMemo(
    () => sweep.flatMap(({ measurement }) => measurement.clusters[view] ?? []),
    [sweep, view],
  )
  const option = choiceParameters.aqiView.options.find((candidate) => candidate.value === view)
  const legend = (
    <ul className="legend cluster-legend">
      {legendOf(sources).map(({ id, label, ...look }) => (
        <li key={id}>
          <LegendMark {...look} />
          {label}
        </li>
      ))}
    </ul>
  )
  return (
    <section className="panel clusters" aria-labelledby="clusters-title">
      <header className="panel-head">
        <h2 id="clusters-title">{t('Clusters')}</h2>
        <ViewTabs view={view} />
        <PanelTools
          name="clusters"
          label={t('the clusters')}
          shown={[
            { experiment, subject: { kind: 'model', id: anchorId ?? '' }, part: 'aqi' },
            { experiment, subject: currentMerge(experiment), part: 'aqi' },
          ]}
        >
          <TableToggle chart="clusters" isTable={isTable} />
        </PanelTools>
      </header>
      <div className="cluster-figures">
        <Figure label={t('Anchor')} mark="hollow" result={anchor?.aqi[view]} budget={undefined} />
        <Figure label={t('Merge')} mark="filled" result={merge?.aqi[view]} budget={merge?.budget[view]} />
      </div>
      <div id="cluster-picture" role="tabpanel" aria-label={option && t(option.label)}>
        <Suspense
          fallback={
            <>
              <div style={{ height: explorerHeight }} />
              {legend}
            </>
          }
        >
          <ClusterExplorer
            view={view}
            sources={sources}
            sweepClouds={sweepClouds}
            isTable={isTable}
            height={plotHeight}
            legend={legend}
          />
        </Suspense>
      </div>
      <p className="caption cluster-caption">
        <b>{t('{status}.', { status: statusOf(shown, lambda) })}</b> {option && t(option.brief)}{' '}
        {t('Ellipses: where the means would lie with other probes of the same kind, 95 %.')}
      </p>
      <Suspense fallback={<div style={{ height: 32 }} />}>
        <AqiFormula anchor={anchor?.aqi[view]} merge={merge?.aqi[view]} />
      </Suspense>
    </section>
  )
}

interface FigureProps {
  label: string
  mark: 'hollow' | 'filled'
  result: AqiResult | undefined
  budget: Budget | undefined
}

function formatClasses(result: AqiResult | undefined): string {
  const [safe, unsafe] = result?.perClass ?? [0, 0]
  return safe === unsafe ? `2 × ${safe}` : `${safe} + ${unsafe}`
}

/** One AQI in figures. */
function Figure({ label, mark, result, budget }: FigureProps) {
  const estimate = result?.normalised
  return (
    <div className="figure" data-mark={mark}>
      <span className="figure-label">{t('AQI, {name}', { name: label })}</span>
      {!estimate && <span className="figure-value is-pending">·</span>}
      {estimate && 'unavailable' in estimate && (
        <span className="figure-words">{reasonText(estimate.unavailable)}</span>
      )}
      {estimate && !('unavailable' in estimate) && (
        <span className="figure-value" title={describeEstimate('aqi', estimate)}>
          {formatValue('aqi', estimate.value)}{' '}
          <small>
            {formatInterval('aqi', estimate.low, estimate.high)} · n {formatClasses(result)}
          </small>
        </span>
      )}
      {budget && <BudgetBadge budget={budget} />}
    </div>
  )
}
