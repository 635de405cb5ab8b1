// Safe and unsafe points of anchor (hollow) and merge (filled) in one plane. Pure.

import { memo } from 'react'
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

/** Lives inside the chart to read its scales. */
function Layers({ layers }: { layers: readonly ClusterLayer[] }) {
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
        if (!mean) return null
        const size = 6
        const [left, top] = [x(mean.x), y(mean.y)]
        return (
          <path
            key={layer.id}
            className="cluster-mean"
            d={`M${left - size},${top}h${2 * size}M${left},${top - size}v${2 * size}`}
            stroke={layer.colour}
            strokeWidth={layer.isFilled ? 2.6 : 1.4}
          />
        )
      })}
    </g>
  )
}

export default memo(function ClusterPlot(props: ClusterPlotProps) {
  const { layers, xDomain, yDomain, xLabel, yLabel, height } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(440)
  return (
    <div ref={frame} className="chart-frame" style={{ height }}>
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
            dy: 50,
            fill: 'var(--muted)',
            fontSize: 11,
          }}
        />
        <Layers layers={layers} />
      </ScatterChart>
    </div>
  )
})
