// All measured points of a sweep, one measure against another: which no other beats, which are beaten beyond doubt,
// with the recipe, the pinned runs, the anchor and the experts among them.

import { Suspense, useCallback, useMemo, useState } from 'react'
import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { mergeKey } from '../../share/experimentKey.ts'
import { standingsOf } from '../../share/sweeps/pareto.ts'
import type { SweepSheet } from '../../share/sweeps/points.ts'
import type { PinnedRuns } from '../../state/pins/store.ts'
import {
  type Measurements,
  selectCast,
  selectMeasurement,
  selectMergeMeasurement,
} from '../../state/selectors.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { useStudio } from '../../state/store.ts'
import { openPoint, setMeasure } from '../../state/sweeps/actions.ts'
import type { KnownPoint } from '../../state/sweeps/selectors.ts'
import { useSweeps } from '../../state/sweeps/store.ts'
import type { ParetoPoint } from '../charts/ParetoPlot.tsx'
import { lazyInTurn } from '../lazyInTurn.ts'
import { PointTable } from './PointTable.tsx'
import { type SheetViewProps, useKnownSheet } from './SheetView.tsx'
import { SymbolText } from './SymbolText.tsx'
import { measureById, type SheetMeasure, scaleOf, shownOf } from './sheetMeasures.ts'
import { describePlace, describePoint, pointOf } from './sheetPoints.ts'

const ParetoPlot = lazyInTurn(() => import('../charts/ParetoPlot.tsx'))

const plotHeight = 440

interface Candidate {
  id: string
  label: string
  kind: ParetoPoint['kind']
  slot?: 'a' | 'b' | 'recipe'
  measurement: Measurement | undefined
}

/** Points of the sweep, then what else the page knows; a run that is a point of the sweep is that point. */
function candidatesOf(
  sheet: SweepSheet,
  points: readonly KnownPoint[],
  recipe: Experiment,
  pins: PinnedRuns,
  measurements: Measurements,
): Candidate[] {
  const found = new Map<string, Candidate>()
  points.forEach((point, index) => {
    const label = describePlace(sheet, point.values)
    const { measurement } = point
    found.set(mergeKey(point.experiment), { id: String(index), label, kind: 'merge', measurement })
  })
  const add = (slot: 'a' | 'b' | 'recipe', experiment: Experiment, label: string) => {
    const key = mergeKey(experiment)
    const known = found.get(key)
    const measurement = selectMergeMeasurement(measurements, experiment)
    // The recipe gives way to a pin on the same merge; the letter says more.
    found.set(key, known ? { ...known, slot } : { id: slot, label, kind: 'merge', slot, measurement })
  }
  add('recipe', recipe, t('Recipe'))
  if (pins.a) add('a', pins.a.experiment, pins.a.label)
  if (pins.b) add('b', pins.b.experiment, pins.b.label)
  return [...found.values()]
}

function useModels(experiment: Experiment, measurements: Measurements): Candidate[] {
  const list = useStudio((state) => state.models.list)
  return useMemo(() => {
    const cast = selectCast(list, experiment)
    if (!cast) return []
    return [cast.anchor, ...cast.experts].map((model, index) => ({
      id: `model ${model.id}`,
      label: model.name,
      kind: index === 0 ? ('anchor' as const) : ('expert' as const),
      measurement: selectMeasurement(measurements, experiment, { kind: 'model', id: model.id }),
    }))
  }, [list, experiment, measurements])
}

function paretoPoints(candidates: readonly Candidate[], x: SheetMeasure, y: SheetMeasure): ParetoPoint[] {
  const shown = candidates.flatMap((candidate) => {
    const [atX, atY] = [shownOf(x, candidate.measurement), shownOf(y, candidate.measurement)]
    return atX && atY ? [{ ...candidate, x: atX, y: atY }] : []
  })
  const merges = shown.filter(({ kind }) => kind === 'merge')
  const standings = standingsOf(merges, { x: x.better, y: y.better })
  return shown.map(({ id, label, kind, slot, x: atX, y: atY }) => {
    const standing = standings[merges.findIndex((merge) => merge.id === id)]
    return {
      ...{ id, label, kind },
      ...(slot && { slot }),
      ...{ x: atX.value, xLow: atX.low, xHigh: atX.high },
      ...{ y: atY.value, yLow: atY.low, yHigh: atY.high },
      isFront: standing === 'front',
      isBeaten: standing === 'beaten',
    }
  })
}

