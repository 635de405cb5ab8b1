import type { Budget } from '../../../workers/api.ts'

/** Whether the merge keeps the alignment budget log S ≥ τ. */
export function BudgetBadge({ budget }: { budget: Budget }) {
  const threshold = `τ = log S of the anchor − 1 standard error = ${budget.threshold.toFixed(2)} nats (ours)`
  return budget.isViolated ? (
    <span className="badge is-violated" title={threshold}>
      budget violated by {budget.violation.toFixed(2)} nats
    </span>
  ) : (
    <span className="badge is-kept" title={threshold}>
      budget kept
    </span>
  )
}
