// Safe and unsafe points of anchor (hollow) and merge (filled) in one plane. Pure.

import { createContext, memo, useContext } from 'react'
import { CartesianGrid, ScatterChart, useXAxisScale, useYAxisScale, XAxis, YAxis } from 'recharts'
import { type ClusterLayer, circlesPath, meanOf, type Scale, ticksOf } from './clusterLayers.ts'
import { useElementWidth } from './useElementWidth.ts'

export interface ClusterPlotProps {
  layers: readonly ClusterLayer[]
  xDomain: [number, number]
  yDomain: [number, number]
  xLabel: string
  yLabel: string
  height: number
}

const tickStyle = { fill: 'var(--muted)', fontSize: 11 }
const axisLine = { stroke: 'var(--axis)' }

const formatTick = (value: number) => String(value).replace('-', '−')

const LayersContext = createContext<readonly ClusterLayer[]>([])

/** Lives inside the chart to read its scales. */
function Layers() {
  const layers = useContext(LayersContext)
  const xScale = useXAxisScale()
  const yScale = useYAxisScale()
  if (!xScale || !yScale) return null
  const x: Scale = (value) => Number(xScale(value))
  const y: Scale = (value) => Number(yScale(value))
  return (
    <g>
      {layers.map((layer) => (
        <path
          key={layer.id}
          d={circlesPath(layer.points, x, y, layer.isFilled ? 2.4 : 2.6)}
          fill={layer.isFilled ? layer.colour : 'none'}
          stroke={layer.isFilled ? 'none' : layer.colour}
          strokeWidth={0.8}
          opacity={layer.isGuess ? 0.4 : layer.isFilled ? 0.75 : 0.6}
        />
      ))}
      {layers.map((layer) => {
        const mean = meanOf(layer.points)
        return mean && <MeanMark key={layer.id} layer={layer} left={x(mean.x)} top={y(mean.y)} />
      })}
    </g>
  )
}

/** A cross at the mean, edged so that it stands out from its own points. */
function MeanMark({ layer, left, top }: { layer: ClusterLayer; left: number; top: number }) {
  const size = 7
  const cross = `M${left - size},${top}h${2 * size}M${left},${top - size}v${2 * size}`
  const width = layer.isFilled ? 2.6 : 1.4
  return (
    <>
      <path d={cross} stroke="var(--panel)" strokeWidth={width + 2.4} />
      <path d={cross} stroke={layer.colour} strokeWidth={width} />
    </>
  )
}

/** Axes and grid; rebuilt only when the picture's frame changes. */
const ClusterAxes = memo(function ClusterAxes(props: Omit<ClusterPlotProps, 'layers'> & { width: number }) {
  const { xDomain, yDomain, xLabel, yLabel, height, width } = props
  return (
    <ScatterChart
      width={width}
      height={height}
      margin={{ top: 6, right: 10, bottom: 14, left: 0 }}
      accessibilityLayer={false}
    >
      <CartesianGrid stroke="var(--grid)" />
      <XAxis
        type="number"
        dataKey="x"
        domain={xDomain}
        ticks={ticksOf(xDomain)}
        tickFormatter={formatTick}
        interval={0}
        tick={tickStyle}
        tickLine={axisLine}
        axisLine={axisLine}
        tickSize={4}
        height={26}
        allowDataOverflow
        label={{ value: xLabel, position: 'insideBottom', offset: -8, fill: 'var(--muted)', fontSize: 11 }}
      />
      <YAxis
        type="number"
        dataKey="y"
        domain={yDomain}
        ticks={ticksOf(yDomain)}
        tickFormatter={formatTick}
        interval={0}
        tick={tickStyle}
        tickLine={false}
        axisLine={axisLine}
        width={38}
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
      <Layers />
    </ScatterChart>
  )
})

export default function ClusterPlot({ layers, ...frameProps }: ClusterPlotProps) {
  const [frame, width] = useElementWidth<HTMLDivElement>(440)
  return (
    <div ref={frame} className="chart-frame" style={{ height: frameProps.height }}>
      <LayersContext value={layers}>
        <ClusterAxes {...frameProps} width={width} />
      </LayersContext>
    </div>
  )
}
