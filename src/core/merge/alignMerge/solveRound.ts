// One round's problem: shield, steps of earlier rounds, and the budget's new step, all from one δ̄. With a one-sided
// shield the step itself may carry a coordinate over to its free side, so active directions are found by trying: a
// direction is shielded where the solution would leave its c_i positive without. Each try is the minimum of a convex quadratic;
// the tries end where the sets agree. Ours.

import { dot } from '../../geometry/sampleSpace.ts'
import { addSteps, type BudgetCut, type BudgetSolution, takeBudgetCuts } from './budgetCuts.ts'
import { activate, type ShieldPart } from './shield.ts'

export interface RoundSolution {
  parts: ShieldPart[]
  /** b of each part before the new step: shield and earlier steps */ carried: Float64Array[]
  budget: BudgetSolution
}

/** c_i (m) as the steps leave it, before the shield takes its share: a direction is shielded where it is positive. */
function unshieldedCoordinates(
  { products, directions, c }: ShieldPart,
  steps: readonly { row: number; step: number }[],
): Float64Array {
  const n = products.count
  return c.map((value, i) =>
    steps.reduce(
      (sum, { row, step }) => sum + step * dot(directions[i], products.gram.subarray(row * n, (row + 1) * n)),
      value,
    ),
  )
}

/** The round; `shield` as solveShield gives it. */
export function solveRound(
  shield: readonly ShieldPart[],
  weights: ArrayLike<number>,
  taken: readonly { row: number; step: number }[],
  cuts: readonly BudgetCut[],
  lambdaBudget: number,
  oneSided: boolean,
): RoundSolution {
  const take = (parts: ShieldPart[]): RoundSolution => {
    const carried = addSteps(parts, taken)
    const from = parts.map((part, p) => ({ ...part, b: carried[p] }))
    return { parts, carried, budget: takeBudgetCuts(from, weights, cuts, lambdaBudget) }
  }
  let solution = take([...shield])
  if (!oneSided) return solution
  const directions = shield.reduce((sum, { c }) => sum + c.length, 0)
  for (let trial = 0; trial < 4 * directions; trial++) {
    let changed = false
    const steps = [...taken, ...cuts.map(({ row }, r) => ({ row, step: solution.budget.steps[r] }))]
    const next = solution.parts.map((part) => {
      const isActive = Array.from(unshieldedCoordinates(part, steps), (value) => value > 0)
      if (isActive.every((active, i) => part.strengths[i] === 0 || active === part.shares[i] > 0)) return part
      changed = true
      return activate(part, isActive)
    })
    if (!changed) break
    solution = take(next)
  }
  return solution
}
