// The sweep of λ_align with its cursor: what the shield does to AQI, behaviour, skills and drift.

import { Suspense, useCallback, useMemo } from 'react'
import type { AqiView, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { isOnCurve } from '../../share/experimentKey.ts'
import { findMethod } from '../../share/methods.ts'
import { numberParameters, sweepGrid } from '../../share/parameters.ts'
import { positionOf, snapToStops } from '../../share/scale.ts'
import { setNumber } from '../../state/actions/recipe.ts'
import {
  type Measurements,
  selectLambda,
  selectMeasurement,
  selectMergeMeasurement,
  selectWeights,
} from '../../state/selectors.ts'
import { useStudio } from '../../state/store.ts'
import { Formula } from '../controls/Formula.tsx'
import { TableToggle } from '../controls/TableToggle.tsx'
import { formatParameter, formatTick } from '../format.ts'
import { lazyInTurn } from '../lazyInTurn.ts'
import { MergeStatus } from './MergeStatus.tsx'
import { readoutsOf } from './readoutsOf.ts'
import { SweepTable } from './SweepTable.tsx'
import { driftScaleOf, sweepPanelsOf } from './sweepPanelsOf.ts'
import { skillNames } from './sweepSeries.ts'
import { useSweep } from './useSweep.ts'

const SweepStack = lazyInTurn(() => import('../charts/SweepStack.tsx'))

const parameter = numberParameters.lambdaAlign
const ticks = sweepGrid.map((lambda) => ({
  position: positionOf(parameter, lambda),
  label: formatTick(lambda),
}))
/** One key press, as a share of the axis. */
const keyStep = 1 / 120

export interface SweepViewProps {
  experiment: Experiment
  anchorId: string | undefined
  geometry: GeometrySummary | undefined
  measurements: Measurements
  view: AqiView
}

/** The neighbouring sweep point in a direction. */
function neighbour(lambda: number, direction: number): number {
  const further = sweepGrid.filter((point) => (direction > 0 ? point > lambda : point < lambda))
  return (direction > 0 ? further[0] : further.at(-1)) ?? lambda
}

export function SweepView({ experiment, anchorId, geometry, measurements, view }: SweepViewProps) {
  const isTable = useStudio((state) => state.view.asTable.sweep)
  const lambdaAlign = selectLambda(experiment)
  const current = selectMergeMeasurement(measurements, experiment)
  const anchor = anchorId
    ? selectMeasurement(measurements, experiment, { kind: 'model', id: anchorId })
    : undefined
  const sweep = useSweep(measurements, experiment)
  const skills = useMemo(
    () => skillNames([anchor, ...sweep.map((point) => point.measurement)]),
    [anchor, sweep],
  )
  const { rank } = experiment
  // The list itself changes with every move of the cursor, its content does not.
  const weightText = selectWeights(experiment).join(' ')
  const other = isOnCurve(experiment) ? undefined : current
  const panels = useMemo(
    () =>
      sweepPanelsOf({
        weights: weightText.split(' ').map(Number),
        rank,
        geometry,
        sweep,
        skills,
        baseline: other && {
          label: findMethod(experiment.method)?.label ?? experiment.method,
          measurement: other,
        },
        view,
      }),
    [weightText, rank, geometry, sweep, skills, other, experiment.method, view],
  )
  const readouts = useMemo(() => {
    const { scale } = driftScaleOf(geometry, selectWeights(experiment), experiment.rank)
    return readoutsOf({ experiment, geometry, current, skills, view, scale })
  }, [experiment, geometry, current, skills, view])
  const isLocked = experiment.method !== 'alignmerge'
  const onMove = useCallback((position: number) => {
    setNumber('lambdaAlign', snapToStops(parameter, position, sweepGrid, 0.008))
  }, [])
  const onStep = useCallback(
    (step: -2 | -1 | 1 | 2) => {
      if (Math.abs(step) === 2) return setNumber('lambdaAlign', neighbour(lambdaAlign, step))
      const position = positionOf(parameter, lambdaAlign) + step * keyStep
      setNumber('lambdaAlign', snapToStops(parameter, position, sweepGrid, keyStep / 2.5))
    },
    [lambdaAlign],
  )
  return (
    <section className="panel sweep" aria-labelledby="sweep-title">
      <header className="panel-head">
        <h2 id="sweep-title">
          Sweep of <Formula text="λ_align" />
        </h2>
        <MergeStatus experiment={experiment} />
        <TableToggle chart="sweep" isTable={isTable} />
      </header>
      {isTable ? (
        <SweepTable panels={panels} />
      ) : (
        <Suspense fallback={<div className="sweep-skeleton" />}>
          <SweepStack
            panels={panels}
            readouts={readouts}
            ticks={ticks}
            position={positionOf(parameter, lambdaAlign)}
            cursorLabel={!isOnCurve(experiment) ? null : `λ ${formatParameter(lambdaAlign)}`}
            isLocked={isLocked}
            onMove={onMove}
            onStep={onStep}
          />
        </Suspense>
      )}
      <p className="caption">
        Dots are measured, bars their 95 % intervals; lines only join them. Drag the line, or use the arrow
        keys. AQI never stands alone: a merge can keep the clusters apart and still comply.
      </p>
    </section>
  )
}
