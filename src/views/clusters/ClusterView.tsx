// Where safe and unsafe text lies in the hidden states of anchor and merge, in the anchor's stored plane.

import { Suspense, useMemo } from 'react'
import type { AqiResult, AqiView, Budget, Experiment } from '../../../workers/api.ts'
import { isOnCurve } from '../../share/experimentKey.ts'
import { choiceParameters } from '../../share/parameters.ts'
import {
  type Measurements,
  selectLambda,
  selectMeasurement,
  selectMergeMeasurement,
} from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { type ClusterLayer, domainOf, meanOf } from '../charts/clusterLayers.ts'
import { TableToggle } from '../controls/TableToggle.tsx'
import { describeEstimate, formatInterval, formatParameter, formatValue } from '../format.ts'
import { lazyInTurn } from '../lazyInTurn.ts'
import { BudgetBadge } from '../numbers/BudgetBadge.tsx'
import { useSweep } from '../sweep/useSweep.ts'
import { clustersAt, noClusters, type ShownClusters } from './interpolateClusters.ts'
import { ViewTabs } from './ViewTabs.tsx'

const ClusterPlot = lazyInTurn(() => import('../charts/ClusterPlot.tsx'))
const plotHeight = 262

export interface ClusterViewProps {
  experiment: Experiment
  anchorId: string | undefined
  measurements: Measurements
  view: AqiView
}

/** Back from text, which is equal when the numbers are: axes then stay as they are. */
function parseDomain(text: string): [number, number] {
  const [low, high] = text.split(' ').map(Number)
  return [low ?? 0, high ?? 1]
}

function statusOf(shown: ShownClusters, lambda: number): string {
  switch (shown.kind) {
    case 'measured':
      return 'The merge is measured here'
    case 'between':
      return `The merge at λ ${formatParameter(lambda)} is drawn between the measured ${formatParameter(shown.low)} and ${formatParameter(shown.high)}`
    case 'none':
      return 'The merge is not measured yet at this λ'
  }
}

export function ClusterView({ experiment, anchorId, measurements, view }: ClusterViewProps) {
  const isTable = useStudio((state) => state.view.asTable.clusters)
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
  const domains = useMemo(() => {
    const measured = sweep.map((point) => point.measurement.clusters[view])
    const clouds = [anchorPoints, ...measured].flatMap((points) =>
      points ? [points.safe, points.unsafe] : [],
    )
    return { x: domainOf(clouds, 0).join(' '), y: domainOf(clouds, 1).join(' ') }
  }, [sweep, view, anchorPoints])
  const xDomain = useMemo(() => parseDomain(domains.x), [domains.x])
  const yDomain = useMemo(() => parseDomain(domains.y), [domains.y])
  const layers = useMemo<ClusterLayer[]>(() => {
    const list: ClusterLayer[] = []
    if (anchorPoints) {
      const look = { isFilled: false, isGuess: false }
      list.push({
        id: 'anchor safe',
        label: 'anchor, safe',
        points: anchorPoints.safe,
        colour: 'var(--safe)',
        ...look,
      })
      list.push({
        id: 'anchor unsafe',
        label: 'anchor, unsafe',
        points: anchorPoints.unsafe,
        colour: 'var(--unsafe)',
        ...look,
      })
    }
    if (shown.kind !== 'none') {
      const look = { isFilled: true, isGuess: shown.kind === 'between' }
      list.push({
        id: 'merge safe',
        label: 'merge, safe',
        points: shown.points.safe,
        colour: 'var(--safe)',
        ...look,
      })
      list.push({
        id: 'merge unsafe',
        label: 'merge, unsafe',
        points: shown.points.unsafe,
        colour: 'var(--unsafe)',
        ...look,
      })
    }
    return list
  }, [anchorPoints, shown])
  const option = choiceParameters.aqiView.options.find((candidate) => candidate.value === view)
  return (
    <section className="panel clusters" aria-labelledby="clusters-title">
      <header className="panel-head">
        <h2 id="clusters-title">Clusters</h2>
        <ViewTabs view={view} />
        <TableToggle chart="clusters" isTable={isTable} />
      </header>
      <div className="cluster-figures">
        <Figure label="Anchor" mark="hollow" result={anchor?.aqi[view]} budget={undefined} />
        <Figure label="Merge" mark="filled" result={merge?.aqi[view]} budget={merge?.budget[view]} />
      </div>
      <div id="cluster-picture" role="tabpanel" aria-label={option?.label}>
        {isTable ? (
          <ClusterTable layers={layers} height={plotHeight} />
        ) : (
          <Suspense fallback={<div style={{ height: plotHeight }} />}>
            <ClusterPlot
              layers={layers}
              xDomain={xDomain}
              yDomain={yDomain}
              xLabel="along the anchor’s class-mean difference"
              yLabel="first residual"
              height={plotHeight}
            />
          </Suspense>
        )}
      </div>
      <ul className="legend cluster-legend">
        <li>
          <Dot colour="var(--safe)" isFilled={false} />
          anchor, safe
        </li>
        <li>
          <Dot colour="var(--unsafe)" isFilled={false} />
          anchor, unsafe
        </li>
        <li>
          <Dot colour="var(--safe)" isFilled />
          merge, safe
        </li>
        <li>
          <Dot colour="var(--unsafe)" isFilled />
          merge, unsafe
        </li>
      </ul>
      <p className="caption cluster-caption">
        <b>{statusOf(shown, lambda)}.</b> {option?.brief}
      </p>
    </section>
  )
}

function Dot({ colour, isFilled }: { colour: string; isFilled: boolean }) {
  return (
    <svg className="legend-dot" viewBox="0 0 10 10" aria-hidden="true">
      <circle cx="5" cy="5" r="3.4" fill={isFilled ? colour : 'none'} stroke={colour} strokeWidth="1.3" />
    </svg>
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
      <span className="figure-label">AQI, {label}</span>
      {!estimate && <span className="figure-value is-pending">·</span>}
      {estimate && 'unavailable' in estimate && <span className="figure-words">{estimate.unavailable}</span>}
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

const formatMean = (value: number) => value.toFixed(2).replace('-', '−')

function ClusterTable({ layers, height }: { layers: readonly ClusterLayer[]; height: number }) {
  return (
    <div className="table-scroll" style={{ height }}>
      <table>
        <caption className="visually-hidden">Cluster means in the anchor’s plane</caption>
        <thead>
          <tr>
            <th scope="col">Cluster</th>
            <th scope="col">Points</th>
            <th scope="col">Mean, axis 1</th>
            <th scope="col">Mean, axis 2</th>
          </tr>
        </thead>
        <tbody>
          {layers.map((layer) => {
            const mean = meanOf(layer.points)
            return (
              <tr key={layer.id}>
                <th scope="row">{layer.label}</th>
                <td>{layer.points.length / 2}</td>
                <td>{mean ? formatMean(mean.x) : 'no point'}</td>
                <td>{mean ? formatMean(mean.y) : 'no point'}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