export default function ParetoSweep(props: SheetViewProps) {
  const { experiment, sheet, measurements, pins, isTable } = props
  const { points, measures } = useKnownSheet(props)
  const [active, setActive] = useState<string | undefined>()
  const chosen = useSweeps((state) => state.measures)
  const x = measureById(measures, chosen.paretoX, 'skill')
  const asked = measureById(measures, chosen.paretoY, 'refusal')
  // AQI and drift say nothing of behaviour, so one of the two axes is behaviour.
  const y = x.isBehaviour || asked.isBehaviour ? asked : measureById(measures, 'refusal', 'refusal')
  const models = useModels(experiment, measurements)
  const plotted = useMemo(
    () => paretoPoints([...candidatesOf(sheet, points, experiment, pins, measurements), ...models], x, y),
    [sheet, points, experiment, pins, measurements, models, x, y],
  )
  const axisX = useMemo(
    () =>
      axisOf(
        x,
        plotted.map((p) => ({ value: p.x, low: p.xLow, high: p.xHigh })),
      ),
    [x, plotted],
  )
  const axisY = useMemo(
    () =>
      axisOf(
        y,
        plotted.map((p) => ({ value: p.y, low: p.yLow, high: p.yHigh })),
      ),
    [y, plotted],
  )
  const open = useCallback(
    (id: string) => {
      const point = sheet.points[Number(id)]
      if (point) openPoint(point.experiment)
      else if (id === 'a' || id === 'b') {
        const run = pins[id]
        if (run) openPoint(run.experiment)
      }
    },
    [sheet, pins],
  )
  if (isTable)
    return (
      <PointTable
        sheet={sheet}
        points={points}
        measures={measures}
        selected={pointOf(sheet, experiment)}
        onOpen={open}
      />
    )
  const read = plotted.find(({ id }) => id === active)
  const known = points[Number(active ?? Number.NaN)]
  const wanting = points.filter(({ measurement }) => !shownOf(x, measurement) || !shownOf(y, measurement))
  const failed = wanting.filter(({ failure }) => failure !== undefined).length
  return (
    <>
      <div className="pareto-choices">
        <MeasureChoice label={t('Up')} slot="paretoY" measure={y} choices={measures} />
        <MeasureChoice label={t('Across')} slot="paretoX" measure={x} choices={measures} />
        <span className="muted">
          {t('{shown} of {total} points', { shown: points.length - wanting.length, total: points.length })}
          {failed > 0 && t(', {failed} failed', { failed })}
        </span>
      </div>
      <Suspense fallback={<div style={{ height: plotHeight }} />}>
        <ParetoPlot
          points={plotted}
          xLabel={axisLabel(x)}
          yLabel={axisLabel(y)}
          xAxis={axisX}
          yAxis={axisY}
          label={t('{y} against {x}', { x: x.label, y: y.label })}
          height={plotHeight}
          active={active}
          onActive={setActive}
          onOpen={open}
        />
      </Suspense>
      <p className="map-readout">
        {known ? (
          <SymbolText text={describePoint(sheet, known, [y, x])} />
        ) : (
          (read?.label ?? t('Point at a dot, or reach the picture with Tab and walk it with the arrow keys.'))
        )}
      </p>
      <p className="caption">
        {t(
          'The line joins merges that no other beats in both. Hollow dots are beaten, but not beyond both 95 % intervals; faint ones are beaten beyond doubt. A click, or Enter, makes a dot the recipe.',
        )}
      </p>
    </>
  )
}

const axisLabel = ({ label, unit, better }: SheetMeasure): string =>
  `${label}, ${unit} ${better === 'high' ? t('(more is better)') : t('(less is better)')}`

/** Intervals reach beyond the values and must stay in the picture. */
function axisOf(measure: SheetMeasure, shown: readonly { value: number; low: number; high: number }[]) {
  const ends = shown.flatMap(({ low, high }) => [low, high].map((value) => ({ value, low, high })))
  return scaleOf(measure, ends)
}

interface MeasureChoiceProps {
  label: string
  slot: 'paretoX' | 'paretoY'
  measure: SheetMeasure
  choices: readonly SheetMeasure[]
}

function MeasureChoice({ label, slot, measure, choices }: MeasureChoiceProps) {
  return (
    <label>
      <span className="muted">{label}</span>{' '}
      <select value={measure.id} onChange={(event) => setMeasure(slot, event.target.value)}>
        {choices.map((choice) => (
          <option key={choice.id} value={choice.id}>
            {choice.label}
          </option>
        ))}
      </select>
    </label>
  )
}
