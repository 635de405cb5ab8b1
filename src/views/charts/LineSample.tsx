import type { SweepSeries } from './sweepPanels.ts'

/** A piece of a series' line for its legend, in a picture of 18 × 8. */
export function LineSample({ series: { colour, dash } }: { series: SweepSeries }) {
  return <line x1="0" x2="18" y1="4" y2="4" stroke={colour} strokeWidth="1.75" strokeDasharray={dash} />
}
