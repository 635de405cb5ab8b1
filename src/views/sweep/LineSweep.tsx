// A sweep over one parameter with its cursor: what it does to AQI, behaviour, skills and drift.

import { Suspense, useCallback, useMemo } from 'react'
import type { AqiView, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { curveKey, mergeKey } from '../../share/experimentKey.ts'
import { findMethod } from '../../share/methods.ts'
import { positionOf, snapToStops } from '../../share/scale.ts'
import { isOnSheet, type SweepSheet } from '../../share/sweeps/points.ts'
import type { PinnedRuns } from '../../state/pins/store.ts'
import { type Measurements, selectMeasurement, selectMergeMeasurement } from '../../state/selectors.ts'
import { usePresentation } from '../../state/share/presentation.ts'
import { useStudio } from '../../state/store.ts'
import { setSwept } from '../../state/sweeps/actions.ts'
import { selectKnownPoints } from '../../state/sweeps/selectors.ts'
import { formatParameter, formatTick } from '../format.ts'
import { lazyInTurn } from '../lazyInTurn.ts'
import { readoutsOf } from './readoutsOf.ts'
import { SweepTable } from './SweepTable.tsx'
import { lineOf, linePoints, pinsOnLine, type SweepLine } from './sweepLine.ts'
import { driftScaleOf, sweepPanelsOf } from './sweepPanelsOf.ts'
import { skillNames } from './sweepSeries.ts'

const SweepStack = lazyInTurn(() => import('../charts/SweepStack.tsx'))

/** One key press, as a share of the axis. */
const keyStep = 1 / 120
/** How near a measured value must be to catch the cursor. */
const snapReach = 0.008
/** More labels than these would touch each other. */
const maxTicks = 12

export interface LineSweepProps {
  experiment: Experiment
  sheet: SweepSheet
  anchorId: string | undefined
  geometry: GeometrySummary | undefined
  measurements: Measurements
  view: AqiView
  pins: PinnedRuns
  isTable: boolean
}

/** The neighbouring measured value in a direction. */
function neighbour(values: readonly number[], value: number, direction: number): number {
  const further = values.filter((other) => (direction > 0 ? other > value : other < value))
  return (direction > 0 ? further[0] : further.at(-1)) ?? value
}

function ticksOf({ values, range }: SweepLine) {
  const stride = Math.ceil(values.length / maxTicks)
  return values
    .filter((_, index) => index % stride === 0 || index === values.length - 1)
    .map((value) => ({ position: positionOf(range, value), label: formatTick(value) }))
}

/** Measured points of the line; the same list as before while only the cursor moves. */
function useLinePoints(
  line: SweepLine,
  sheet: SweepSheet,
  measurements: Measurements,
  experiment: Experiment,
) {
  // The recipe's own point joins the line once it is measured, and only then makes another list.
  const own = selectMergeMeasurement(measurements, experiment) ? mergeKey(experiment) : ''
  const key = line.parameter.id === 'lambdaAlign' ? curveKey(line.at(0)) : own
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for all of the experiment that counts
  return useMemo(() => linePoints(line, sheet, measurements, experiment), [line, sheet, measurements, key])
}

export function LineSweep(props: LineSweepProps) {
  const { experiment, sheet, anchorId, geometry, measurements, view, pins, isTable } = props
  const line = useMemo(() => lineOf(sheet)!, [sheet])
  const failed = useStudio((state) => state.runs.failed)
  const { parameter, range, values } = line
  const value = parameter.get(experiment)
  const current = selectMergeMeasurement(measurements, experiment)
  const anchor = anchorId
    ? selectMeasurement(measurements, experiment, { kind: 'model', id: anchorId })
    : undefined
  const points = useLinePoints(line, sheet, measurements, experiment)
  const skills = useMemo(
    () => skillNames([anchor, ...points.map((point) => point.measurement)]),
    [anchor, points],
  )
  const isOnLine = isOnSheet(sheet, experiment, experiment)
  const pinned = useMemo(() => pinsOnLine(line, sheet, pins), [line, sheet, pins])
  const aside = isOnLine ? undefined : current
  const asideLabel = t(findMethod(experiment.method)?.label ?? experiment.method)
  const panels = useMemo(
    () =>
      sweepPanelsOf({
        ...{ line, geometry, points, skills, view },
        across: [
          ...(aside ? [{ label: asideLabel, measurement: aside }] : []),
          ...pinned.across.map(({ slot, run }) => ({
            label: slot.toUpperCase(),
            measurement: run.measurement,
          })),
        ],
        pins: pinned.placed,
      }),
    [line, geometry, points, skills, aside, asideLabel, pinned, view],
  )
  const scale = useMemo(() => driftScaleOf(geometry, line, points).scale, [geometry, line, points])
  const readouts = useMemo(
    () => readoutsOf({ experiment, geometry, current, skills, view, scale }),
    [experiment, geometry, current, skills, view, scale],
  )
  const failures = useMemo(
    () =>
      new Map(
        selectKnownPoints(sheet, measurements, failed).flatMap(({ values: [at], failure }) =>
          at !== undefined && failure !== undefined ? [[at, failure]] : [],
        ),
      ),
    [sheet, measurements, failed],
  )
  const ticks = useMemo(() => ticksOf(line), [line])
  const isEmbed = usePresentation((state) => state.isEmbed)
  const isLocked = isEmbed || (parameter.id === 'lambdaAlign' && experiment.method !== 'alignmerge')
  const onMove = useCallback(
    (position: number) => setSwept(parameter.id, snapToStops(range, position, values, snapReach)),
    [parameter, range, values],
  )
  const onStep = useCallback(
    (step: -2 | -1 | 1 | 2) => {
      if (Math.abs(step) === 2) return setSwept(parameter.id, neighbour(values, value, step))
      if (range.isInteger) return setSwept(parameter.id, value + step)
      const position = positionOf(range, value) + step * keyStep
      setSwept(parameter.id, snapToStops(range, position, values, keyStep / 2.5))
    },
    [parameter, range, values, value],
  )
  const symbol = parameter.symbol.split('_')[0] || t(parameter.label)
  const isInside = value >= range.min && value <= range.max
  if (isTable) return <SweepTable line={line} panels={panels} failures={failures} />
  return (
    <>
      <Suspense fallback={<div className="sweep-skeleton" />}>
        <SweepStack
          panels={panels}
          readouts={readouts}
          ticks={ticks}
          position={positionOf(range, value)}
          cursorName={
            parameter.id === 'lambdaAlign' ? t('λ_align, the alignment shield') : t(parameter.label)
          }
          cursorLabel={isOnLine && isInside ? `${symbol} ${formatParameter(value)}` : null}
          pins={pinned.placed}
          isLocked={isLocked}
          onMove={onMove}
          onStep={onStep}
        />
      </Suspense>
      {failures.size > 0 && (
        <p className="caption is-failed" role="note">
          {t('Not measured, because it failed: {list}.', {
            list: [...failures].map(([at, failure]) => `${formatParameter(at)} (${failure})`).join('; '),
          })}
        </p>
      )}
    </>
  )
}
