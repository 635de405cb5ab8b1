// In which layers the merge moves along alignment directions, beside the plain average and the pinned runs.

import { Suspense, useMemo } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey } from '../../share/experimentKey.ts'
import { pinSlots, usePins } from '../../state/pins/store.ts'
import { currentMerge, sweepExperiment } from '../../state/plan.ts'
import { type Measurements, selectMeasurement, selectMergeMeasurement } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { niceMaximum } from '../charts/niceMaximum.ts'
import { TableScroll } from '../controls/TableScroll.tsx'
import { TableToggle } from '../controls/TableToggle.tsx'
import { formatRound, formatScaled, normScaleOf } from '../format.ts'
import { lazyAfterCharts, lazyInTurn } from '../lazyInTurn.ts'
import { PanelTools } from '../share/PanelTools.tsx'

const LayerBars = lazyInTurn(() => import('../charts/LayerBars.tsx'))
const DriftFormula = lazyAfterCharts(() => import('./DriftFormula.tsx'))
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
  const pins = usePins()
  // Norms of another metric are no lengths of this one.
  const [a, b] = pinSlots.map((slot) => {
    const run = pins[slot]
    const isSame = run !== null && geometryKey(run.experiment) === geometryKey(experiment)
    return isSame ? run.measurement?.drift?.byLayer : undefined
  })
  const highest = Math.max(0, ...(merge ?? []), ...(average ?? []), ...(a ?? []), ...(b ?? []))
  const { factor, unit } = normScaleOf(highest)
  const rows = useMemo(
    () =>
      Array.from({ length: Math.max(layerCount, merge?.length ?? 0, 1) }, (_, layer) => ({
        layer,
        merge: scaled(merge?.[layer], factor),
        average: scaled(average?.[layer], factor),
        a: scaled(a?.[layer], factor),
        b: scaled(b?.[layer], factor),
      })),
    [layerCount, merge, average, a, b, factor],
  )
  const columns = [
    { id: 'merge', label: t('Merge') },
    { id: 'average', label: t('Plain average') },
    ...pinSlots.flatMap((slot) => (pins[slot] ? [{ id: slot, label: slot.toUpperCase() }] : [])),
  ] as const
  return (
    <section className="panel layers" aria-labelledby="layers-title">
      <header className="panel-head">
        <h2 id="layers-title">
          {t('Drift by layer')} <small>{unit}</small>
        </h2>
        <ul className="legend">
          <li>
            <span className="swatch is-merge" aria-hidden="true" />
            {t('merge')}
          </li>
          <li>
            <span className="swatch is-average" aria-hidden="true" />
            {t('plain average')}
          </li>
          {pinSlots.map(
            (slot) =>
              pins[slot] && (
                <li key={slot}>
                  <span className="swatch is-pin" data-slot={slot} aria-hidden="true" />
                  {slot.toUpperCase()}
                </li>
              ),
          )}
        </ul>
        <PanelTools
          name="layers"
          label={t('the drift by layer')}
          shown={[{ experiment, subject: currentMerge(experiment), part: 'drift' }]}
        >
          <TableToggle chart="layers" isTable={isTable} />
        </PanelTools>
      </header>
      {isTable ? (
        <TableScroll label={t('Held-out drift by layer')} style={{ height: plotHeight }}>
          <table>
            <caption className="visually-hidden">{t('Held-out drift by layer')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('Layer')}</th>
                {columns.map(({ id, label }) => (
                  <th key={id} scope="col">
                    {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.layer}>
                  <th scope="row">{row.layer}</th>
                  {columns.map(({ id }) => {
                    const value = row[id]
                    return <td key={id}>{value === null ? '·' : formatScaled(value)}</td>
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
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
        {t(
          'Held-out directions, each cut to its layer. Layers pull against each other along one direction, so the squares of these bars do not add up to D².',
        )}
      </p>
      <Suspense fallback={<div style={{ height: 32 }} />}>
        <DriftFormula heldOut={selectMergeMeasurement(measurements, experiment)?.drift?.heldOut} />
      </Suspense>
    </section>
  )
}
