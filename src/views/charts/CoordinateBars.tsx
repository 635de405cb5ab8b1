// Coordinates along the directions: the merge as bars, the plain average as outlines behind them, pinned runs as marks.
// Signed; the axis follows what stays while the shield moves. Pure.

import { memo } from 'react'
import { Bar, BarChart, type BarShapeProps, CartesianGrid, ReferenceLine, XAxis, YAxis } from 'recharts'
import { barAxis, valueAxis } from './axisLook.ts'
import { useElementWidth } from './useElementWidth.ts'

export interface CoordinateRow {
  direction: number
  before: number | null
  after: number | null
  /** of pinned runs */ a?: number | undefined
  b?: number | undefined
}

export interface CoordinateBarsProps {
  rows: readonly CoordinateRow[]
  /** of the axis, both ways */ maximum: number
  height: number
  format: (value: number) => string
}

/** A mark at the end of a bar that is not drawn. */
const markAt = (shape: 'diamond' | 'square') =>
  function PinMark({ x = 0, y = 0, width = 0, height = 0, value }: BarShapeProps) {
    if (typeof value !== 'number') return null
    const middle = x + width / 2
    const end = value >= 0 ? Math.min(y, y + height) : Math.max(y, y + height)
    return shape === 'diamond' ? (
      <path d={`M${middle},${end - 4}l4,4l-4,4l-4,-4z`} fill="var(--ink)" stroke="var(--panel)" />
    ) : (
      <rect
        x={middle - 3}
        y={end - 3}
        width="6"
        height="6"
        fill="var(--panel)"
        stroke="var(--ink)"
        strokeWidth="1.3"
      />
    )
  }
const diamond = markAt('diamond')
const square = markAt('square')

export default memo(function CoordinateBars({ rows, maximum, height, format }: CoordinateBarsProps) {
  const [frame, width] = useElementWidth<HTMLDivElement>(300)
  const hidden = { dataKey: 'direction', hide: true } as const
  return (
    <div ref={frame} className="chart-frame" style={{ height }}>
      <BarChart
        width={width}
        height={height}
        data={[...rows]}
        margin={{ top: 8, right: 4, bottom: 0, left: 0 }}
        accessibilityLayer={false}
      >
        <CartesianGrid stroke="var(--grid)" vertical={false} />
        <XAxis dataKey="direction" {...barAxis} />
        {(['behind', 'a', 'b'] as const).map((id) => (
          <XAxis key={id} xAxisId={id} {...hidden} />
        ))}
        <YAxis
          {...valueAxis}
          width={44}
          domain={[-maximum, maximum]}
          ticks={[-maximum, 0, maximum]}
          tickFormatter={format}
          allowDataOverflow
        />
        <ReferenceLine y={0} stroke="var(--axis)" />
        <Bar
          xAxisId="behind"
          dataKey="before"
          fill="none"
          stroke="var(--muted)"
          strokeDasharray="2 2"
          maxBarSize={26}
          isAnimationActive={false}
        />
        <Bar
          dataKey="after"
          fill="var(--accent)"
          fillOpacity={0.85}
          maxBarSize={26}
          isAnimationActive={false}
        />
        <Bar xAxisId="a" dataKey="a" shape={diamond} isAnimationActive={false} />
        <Bar xAxisId="b" dataKey="b" shape={square} isAnimationActive={false} />
      </BarChart>
    </div>
  )
})
