// From measurements to the four panels of a sweep over one parameter. Every point is a measured one; the drift along
// the own directions is the closed form and therefore a curve. Nothing here depends on where the cursor stands.

import type { AqiView, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey, isClosedForm } from '../../share/experimentKey.ts'
import { valueAt } from '../../share/scale.ts'
import {
  type DriftEstimate,
  shieldedDrift,
  type UnshieldedDrift,
  unshieldedDrift,
} from '../../state/algebra.ts'
import { selectLambda, selectWeights } from '../../state/selectors.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { niceMaximum } from '../charts/niceMaximum.ts'
import type { SweepMark, SweepPanel, SweepValue } from '../charts/sweepPanels.ts'
import { formatRound, type NormScale, normScaleOf } from '../format.ts'
import type { LinePin, LinePoint, SweepLine } from './sweepLine.ts'
import { aqiSeries, behaviourSeries, driftSeries, type MeasuredLook, skillSeries } from './sweepSeries.ts'

export interface SweepInput {
  line: SweepLine
  geometry: GeometrySummary | undefined
  points: readonly LinePoint[]
  skills: readonly string[]
  /** Merges that lack the parameter, drawn as lines across. */
  across: readonly { label: string; measurement: Measurement | undefined }[]
  pins: readonly LinePin[]
  view: AqiView
}

/** Enough points for a curve without corners. */
const curvePoints = 96

/** Drift along the own directions where it follows from the geometry alone. */
export function exactDrift(
  geometry: GeometrySummary | undefined,
  experiment: Experiment,
): DriftEstimate | undefined {
  if (!geometry || !isClosedForm(experiment) || geometryKey(experiment) !== geometry.key) return undefined
  return shieldedDrift(geometry, selectWeights(experiment), selectLambda(experiment), experiment.rank)
}

/** Drift of the plain average at some place of the line. */
function plainDrift(
  geometry: GeometrySummary | undefined,
  experiment: Experiment,
): UnshieldedDrift | undefined {
  if (!geometry || geometryKey(experiment) !== geometry.key) return undefined
  return unshieldedDrift(geometry, selectWeights(experiment), experiment.rank)
}

function marksOf(
  pins: readonly LinePin[],
  pick: (measurement: Measurement) => { value: number; low: number; high: number } | undefined,
): SweepMark[] {
  return pins.flatMap(({ slot, position, isElsewhere, measurement }) => {
    // On the line, the line's own dot shows it.
    const shown = isElsewhere && measurement ? pick(measurement) : undefined
    return shown ? [{ slot, position, ...shown }] : []
  })
}

function pickShown(look: MeasuredLook) {
  return (measurement: Measurement) => {
    const estimate = look.pick(measurement)
    if (!estimate || 'unavailable' in estimate) return undefined
    const { value, low, high } = estimate
    return { value, low, high }
  }
}

function seriesOf(input: SweepInput, looks: readonly MeasuredLook[]): SweepPanel['series'] {
  return looks.map((look) => {
    const pick = pickShown(look)
    return {
      id: look.id,
      label: t(look.label),
      colour: look.colour,
      ...(look.dash && { dash: look.dash }),
      isExact: false,
      values: input.points.flatMap(({ position, measurement }): SweepValue[] => {
        const shown = pick(measurement)
        return shown ? [{ position, ...shown }] : []
      }),
      marks: marksOf(input.pins, pick),
    }
  })
}

function linesAcross(input: SweepInput, looks: readonly MeasuredLook[]): SweepPanel['references'] {
  return input.across.flatMap(({ label, measurement }) =>
    looks.flatMap((look) => {
      const shown = measurement && pickShown(look)(measurement)
      return shown ? [{ value: shown.value, label: `${label}: ${t(look.label)}`, colour: look.colour }] : []
    }),
  )
}

const percent = (value: number) => `${Math.round(100 * value)}`

