// Which series the sweep has and how they look: the merge in the accent, refusals in the colour of safe, compliance
// in that of unsafe, dashes for the second of a pair.

import type { AqiView, Behaviour, Estimate } from '../../../workers/api.ts'
import type { Measurement } from '../../state/slices/runs.ts'
import type { NumberForm } from '../format.ts'

export interface SeriesLook {
  id: string
  label: string
  colour: string
  dash?: string
}

export interface MeasuredLook extends SeriesLook {
  form: NumberForm
  pick: (measurement: Measurement) => Estimate | undefined
}

export function aqiSeries(view: AqiView): MeasuredLook {
  return {
    id: 'aqi',
    label: 'AQI',
    colour: 'var(--accent)',
    form: 'aqi',
    pick: (measurement) => measurement.aqi[view]?.normalised,
  }
}

const second = '4 3'

const shares: readonly (SeriesLook & { id: keyof Omit<Behaviour, 'skills' | 'answerLoss'> })[] = [
  { id: 'refusal', label: 'harmful refused', colour: 'var(--safe)' },
  { id: 'attackRefusal', label: 'attacks refused', colour: 'var(--safe)', dash: second },
  { id: 'compliance', label: 'harmful complied', colour: 'var(--unsafe)' },
  { id: 'overRefusal', label: 'harmless refused', colour: 'var(--unsafe)', dash: second },
  { id: 'gibberish', label: 'gibberish', colour: 'var(--muted)' },
]

export const behaviourSeries: readonly MeasuredLook[] = shares.map((look) => ({
  ...look,
  form: 'share',
  pick: (measurement) => measurement.behaviour[look.id],
}))

const skillLooks: readonly { colour: string; dash?: string }[] = [
  { colour: 'var(--ink)' },
  { colour: 'var(--ink)', dash: second },
  { colour: 'var(--muted)' },
  { colour: 'var(--muted)', dash: second },
]

export function skillSeries(names: readonly string[]): MeasuredLook[] {
  return names.map((name, index) => ({
    id: name,
    label: name,
    form: 'share',
    ...(skillLooks[index % skillLooks.length] ?? { colour: 'var(--ink)' }),
    pick: (measurement) => measurement.behaviour.skills?.[name],
  }))
}

/** Rows kept for the skills of the built-in probes, until their names are known. */
const unnamedSkills = ['…', '… ', '…  ']

/** Names of all skills that anything measured so far has. */
export function skillNames(measurements: readonly (Measurement | undefined)[]): string[] {
  const names = measurements.flatMap((measurement) => Object.keys(measurement?.behaviour.skills ?? {}))
  return names.length > 0 ? [...new Set(names)] : unnamedSkills
}

export const driftSeries: readonly (SeriesLook & { id: 'own' | 'heldOut' | 'otherSource' })[] = [
  { id: 'own', label: 'own directions', colour: 'var(--accent)' },
  { id: 'heldOut', label: 'held-out', colour: 'var(--ink)' },
  { id: 'otherSource', label: 'other gradients', colour: 'var(--ink)', dash: second },
]
