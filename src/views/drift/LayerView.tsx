// In which layers the merge moves along alignment directions, beside the plain average.

import { Suspense, useMemo } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { sweepExperiment } from '../../state/plan.ts'
import { type Measurements, selectMeasurement, selectMergeMeasurement } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { niceMaximum } from '../charts/niceMaximum.ts'
import { TableToggle } from '../controls/TableToggle.tsx'
import { formatRound, formatScaled, normScaleOf } from '../format.ts'
import { lazyInTurn } from '../lazyInTurn.ts'

const LayerBars = lazyInTurn(() => import('../charts/LayerBars.tsx'))
const plotHeight = 128

const scaled = (value: number | undefined, factor: number) => (value === undefined ? null : value * factor)

export interface LayerViewProps {
  experiment: Experiment
  layerCount: number
  measurements: Measurements
}

export function LayerView({ experiment, layerCount, measurements }: LayerViewProps) {
  const isTable = useStudio((state) => state.view.asTable.layers)
  const merge = selectMergeMeasurement(measurements, experiment)?.drift?.byLayer
  const average = selectMeasurement(measurements, sweepExperiment(experiment), {
    kind: 'merge',
    lambdaAlign: 0,
  })?.drift?.byLayer
  const highest = Math.max(0, ...(merge ?? []), ...(average ?? []))
  const { factor, unit } = normScaleOf(highest)
  const rows = useMemo(
    () =>
      Array.from({ length: Math.max(layerCount, merge?.length ?? 0, 1) }, (_, layer) => ({
        layer,
        merge: scaled(merge?.[layer], factor),
        average: scaled(average?.[layer], factor),
      })),
    [layerCount, merge, average, factor],
  )
  return (
    <section className="panel layers" aria-labelledby="layers-title">
      <header className="panel-head">
        <h2 id="layers-title">
          Drift by layer <small>{unit}</small>
        </h2>
        <ul className="legend">
          <li>
            <span className="swatch is-merge" aria-hidden="true" />
            merge
          </li>
          <li>
            <span className="swatch is-average" aria-hidden="true" />
            plain average
          </li>
        </ul>
        <TableToggle chart="layers" isTable={isTable} />
      </header>
      {isTable ? (
        <div className="table-scroll" style={{ height: plotHeight }}>
          <table>
            <caption className="visually-hidden">Held-out drift by layer</caption>
            <thead>
              <tr>
                <th scope="col">Layer</th>
                <th scope="col">Merge</th>
                <th scope="col">Plain average</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.layer}>
                  <th scope="row">{row.layer}</th>
                  <td>{row.merge === null ? '·' : formatScaled(row.merge)}</td>
                  <td>{row.average === null ? '·' : formatScaled(row.average)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Suspense fallback={<div style={{ height: plotHeight }} />}>
          <LayerBars
            rows={rows}
            maximum={niceMaximum(highest * factor)}
            height={plotHeight}
            format={formatRound}
          />
        </Suspense>
      )}
      <p className="caption">
        Held-out directions, each cut to its layer. Layers pull against each other along one direction, so the
        squares of these bars do not add up to D².
      </p>
    </section>
  )
}