function aqiPanel(input: SweepInput): SweepPanel {
  const looks = [aqiSeries(input.view)]
  const series = seriesOf(input, looks)
  const references = [{ value: 50, label: t('anchor'), colour: 'var(--muted)' }, ...linesAcross(input, looks)]
  const shown = [
    ...series.flatMap(({ values, marks }) => [...values, ...marks].flatMap(({ low, high }) => [low, high])),
    ...references.map(({ value }) => value),
  ]
  const { domain, ticks } = percentWindow(Math.min(...shown), Math.max(...shown))
  const text = { prompts: t('prompts'), completions: t('completions'), answers: t('own answers') }[input.view]
  return {
    id: 'aqi',
    title: t('AQI'),
    note: t('normalised, {text}; anchor = 50', { text }),
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
    title: t('Behaviour'),
    note: t('% of prompts'),
    height: 146,
    domain: [0, 1],
    ticks: [0, 0.25, 0.5, 0.75, 1],
    format: percent,
    series: seriesOf(input, behaviourSeries),
    references: linesAcross(input, behaviourSeries.slice(0, 1)),
  }
}

function skillsPanel(input: SweepInput): SweepPanel {
  return {
    id: 'skills',
    title: t('Skills'),
    note: t('% exactly right'),
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

const driftIds = ['own', 'heldOut', 'otherSource'] as const

/** Highest drift of the panel and the scale that follows: of the plain average, which is known before anything is
    measured, and of measured points where there is no such algebra. */
export function driftScaleOf(
  geometry: GeometrySummary | undefined,
  line: SweepLine,
  points: readonly LinePoint[],
): { highest: number; scale: NormScale } {
  const plain = line.values.flatMap((value) => plainDrift(geometry, line.at(value)) ?? [])
  const isCovered = plain.length === line.values.length && isClosedForm(line.at(line.range.min))
  const measured = isCovered ? [] : points.flatMap(({ measurement }) => measurement.drift ?? [])
  const highest =
    1.1 * Math.max(0, ...[...plain, ...measured].flatMap((one) => driftIds.map((id) => one[id])))
  return { highest, scale: normScaleOf(highest) }
}

function exactCurve({ line, geometry }: SweepInput, factor: number): SweepValue[] {
  if (!exactDrift(geometry, line.at(line.range.min))) return []
  const curve: SweepValue[] = []
  const steps = line.range.isInteger ? line.range.max - line.range.min : curvePoints
  for (let index = 0; index <= steps; index++) {
    const drift = exactDrift(geometry, line.at(valueAt(line.range, index / steps)))
    if (drift) curve.push(exactly(index / steps, drift.own * factor))
  }
  return curve
}

function driftPanel(input: SweepInput): SweepPanel {
  const { geometry, line, points, pins } = input
  const { highest, scale } = driftScaleOf(geometry, line, points)
  const own = exactCurve(input, scale.factor)
  const pickDrift = (id: (typeof driftIds)[number]) => (measurement: Measurement) => {
    const value = measurement.drift?.[id]
    return value === undefined ? undefined : exactly(0, value * scale.factor)
  }
  const measured = (id: (typeof driftIds)[number]): SweepValue[] => {
    const values = points.flatMap(({ position, measurement }) => {
      const shown = pickDrift(id)(measurement)
      return shown ? [{ ...shown, position }] : []
    })
    const start = line.at(line.range.min)
    const plain = isClosedForm(start) && selectLambda(start) === 0 ? plainDrift(geometry, start) : undefined
    // Without shield the algebra knows it before anything is measured.
    if (plain && values[0]?.position !== 0) values.unshift(exactly(0, plain[id] * scale.factor))
    return values
  }
  const maximum = niceMaximum(highest * scale.factor)
  return {
    id: 'drift',
    title: t('Drift'),
    note: t('Fisher norm{unit} along alignment directions', { unit: scale.unit }),
    height: 122,
    domain: [0, maximum],
    ticks: [0, maximum / 2, maximum],
    format: formatRound,
    series: driftSeries.map((look) => {
      const isExact = look.id === 'own' && own.length > 0
      const marks = marksOf(pins, pickDrift(look.id))
      return { ...look, label: t(look.label), isExact, values: isExact ? own : measured(look.id), marks }
    }),
    references: [],
  }
}

export function sweepPanelsOf(input: SweepInput): SweepPanel[] {
  return [aqiPanel(input), behaviourPanel(input), skillsPanel(input), driftPanel(input)]
}
