// Eigenvalues on a logarithmic axis, the share that the leading ones explain as a line over them, and the rank as a
// border between what is shielded and what is not, which can be dragged. Pure.

import { type KeyboardEvent, memo, type PointerEvent, useRef } from 'react'
import { Bar, CartesianGrid, Cell, ComposedChart, Line, XAxis, YAxis } from 'recharts'
import { barAxis, valueAxis } from './axisLook.ts'
import { useElementWidth } from './useElementWidth.ts'

export interface EigenBarsProps {
  rows: readonly { direction: number; value: number /** 0 … 1 */; explained: number }[]
  rank: number
  /** largest rank that may be chosen */ maximum: number
  onRank: (rank: number) => void
  /** a method without a shield has no rank */
  isLocked: boolean
  label: string
  rankText: string
  height: number
}

const margin = { top: 8, right: 0, bottom: 0, left: 0 } as const
const axisWidth = 40
const shareWidth = 44

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const powerText = (value: number): string => {
  const exponent = Math.round(Math.log10(value))
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}

/** Whole powers of ten about the values; every one of them, or every second where there are many. */
function logAxis(values: readonly number[]): { domain: [number, number]; ticks: number[] } {
  const positive = values.filter((value) => value > 0)
  if (positive.length === 0) return { domain: [0.1, 10], ticks: [0.1, 1, 10] }
  const low = Math.floor(Math.log10(Math.min(...positive)) - 0.05)
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))))
  const step = Math.ceil((high - low) / 4)
  const ticks: number[] = []
  for (let power = high; power >= low; power -= step) ticks.unshift(10 ** power)
  return { domain: [10 ** low, 10 ** high], ticks }
}

const keySteps: Record<string, number> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }

export default function EigenBars(props: EigenBarsProps) {
  const { rows, rank, maximum, onRank, isLocked, label, rankText, height } = props
  const [frame, width] = useElementWidth<HTMLDivElement>(300)
  const isDragging = useRef(false)
  const plotWidth = Math.max(1, width - axisWidth - shareWidth)
  const count = Math.max(1, rows.length)
  const shown = Math.min(rank, count)
  const left = axisWidth + (shown / count) * plotWidth

  const moveTo = (event: PointerEvent<HTMLDivElement>) => {
    const box = frame.current!.getBoundingClientRect()
    const at = Math.round(((event.clientX - box.left - axisWidth) / plotWidth) * count)
    const next = Math.max(1, Math.min(maximum, at))
    if (next !== rank) onRank(next)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = keySteps[event.key]
    const target =
      step !== undefined ? rank + step : event.key === 'Home' ? 1 : event.key === 'End' ? maximum : undefined
    if (target === undefined) return
    event.preventDefault()
    if (!isLocked) onRank(Math.max(1, Math.min(maximum, target)))
  }
  return (
    <div ref={frame} className="chart-frame eigen-bars" style={{ height }}>
      <EigenPicture rows={rows} rank={rank} width={width} height={height} />
      <div
        className="rank-border"
        style={{ transform: `translateX(${left}px)`, bottom: barAxis.height }}
        data-locked={isLocked || undefined}
      >
        <div
          className="rank-grip"
          role="slider"
          tabIndex={0}
          aria-label={label}
          aria-valuemin={1}
          aria-valuemax={maximum}
          aria-valuenow={rank}
          aria-valuetext={rankText}
          aria-disabled={isLocked}
          onKeyDown={onKeyDown}
          onPointerDown={(event) => {
            if (isLocked) return
            isDragging.current = true
            event.currentTarget.setPointerCapture?.(event.pointerId)
          }}
          onPointerMove={(event) => isDragging.current && moveTo(event)}
          onPointerUp={() => {
            isDragging.current = false
          }}
          onPointerCancel={() => {
            isDragging.current = false
          }}
        >
          <span className="grip-flag rank-flag">m {rank}</span>
        </div>
      </div>
    </div>
  )
}

const EigenPicture = memo(function EigenPicture({
  rows,
  rank,
  width,
  height,
}: Pick<EigenBarsProps, 'rows' | 'rank' | 'height'> & { width: number }) {
  const { domain, ticks } = logAxis(rows.map(({ value }) => value))
  const data = rows.map((row) => ({ ...row, value: Math.max(row.value, domain[0]) }))
  return (
    <ComposedChart width={width} height={height} data={data} margin={margin} accessibilityLayer={false}>
      <CartesianGrid stroke="var(--grid)" vertical={false} />
      <XAxis dataKey="direction" {...barAxis} />
      <YAxis
        {...valueAxis}
        scale="log"
        domain={domain}
        ticks={ticks}
        tickFormatter={powerText}
        width={axisWidth}
        allowDataOverflow
      />
      <YAxis
        {...valueAxis}
        yAxisId="share"
        orientation="right"
        domain={[0, 1]}
        ticks={[0, 0.5, 1]}
        tickFormatter={(value: number) => `${Math.round(100 * value)}\u00a0%`}
        width={shareWidth}
      />
      <Bar dataKey="value" maxBarSize={26} isAnimationActive={false}>
        {data.map(({ direction }) =>
          direction <= rank ? (
            <Cell key={direction} fill="var(--accent)" fillOpacity={0.85} />
          ) : (
            <Cell key={direction} fill="none" stroke="var(--muted)" strokeDasharray="2 2" />
          ),
        )}
      </Bar>
      <Line
        yAxisId="share"
        dataKey="explained"
        stroke="var(--ink)"
        strokeWidth={1.2}
        dot={{ r: 1.8, fill: 'var(--ink)', stroke: 'none' }}
        activeDot={false}
        isAnimationActive={false}
      />
    </ComposedChart>
  )
})
