// What a sweep chart is made of, as data. Positions run 0 … 1 along the swept parameter; the scale itself
// is the caller's.

export interface SweepValue {
  position: number
  value: number
  low: number
  high: number
}

/** A pinned run whose values are not those of the line. */
export interface SweepMark extends SweepValue {
  slot: 'a' | 'b'
}

/** Where a pinned run stands on the axis. */
export interface SweepPin {
  slot: 'a' | 'b'
  /** 0 … 1 */
  position: number
  isElsewhere: boolean
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
  marks: SweepMark[]
}

/** What stands beside a series: its value at the cursor. Apart from the series, so that a moving cursor leaves the
    charts alone. */
export interface Readout {
  value: string
  interval: string
  /** Shown on hover, with units and count. */
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
export const plotMargin = { left: 38, right: 17, top: 6 } as const
