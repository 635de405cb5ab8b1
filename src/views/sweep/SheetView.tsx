// A sweep over two parameters or over three weights as two maps side by side: any measure on the left, behaviour on
// the right, so that AQI is never read alone.

import { Suspense, useCallback, useDeferredValue, useMemo, useState } from 'react'
import type { AqiView, Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import type { SweepSheet } from '../../share/sweeps/points.ts'
import { latticeCell } from '../../share/sweeps/triangle.ts'
import type { PinnedRuns } from '../../state/pins/store.ts'
import { type Measurements, originName } from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { openPoint, setMeasure } from '../../state/sweeps/actions.ts'
import { type KnownPoint, selectKnownPoints } from '../../state/sweeps/selectors.ts'
import { useSweeps } from '../../state/sweeps/store.ts'
import type { HeatPoint } from '../charts/HeatMap.tsx'
import type { MapPoint, MapProps } from '../charts/MapCells.tsx'
import { formatTick } from '../format.ts'
import { lazyInTurn } from '../lazyInTurn.ts'
import { MapLegend } from './MapLegend.tsx'
import { PointTable } from './PointTable.tsx'
import { SymbolText } from './SymbolText.tsx'
import {
  measureById,
  measuredSkills,
  type SheetMeasure,
  scaleOf,
  sheetMeasures,
  shownOf,
} from './sheetMeasures.ts'
import { describePoint, marksOn, pointOf, shadedPoint } from './sheetPoints.ts'
import { useTrainedSkills } from './useTrainedSkills.ts'

const HeatMap = lazyInTurn(() => import('../charts/HeatMap.tsx'))
const TernaryMap = lazyInTurn(() => import('../charts/TernaryMap.tsx'))

const mapHeight = 330

export interface SheetViewProps {
  experiment: Experiment
  sheet: SweepSheet
  measurements: Measurements
  view: AqiView
  pins: PinnedRuns
  isTable: boolean
}

/** Everything known of a sheet, and the measures it can be shown by. */
export function useKnownSheet({ sheet, measurements, view }: SheetViewProps) {
  const failed = useStudio((state) => state.runs.failed)
  // Pictures of hundreds of points follow a moment later than the slider that is being dragged.
  const known = useDeferredValue(measurements)
  const points = useMemo(() => selectKnownPoints(sheet, known, failed), [sheet, known, failed])
  const trained = useTrainedSkills()
  const skillText = measuredSkills(points.map((point) => point.measurement)).join('\n')
  const measures = useMemo(
    () => sheetMeasures(view, skillText === '' ? [] : skillText.split('\n'), trained),
    [view, skillText, trained],
  )
  return { points, measures }
}

export default function SheetView(props: SheetViewProps) {
  const { experiment, sheet, pins, isTable } = props
  const { points, measures } = useKnownSheet(props)
  const [active, setActive] = useState<string | undefined>()
  const chosen = useSweeps((state) => state.measures)
  const left = measureById(measures, chosen.left, 'aqi')
  const asked = measureById(measures, chosen.right, 'refusal')
  const right = asked.isBehaviour ? asked : measureById(measures, 'refusal', 'refusal')
  const marks = useMemo(() => marksOn(sheet, experiment, pins), [sheet, experiment, pins])
  const selected = useMemo(() => pointOf(sheet, experiment), [sheet, experiment])
  const open = useCallback(
    (id: string) => {
      const point = sheet.points[Number(id)]
      if (point) openPoint(point.experiment)
    },
    [sheet],
  )
  const read = points[Number(active ?? selected ?? Number.NaN)]
  if (isTable)
    return <PointTable sheet={sheet} points={points} measures={measures} selected={selected} onOpen={open} />
  const map = (measure: SheetMeasure, slot: 'left' | 'right') => (
    <OneMap
      {...{ sheet, points, measure, marks, selected, active }}
      choices={slot === 'left' ? measures : measures.filter((one) => one.isBehaviour)}
      slot={slot}
      onActive={setActive}
      onOpen={open}
    />
  )
  return (
    <>
      <div className="map-pair">
        {map(left, 'left')}
        {map(right, 'right')}
      </div>
      <p className="map-readout">
        {read ? (
          <SymbolText text={describePoint(sheet, read, [left, right])} />
        ) : (
          t('Point at a cell, or reach the map with Tab and walk it with the arrow keys.')
        )}
      </p>
      <p className="caption">
        {t(
          'Each cell is a merge that was made and measured; nothing is drawn between them. A click, or Enter, makes it the recipe. Rings are 95 % intervals: one as wide as its cell spans the whole scale.',
        )}
      </p>
    </>
  )
}

interface OneMapProps {
  sheet: SweepSheet
  points: readonly KnownPoint[]
  measure: SheetMeasure
  choices: readonly SheetMeasure[]
  slot: 'left' | 'right'
  marks: ReturnType<typeof marksOn>
  selected: string | undefined
  active: string | undefined
  onActive: (id: string | undefined) => void
  onOpen: (id: string) => void
}

function OneMap(props: OneMapProps) {
  const { sheet, points, measure, choices, slot, marks, selected, active, onActive, onOpen } = props
  const list = useStudio((state) => state.models.list)
  const [reach, setReach] = useState(0)
  const scale = useMemo(
    () =>
      scaleOf(
        measure,
        points.flatMap((point) => shownOf(measure, point.measurement) ?? []),
      ),
    [measure, points],
  )
  const shaded = useMemo(
    () => points.map((point, index) => shadedPoint(sheet, point, index, measure, scale)),
    [sheet, points, measure, scale],
  )
  const common = {
    label: t('Map of {measure}', { measure: measure.label }),
    height: mapHeight,
    onReach: setReach,
    ...{ marks, selected, active, onActive, onOpen },
  }
  return (
    <section className="map-panel" aria-label={measure.label}>
      <label className="map-choice">
        <span className="visually-hidden">{slot === 'left' ? t('Measure') : t('Behaviour beside it')}</span>
        <select value={measure.id} onChange={(event) => setMeasure(slot, event.target.value)}>
          {choices.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
        <small>{measure.unit}</small>
      </label>
      <Suspense fallback={<div style={{ height: mapHeight }} />}>
        {sheet.spec.kind === 'grid' ? (
          <Heat sheet={sheet} shaded={shaded} common={common} />
        ) : (
          <Triangle
            sheet={sheet}
            shaded={shaded}
            common={common}
            corners={sheet.points[0]!.experiment.experts.map(({ origin }) => originName(list, origin))}
          />
        )}
      </Suspense>
      <MapLegend
        scale={scale}
        unit={measure.unit}
        reach={reach}
        hasFailed={points.some(({ failure }) => failure !== undefined)}
      />
    </section>
  )
}

type Shaded = readonly Omit<MapPoint, 'x' | 'y' | 'outline'>[]

function Heat({ sheet, shaded, common }: { sheet: SweepSheet; shaded: Shaded; common: MapProps }) {
  const [xs = [], ys = []] = sheet.values
  const columnCount = xs.length
  const points = useMemo(
    () =>
      shaded.map(
        (point, index): HeatPoint => ({
          ...point,
          column: index % columnCount,
          row: Math.floor(index / columnCount),
        }),
      ),
    [shaded, columnCount],
  )
  const columns = useMemo(() => xs.map(formatTick), [xs])
  const rows = useMemo(() => ys.map(formatTick), [ys])
  const [xName, yName] = sheet.parameters.map(({ symbol, label, unit }) =>
    [symbol || t(label), unit].filter(Boolean).join(', '),
  )
  return (
    <HeatMap
      {...common}
      points={points}
      columns={columns}
      rows={rows}
      xLabel={xName ?? ''}
      yLabel={yName ?? ''}
    />
  )
}

interface TriangleProps {
  sheet: SweepSheet
  shaded: Shaded
  common: MapProps
  corners: readonly string[]
}

function Triangle({ sheet, shaded, common, corners }: TriangleProps) {
  const steps = sheet.spec.kind === 'weights' ? sheet.spec.steps : 1
  const points = useMemo(
    () =>
      shaded.map((point, index): MapPoint => {
        const { x, y, values } = sheet.points[index]!
        return { ...point, x, y, outline: latticeCell(values, steps) }
      }),
    [sheet, shaded, steps],
  )
  const [first = '', second = '', third = ''] = corners
  return <TernaryMap {...common} points={points} corners={[first, second, third]} reach={0.5 / steps} />
}
