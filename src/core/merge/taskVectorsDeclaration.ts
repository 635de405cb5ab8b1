// Parameters that methods on task vectors share, as data.

import type { NumberDeclaration, SwitchDeclaration } from './declaration.ts'

/**
 * Share of elements that stay. mergekit's default is 1, which drops nothing; where a method starts from another value,
 * a recipe has to say which it means.
 */
export function densityParameter(value: number, brief: string): NumberDeclaration {
  return {
    kind: 'number',
    id: 'density',
    label: 'Density',
    symbol: 'p',
    scope: 'model',
    ...(value < 1 && { isRequired: true as const }),
    min: 0,
    max: 1,
    default: value,
    step: 0.01,
    source: 'standard',
    brief,
  }
}

/** A switch that makes up for what was dropped. */
export function rescaleParameter(isOn: boolean, brief: string): SwitchDeclaration {
  return {
    kind: 'switch',
    id: 'rescale',
    label: 'Rescale',
    scope: 'global',
    default: isOn,
    source: 'standard',
    brief,
  }
}

export const RESCALE_TO_NORM = 'Scale what stays to the L1 norm of the whole task vector.'

/** ε of DELLA. */
export const epsilonParameter: NumberDeclaration = {
  kind: 'number',
  id: 'epsilon',
  label: 'Spread',
  symbol: 'ε',
  scope: 'model',
  min: 0,
  max: 0.49,
  default: 0.15,
  step: 0.01,
  source: 'standard',
  brief: 'Large elements stay with probability density + ε, small ones with density − ε; both within 0 … 1.',
}

/** γ of breadcrumbs. */
export const gammaParameter: NumberDeclaration = {
  kind: 'number',
  id: 'gamma',
  label: 'Outliers',
  symbol: 'γ',
  scope: 'model',
  min: 0,
  max: 1,
  default: 0.01,
  step: 0.005,
  source: 'standard',
  brief: 'Share of the largest elements that is dropped.',
}
