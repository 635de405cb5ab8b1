// Clouds of points in one plane, with their means and how sure those are. Few points are SVG, many are pixels; what
// points at them, brushes and moves the window is PlotSurface. Pure.

import { memo, type ReactNode, useId, useMemo } from 'react'
import { CartesianGrid, ScatterChart, XAxis, YAxis } from 'recharts'
import { axisLine, tickStyle } from './axisLook.ts'
import {
  axisHeight,
  axisWidth,
  type ClusterLayer,
  type DensityLayer,
  isHollow,
  marksPath,
  meanOf,
  type PlotScales,
  plotBoxOf,
  plotMargin,
  scalesOf,
} from './clusterLayers.ts'
import { ellipseOutline, meanEllipse } from './meanEllipse.ts'
import { PlotSurface, type PlotTool } from './PlotSurface.tsx'
import { PointCanvas } from './PointCanvas.tsx'
import { type PlotWindow, windowTicks } from './plotWindow.ts'
import type { PointIndex, PointPlace } from './pointIndex.ts'
import { markRadius } from './pointSplat.ts'
import { useElementWidth } from './useElementWidth.ts'

/** More points than this are pixels: docs/bench.md, “Points of the cluster plot”. */
const svgLimit = 3000

export interface ClusterPlotProps {
  layers: readonly ClusterLayer[]
  density: readonly DensityLayer[]
  /** of the layers' points, in their order */
  index: PointIndex
  home: PlotWindow
  window: PlotWindow
  onWindow: (window: PlotWindow) => void
  tool: PlotTool
  /** selected points, x, y interleaved */
  selected: Float32Array
  /** where states moved: from x, y to x, y */
  arrows: Float32Array
  active: PointPlace | undefined
  onActive: (place: PointPlace | undefined) => void
  onOpen: (place: PointPlace) => void
  /** ids of the index; `isMore`: added to what is selected */
  onSelect: (ids: number[], isMore: boolean) => void
  /** Escape, or a click beside all points */
  onClear: () => void
  label: string
  hint: string
  /** about the active point */
  tip: ReactNode
  xLabel: string
  yLabel: string
  height: number
  /** points beyond which they are pixels; for the bench that decides it */
  pixelsAbove?: number | undefined
}

const formatTick = (value: number) => String(Number(value.toPrecision(6))).replace('-', '−')

export default function ClusterPlot(props: ClusterPlotProps) {
  const { layers, density, window, selected, arrows, height, xLabel, yLabel } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(440)
  const box = useMemo(() => plotBoxOf(width, height), [width, height])
  const scales = useMemo(() => scalesOf(box, window), [box, window])
  const clipId = useId()
  const isPixels = props.index.count > (props.pixelsAbove ?? svgLimit)
  const hasCanvas = isPixels || density.length > 0
  return (
    <div ref={frame} className="chart-frame cluster-plot" style={{ height }}>
      <ClusterAxes window={window} width={width} height={height} xLabel={xLabel} yLabel={yLabel} />
      {hasCanvas && (
        <PointCanvas layers={isPixels ? layers : noLayers} density={density} box={box} window={window} />
      )}
      <svg className="cluster-marks" width={width} height={height} aria-hidden="true">
        <clipPath id={clipId}>
          <rect x={box.left} y={box.top} width={box.width} height={box.height} />
        </clipPath>
        <g clipPath={`url(#${clipId})`}>
          {!isPixels && <PointPaths layers={layers} count={props.index.count} scales={scales} />}
          <Means layers={layers} scales={scales} />
          <Selected points={selected} scales={scales} />
          <Arrows arrows={arrows} scales={scales} />
        </g>
      </svg>
      <PlotSurface {...props} box={box} scales={scales} />
    </div>
  )
}

const noLayers: readonly ClusterLayer[] = []

interface AxesProps extends Pick<ClusterPlotProps, 'window' | 'xLabel' | 'yLabel' | 'height'> {
  width: number
}

/** Axes and grid; rebuilt only when the window changes. */
const ClusterAxes = memo(function ClusterAxes({ window, xLabel, yLabel, height, width }: AxesProps) {
  return (
    <ScatterChart width={width} height={height} margin={plotMargin} accessibilityLayer={false}>
      <CartesianGrid stroke="var(--grid)" />
      <XAxis
        type="number"
        dataKey="x"
        domain={[...window.x]}
        ticks={windowTicks(window.x)}
        tickFormatter={formatTick}
        interval={0}
        tick={tickStyle}
        tickLine={axisLine}
        axisLine={axisLine}
        tickSize={4}
        height={axisHeight}
        allowDataOverflow
        label={{ value: xLabel, position: 'insideBottom', offset: -8, fill: 'var(--muted)', fontSize: 11 }}
      />
      <YAxis
        type="number"
        dataKey="y"
        domain={[...window.y]}
        ticks={windowTicks(window.y)}
        tickFormatter={formatTick}
        interval={0}
        tick={tickStyle}
        tickLine={false}
        axisLine={axisLine}
        width={axisWidth}
        allowDataOverflow
        label={{
          value: yLabel,
          angle: -90,
          position: 'insideLeft',
          dx: 2,
          dy: 34,
          fill: 'var(--muted)',
          fontSize: 11,
        }}
      />
    </ScatterChart>
  )
})

