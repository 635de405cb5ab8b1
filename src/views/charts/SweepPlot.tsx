// One panel of the sweep. The chart library draws grid, axes and reference lines, and again only when they change;
// the series come through a context and are a few paths on its scales, because they change with every measurement
// and a chart that is rebuilt ten times a second would hold up the page. Pure: keeps nothing.

import { createContext, memo, useContext } from 'react'
import {
  CartesianGrid,
  ComposedChart,
  ReferenceLine,
  useXAxisScale,
  useYAxisScale,
  XAxis,
  YAxis,
} from 'recharts'
import { axisLine, tickStyle, valueAxis } from './axisLook.ts'
import { barsPath, diamondsPath, dotsPath, linePath } from './seriesPaths.ts'
import { type AxisTick, plotMargin, type SweepPanel, type SweepSeries } from './sweepPanels.ts'

/** The library wants rows to draw an axis; the ends of the axis are all it gets. */
const axisRows = [{ position: 0 }, { position: 1 }]

const SeriesContext = createContext<readonly SweepSeries[]>([])

export interface SweepPlotProps {
  panel: SweepPanel
  width: number
  ticks: readonly AxisTick[]
  hasAxis: boolean
}

export const axisHeight = 22

export function SweepPlot({ panel, width, ticks, hasAxis }: SweepPlotProps) {
  const { domain, references } = panel
  return (
    <SeriesContext value={panel.series}>
      <SweepAxes
        width={width}
        height={panel.height}
        low={domain[0]}
        high={domain[1]}
        yTicks={panel.ticks.join(' ')}
        format={panel.format}
        references={JSON.stringify(references)}
        ticks={ticks}
        hasAxis={hasAxis}
      />
    </SeriesContext>
  )
}

interface SweepAxesProps {
  width: number
  height: number
  low: number
  high: number
  /** Lists as text, so that equal ones are equal. */
  yTicks: string
  references: string
  format: (value: number) => string
  ticks: readonly AxisTick[]
  hasAxis: boolean
}

const SweepAxes = memo(function SweepAxes(props: SweepAxesProps) {
  const { width, height, low, high, yTicks, references, format, ticks, hasAxis } = props
  const labels = new Map(ticks.map((tick) => [tick.position, tick.label]))
  // By hand: a chart without visible ticks draws no lines for them.
  const plotWidth = width - plotMargin.left - plotMargin.right
  const gridLines = ticks.map((tick) => plotMargin.left + tick.position * plotWidth)
  const lines = JSON.parse(references) as SweepPanel['references']
  return (
    <ComposedChart
      width={width}
      height={height + (hasAxis ? axisHeight : 0)}
      data={axisRows}
      margin={{ top: plotMargin.top, right: plotMargin.right, bottom: hasAxis ? 0 : 4, left: 0 }}
      accessibilityLayer={false}
    >
      <CartesianGrid stroke="var(--grid)" verticalPoints={gridLines} />
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
        {...valueAxis}
        width={plotMargin.left}
        domain={[low, high]}
        ticks={yTicks.split(' ').map(Number)}
        tickFormatter={format}
        allowDataOverflow
      />
      {lines.map((reference) => (
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
      <SeriesLayer />
    </ComposedChart>
  )
})

/** Lives inside the chart to read its scales. */
function SeriesLayer() {
  const series = useContext(SeriesContext)
  const xScale = useXAxisScale()
  const yScale = useYAxisScale()
  if (!xScale || !yScale) return null
  const x = (value: number) => Number(xScale(value))
  const y = (value: number) => Number(yScale(value))
  return (
    <g fill="none" strokeLinejoin="round">
      {series.map(({ id, values, colour, dash, isExact, marks }) => (
        <g key={id} stroke={colour}>
          {values.length > 1 && (
            <path
              className="plot-path"
              d={linePath(values, x, y)}
              strokeWidth={isExact ? 1.75 : 1.25}
              strokeDasharray={dash}
            />
          )}
          {!isExact && <path d={barsPath(values, x, y)} strokeWidth={1} />}
          {!isExact && (
            <path d={dotsPath(values, x, y)} fill={colour} stroke="var(--panel)" strokeWidth={0.8} />
          )}
          {marks.length > 0 && (
            <>
              <path d={barsPath(marks, x, y)} strokeWidth={1} strokeDasharray="2 2" />
              <path d={diamondsPath(marks, x, y)} fill="var(--panel)" strokeWidth={1.4} />
            </>
          )}
        </g>
      ))}
    </g>
  )
}
