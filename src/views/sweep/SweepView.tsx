// The sweep: what one or two settings do to AQI, behaviour, skills and drift, as lines, as maps, or one measure
// against another.

import { lazy, Suspense, useMemo } from 'react'
import type { AqiView, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { usePins } from '../../state/pins/store.ts'
import { currentMerge } from '../../state/plan.ts'
import type { Measurements } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { setPicture } from '../../state/sweeps/actions.ts'
import { selectSheet } from '../../state/sweeps/selectors.ts'
import { type SweepPicture, useSweeps } from '../../state/sweeps/store.ts'
import { Formula } from '../controls/Formula.tsx'
import { TableToggle } from '../controls/TableToggle.tsx'
import { lazyAfterCharts } from '../lazyInTurn.ts'
import { PanelTools } from '../share/PanelTools.tsx'
import { LineSweep } from './LineSweep.tsx'
import { MergeStatus } from './MergeStatus.tsx'
import './sweep.css'

const SheetView = lazy(() => import('./SheetView.tsx'))
const ParetoSweep = lazy(() => import('./ParetoSweep.tsx'))
const SweepSettings = lazyAfterCharts(() => import('./SweepSettings.tsx'))

export interface SweepViewProps {
  experiment: Experiment
  anchorId: string | undefined
  geometry: GeometrySummary | undefined
  measurements: Measurements
  view: AqiView
}

export function SweepView({ experiment, anchorId, geometry, measurements, view }: SweepViewProps) {
  const isTable = useStudio((state) => state.view.asTable.sweep)
  const wanted = useSweeps((state) => state.spec)
  const picture = useSweeps((state) => state.picture)
  const pins = usePins()
  const sheet = selectSheet(wanted, experiment)
  const { spec, parameters } = sheet
  const title = useMemo(
    () => (spec.kind === 'weights' ? ['λₖ'] : parameters.map(({ symbol, label }) => symbol || t(label))),
    [spec, parameters],
  )
  const shown = useMemo(
    () =>
      sheet.points.flatMap((point) =>
        (['aqi', 'behaviour'] as const).map((part) => ({
          experiment: point.experiment,
          subject: currentMerge(point.experiment),
          part,
        })),
      ),
    [sheet],
  )
  const common = { experiment, sheet, anchorId, measurements, view, pins, isTable }
  return (
    <section className="panel sweep" aria-labelledby="sweep-title">
      <header className="panel-head">
        <h2 id="sweep-title">
          {t('Sweep of')}{' '}
          {title.map((symbol, index) => (
            <span key={symbol}>
              {index > 0 && ' × '}
              <Formula text={symbol} />
            </span>
          ))}
        </h2>
        <MergeStatus experiment={experiment} />
        <PictureTabs picture={picture} isLine={spec.kind === 'line'} />
        <PanelTools name="sweep" label={t('the sweep')} shown={shown}>
          <TableToggle chart="sweep" isTable={isTable} />
        </PanelTools>
      </header>
      <Suspense fallback={<div className="sweep-settings" />}>
        <SweepSettings experiment={experiment} sheet={sheet} measurements={measurements} />
      </Suspense>
      {picture === 'pareto' ? (
        <Suspense fallback={<div className="sweep-skeleton" />}>
          <ParetoSweep {...common} />
        </Suspense>
      ) : spec.kind === 'line' ? (
        <>
          <LineSweep {...common} geometry={geometry} />
          <p className="caption">
            {t(
              'Dots are measured, bars their 95 % intervals; lines only join them. Drag the line, or use the arrow keys. AQI never stands alone: a merge can keep the clusters apart and still comply.',
            )}
          </p>
        </>
      ) : (
        <Suspense fallback={<div className="sweep-skeleton" />}>
          <SheetView {...common} />
        </Suspense>
      )}
    </section>
  )
}

function PictureTabs({ picture, isLine }: { picture: SweepPicture; isLine: boolean }) {
  const choices = [
    { id: 'sweep', label: isLine ? t('Lines') : t('Map') },
    { id: 'pareto', label: t('Pareto') },
  ] as const
  return (
    <fieldset className="segmented picture-tabs">
      <legend className="visually-hidden">{t('Picture')}</legend>
      {choices.map(({ id, label }) => (
        <button key={id} type="button" aria-pressed={picture === id} onClick={() => setPicture(id)}>
          {label}
        </button>
      ))}
    </fieldset>
  )
}
