// What a control is told of its parameter.

import type { Scale } from './scale.ts'

/** Where a parameter's meaning comes from: the paper, common practice, or our reconstruction. */
export type Provenance = 'paper' | 'standard' | 'ours'

export interface NumberParameter {
  label: string
  /** The symbol used in formulas and on axes. */
  symbol: string
  min: number
  max: number
  default: number
  /** Step of the number input and of an arrow key on linear scales. */
  step: number
  unit: string
  scale: Scale
  isInteger: boolean
  source: Provenance
  /** One line under the control. */
  brief: string
  /** A little more, behind "details". */
  detail: string
}

export interface Choice<T extends string> {
  value: T
  label: string
  brief: string
  source: Provenance
}

export interface ChoiceParameter<T extends string> {
  label: string
  symbol: string
  default: T
  brief: string
  source: Provenance
  options: readonly Choice<T>[]
}
