// Safety against skill: one dot per merge with both intervals, the front that no merge beats as a line. Pure.

import { createContext, memo, useContext } from 'react'
import { CartesianGrid, ScatterChart, useXAxisScale, useYAxisScale, XAxis, YAxis } from 'recharts'
import { useElementWidth } from './useElementWidth.ts'

export interface ParetoPoint {
  id: string
  label: string
  /** merge, or a model that stands for comparison */
  kind: 'merge' | 'anchor' | 'expert'
  x: number
  xLow: number
  xHigh: number
  y: number
  yLow: number
  yHigh: number
  isFront: boolean
}

export interface ParetoPlotProps {
  points: readonly ParetoPoint[]
  xLabel: string
  yLabel: string
  height: number
  /** id of the point that is pointed at in the table */
  active: string | undefined
  onActive: (id: string | undefined) => void
  onOpen: (id: string) => void
}

const tickStyle = { fill: 'var(--muted)', fontSize: 11 }
const axisLine = { stroke: 'var(--axis)' }
const ticks = [0, 0.25, 0.5, 0.75, 1]
const percent = (value: number) => `${Math.round(100 * value)}`
const labelHeight = 13
const rightMargin = 24
const labelGap = 9
/** About, at 11 px; there is no text to measure before it is drawn. */
const labelWidth = (label: string) => 6.2 * label.length

type Layer = Pick<ParetoPlotProps, 'points' | 'active' | 'onActive' | 'onOpen'>
const LayerContext = createContext<Layer>({ points: [], active: undefined, onActive() {}, onOpen() {} })

const colourOf = ({ kind, isFront }: ParetoPoint) =>
  kind === 'merge' ? (isFront ? 'var(--accent)' : 'var(--muted)') : 'var(--ink)'

interface PlacedLabel {
  /** where the text begins and ends, px */ from: number
  to: number
  isLeft: boolean
  top: number
}

/** Labels beside their dots, left of them where the words would leave the picture, pushed down where they would meet. */
function placeLabels(
  points: readonly { x: number; y: number; label: string }[],
  right: number,
): PlacedLabel[] {
  const labels = points.map(({ x, y, label }): PlacedLabel => {
    const width = labelWidth(label)
    const isLeft = x + labelGap + width > right
    const from = isLeft ? x - labelGap - width : x + labelGap
    return { from, to: from + width, isLeft, top: y }
  })
  const placed: PlacedLabel[] = []
  for (const label of [...labels].sort((a, b) => a.top - b.top)) {
    for (const other of placed)
      if (label.from < other.to && other.from < label.to && Math.abs(other.top - label.top) < labelHeight)
        label.top = other.top + labelHeight
    placed.push(label)
  }
  return labels
}

function Points() {
  const { points, active, onActive, onOpen } = useContext(LayerContext)
  const xScale = useXAxisScale()
  const yScale = useYAxisScale()
  if (!xScale || !yScale) return null
  const x = (value: number) => Number(xScale(value))
  const y = (value: number) => Number(yScale(value))
  const front = points.filter(({ isFront }) => isFront).sort((a, b) => a.x - b.x)
  const labelled = points.filter(({ isFront, kind, id }) => isFront || kind !== 'merge' || id === active)
  const places = placeLabels(
    labelled.map((point) => ({ x: x(point.x), y: y(point.y), label: point.label })),
    x(1) + rightMargin,
  )
  return (
    <g>
      {front.length > 1 && (
        <path
          d={`M${front.map((point) => `${x(point.x)},${y(point.y)}`).join('L')}`}
          fill="none"
          stroke="var(--accent)"
          strokeWidth={1}
          opacity={0.5}
        />
      )}
      {points.map((point) => {
        const isActive = point.id === active
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: the table beside offers the same by keyboard
          <g
            key={point.id}
            className="pareto-point"
            onPointerEnter={() => onActive(point.id)}
            onPointerLeave={() => onActive(undefined)}
            onClick={() => onOpen(point.id)}
          >
            <path
              d={`M${x(point.xLow)},${y(point.y)}H${x(point.xHigh)}M${x(point.x)},${y(point.yLow)}V${y(point.yHigh)}`}
              stroke={colourOf(point)}
              strokeWidth={1}
              opacity={isActive ? 0.9 : 0.28}
              fill="none"
            />
            <circle
              cx={x(point.x)}
              cy={y(point.y)}
              r={isActive ? 6 : 4}
              fill={point.kind === 'merge' ? colourOf(point) : 'var(--panel)'}
              stroke={point.kind === 'merge' ? 'var(--panel)' : colourOf(point)}
              strokeWidth={point.kind === 'merge' ? 1 : 1.6}
            />
            <title>{`${point.label}: ${percent(point.x)} %, ${percent(point.y)} %`}</title>
          </g>
        )
      })}
      {labelled.map((point, i) => {
        const { isLeft, from, to, top } = places[i]!
        return (
          <text
            key={point.id}
            x={isLeft ? to : from}
            y={top + 4}
            textAnchor={isLeft ? 'end' : 'start'}
            fontSize={11}
            fontWeight={point.id === active ? 650 : 400}
            fill={colourOf(point)}
            stroke="var(--panel)"
            strokeWidth={3}
            paintOrder="stroke"
            pointerEvents="none"
          >
            {point.label}
          </text>
        )
      })}
    </g>
  )
}

export default memo(function ParetoPlot(props: ParetoPlotProps) {
  const { points, xLabel, yLabel, height, active, onActive, onOpen } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(720)
  return (
    <div ref={frame} className="chart-frame pareto-frame" style={{ height }}>
      <LayerContext.Provider value={{ points, active, onActive, onOpen }}>
        <ScatterChart
          width={width}
          height={height}
          margin={{ top: 10, right: rightMargin, bottom: 16, left: 2 }}
          accessibilityLayer={false}
        >
          <CartesianGrid stroke="var(--grid)" />
          <XAxis
            type="number"
            dataKey="x"
            domain={[0, 1]}
            ticks={ticks}
            interval={0}
            // Without it recharts asks its data for the domain, and the dots are none of its data.
            allowDataOverflow
            tickFormatter={percent}
            tick={tickStyle}
            tickLine={false}
            axisLine={axisLine}
            label={{
              value: xLabel,
              position: 'insideBottom',
              offset: -10,
              fill: 'var(--muted)',
              fontSize: 11.5,
            }}
          />
          <YAxis
            type="number"
            dataKey="y"
            width={46}
            domain={[0, 1]}
            ticks={ticks}
            interval={0}
            allowDataOverflow
            tickFormatter={percent}
            tick={tickStyle}
            tickLine={false}
            axisLine={axisLine}
            label={{
              value: yLabel,
              angle: -90,
              position: 'insideLeft',
              offset: 14,
              fill: 'var(--muted)',
              fontSize: 11.5,
              style: { textAnchor: 'middle' },
            }}
          />
          <Points />
        </ScatterChart>
      </LayerContext.Provider>
    </div>
  )
})
