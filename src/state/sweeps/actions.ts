// Choosing a sweep and how it is shown. The choice outlives the page; a sweep that is chosen is measured at once,
// after what the page shows of the recipe itself.

import type { Experiment } from '../../../workers/api.ts'
import { validated } from '../../share/reader.ts'
import { clampNumber } from '../../share/scale.ts'
import { findSweepParameter } from '../../share/sweeps/parameters.ts'
import { readSweep } from '../../share/sweeps/readSweep.ts'
import { isSameSweep, type SweepSpec } from '../../share/sweeps/spec.ts'
import { changeExperiment } from '../actions/recipe.ts'
import { schedule } from '../actions/runner.ts'
import { initialSweeps, type SweepPicture, type SweepsState, useSweeps } from './store.ts'

const storageKey = 'alignmerge-sweep'

/** Storage may be closed to us; the choice then lasts as long as the page. */
function save(): void {
  const { spec, picture, measures } = useSweeps.getState()
  try {
    localStorage.setItem(storageKey, JSON.stringify({ spec, picture, measures }))
  } catch {
    // The choice is not worth an error.
  }
}

export function setSweep(spec: SweepSpec): void {
  if (isSameSweep(spec, useSweeps.getState().spec)) return
  useSweeps.setState({ spec })
  save()
  schedule()
}

/** Sets a swept parameter of the recipe; clamped into its range, anything that is no number is ignored. */
export function setSwept(id: string, value: number): void {
  if (!Number.isFinite(value)) return
  changeExperiment((experiment) => {
    const parameter = findSweepParameter(experiment, id)
    if (!parameter) return experiment
    const { min, max, isInteger } = parameter.range
    const next = clampNumber(isInteger ? Math.round(value) : value, min, max)
    return parameter.get(experiment) === next ? experiment : parameter.set(experiment, next)
  })
}

/** Makes a point of a sweep the recipe. */
export function openPoint(experiment: Experiment): void {
  changeExperiment(() => experiment)
}

export function setPicture(picture: SweepPicture): void {
  useSweeps.setState({ picture })
  save()
}

export function setMeasure(slot: keyof SweepsState['measures'], id: string): void {
  useSweeps.setState(({ measures }) => ({ measures: { ...measures, [slot]: id } }))
  save()
}

/** The choice of the last visit; what cannot be read is left at what the page begins with. */
export function loadSweep(): void {
  let stored: unknown = null
  try {
    stored = JSON.parse(localStorage.getItem(storageKey) ?? 'null')
  } catch {
    stored = null
  }
  const fields = typeof stored === 'object' && stored !== null ? (stored as Record<string, unknown>) : {}
  const spec = validated((reader) => readSweep(reader, fields.spec, 'sweep'))
  const given =
    typeof fields.measures === 'object' ? (fields.measures as Record<string, unknown> | null) : null
  const measures = { ...initialSweeps.measures }
  for (const slot of Object.keys(measures) as (keyof typeof measures)[]) {
    const id = given?.[slot]
    if (typeof id === 'string' && id.length <= 60) measures[slot] = id
  }
  useSweeps.setState({
    ...initialSweeps,
    spec: spec.ok ? spec.value : initialSweeps.spec,
    picture: fields.picture === 'pareto' ? 'pareto' : 'sweep',
    measures,
  })
}
