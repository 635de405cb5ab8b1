// One panel of the sweep: lines through measured points with their intervals, exact curves, reference lines.
// Pure: draws what it is given, keeps nothing. The axis of λ belongs to the panel at the bottom only.

import { memo, useMemo } from 'react'
import { CartesianGrid, ComposedChart, ErrorBar, Line, ReferenceLine, XAxis, YAxis } from 'recharts'
import { type AxisTick, plotMargin, type SweepPanel, toRows } from './sweepPanels.ts'

const axisLine = { stroke: 'var(--axis)' }
const tickStyle = { fill: 'var(--muted)', fontSize: 11 }

export interface SweepPlotProps {
  panel: SweepPanel
  width: number
  ticks: readonly AxisTick[]
  hasAxis: boolean
}

export const axisHeight = 22

export const SweepPlot = memo(function SweepPlot({ panel, width, ticks, hasAxis }: SweepPlotProps) {
  const rows = useMemo(() => toRows(panel.series), [panel.series])
  const labels = useMemo(() => new Map(ticks.map((tick) => [tick.position, tick.label])), [ticks])
  return (
    <ComposedChart
      width={width}
      height={panel.height + (hasAxis ? axisHeight : 0)}
      data={rows}
      margin={{ top: plotMargin.top, right: plotMargin.right, bottom: hasAxis ? 0 : 4, left: 0 }}
      accessibilityLayer={false}
    >
      <CartesianGrid stroke="var(--grid)" verticalValues={ticks.map((tick) => tick.position)} />
      <XAxis
        dataKey="position"
        type="number"
        domain={[0, 1]}
        ticks={ticks.map((tick) => tick.position)}
        tickFormatter={(position: number) => labels.get(position) ?? ''}
        interval={0}
        height={hasAxis ? axisHeight : 1}
        tick={hasAxis ? tickStyle : false}
        tickLine={hasAxis ? axisLine : false}
        tickSize={4}
        axisLine={axisLine}
      />
      <YAxis
        width={plotMargin.left}
        domain={panel.domain}
        ticks={panel.ticks}
        tickFormatter={panel.format}
        interval={0}
        tick={tickStyle}
        tickLine={false}
        axisLine={false}
        allowDataOverflow
      />
      {panel.references.map((reference) => (
        <ReferenceLine
          key={reference.label}
          y={reference.value}
          stroke={reference.colour}
          strokeDasharray="2 3"
          label={{
            value: reference.label,
            position: 'insideBottomRight',
            fill: 'var(--muted)',
            fontSize: 10.5,
          }}
        />
      ))}
      {panel.series.map((series) => (
        <Line
          key={series.id}
          dataKey={series.id}
          stroke={series.colour}
          strokeWidth={series.isExact ? 1.75 : 1.25}
          {...(series.dash && { strokeDasharray: series.dash })}
          type="linear"
          dot={
            series.isExact
              ? false
              : { r: 2.75, fill: series.colour, stroke: 'var(--panel)', strokeWidth: 1, strokeDasharray: '' }
          }
          activeDot={false}
          connectNulls
          isAnimationActive={false}
        >
          {!series.isExact && (
            <ErrorBar
              dataKey={`${series.id} error`}
              width={3}
              strokeWidth={1}
              stroke={series.colour}
              isAnimationActive={false}
            />
          )}
        </Line>
      ))}
    </ComposedChart>
  )
})
