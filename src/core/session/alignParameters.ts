// AlignMerge's declared parameters as the options of its driver.

import type { ParameterValues } from '../merge/method.ts'
import { declaration } from '../merge/methods/alignmerge/declaration.ts'
import { completeParameters, numberOf } from '../merge/parameters.ts'
import { type AlignMergeOptions, type BudgetChoice, DEFAULT_ALIGN_OPTIONS } from './alignOptions.ts'

/** λ_bud from here on is ∞: the budget is met to first order, not merely approached. */
export const HARD_BUDGET = 1024

/** Options of the full method, or undefined where the plain closed form is asked for. Checks names and ranges. */
export function alignOptionsOf(given: ParameterValues): AlignMergeOptions | undefined {
  const { parameters } = completeParameters(declaration, given, [])
  const isPlain = declaration.parameters.every(
    ({ id, default: standard }) =>
      id === 'weight' || id === 'lambda_bud' || id === 'tolerance' || parameters[id] === standard,
  )
  if (isPlain) return undefined
  const lambdaBud = numberOf(parameters, 'lambda_bud')
  return {
    rounds: numberOf(parameters, 'rounds'),
    budget: parameters.budget as BudgetChoice,
    lambdaBud: lambdaBud >= HARD_BUDGET ? Number.POSITIVE_INFINITY : lambdaBud,
    tolerance: numberOf(parameters, 'tolerance'),
    search: parameters.search === true,
    oneSided: parameters.one_sided === true,
    rowWeights: parameters.row_weights as 'equal' | 'eigen',
    subspace: parameters.subspace as 'global' | 'layer',
    control: parameters.control as 'none' | 'random',
    rows: DEFAULT_ALIGN_OPTIONS.rows,
  }
}
