// One measure against another: one dot per merge with both intervals, the front that no merge beats as a line. Pure.

import { createContext, memo, useContext, useId } from 'react'
import { CartesianGrid, ScatterChart, useXAxisScale, useYAxisScale, XAxis, YAxis } from 'recharts'
import { axisLine, tickStyle } from './axisLook.ts'
import { PinTag } from './MapCells.tsx'
import { listBoxProps } from './pointCursor.ts'
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
  /** beyond both intervals */
  isBeaten?: boolean
  /** a pinned run, or the recipe */
  slot?: 'a' | 'b' | 'recipe'
}

/** What an axis shows; from 0 to 100 % where nothing else is said. */
export interface ParetoAxis {
  domain: readonly [number, number]
  ticks: readonly number[]
  format: (value: number) => string
}

export interface ParetoPlotProps {
  points: readonly ParetoPoint[]
  xLabel: string
  yLabel: string
  xAxis?: ParetoAxis
  yAxis?: ParetoAxis
  /** name of the picture; with it the dots can be walked by keys */
  label?: string
  height: number
  /** id of the point that is pointed at in the table */
  active: string | undefined
  onActive: (id: string | undefined) => void
  onOpen: (id: string) => void
}

const percent = (value: number) => `${Math.round(100 * value)}`
const shares: ParetoAxis = { domain: [0, 1], ticks: [0, 0.25, 0.5, 0.75, 1], format: percent }
const labelHeight = 13
const rightMargin = 24
const labelGap = 9
/** About, at 11 px; there is no text to measure before it is drawn. */
const labelWidth = (label: string) => 6.2 * label.length

interface Layer extends Pick<ParetoPlotProps, 'points' | 'active' | 'onActive' | 'onOpen'> {
  label: string | undefined
  xAxis: ParetoAxis
  yAxis: ParetoAxis
}
const LayerContext = createContext<Layer>({
  ...{ points: [], active: undefined, label: undefined, xAxis: shares, yAxis: shares },
  onActive() {},
  onOpen() {},
})

const colourOf = ({ kind, isFront }: ParetoPoint) =>
  kind === 'merge' ? (isFront ? 'var(--accent)' : 'var(--muted)') : 'var(--ink)'

/** Beaten, but not beyond doubt: a ring, where there is such a judgement. */
const isFilled = ({ kind, isFront, isBeaten }: ParetoPoint) =>
  kind === 'merge' && (isFront || isBeaten !== false)

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
  const { points, active, onActive, onOpen, label, xAxis, yAxis } = useContext(LayerContext)
  const id = useId()
  const xScale = useXAxisScale()
  const yScale = useYAxisScale()
  if (!xScale || !yScale) return null
  const x = (value: number) => Number(xScale(value))
  const y = (value: number) => Number(yScale(value))
  const front = points.filter(({ isFront }) => isFront).sort((a, b) => a.x - b.x)
  const labelled = points.filter(
    ({ isFront, kind, slot, id: own }) =>
      own === active || (slot !== 'a' && slot !== 'b' && (isFront || kind !== 'merge' || slot === 'recipe')),
  )
  const places = placeLabels(
    labelled.map((point) => ({ x: x(point.x), y: y(point.y), label: point.label })),
    x(xAxis.domain[1]) + rightMargin,
  )
  const placeText = (point: ParetoPoint) => `${xAxis.format(point.x)}, ${yAxis.format(point.y)}`
  const optionId = (own: string) => `${id}${own}`
  const isBeaten = (point: ParetoPoint) => point.isBeaten === true && point.slot === undefined
  const walked = points.map((point) => ({ id: point.id, x: x(point.x), y: y(point.y) }))
  const box = label === undefined ? {} : listBoxProps(walked, { active, onActive, onOpen }, optionId)
  return (
    <g className="pareto-dots" {...box} {...(label !== undefined && { 'aria-label': label })}>
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
          // biome-ignore lint/a11y/noStaticElementInteractions: the table beside, or the list box around, offers the same by keyboard
          <g
            key={point.id}
            {...(label !== undefined && {
              id: optionId(point.id),
              role: 'option',
              'aria-selected': point.slot === 'recipe',
              'aria-label': `${point.label}: ${placeText(point)}`,
            })}
            className="pareto-point"
            opacity={isBeaten(point) && !isActive ? 0.35 : 1}
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
              {...(isFilled(point)
                ? { fill: colourOf(point), stroke: 'var(--panel)', strokeWidth: 1 }
                : { fill: 'var(--panel)', stroke: colourOf(point), strokeWidth: 1.6 })}
            />
            {point.slot === 'recipe' && (
              <circle cx={x(point.x)} cy={y(point.y)} r={9} fill="none" stroke="var(--ink)" strokeWidth={2} />
            )}
            <title>{`${point.label}: ${placeText(point)}`}</title>
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
      {points.map(
        (point) =>
          (point.slot === 'a' || point.slot === 'b') && (
            <g key={point.id} pointerEvents="none">
              <PinTag mark={{ kind: point.slot, x: x(point.x), y: y(point.y), isElsewhere: false }} />
            </g>
          ),
      )}
    </g>
  )
}

export default memo(function ParetoPlot(props: ParetoPlotProps) {
  const { points, xLabel, yLabel, label, height, active, onActive, onOpen } = props
  const { xAxis = shares, yAxis = shares } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(720)
  return (
    <div ref={frame} className="chart-frame pareto-frame" style={{ height }}>
      <LayerContext.Provider value={{ points, active, onActive, onOpen, label, xAxis, yAxis }}>
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
            domain={[...xAxis.domain]}
            ticks={[...xAxis.ticks]}
            interval={0}
            // Without it recharts asks its data for the domain, and the dots are none of its data.
            allowDataOverflow
            tickFormatter={xAxis.format}
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
            domain={[...yAxis.domain]}
            ticks={[...yAxis.ticks]}
            interval={0}
            allowDataOverflow
            tickFormatter={yAxis.format}
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
