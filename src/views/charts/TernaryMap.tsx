// Weights of three experts as a triangle: each corner one expert alone, each cell the merges nearest to a measured
// one. Pure; the geometry comes with the cells.

import { memo, useEffect, useMemo } from 'react'
import { MapCells, type MapPoint, type MapProps } from './MapCells.tsx'
import { useElementWidth } from './useElementWidth.ts'

export interface TernaryMapProps extends MapProps {
  /** names of the experts at the left, the right and the upper corner */
  corners: readonly [string, string, string]
  /** places in a triangle of side 1, y upwards, as those of the marks */
  points: readonly MapPoint[]
  /** half the distance of neighbouring points, side 1 */
  reach: number
}

const margin = { side: 30, top: 26, bottom: 44 } as const
const unitHeight = Math.sqrt(3) / 2
const edgeTicks = [0.25, 0.5, 0.75]

export default memo(function TernaryMap(props: TernaryMapProps) {
  const { corners, points, marks, reach, height, onReach } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(300)
  const side = Math.max(
    40,
    Math.min(width - 2 * margin.side, (height - margin.top - margin.bottom) / unitHeight),
  )
  const left = (width - side) / 2
  const base = margin.top + side * unitHeight
  const radius = reach * side
  // Below the rings of the corners.
  const nameY = base + Math.min(margin.bottom - 4, Math.max(28, radius + 13))
  useEffect(() => onReach(radius), [onReach, radius])
  const cells = useMemo(() => {
    const at = ({ x, y }: { x: number; y: number }) => ({ x: left + side * x, y: base - side * y })
    return points.map((point): MapPoint => ({ ...point, ...at(point), outline: point.outline.map(at) }))
  }, [points, left, side, base])
  const placed = marks.map((mark) => ({ ...mark, x: left + side * mark.x, y: base - side * mark.y }))
  const [first, second, third] = corners
  return (
    <div ref={frame} className="chart-frame">
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: the list box inside has the name */}
      <svg width={width} height={height} className="map-picture">
        <MapCells {...props} points={cells} marks={placed} reach={radius} />
        <g className="map-axis">
          <path
            d={`M${left},${base}h${side}L${left + side / 2},${base - side * unitHeight}Z`}
            fill="none"
            stroke="var(--axis)"
          />
          {edgeTicks.map((share) => (
            <g key={share}>
              <text x={left + share * side} y={base + 13} textAnchor="middle">
                {Math.round(100 * share)}
              </text>
              <text x={left + side - (share * side) / 2 + 5} y={base - share * side * unitHeight + 1}>
                {Math.round(100 * share)}
              </text>
              <text
                x={left + (share * side) / 2 - 5}
                y={base - share * side * unitHeight + 1}
                textAnchor="end"
              >
                {Math.round(100 * (1 - share))}
              </text>
            </g>
          ))}
          <text className="map-axis-label" x={left - margin.side + 4} y={nameY}>
            {first}
          </text>
          <text className="map-axis-label" x={left + side + margin.side - 4} y={nameY} textAnchor="end">
            {second}
          </text>
          <text
            className="map-axis-label"
            x={left + side / 2}
            y={base - side * unitHeight - 9}
            textAnchor="middle"
          >
            {third}
          </text>
        </g>
      </svg>
    </div>
  )
})
