// Numbers as the results page prints them: a value with its 95 % interval, or a dash where there is none.

import { type Estimate, type Interval, isUnavailable } from '../core/evaluate/estimate.ts'

const percent = (value: number): string => (100 * value).toFixed(0)

/** "98 (94–99)" of a share in per cent. */
export function share(estimate: Estimate | undefined): string {
  if (!estimate || isUnavailable(estimate)) return '–'
  return `${percent(estimate.value)} (${percent(estimate.low)}–${percent(estimate.high)})`
}

/** The same with `digits` decimals, not in per cent. */
export function plain(estimate: Estimate | undefined, digits: number): string {
  if (!estimate || isUnavailable(estimate)) return '–'
  const { value, low, high } = estimate
  return `${value.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

/** The same, or the reason why there is no number. */
export function plainOrReason(estimate: Estimate | undefined, digits: number): string {
  return estimate && isUnavailable(estimate) ? estimate.unavailable : plain(estimate, digits)
}

/** Three significant digits. */
export function scientific(value: number): string {
  if (value === 0) return '0'
  return Math.abs(value) >= 0.01 && Math.abs(value) < 1000 ? value.toPrecision(3) : value.toExponential(2)
}

export type Comparison = 'higher' | 'lower' | 'same' | 'unknown'

/** Whether intervals are apart. Cautious: at equal counts, 95 % intervals just apart mean about p = 0.005. */
export function compare(a: Estimate | undefined, b: Estimate | undefined): Comparison {
  if (!a || !b || isUnavailable(a) || isUnavailable(b)) return 'unknown'
  const [x, y]: [Interval, Interval] = [a, b]
  if (x.low > y.high) return 'higher'
  return x.high < y.low ? 'lower' : 'same'
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [
    line(head),
    line(head.map((_, i) => (i === 0 ? '---' : '---:'))),
    ...rows.map((row) => line(row)),
  ].join('\n')
}
