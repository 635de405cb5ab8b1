// What the full AlignMerge can be asked for beyond a setup, with defaults, and the refusal of what makes no sense.

import { EngineError } from '../errors.ts'
import type { BudgetName } from './alignBudget.ts'

export type BudgetChoice = 'none' | 'aqi-prompts' | 'aqi-completions' | 'margin' | 'both'

export interface AlignMergeOptions {
  /**
   * Re-linearisations at the merge, 0 … 8. At 0 rows of A are the setup's and the budget's gradient is the
   * anchor's; every round takes both anew at the merge of the round before.
   */
  rounds: number
  /** margin: refusal and compliance; both: these and aqi-completions */ budget: BudgetChoice
  /** λ_bud of the budget step, 0 to Infinity */ lambdaBud: number
  /** slack when accepting, in units of each functional (alignBudget.ts), 0 or more */ tolerance: number
  /** seek the least λ_align that holds the budget; otherwise the setup's λ_align */ search: boolean
  /** shrink c_i only where it raises the alignment loss */ oneSided: boolean
  /** w_i: 1, or μ_i/μ_1 */ rowWeights: 'equal' | 'eigen'
  /** one U for the whole model, or one for each layer */ subspace: 'global' | 'layer'
  /** random: a random subspace of equal rank instead of A, which should not protect */
  control: 'none' | 'random'
  /**
   * Rows of A in a round: fixed, the setup's alone (rounds re-linearise the budget); append, new ones at the merge
   * beside all earlier; replace, instead of them
   */
  rows: 'fixed' | 'append' | 'replace'
}

/** What is recommended on the built-in models: docs/alignmerge.md says why. */
export const DEFAULT_ALIGN_OPTIONS: AlignMergeOptions = {
  rounds: 3,
  budget: 'margin',
  lambdaBud: Number.POSITIVE_INFINITY,
  tolerance: 0.5,
  search: false,
  oneSided: false,
  rowWeights: 'equal',
  subspace: 'global',
  control: 'none',
  rows: 'fixed',
}

/** The plain closed form: one linearisation, no budget. */
export const PLAIN_ALIGN_OPTIONS: AlignMergeOptions = {
  ...DEFAULT_ALIGN_OPTIONS,
  rounds: 0,
  budget: 'none',
}

export const MAXIMUM_ROUNDS = 8

/** Functionals of a choice. */
export function budgetNames(choice: BudgetChoice): BudgetName[] {
  if (choice === 'none') return []
  const margin: BudgetName[] = ['refusal', 'compliance']
  if (choice === 'margin') return margin
  return choice === 'both' ? [...margin, 'aqi-completions'] : [choice]
}

/** Defaults filled in; `request-invalid` names what is out of range. */
export function readAlignOptions(given: Partial<AlignMergeOptions>): AlignMergeOptions {
  const options = { ...DEFAULT_ALIGN_OPTIONS, ...given }
  const fail = (what: string): never => {
    throw new EngineError('request-invalid', what)
  }
  const { rounds, lambdaBud, tolerance } = options
  if (!Number.isInteger(rounds) || rounds < 0 || rounds > MAXIMUM_ROUNDS)
    fail(`rounds: found ${rounds}, expected a whole number from 0 to ${MAXIMUM_ROUNDS}`)
  if (!(lambdaBud >= 0)) fail(`lambda_bud: found ${lambdaBud}, expected 0 or more`)
  if (!(tolerance >= 0 && tolerance < Number.POSITIVE_INFINITY))
    fail(`tolerance: found ${tolerance}, expected 0 or more`)
  if (options.search && options.budget === 'none') fail('a search needs a budget to search for')
  return options
}

/** True where nothing but the closed form of the setup is asked for. */
export function isPlain(options: AlignMergeOptions): boolean {
  const { rounds, budget, search, oneSided, rowWeights, subspace, control } = options
  return (
    rounds === 0 &&
    budget === 'none' &&
    !search &&
    !oneSided &&
    rowWeights === 'equal' &&
    subspace === 'global' &&
    control === 'none'
  )
}
