// Drift by layer: the merge as bars, the plain average as outlines behind them, pinned runs beside them. Pure.

import { memo } from 'react'
import { Bar, BarChart, CartesianGrid, XAxis, YAxis } from 'recharts'
import { barAxis, valueAxis } from './axisLook.ts'
import { useElementWidth } from './useElementWidth.ts'

export interface LayerBarsProps {
  /** One row per layer; null where not measured. */
  rows: { layer: number; merge: number | null; average: number | null; a: number | null; b: number | null }[]
  maximum: number
  height: number
  format: (value: number) => string
}

export default memo(function LayerBars({ rows, maximum, height, format }: LayerBarsProps) {
  const hasPin = { a: rows.some(({ a }) => a !== null), b: rows.some(({ b }) => b !== null) }
  const [frame, width] = useElementWidth<HTMLDivElement>(440)
  return (
    <div ref={frame} className="chart-frame" style={{ height }}>
      <BarChart
        width={width}
        height={height}
        data={rows}
        margin={{ top: 6, right: 10, bottom: 0, left: 0 }}
        accessibilityLayer={false}
      >
        <CartesianGrid stroke="var(--grid)" vertical={false} />
        <XAxis dataKey="layer" {...barAxis} />
        <XAxis xAxisId="behind" dataKey="layer" hide />
        <YAxis
          {...valueAxis}
          width={38}
          domain={[0, maximum]}
          ticks={[0, maximum / 2, maximum]}
          tickFormatter={format}
        />
        <Bar
          xAxisId="behind"
          dataKey="average"
          fill="none"
          stroke="var(--muted)"
          strokeDasharray="2 2"
          maxBarSize={36}
          isAnimationActive={false}
        />
        <Bar
          dataKey="merge"
          fill="var(--accent)"
          fillOpacity={0.85}
          maxBarSize={36}
          isAnimationActive={false}
        />
        {hasPin.a && <Bar dataKey="a" fill="var(--ink)" maxBarSize={12} isAnimationActive={false} />}
        {hasPin.b && (
          <Bar
            dataKey="b"
            fill="var(--panel)"
            stroke="var(--ink)"
            strokeWidth={1.4}
            maxBarSize={12}
            isAnimationActive={false}
          />
        )}
      </BarChart>
    </div>
  )
})
