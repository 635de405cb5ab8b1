// Rows of one merge over several seeds as one: the mean, within the lowest lower and the highest upper end of the
// seeds' 95 % intervals. Seeds draw from one pool of probes, so pooling their counts would claim too much.

import { type Estimate, isUnavailable } from '../core/evaluate/estimate.ts'
import { meanShare } from '../share/threeH.ts'
import type { ResultGroup, ResultRow } from './resultsRun.ts'

export interface SeededRow {
  label: string
  /** one per seed */
  rows: ResultRow[]
}

/** Rows by label, in order of appearance. */
export function bySeeds(group: ResultGroup): SeededRow[] {
  const found = new Map<string, SeededRow>()
  for (const row of group.rows) {
    const known = found.get(row.label)
    if (known) known.rows.push(row)
    else found.set(row.label, { label: row.label, rows: [row] })
  }
  return [...found.values()]
}

/** Mean and widest interval of what each row has; the first reason where one has none. */
export function overSeeds(
  { rows }: SeededRow,
  pick: (row: ResultRow) => Estimate | undefined,
): Estimate | undefined {
  const found = rows.map(pick)
  let [value, low, high, count] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]
  for (const estimate of found) {
    if (!estimate || isUnavailable(estimate)) return estimate
    value += estimate.value / found.length
    low = Math.min(low, estimate.low)
    high = Math.max(high, estimate.high)
    count += estimate.count
  }
  return { value, low, high, count }
}

/** Mean exact-match share of the skills that were merged; of all where none is named. */
export function skillOf(group: ResultGroup): (row: ResultRow) => Estimate | undefined {
  const names = group.experts.flatMap(({ skill }) => skill ?? [])
  return ({ behaviour }) => {
    if (!behaviour) return undefined
    const wanted = names.length > 0 ? names : Object.keys(behaviour.skills).filter((name) => name !== 'fact')
    return meanShare(wanted.map((name) => behaviour.skills[name]))
  }
}

/** Runs of `rows` whose AQI of a view breaks its budget, of how many. */
export function violations(
  rows: readonly ResultRow[],
  view: 'prompts' | 'completions',
): { violated: number; runs: number } {
  const budgets = rows.flatMap(({ budget }) => budget?.[view] ?? [])
  return { violated: budgets.filter(({ isViolated }) => isViolated).length, runs: budgets.length }
}
