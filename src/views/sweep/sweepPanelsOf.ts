// From measurements to the four panels of the sweep. Every point is a measured one; the drift along the own
// directions is the closed form and therefore a curve. Nothing here depends on where the cursor stands.

import type { AqiView, GeometrySummary } from '../../../workers/api.ts'
import { numberParameters } from '../../share/parameters.ts'
import { positionOf, valueAt } from '../../share/scale.ts'
import { shieldedDrift, unshieldedDrift } from '../../state/algebra.ts'
import type { SweepPoint } from '../../state/selectors.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { niceMaximum } from '../charts/niceMaximum.ts'
import type { SweepPanel, SweepValue } from '../charts/sweepPanels.ts'
import { formatSignificant } from '../format.ts'
import { aqiSeries, behaviourSeries, driftSeries, type MeasuredLook, skillSeries } from './sweepSeries.ts'

export interface SweepInput {
  weights: readonly number[]
  rank: number
  geometry: GeometrySummary | undefined
  sweep: readonly SweepPoint[]
  skills: readonly string[]
  /** A method without λ, drawn as lines across. */
  baseline: { label: string; measurement: Measurement | undefined } | undefined
  view: AqiView
}

const lambdaParameter = numberParameters.lambdaAlign
/** Enough points for a curve without corners. */
const curvePoints = 96

function measuredValues(sweep: readonly SweepPoint[], look: MeasuredLook): SweepValue[] {
  return sweep.flatMap(({ lambdaAlign, measurement }) => {
    const estimate = look.pick(measurement)
    if (!estimate || 'unavailable' in estimate) return []
    const { value, low, high } = estimate
    return [{ position: positionOf(lambdaParameter, lambdaAlign), value, low, high }]
  })
}

function seriesOf(input: SweepInput, looks: readonly MeasuredLook[]): SweepPanel['series'] {
  return looks.map((look) => ({
    id: look.id,
    label: look.label,
    colour: look.colour,
    ...(look.dash && { dash: look.dash }),
    isExact: false,
    values: measuredValues(input.sweep, look),
  }))
}

function baselines(input: SweepInput, looks: readonly MeasuredLook[]): SweepPanel['references'] {
  const { baseline } = input
  if (!baseline?.measurement) return []
  const { measurement, label } = baseline
  return looks.flatMap((look) => {
    const estimate = look.pick(measurement)
    if (!estimate || 'unavailable' in estimate) return []
    return [{ value: estimate.value, label: `${label}: ${look.label}`, colour: look.colour }]
  })
}

const percent = (value: number) => `${Math.round(100 * value)}`

function aqiPanel(input: SweepInput): SweepPanel {
  const looks = [aqiSeries(input.view)]
  const series = seriesOf(input, looks)
  // Above 75 the merge separates three times as well as the anchor; rare, and then shown.
  const isHigh = series.some(({ values }) => values.some((value) => value.high > 75))
  return {
    id: 'aqi',
    title: 'AQI',
    note: `normalised, ${input.view === 'answers' ? 'own answers' : input.view}; anchor = 50`,
    height: 126,
    domain: [0, isHigh ? 100 : 75],
    ticks: [0, 25, 50, 75, ...(isHigh ? [100] : [])],
    format: String,
    series,
    references: [{ value: 50, label: 'anchor', colour: 'var(--muted)' }, ...baselines(input, looks)],
  }
}

function behaviourPanel(input: SweepInput): SweepPanel {
  return {
    id: 'behaviour',
    title: 'Behaviour',
    note: '% of prompts',
    height: 146,
    domain: [0, 1],
    ticks: [0, 0.25, 0.5, 0.75, 1],
    format: percent,
    series: seriesOf(input, behaviourSeries),
    references: baselines(input, behaviourSeries.slice(0, 1)),
  }
}

function skillsPanel(input: SweepInput): SweepPanel {
  return {
    id: 'skills',
    title: 'Skills',
    note: '% exactly right',
    height: 112,
    domain: [0, 1],
    ticks: [0, 0.5, 1],
    format: percent,
    series: seriesOf(input, skillSeries(input.skills)),
    references: [],
  }
}

const twoDigits = (value: number) => formatSignificant(value, 2)
const exactly = (position: number, value: number): SweepValue => ({
  position,
  value,
  low: value,
  high: value,
})

function driftPanel(input: SweepInput): SweepPanel {
  const { geometry, weights, rank } = input
  const plain = geometry && unshieldedDrift(geometry, weights, rank)
  const own: SweepValue[] = []
  if (geometry) {
    for (let index = 0; index <= curvePoints; index++) {
      const position = index / curvePoints
      const lambda = valueAt(lambdaParameter, position)
      own.push(exactly(position, shieldedDrift(geometry, weights, lambda, rank).own))
    }
  }
  const measured = (id: 'heldOut' | 'otherSource'): SweepValue[] => {
    const values = input.sweep.flatMap(({ lambdaAlign, measurement }) => {
      const value = measurement.drift?.[id]
      return value === undefined ? [] : [exactly(positionOf(lambdaParameter, lambdaAlign), value)]
    })
    // Without shield the algebra knows it before anything is measured.
    if (plain && values[0]?.position !== 0) values.unshift(exactly(0, plain[id]))
    return values
  }
  const maximum = niceMaximum(plain ? 1.05 * Math.max(plain.own, plain.heldOut, plain.otherSource) : 0)
  return {
    id: 'drift',
    title: 'Drift',
    note: 'Fisher norm along alignment directions',
    height: 122,
    domain: [0, maximum],
    ticks: [0, maximum / 2, maximum],
    format: twoDigits,
    series: driftSeries.map((look) => ({
      ...look,
      isExact: look.id === 'own',
      values: look.id === 'own' ? own : measured(look.id),
    })),
    references: [],
  }
}

export function sweepPanelsOf(input: SweepInput): SweepPanel[] {
  return [aqiPanel(input), behaviourPanel(input), skillsPanel(input), driftPanel(input)]
}
