import type { Budget } from '../../../workers/api.ts'

/** Whether the merge keeps the alignment budget log S ≥ τ. */
export function BudgetBadge({ budget, isShort = false }: { budget: Budget; isShort?: boolean }) {
  const title = `τ = log S of the anchor − 1 standard error = ${budget.threshold.toFixed(2)} nats (ours)`
  const subject = isShort ? '' : 'budget '
  return budget.isViolated ? (
    <span className="badge is-violated" title={title}>
      {subject}violated by {budget.violation.toFixed(2)} {isShort ? '' : 'nats'}
    </span>
  ) : (
    <span className="badge is-kept" title={title}>
      {subject}kept
    </span>
  )
}
