// The terms of the objective at the merge of the page, by the closed form's own algebra; nothing where rounds or a
// budget moved the merge away from it.

import type { Experiment, GeometrySummary } from '../../../workers/api.ts'
import type { SymbolValues } from '../../help/index.ts'
import { isClosedForm } from '../../share/experimentKey.ts'
import { findMethod, parameterValue } from '../../share/methods.ts'
import { availableRank, barycentreNorm, shieldedDrift } from '../../state/algebra.ts'
import { selectWeights } from '../../state/selectors.ts'
import { formatNorm, formatParameter, formatSignificant } from '../format.ts'

export interface ObjectiveTerms {
  /** L_geo and L_align at δ* */
  geometric: number
  alignment: number
  total: number
}

/** L_geo = Σ λ_k ‖Δ_k‖² − ‖δ̄‖² + Σ (s c_i)²;  L_align = Σ (c_i/(1+λ))². */
export function objectiveTerms(
  geometry: GeometrySummary,
  weights: readonly number[],
  lambdaAlign: number,
  rank: number,
): ObjectiveTerms {
  const meanSquare = weights.reduce((sum, weight, k) => sum + weight * (geometry.gram[k]?.[k] ?? 0), 0)
  const scatter = Math.max(0, meanSquare - barycentreNorm(geometry, weights) ** 2)
  const unshielded = shieldedDrift(geometry, weights, 0, availableRank(geometry, rank)).own
  const moved = (unshielded * lambdaAlign) / (1 + lambdaAlign)
  const left = unshielded / (1 + lambdaAlign)
  const geometric = scatter + moved * moved
  return { geometric, alignment: left * left, total: geometric + lambdaAlign * left * left }
}

/** What stands for each symbol now; a symbol without a value is not known or not one number. */
export function objectiveValues(experiment: Experiment, geometry: GeometrySummary | undefined): SymbolValues {
  const { lambdaAlign, parameters } = experiment
  const declared = (id: string) =>
    findMethod(experiment.method)?.parameters.find((parameter) => parameter.id === id)
  const budget = declared('budget')
  const weight = declared('lambda_bud')
  const hasBudget = budget !== undefined && parameterValue(parameters, budget) !== 'none'
  const settings: SymbolValues = {
    lambdaAlign: formatParameter(lambdaAlign),
    lambdaBud: hasBudget && weight ? formatParameter(Number(parameterValue(parameters, weight))) : '0',
    share: formatSignificant(lambdaAlign / (1 + lambdaAlign)),
  }
  if (!geometry || !isClosedForm(experiment)) return settings
  const weights = selectWeights(experiment)
  const { geometric, alignment, total } = objectiveTerms(geometry, weights, lambdaAlign, experiment.rank)
  return {
    ...settings,
    L: formatNorm(total),
    Lgeo: formatNorm(geometric),
    Lalign: formatNorm(alignment),
    D: formatNorm(Math.sqrt(alignment)),
  }
}
