// Two parameters as a map: one cell per measured merge, cells equally wide whatever the axis, as the values were
// chosen. Pure.

import { memo, useEffect, useMemo } from 'react'
import { MapCells, type MapMark, type MapPoint, type MapProps } from './MapCells.tsx'
import { useElementWidth } from './useElementWidth.ts'

/** A point of the grid; x and y count cells from the lower left. */
export interface HeatPoint extends Omit<MapPoint, 'x' | 'y' | 'outline'> {
  column: number
  row: number
}

export interface HeatMapProps extends MapProps {
  columns: readonly string[]
  rows: readonly string[]
  xLabel: string
  yLabel: string
  points: readonly HeatPoint[]
  /** x and y between the centres of the outer cells, 0 … 1 */
  marks: readonly MapMark[]
}

const margin = { left: 48, right: 8, top: 8, bottom: 40 } as const

export default memo(function HeatMap(props: HeatMapProps) {
  const { columns, rows, xLabel, yLabel, points, marks, height, onReach } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(300)
  const cellWidth = Math.max(1, width - margin.left - margin.right) / columns.length
  const cellHeight = (height - margin.top - margin.bottom) / rows.length
  const base = height - margin.bottom
  const reach = Math.min(cellWidth, cellHeight) / 2
  useEffect(() => onReach(reach), [onReach, reach])
  const centre = (column: number, row: number) => ({
    x: margin.left + (column + 0.5) * cellWidth,
    y: base - (row + 0.5) * cellHeight,
  })
  const cells = useMemo(
    () =>
      points.map(({ column, row, ...point }): MapPoint => {
        const x = margin.left + (column + 0.5) * cellWidth
        const y = base - (row + 0.5) * cellHeight
        const [right, up] = [cellWidth / 2, cellHeight / 2]
        const outline = [
          { x: x - right, y: y - up },
          { x: x + right, y: y - up },
          { x: x + right, y: y + up },
          { x: x - right, y: y + up },
        ]
        return { ...point, x, y, outline }
      }),
    [points, cellWidth, cellHeight, base],
  )
  const placed = marks.map((mark) => ({
    ...mark,
    ...centre(mark.x * (columns.length - 1), mark.y * (rows.length - 1)),
  }))
  return (
    <div ref={frame} className="chart-frame">
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the list box inside has the name */}
      <svg width={width} height={height} className="map-picture">
        <g className="map-axis">
          {columns.map((text, column) => (
            <text key={text} x={centre(column, 0).x} y={base + 15} textAnchor="middle">
              {text}
            </text>
          ))}
          {rows.map((text, row) => (
            <text key={text} x={margin.left - 6} y={centre(0, row).y + 4} textAnchor="end">
              {text}
            </text>
          ))}
          <text
            className="map-axis-label"
            x={margin.left + (columns.length * cellWidth) / 2}
            y={base + 33}
            textAnchor="middle"
          >
            <AxisName text={xLabel} />
          </text>
          <text
            className="map-axis-label"
            transform={`translate(11 ${margin.top + (rows.length * cellHeight) / 2}) rotate(-90)`}
            textAnchor="middle"
          >
            <AxisName text={yLabel} />
          </text>
        </g>
        <MapCells {...props} points={cells} marks={placed} reach={reach} />
      </svg>
    </div>
  )
})

/** `λ_align` with a real subscript, which in a picture is a shifted piece of text. */
function AxisName({ text }: { text: string }) {
  const [letter, rest] = text.split('_')
  const [subscript, ...unit] = (rest ?? '').split(/(?=,)/)
  if (rest === undefined) return text
  return (
    <>
      {letter}
      <tspan dy="3" fontSize="9.5">
        {subscript}
      </tspan>
      {unit.length > 0 && <tspan dy="-3">{unit.join('')}</tspan>}
    </>
  )
}
