// Which sweep the page shows and how: a store of its own, because none of it changes what the experiment means.

import { create } from 'zustand'
import { defaultSweep, type SweepSpec } from '../../share/sweeps/spec.ts'

/** The sweep itself, or all of its points as one measure against another. */
export type SweepPicture = 'sweep' | 'pareto'

export interface SweepsState {
  /** as the user asked for it; `fitSweep` makes it fit the experiment */
  spec: SweepSpec
  picture: SweepPicture
  /** ids of measures: of the two maps, and of the axes of the Pareto picture */
  measures: { left: string; right: string; paretoX: string; paretoY: string }
  /** mean duration of each part of a point, ms, by kind of work */
  rates: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export const initialSweeps: SweepsState = {
  spec: defaultSweep,
  picture: 'sweep',
  measures: { left: 'aqi', right: 'refusal', paretoX: 'skill', paretoY: 'refusal' },
  rates: {},
}

export const useSweeps = create<SweepsState>()(() => initialSweeps)
