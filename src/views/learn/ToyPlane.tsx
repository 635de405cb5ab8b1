// A square piece of a plane with axes, and points on it that are moved by hand, by touch and by keys.

import { type KeyboardEvent, type PointerEvent, type ReactNode, useRef } from 'react'

export const planeSize = 320

interface Place {
  x: number
  y: number
}

export interface Frame {
  /** of the drawing, from a coordinate */
  x: (value: number) => number
  y: (value: number) => number
  /** drawing units for one of the plane's */
  scale: number
}

/** The plane shows −reach to reach both ways. */
export function frameOf(reach: number): Frame {
  const scale = planeSize / (2 * reach)
  return {
    scale,
    x: (value) => planeSize / 2 + value * scale,
    y: (value) => planeSize / 2 - value * scale,
  }
}

export interface ToyPlaneProps {
  reach: number
  label: string
  xLabel: string
  yLabel: string
  children: ReactNode
}

export function ToyPlane({ reach, label, xLabel, yLabel, children }: ToyPlaneProps) {
  const frame = frameOf(reach)
  const ticks = Array.from({ length: 2 * reach - 1 }, (_, i) => i + 1 - reach)
  return (
    <svg className="toy-plane" viewBox={`0 0 ${planeSize} ${planeSize}`}>
      <title>{label}</title>
      <g className="toy-grid">
        {ticks.map((tick) => (
          <path
            key={tick}
            data-axis={tick === 0 || undefined}
            d={`M${frame.x(tick)} 0V${planeSize}M0 ${frame.y(tick)}H${planeSize}`}
          />
        ))}
        {ticks
          .filter((tick) => tick !== 0)
          .map((tick) => (
            <text key={tick} x={frame.x(tick)} y={planeSize - 4} textAnchor="middle">
              {String(tick).replace('-', '−')}
            </text>
          ))}
        <text x={planeSize - 4} y={frame.y(0) - 5} textAnchor="end">
          {xLabel}
        </text>
        <text x={frame.x(0) + 5} y={12}>
          {yLabel}
        </text>
      </g>
      {children}
    </svg>
  )
}

export interface HandleProps {
  at: Place
  reach: number
  label: string
  /** what a screen reader says of the place, and the tip of the mouse */
  valueText: string
  className: string
  onMove: (to: Place) => void
  /** drawn around (0, 0) */
  children: ReactNode
}

const keys: Readonly<Record<string, Place>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: 1 },
  ArrowDown: { x: 0, y: -1 },
}

/** Drawing units around a point that still take hold of it: a finger is wider than a mark. */
const grip = 13

export function Handle({ at, reach, label, valueText, className, onMove, children }: HandleProps) {
  const frame = frameOf(reach)
  const offset = useRef<Place | null>(null)
  const placeOf = (event: PointerEvent<SVGGElement>): Place | null => {
    const matrix = event.currentTarget.ownerSVGElement?.getScreenCTM()
    if (!matrix) return null
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse())
    return { x: (at.x - planeSize / 2) / frame.scale, y: (planeSize / 2 - at.y) / frame.scale }
  }
  const onPointerDown = (event: PointerEvent<SVGGElement>) => {
    const place = placeOf(event)
    if (!place || event.button !== 0) return
    event.currentTarget.setPointerCapture(event.pointerId)
    // The point stays where it was taken hold of.
    offset.current = { x: at.x - place.x, y: at.y - place.y }
  }
  const onPointerMove = (event: PointerEvent<SVGGElement>) => {
    const place = offset.current && placeOf(event)
    if (place) onMove({ x: place.x + offset.current!.x, y: place.y + offset.current!.y })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = keys[event.key]
    if (!step) return
    event.preventDefault()
    const by = (event.shiftKey ? 0.25 : 0.05) * reach * 0.5
    onMove({ x: at.x + step.x * by, y: at.y + step.y * by })
  }
  return (
    <g
      className={`toy-handle ${className}`}
      transform={`translate(${frame.x(at.x)} ${frame.y(at.y)})`}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={-reach}
      aria-valuemax={reach}
      aria-valuenow={Number(at.x.toFixed(2))}
      aria-valuetext={valueText}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => {
        offset.current = null
      }}
      onPointerCancel={() => {
        offset.current = null
      }}
      onKeyDown={onKeyDown}
    >
      <title>{`${label}: ${valueText}`}</title>
      <circle r={grip} className="toy-grip" />
      {children}
    </g>
  )
}
