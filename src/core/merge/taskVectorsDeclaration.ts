// Parameters that methods on task vectors share, as data.

import {
  lambdaParameter,
  type NumberDeclaration,
  normalizeParameter,
  type ParameterDeclaration,
  type SwitchDeclaration,
  variantParameter,
  weightParameter,
} from './declaration.ts'

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

const SCALED_TO_NORM = 'What stays is scaled to the L1 norm of the whole task vector.'
const MAKE_UP = rescaleParameter(true, 'Make up for what was dropped.')

/** Parameters of DARE, linear and with election. */
export const dareParameters: readonly ParameterDeclaration[] = [
  weightParameter,
  densityParameter(0.5, 'Chance of each change to stay; mergekit’s own default is 1, which drops nothing.'),
  normalizeParameter(false),
  MAKE_UP,
  lambdaParameter,
  variantParameter('What stays is divided by the density.', SCALED_TO_NORM),
]

/** Parameters of DELLA; normalised with election, not without. */
export const dellaParameters = (isNormalized: boolean): readonly ParameterDeclaration[] => [
  weightParameter,
  densityParameter(0.5, 'Mean chance of a change to stay.'),
  epsilonParameter,
  normalizeParameter(isNormalized),
  MAKE_UP,
  lambdaParameter,
  variantParameter('Each change that stays is divided by its own chance to stay.', SCALED_TO_NORM),
]

/** Parameters of breadcrumbs, linear and with election. */
export const breadcrumbsParameters: readonly ParameterDeclaration[] = [
  weightParameter,
  densityParameter(0.9, 'Share of the changes that stays.'),
  gammaParameter,
  normalizeParameter(false),
  rescaleParameter(false, RESCALE_TO_NORM),
  lambdaParameter,
]
