// The cells of a map: shade by value, a ring by the width of the interval, hatching where nothing is measured yet, a
// cross where measuring failed; on top the recipe and the pinned runs. Pure.

import { memo, useId } from 'react'
import { listBoxProps, type PointCursor } from './pointCursor.ts'

export interface MapPoint {
  id: string
  /** the whole of it in words, for screen readers and on hover */
  label: string
  state: 'measured' | 'waiting' | 'failed'
  /** place on the colour scale, 0 … 1 */
  shade: number
  /** half the 95 % interval as a share of the colour scale; 0 where there is none */
  halfWidth: number
  /** centre and outline, pixels */
  x: number
  y: number
  outline: readonly { x: number; y: number }[]
}

export interface MapMark {
  kind: 'recipe' | 'a' | 'b'
  /** pixels */
  x: number
  y: number
  /** differs from the map in something that the map does not sweep */
  isElsewhere: boolean
  label: string
}

/** What every map is told, wherever its cells lie. */
export interface MapProps extends PointCursor {
  label: string
  marks: readonly MapMark[]
  /** id of the point that is the recipe */
  selected: string | undefined
  height: number
  /** told the radius of the largest ring, pixels: a legend draws its rings by it */
  onReach: (reach: number) => void
}

export interface MapCellsProps extends Omit<MapProps, 'height' | 'onReach'> {
  points: readonly MapPoint[]
  /** radius of the largest circle in a cell, pixels */
  reach: number
}

/** Even the lowest value is told from the paper. */
const leastShade = 7

export const shadeOf = (place: number): string =>
  `color-mix(in oklab, var(--accent) ${(leastShade + (100 - leastShade) * place).toFixed(1)}%, var(--panel))`

const pathOf = (outline: MapPoint['outline']): string =>
  `M${outline.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join('L')}Z`

export function MapCells(props: MapCellsProps) {
  const { label, points, marks, selected, reach, active, onActive, onOpen } = props
  const id = useId()
  const optionId = (point: string) => `${id}${point}`
  const focused = points.find((point) => point.id === active)
  return (
    <>
      <defs>
        <pattern id={`${id}hatch`} width="6" height="6" patternUnits="userSpaceOnUse">
          <path d="M-1.5,1.5l3,-3M0,6l6,-6M4.5,7.5l3,-3" stroke="var(--axis)" strokeWidth="0.8" />
        </pattern>
      </defs>
      <g
        className="map-cells"
        aria-label={label}
        {...listBoxProps(points, { active, onActive, onOpen }, optionId)}
      >
        {points.map((point) => (
          <Cell
            key={point.id}
            id={optionId(point.id)}
            point={point}
            hatch={`url(#${id}hatch)`}
            isSelected={point.id === selected}
            reach={reach}
            onActive={onActive}
            onOpen={onOpen}
          />
        ))}
      </g>
      {focused && (
        <path
          d={pathOf(focused.outline)}
          fill="none"
          stroke="var(--ink)"
          strokeWidth={2}
          pointerEvents="none"
        />
      )}
      <Marks marks={marks} />
    </>
  )
}

interface CellProps extends Pick<PointCursor, 'onActive' | 'onOpen'> {
  id: string
  point: MapPoint
  hatch: string
  isSelected: boolean
  reach: number
}

const Cell = memo(
  function Cell({ id, point, hatch, isSelected, reach, onActive, onOpen }: CellProps) {
    const { state, x, y } = point
    const cross = Math.min(6, 0.5 * reach)
    return (
      <g
        id={id}
        role="option"
        aria-selected={isSelected}
        aria-label={point.label}
        className="map-cell"
        onPointerEnter={() => onActive(point.id)}
        onPointerLeave={() => onActive(undefined)}
        onClick={() => onOpen(point.id)}
      >
        <path
          d={pathOf(point.outline)}
          style={{ fill: state === 'measured' ? shadeOf(point.shade) : 'var(--panel)' }}
          stroke={state === 'failed' ? 'var(--bad)' : 'var(--panel)'}
          strokeWidth={1}
        />
        {state === 'waiting' && <path d={pathOf(point.outline)} fill={hatch} stroke="var(--line)" />}
        {state === 'failed' && (
          <path
            d={`M${x - cross},${y - cross}l${2 * cross},${2 * cross}m0,${-2 * cross}l${-2 * cross},${2 * cross}`}
            stroke="var(--bad)"
            strokeWidth={2}
          />
        )}
        {state === 'measured' && point.halfWidth > 0 && (
          <g fill="none">
            <circle
              cx={x}
              cy={y}
              r={ringRadius(point.halfWidth, reach)}
              stroke="var(--panel)"
              strokeWidth={3}
            />
            <circle
              cx={x}
              cy={y}
              r={ringRadius(point.halfWidth, reach)}
              stroke="var(--ink)"
              strokeWidth={1.2}
            />
          </g>
        )}
        <title>{point.label}</title>
      </g>
    )
  },
  (before, now) =>
    before.isSelected === now.isSelected &&
    before.reach === now.reach &&
    before.onActive === now.onActive &&
    before.onOpen === now.onOpen &&
    before.hatch === now.hatch &&
    JSON.stringify(before.point) === JSON.stringify(now.point),
)

/** A ring as wide as the cell is an interval of the whole colour scale. */
export const ringRadius = (halfWidth: number, reach: number): number =>
  Math.max(1.2, Math.min(1, 2 * halfWidth) * (reach - 2))

function Marks({ marks }: { marks: readonly MapMark[] }) {
  return (
    <g pointerEvents="none">
      {marks.map((mark) =>
        mark.kind === 'recipe' ? (
          <g key={mark.kind} fill="none">
            <circle cx={mark.x} cy={mark.y} r={9} stroke="var(--panel)" strokeWidth={5} />
            <circle
              cx={mark.x}
              cy={mark.y}
              r={9}
              stroke="var(--ink)"
              strokeWidth={2.2}
              strokeDasharray={mark.isElsewhere ? '3 3' : undefined}
            />
            <path
              d={`M${mark.x - 14},${mark.y}h7M${mark.x + 7},${mark.y}h7M${mark.x},${mark.y - 14}v7M${mark.x},${mark.y + 7}v7`}
              stroke="var(--ink)"
              strokeWidth={1.6}
            />
          </g>
        ) : (
          <PinTag key={mark.kind} mark={mark} />
        ),
      )}
    </g>
  )
}

/** A pinned run: its letter beside its place, so that A, B and the recipe can stand on one point. */
export function PinTag({ mark }: { mark: Pick<MapMark, 'kind' | 'x' | 'y' | 'isElsewhere'> }) {
  const side = mark.kind === 'a' ? -1 : 1
  const [x, y] = [mark.x + side * 13, mark.y - 13]
  return (
    <g>
      <path d={`M${mark.x},${mark.y}L${x},${y}`} stroke="var(--ink)" strokeWidth={1} />
      <circle cx={mark.x} cy={mark.y} r={2.2} fill="var(--ink)" stroke="var(--panel)" strokeWidth={0.8} />
      <rect
        x={x - 7}
        y={y - 7.5}
        width={14}
        height={15}
        rx={3}
        fill={mark.isElsewhere ? 'var(--panel)' : 'var(--ink)'}
        stroke="var(--ink)"
        strokeDasharray={mark.isElsewhere ? '2 2' : undefined}
      />
      <text
        x={x}
        y={y + 4}
        textAnchor="middle"
        fontSize={11}
        fontWeight={650}
        fill={mark.isElsewhere ? 'var(--ink)' : 'var(--panel)'}
      >
        {mark.kind.toUpperCase()}
      </text>
    </g>
  )
}
