import type { Budget } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'

/** Whether the merge keeps the alignment budget log S ≥ τ. */
export function BudgetBadge({ budget, isShort = false }: { budget: Budget; isShort?: boolean }) {
  const title = t('τ = log S of the anchor − 1 standard error = {threshold} nats (ours)', {
    threshold: budget.threshold.toFixed(2),
  })
  const value = budget.violation.toFixed(2)
  if (!budget.isViolated)
    return (
      <span className="badge is-kept" title={title}>
        {isShort ? t('kept') : t('budget kept')}
      </span>
    )
  return (
    <span className="badge is-violated" title={title}>
      {isShort ? t('violated by {value}', { value }) : t('budget violated by {value} nats', { value })}
    </span>
  )
}
