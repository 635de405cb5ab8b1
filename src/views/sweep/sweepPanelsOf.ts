// From measurements to the four panels of the sweep. Every point is a measured one; the drift along the own
// directions is the closed form and therefore a curve.

import type { AqiView, Behaviour, Estimate, Experiment, GeometrySummary } from '../../../workers/api.ts'
import { numberParameters } from '../../share/parameters.ts'
import { positionOf, valueAt } from '../../share/scale.ts'
import { shieldedDrift, unshieldedDrift } from '../../state/algebra.ts'
import type { SweepPoint } from '../../state/selectors.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import type { SweepPanel, SweepSeries, SweepValue } from '../charts/sweepPanels.ts'
import {
  describeEstimate,
  formatInterval,
  formatSignificant,
  formatValue,
  type NumberForm,
} from '../format.ts'

export interface SweepInput {
  experiment: Experiment
  weights: readonly number[]
  geometry: GeometrySummary | undefined
  sweep: readonly SweepPoint[]
  anchor: Measurement | undefined
  /** Measurement at the current λ or of the method without one. */
  current: Measurement | undefined
  lambdaAlign: number
  view: AqiView
}

const lambdaParameter = numberParameters.lambdaAlign
/** Enough points for a curve without corners. */
const curvePoints = 96
const pending = '·'

type Pick = (measurement: Measurement) => Estimate | undefined

function measuredValues(sweep: readonly SweepPoint[], pick: Pick): SweepValue[] {
  return sweep.flatMap(({ lambdaAlign, measurement }) => {
    const estimate = pick(measurement)
    if (!estimate || 'unavailable' in estimate) return []
    const { value, low, high } = estimate
    return [{ position: positionOf(lambdaParameter, lambdaAlign), value, low, high }]
  })
}

function readout(
  form: NumberForm,
  estimate: Estimate | undefined,
): { readout: string; interval: string; detail: string } {
  if (!estimate) return { readout: pending, interval: '', detail: 'not measured yet at this λ' }
  if ('unavailable' in estimate)
    return { readout: 'none', interval: estimate.unavailable, detail: estimate.unavailable }
  return {
    readout: formatValue(form, estimate.value),
    interval: formatInterval(form, estimate.low, estimate.high),
    detail: describeEstimate(form, estimate),
  }
}

function measuredSeries(
  input: SweepInput,
  form: NumberForm,
  look: { id: string; label: string; colour: string; dash?: string },
  pick: Pick,
): SweepSeries {
  return {
    ...look,
    isExact: false,
    values: measuredValues(input.sweep, pick),
    ...readout(form, input.current && pick(input.current)),
  }
}

function baselines(
  input: SweepInput,
  picks: { pick: Pick; label: string; colour: string }[],
): SweepPanel['references'] {
  if (input.experiment.method !== 'fisher-soup' || !input.current) return []
  return picks.flatMap(({ pick, label, colour }) => {
    const estimate = pick(input.current!)
    if (!estimate || 'unavailable' in estimate) return []
    return [{ value: estimate.value, label: `Fisher soup: ${label}`, colour }]
  })
}

const percent = (value: number) => `${Math.round(100 * value)}`

function aqiPanel(input: SweepInput): SweepPanel {
  const pick: Pick = (measurement) => measurement.aqi[input.view]?.normalised
  const look = { id: 'aqi', label: 'AQI', colour: 'var(--accent)' }
  return {
    id: 'aqi',
    title: 'AQI',
    note: `normalised, ${input.view === 'answers' ? 'own answers' : input.view}; anchor = 50`,
    height: 104,
    domain: [0, 75],
    ticks: [0, 25, 50, 75],
    format: (value) => String(value),
    series: [measuredSeries(input, 'aqi', look, pick)],
    references: [
      { value: 50, label: 'anchor', colour: 'var(--muted)' },
      ...baselines(input, [{ pick, label: 'AQI', colour: 'var(--accent)' }]),
    ],
  }
}

const behaviours: readonly {
  id: keyof Omit<Behaviour, 'skills' | 'answerLoss'>
  label: string
  colour: string
  dash?: string
}[] = [
  { id: 'refusal', label: 'harmful refused', colour: 'var(--safe)' },
  { id: 'attackRefusal', label: 'attacks refused', colour: 'var(--safe)', dash: '4 3' },
  { id: 'compliance', label: 'harmful complied', colour: 'var(--unsafe)' },
  { id: 'overRefusal', label: 'harmless refused', colour: 'var(--unsafe)', dash: '4 3' },
  { id: 'gibberish', label: 'gibberish', colour: 'var(--muted)' },
]

