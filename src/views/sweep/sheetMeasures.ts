// What a map or a Pareto picture can show: every measure of a merge, how it is written and which way is better.
// Behaviour is marked, because AQI is never shown without it.

import type { AqiView, Behaviour, Estimate } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import type { Better } from '../../share/sweeps/pareto.ts'
import { meanSkill } from '../../share/threeH.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import { niceMaximum } from '../charts/niceMaximum.ts'
import { formatRound, forms, type NumberForm } from '../format.ts'

export interface SheetMeasure {
  id: string
  label: string
  /** as an axis names it */
  unit: string
  form: NumberForm
  better: Better
  isBehaviour: boolean
  pick: (measurement: Measurement) => Estimate | undefined
}

type ShareId = keyof Omit<Behaviour, 'skills' | 'answerLoss'>

const share = (id: ShareId, label: string, better: Better): SheetMeasure => ({
  ...{ id, label, unit: '%', form: 'share', better, isBehaviour: true },
  pick: (measurement) => measurement.behaviour[id],
})

const exact = (value: number | undefined): Estimate | undefined =>
  value === undefined ? undefined : { value, low: value, high: value, count: 1 }

/** Names of the skills that anything measured so far has. */
export function measuredSkills(measurements: readonly (Measurement | undefined)[]): string[] {
  return [...new Set(measurements.flatMap((one) => Object.keys(one?.behaviour.skills ?? {})))]
}

/** `trained`: the skills that the experts were trained for; `skill` is their mean. */
export function sheetMeasures(
  view: AqiView,
  skills: readonly string[],
  trained: readonly string[] | undefined,
): SheetMeasure[] {
  return [
    {
      ...{
        id: 'aqi',
        label: t('AQI'),
        unit: t('anchor = 50'),
        form: 'aqi',
        better: 'high',
        isBehaviour: false,
      },
      pick: (measurement) => measurement.aqi[view]?.normalised,
    },
    share('refusal', t('harmful refused'), 'high'),
    share('attackRefusal', t('attacks refused'), 'high'),
    share('compliance', t('harmful complied'), 'low'),
    share('overRefusal', t('harmless refused'), 'low'),
    share('gibberish', t('gibberish'), 'low'),
    {
      ...{ id: 'skill', label: t('mean skill'), unit: '%', form: 'share', better: 'high', isBehaviour: true },
      pick: (measurement) => meanSkill(measurement.behaviour, trained),
    },
    ...skills.map(
      (name): SheetMeasure => ({
        ...{ id: `skill ${name}`, label: name, unit: '%', form: 'share', better: 'high', isBehaviour: true },
        pick: (measurement) => measurement.behaviour.skills?.[name],
      }),
    ),
    {
      ...{ id: 'heldOut', label: t('held-out drift'), unit: t('norm in G'), form: 'norm', better: 'low' },
      isBehaviour: false,
      pick: (measurement) => exact(measurement.drift?.heldOut),
    },
  ]
}

/** The measure with an id, or the one that the page begins with: a link or another experiment may lack it. */
export function measureById(
  measures: readonly SheetMeasure[],
  id: string,
  fallback: 'aqi' | 'refusal' | 'skill',
): SheetMeasure {
  return measures.find((measure) => measure.id === id) ?? measures.find((measure) => measure.id === fallback)!
}

export interface Shown {
  value: number
  low: number
  high: number
}

/** What a measurement has of a measure, as a number; nothing where there is none. */
export function shownOf(measure: SheetMeasure, measurement: Measurement | undefined): Shown | undefined {
  const estimate = measurement && measure.pick(measurement)
  return estimate && !('unavailable' in estimate) ? estimate : undefined
}

export interface MeasureScale {
  domain: readonly [number, number]
  ticks: readonly number[]
  format: (value: number) => string
}

/**
 * A scale around what is shown, so that differences are seen, but no narrower than a fifth of what there can be, so
 * that noise is not blown up.
 */
export function scaleOf(measure: SheetMeasure, shown: readonly Shown[]): MeasureScale {
  const { form } = measure
  if (form === 'norm') {
    const top = niceMaximum(Math.max(0, ...shown.map(({ high }) => high)))
    return { domain: [0, top], ticks: [0, top / 2, top], format: formatRound }
  }
  const whole = form === 'aqi' ? 100 : 1
  const values = shown.map(({ value }) => (100 * value) / whole)
  const lowest = values.length > 0 ? Math.min(...values) : 0
  const highest = values.length > 0 ? Math.max(...values) : 100
  const low = Math.max(0, Math.min(80, Math.floor(lowest / 10) * 10))
  const high = Math.min(100, Math.max(low + 20, Math.ceil(highest / 10) * 10))
  const step = high - low <= 20 ? 5 : high - low <= 40 ? 10 : 20
  const ticks: number[] = []
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push((tick * whole) / 100)
  const digits = form === 'aqi' ? formatRound : forms[form].digits
  return { domain: [(low * whole) / 100, (high * whole) / 100], ticks, format: digits }
}

/** Place of a value on a scale, 0 … 1, cut at its ends. */
export function placeOn({ domain: [low, high] }: MeasureScale, value: number): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}
