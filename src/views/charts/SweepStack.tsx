// Small multiples over one axis of the swept parameter, crossed by one cursor that can be dragged or moved by keys. The plots
// do not depend on the cursor, so dragging repaints one line and no chart.

import { type KeyboardEvent, memo, type PointerEvent, useEffect, useRef, useState } from 'react'
import { LineSample } from './LineSample.tsx'
import { axisHeight, SweepPlot } from './SweepPlot.tsx'
import { type AxisTick, plotMargin, type Readout, type SweepPanel, type SweepPin } from './sweepPanels.ts'
import { useElementWidth } from './useElementWidth.ts'

export interface SweepStackProps {
  panels: readonly SweepPanel[]
  /** By series id. */
  readouts: Readonly<Record<string, Readout>>
  ticks: readonly AxisTick[]
  /** Place of the cursor, 0 … 1. */
  position: number
  /** What the cursor moves, for screen readers. */
  cursorName: string
  /** Null where the recipe stands nowhere on the axis: then there is no cursor. */
  cursorLabel: string | null
  pins: readonly SweepPin[]
  /** A method without the parameter shows the sweep, but has nothing to move. */
  isLocked: boolean
  onMove: (position: number) => void
  /** −1 or 1: one step; −2 or 2: to the neighbouring tick. */
  onStep: (step: -2 | -1 | 1 | 2) => void
}

const keySteps: Record<string, -2 | -1 | 1 | 2> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -2,
  PageUp: 2,
}

export default function SweepStack(props: SweepStackProps) {
  const { panels, readouts, ticks, position, cursorName, cursorLabel, pins, isLocked, onMove, onStep } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(420)
  const mountedCount = useMountedCount(panels.length)
  const isDragging = useRef(false)
  const plotWidth = Math.max(1, width - plotMargin.left - plotMargin.right)

  const moveTo = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect()
    onMove(Math.min(1, Math.max(0, (event.clientX - box.left - plotMargin.left) / plotWidth)))
  }
  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    if (isLocked || event.button !== 0) return
    isDragging.current = true
    event.currentTarget.setPointerCapture(event.pointerId)
    moveTo(event)
  }
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (isDragging.current) moveTo(event)
  }
  const endDrag = () => {
    isDragging.current = false
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = keySteps[event.key]
    if (step === undefined && event.key !== 'Home' && event.key !== 'End') return
    event.preventDefault()
    if (isLocked) return
    if (step !== undefined) onStep(step)
    else onMove(event.key === 'Home' ? 0 : 1)
  }

  const left = plotMargin.left + position * plotWidth
  return (
    <div className={isLocked ? 'sweep-stack is-locked' : 'sweep-stack'}>
      {panels.map((panel, index) => {
        const isLast = index === panels.length - 1
        return (
          <section key={panel.id} className="sweep-panel" aria-label={panel.title}>
            <h3>
              {panel.title} <small>{panel.note}</small>
            </h3>
            <div
              {...(index === 0 && { ref: frame })}
              className="sweep-plot"
              style={{ height: panel.height + (isLast ? axisHeight : 0) }}
              onPointerDown={onPointerDown}
              onPointerMove={onPointerMove}
              onPointerUp={endDrag}
              onPointerCancel={endDrag}
            >
              {index < mountedCount && (
                <SweepPlot panel={panel} width={width} ticks={ticks} hasAxis={isLast} />
              )}
            </div>
            <Readouts panel={panel} readouts={readouts} />
          </section>
        )
      })}
      {pins.map((pin) => (
        <div
          key={pin.slot}
          className="sweep-pin"
          data-elsewhere={pin.isElsewhere || undefined}
          style={{ transform: `translateX(${plotMargin.left + pin.position * plotWidth}px)` }}
        >
          <span data-slot={pin.slot}>{pin.slot.toUpperCase()}</span>
        </div>
      ))}
      {cursorLabel !== null && (
        <div className="sweep-cursor" style={{ transform: `translateX(${left}px)` }}>
          <div
            className="sweep-grip"
            role="slider"
            tabIndex={0}
            aria-label={cursorName}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(100 * position)}
            aria-valuetext={cursorLabel}
            aria-disabled={isLocked}
            aria-orientation="horizontal"
            onKeyDown={onKeyDown}
          >
            <span className="grip-flag sweep-flag">{cursorLabel}</span>
          </div>
        </div>
      )}
    </div>
  )
}

/** One more at a time: four charts at once would hold up the first paint. Their places are kept meanwhile. */
function useMountedCount(total: number): number {
  const [count, setCount] = useState(1)
  useEffect(() => {
    if (count >= total) return
    const timer = setTimeout(() => setCount(count + 1), 0)
    return () => clearTimeout(timer)
  }, [count, total])
  return count
}

/** The legend, with the values at the cursor. */
const Readouts = memo(function Readouts({
  panel,
  readouts,
}: Pick<SweepStackProps, 'readouts'> & { panel: SweepPanel }) {
  return (
    <ul className="readouts">
      {panel.series.map((series) => (
        <li key={series.id} title={readouts[series.id]?.detail}>
          <svg viewBox="0 0 18 8" aria-hidden="true">
            <LineSample series={series} />
            {!series.isExact && <circle cx="9" cy="4" r="2.75" fill={series.colour} />}
          </svg>
          <span className="readout-label">{series.label}</span>
          <output>{readouts[series.id]?.value}</output>
          <span className="readout-interval">{readouts[series.id]?.interval}</span>
        </li>
      ))}
    </ul>
  )
})