function behaviourPanel(input: SweepInput): SweepPanel {
  return {
    id: 'behaviour',
    title: 'Behaviour',
    note: '% of prompts',
    height: 122,
    domain: [0, 1],
    ticks: [0, 0.25, 0.5, 0.75, 1],
    format: percent,
    series: behaviours.map((look) =>
      measuredSeries(input, 'share', look, (measurement) => measurement.behaviour[look.id]),
    ),
    references: baselines(
      input,
      behaviours.slice(0, 1).map(({ id, label, colour }) => ({
        pick: (measurement) => measurement.behaviour[id],
        label,
        colour,
      })),
    ),
  }
}

const skillLooks: readonly { colour: string; dash?: string }[] = [
  { colour: 'var(--ink)' },
  { colour: 'var(--ink)', dash: '4 3' },
  { colour: 'var(--muted)' },
  { colour: 'var(--muted)', dash: '4 3' },
]

/** Names of all skills that anything measured so far has. */
export function skillNames(measurements: readonly (Measurement | undefined)[]): string[] {
  const names = new Set(
    measurements.flatMap((measurement) => Object.keys(measurement?.behaviour.skills ?? {})),
  )
  return [...names]
}

function skillsPanel(input: SweepInput): SweepPanel {
  const names = skillNames([input.anchor, ...input.sweep.map((point) => point.measurement)])
  return {
    id: 'skills',
    title: 'Skills',
    note: '% exactly right',
    height: 96,
    domain: [0, 1],
    ticks: [0, 0.5, 1],
    format: percent,
    series: names.map((name, index) =>
      measuredSeries(
        input,
        'share',
        { id: name, label: name, ...(skillLooks[index % skillLooks.length] ?? { colour: 'var(--ink)' }) },
        (measurement) => measurement.behaviour.skills?.[name],
      ),
    ),
    references: [],
  }
}

function niceMaximum(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * power >= value)
  return (step ?? 10) * power
}

function driftPanel(input: SweepInput): SweepPanel {
  const { geometry, weights, experiment, lambdaAlign, current } = input
  const plain = geometry && unshieldedDrift(geometry, weights, experiment.rank)
  const own: SweepValue[] = []
  if (geometry) {
    for (let index = 0; index <= curvePoints; index++) {
      const position = index / curvePoints
      const { own: value } = shieldedDrift(
        geometry,
        weights,
        valueAt(lambdaParameter, position),
        experiment.rank,
      )
      own.push({ position, value, low: value, high: value })
    }
  }
  const measured = (id: 'heldOut' | 'otherSource'): SweepValue[] => {
    const values = input.sweep.flatMap(({ lambdaAlign: lambda, measurement }) => {
      const value = measurement.drift?.[id]
      if (value === undefined) return []
      return [{ position: positionOf(lambdaParameter, lambda), value, low: value, high: value }]
    })
    // Without shield the algebra knows it before anything is measured.
    if (plain && values[0]?.position !== 0)
      values.unshift({ position: 0, value: plain[id], low: plain[id], high: plain[id] })
    return values
  }
  const say = (value: number | undefined) => (value === undefined ? pending : formatSignificant(value))
  const isClosedForm = experiment.method !== 'fisher-soup'
  const ownNow =
    geometry && isClosedForm
      ? shieldedDrift(geometry, weights, lambdaAlign, experiment.rank).own
      : current?.drift?.own
  const atZero = lambdaAlign === 0 && isClosedForm ? plain : undefined
  const maximum = niceMaximum(plain ? 1.05 * Math.max(plain.own, plain.heldOut, plain.otherSource) : 0)
  return {
    id: 'drift',
    title: 'Drift',
    note: 'Fisher norm along alignment directions',
    height: 104,
    domain: [0, maximum],
    ticks: [0, maximum / 2, maximum],
    format: (value) => formatSignificant(value, 2),
    series: [
      {
        id: 'own',
        label: 'own directions',
        colour: 'var(--accent)',
        isExact: true,
        values: own,
        readout: say(ownNow),
        interval: 'exact',
        detail: 'Closed form: exact along the directions that the shield itself uses',
      },
      {
        id: 'heldOut',
        label: 'held-out',
        colour: 'var(--ink)',
        isExact: false,
        values: measured('heldOut'),
        readout: say(current?.drift?.heldOut ?? atZero?.heldOut),
        interval: '',
        detail: 'Directions estimated from probes that the shield has not seen',
      },
      {
        id: 'otherSource',
        label: 'other gradients',
        colour: 'var(--ink)',
        dash: '4 3',
        isExact: false,
        values: measured('otherSource'),
        readout: say(current?.drift?.otherSource ?? atZero?.otherSource),
        interval: '',
        detail: 'Directions from another gradient source on held-out probes',
      },
    ],
    references: [],
  }
}

export function sweepPanelsOf(input: SweepInput): SweepPanel[] {
  return [aqiPanel(input), behaviourPanel(input), skillsPanel(input), driftPanel(input)]
}
