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
import { formatRound, type NormScale, normScaleOf } from '../format.ts'
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
  const references = [{ value: 50, label: 'anchor', colour: 'var(--muted)' }, ...baselines(input, looks)]
  const shown = [
    ...series.flatMap(({ values }) => values.flatMap(({ low, high }) => [low, high])),
    ...references.map(({ value }) => value),
  ]
  const { domain, ticks } = percentWindow(Math.min(...shown), Math.max(...shown))
  return {
    id: 'aqi',
    title: 'AQI',
    note: `normalised, ${input.view === 'answers' ? 'own answers' : input.view}; anchor = 50`,
    height: 126,
    domain,
    ticks,
    format: String,
    series,
    references,
  }
}

/** A window of 0 … 100 around the values, no narrower than 20: differences are seen, noise is not blown up. */
function percentWindow(lowest: number, highest: number): { domain: [number, number]; ticks: number[] } {
  const low = Math.max(0, Math.floor((lowest - 2) / 10) * 10)
  const high = Math.min(100, Math.max(low + 20, Math.ceil((highest + 2) / 10) * 10))
  const step = high - low <= 20 ? 5 : high - low <= 40 ? 10 : 20
  const ticks: number[] = []
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(tick)
  return { domain: [low, high], ticks }
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

const exactly = (position: number, value: number): SweepValue => ({
  position,
  value,
  low: value,
  high: value,
})

/** Highest drift of the panel, which is that of the plain average, and the scale that follows. */
export function driftScaleOf(
  geometry: GeometrySummary | undefined,
  weights: readonly number[],
  rank: number,
): { highest: number; scale: NormScale } {
  const plain = geometry && unshieldedDrift(geometry, weights, rank)
  const highest = plain ? 1.1 * Math.max(plain.own, plain.heldOut, plain.otherSource) : 0
  return { highest, scale: normScaleOf(highest) }
}

function driftPanel(input: SweepInput): SweepPanel {
  const { geometry, weights, rank, sweep } = input
  const { highest, scale } = driftScaleOf(geometry, weights, rank)
  const at = (lambda: number, value: number) =>
    exactly(positionOf(lambdaParameter, lambda), value * scale.factor)
  const own: SweepValue[] = []
  if (geometry) {
    for (let index = 0; index <= curvePoints; index++) {
      const lambda = valueAt(lambdaParameter, index / curvePoints)
      own.push(at(lambda, shieldedDrift(geometry, weights, lambda, rank).own))
    }
  }
  const measured = (id: 'heldOut' | 'otherSource'): SweepValue[] => {
    const values = sweep.flatMap(({ lambdaAlign, measurement }) => {
      const value = measurement.drift?.[id]
      return value === undefined ? [] : [at(lambdaAlign, value)]
    })
    // Without shield the algebra knows it before anything is measured.
    if (geometry && values[0]?.position !== 0)
      values.unshift(at(0, unshieldedDrift(geometry, weights, rank)[id]))
    return values
  }
  const maximum = niceMaximum(highest * scale.factor)
  return {
    id: 'drift',
    title: 'Drift',
    note: `Fisher norm${scale.unit} along alignment directions`,
    height: 122,
    domain: [0, maximum],
    ticks: [0, maximum / 2, maximum],
    format: formatRound,
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