interface LayersProps {
  layers: readonly ClusterLayer[]
  scales: PlotScales
}

const PointPaths = memo(function PointPaths({ layers, scales, count }: LayersProps & { count: number }) {
  const radius = markRadius(count)
  return layers.map((layer) => {
    const hollow = isHollow(layer.mark)
    return (
      <path
        key={layer.id}
        d={marksPath(layer.points, scales, layer.mark, hollow ? radius + 0.2 : radius)}
        fill={hollow ? 'none' : `var(${layer.colour})`}
        stroke={hollow ? `var(${layer.colour})` : 'none'}
        strokeWidth={0.8}
        opacity={layer.isGuess ? 0.4 : hollow ? 0.6 : 0.75}
      />
    )
  })
})

/** A cross at each mean inside its 95 % ellipse, edged so that they stand out from their own points. */
const Means = memo(function Means({ layers, scales: { x, y } }: LayersProps) {
  // Sums over all points, which moving the window does not change.
  const means = useMemo(
    () =>
      layers.map(({ points }) => {
        const ellipse = meanEllipse(points)
        return { mean: meanOf(points), outline: ellipse && ellipseOutline(ellipse) }
      }),
    [layers],
  )
  return layers.map(({ id, colour, mark, isGuess }, at) => {
    const { mean, outline } = means[at]!
    if (!mean) return null
    const size = 5
    const [left, top] = [x(mean.x), y(mean.y)]
    const cross = `M${left - size},${top}h${2 * size}M${left},${top - size}v${2 * size}`
    const corners =
      outline &&
      Array.from(
        { length: outline.length / 2 },
        (_, i) => `${x(outline[2 * i]!).toFixed(1)},${y(outline[2 * i + 1]!).toFixed(1)}`,
      )
    const width = isHollow(mark) ? 1.2 : 2
    const stroke = `var(${colour})`
    return (
      <g key={id} opacity={isGuess ? 0.6 : 1}>
        {corners && (
          <>
            <polygon points={corners.join(' ')} fill="none" stroke="var(--panel)" strokeWidth={width + 2} />
            <polygon
              points={corners.join(' ')}
              fill={stroke}
              fillOpacity={0.12}
              stroke={stroke}
              strokeWidth={width}
              {...(isHollow(mark) && { strokeDasharray: '4 2.5' })}
            />
          </>
        )}
        <path d={cross} stroke="var(--panel)" strokeWidth={width + 2} />
        <path d={cross} stroke={stroke} strokeWidth={width} />
      </g>
    )
  })
})

const Selected = memo(function Selected({ points, scales }: { points: Float32Array; scales: PlotScales }) {
  if (points.length === 0) return null
  return (
    <path d={marksPath(points, scales, 'ring', 4.2)} fill="none" stroke="var(--accent)" strokeWidth={1.4} />
  )
})

const headLength = 5

const Arrows = memo(function Arrows({ arrows, scales }: { arrows: Float32Array; scales: PlotScales }) {
  const parts: string[] = []
  for (let at = 0; at + 3 < arrows.length; at += 4) {
    const [x0, y0, x1, y1] = [
      scales.x(arrows[at]!),
      scales.y(arrows[at + 1]!),
      scales.x(arrows[at + 2]!),
      scales.y(arrows[at + 3]!),
    ]
    const length = Math.hypot(x1 - x0, y1 - y0)
    if (length < 1) continue
    const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length]
    const head = Math.min(headLength, length)
    parts.push(
      `M${x0.toFixed(1)},${y0.toFixed(1)}L${x1.toFixed(1)},${y1.toFixed(1)}`,
      `m${(-head * (dx + 0.5 * dy)).toFixed(1)},${(-head * (dy - 0.5 * dx)).toFixed(1)}`,
      `L${x1.toFixed(1)},${y1.toFixed(1)}`,
      `l${(-head * (dx - 0.5 * dy)).toFixed(1)},${(-head * (dy + 0.5 * dx)).toFixed(1)}`,
    )
  }
  if (parts.length === 0) return null
  return <path d={parts.join('')} fill="none" stroke="var(--ink)" strokeWidth={1.1} strokeOpacity={0.75} />
})
