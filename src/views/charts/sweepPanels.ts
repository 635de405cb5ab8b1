// What a sweep chart is made of, as data. Positions run 0 … 1 along λ_align; the scale itself is the caller's.

export interface SweepValue {
  position: number
  value: number
  low: number
  high: number
}

export interface SweepSeries {
  id: string
  label: string
  /** CSS colour; custom properties keep light and dark right. */
  colour: string
  dash?: string
  /** Exact curves are drawn without markers. */
  isExact: boolean
  values: SweepValue[]
  /** The value at the current λ, and its interval. */
  readout: string
  interval: string
  /** Spoken and shown on hover in place of the short readout. */
  detail: string
}

export interface SweepPanel {
  id: string
  title: string
  note: string
  height: number
  domain: [number, number]
  ticks: number[]
  format: (value: number) => string
  series: SweepSeries[]
  /** Horizontal lines: the anchor, or a method without λ. */
  references: { value: number; label: string; colour: string }[]
}

export interface AxisTick {
  position: number
  label: string
}

/** Pixels beside the plot area; every panel has the same, so one cursor line crosses all. */
export const plotMargin = { left: 38, right: 12, top: 6 } as const

/** `position`, then per series its value and, under `<id> error`, its distances to the interval's ends. */
export type SweepRow = Record<string, number | [number, number]>

/** All series of a panel in rows by position, as the chart library reads them. */
export function toRows(series: readonly SweepSeries[]): SweepRow[] {
  const rows = new Map<number, SweepRow>()
  for (const { id, values } of series) {
    for (const { position, value, low, high } of values) {
      const row: SweepRow = rows.get(position) ?? { position }
      row[id] = value
      row[`${id} error`] = [value - low, high - value]
      rows.set(position, row)
    }
  }
  return [...rows].sort(([a], [b]) => a - b).map(([, row]) => row)
}
