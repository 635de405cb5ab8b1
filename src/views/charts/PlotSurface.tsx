// The hand on a plot: pointing, brushing by rectangle or lasso, panning, zooming by wheel, pinch and keys. One finger
// pans the page unless the tool is to move; two fingers always zoom. Pure.

import { type KeyboardEvent, type PointerEvent, useEffect, useId, useRef, useState } from 'react'
import type { ClusterPlotProps } from './ClusterPlot.tsx'
import type { PlotBox, PlotScales } from './clusterLayers.ts'
import { type PlotWindow, panned, zoomed } from './plotWindow.ts'
import type { Direction } from './pointIndex.ts'

export type PlotTool = 'select' | 'lasso' | 'move'

type SurfaceProps = Pick<
  ClusterPlotProps,
  | 'index'
  | 'home'
  | 'window'
  | 'onWindow'
  | 'tool'
  | 'active'
  | 'onActive'
  | 'onOpen'
  | 'onSelect'
  | 'onClear'
  | 'label'
  | 'hint'
  | 'tip'
> & { box: PlotBox; scales: PlotScales }

/** CSS pixels within which a point is meant. */
const reach = 12
/** Movement below this is a click. */
const clickSlack = 4
const zoomStep = 1.5
const panStep = 0.15

const arrows: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
}

interface Gesture {
  kind: 'brush' | 'pan' | 'pinch'
  isMore: boolean
  /** places inside the picture, x, y interleaved; of a pan the last one */
  path: number[]
  hasMoved: boolean
}

export function PlotSurface(props: SurfaceProps) {
  const { index, home, window, onWindow, tool, active, onActive, onOpen, onSelect, onClear, box, scales } =
    props
  const surface = useRef<HTMLDivElement>(null)
  const gesture = useRef<Gesture | null>(null)
  const fingers = useRef(new Map<number, { x: number; y: number }>())
  const [brush, setBrush] = useState<number[] | null>(null)
  const hintId = useId()
  const unitX = (window.x[1] - window.x[0]) / box.width
  const unitY = (window.y[1] - window.y[0]) / box.height
  const dataX = (x: number) => window.x[0] + x * unitX
  const dataY = (y: number) => window.y[1] - y * unitY

  // Hands move more often than pictures are shown: movements add up here, and one picture a frame is asked for.
  const frame = useRef(0)
  const latest = useRef({ home, window, onWindow, tool })
  latest.current = { home, window: frame.current === 0 ? window : latest.current.window, onWindow, tool }
  const glide = (next: PlotWindow) => {
    latest.current.window = next
    if (frame.current !== 0) return
    frame.current = requestAnimationFrame(() => {
      frame.current = 0
      latest.current.onWindow(latest.current.window)
    })
  }
  const glideNow = useRef(glide)
  glideNow.current = glide
  useEffect(
    () => () => {
      cancelAnimationFrame(frame.current)
      frame.current = 0
    },
    [],
  )

  const placeOf = (event: { clientX: number; clientY: number }) => {
    const edges = surface.current!.getBoundingClientRect()
    return { x: event.clientX - edges.left, y: event.clientY - edges.top }
  }
  const nearest = ({ x, y }: { x: number; y: number }) =>
    index.nearest(dataX(x), dataY(y), reach * unitX, reach * unitY)

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const place = placeOf(event)
    fingers.current.set(event.pointerId, place)
    if (fingers.current.size === 2) {
      gesture.current = { kind: 'pinch', isMore: false, path: [], hasMoved: true }
      setBrush(null)
      return
    }
    if (event.button > 1 || fingers.current.size > 2) return
    const isPan = tool === 'move' || event.button === 1
    gesture.current = {
      kind: isPan ? 'pan' : 'brush',
      isMore: event.shiftKey,
      path: [place.x, place.y],
      hasMoved: false,
    }
    event.currentTarget.setPointerCapture?.(event.pointerId)
  }

  const pinch = (event: PointerEvent<HTMLDivElement>) => {
    const before = [...fingers.current.values()] as [{ x: number; y: number }, { x: number; y: number }]
    const spread = ([a, b]: typeof before) => Math.max(8, Math.hypot(a.x - b.x, a.y - b.y))
    const middle = ([a, b]: typeof before) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 })
    const [wasSpread, was] = [spread(before), middle(before)]
    fingers.current.set(event.pointerId, placeOf(event))
    const after = [...fingers.current.values()] as typeof before
    const now = middle(after)
    const moved = panned(
      home,
      latest.current.window,
      (was.x - now.x) / box.width,
      (now.y - was.y) / box.height,
    )
    glide(zoomed(home, moved, spread(after) / wasSpread, [now.x / box.width, 1 - now.y / box.height]))
  }

  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    const current = gesture.current
    if (current?.kind === 'pinch') {
      if (fingers.current.has(event.pointerId)) pinch(event)
      return
    }
    const place = placeOf(event)
    if (!current) {
      const id = nearest(place)
      if (id === undefined) {
        if (active) onActive(undefined)
      } else if (!active || index.idOf(active) !== id) onActive(index.placeOf(id))
      return
    }
    const { path } = current
    if (!current.hasMoved && Math.hypot(place.x - path[0]!, place.y - path[1]!) < clickSlack) return
    current.hasMoved = true
    if (current.kind === 'pan') {
      const [x, y] = path as [number, number]
      const { window: shown } = latest.current
      glide(panned(home, shown, (x - place.x) / box.width, (place.y - y) / box.height))
      current.path = [place.x, place.y]
    } else {
      if (tool === 'lasso') path.push(place.x, place.y)
      else current.path = [path[0]!, path[1]!, place.x, place.y]
      setBrush([...current.path])
    }
  }

  const onPointerUp = (event: PointerEvent<HTMLDivElement>) => {
    fingers.current.delete(event.pointerId)
    const current = gesture.current
    if (fingers.current.size > 0) return
    gesture.current = null
    setBrush(null)
    if (!current || current.kind === 'pinch') return
    if (!current.hasMoved) {
      const id = nearest(placeOf(event))
      if (id !== undefined) onOpen(index.placeOf(id))
      else if (current.kind === 'brush') onClear()
      return
    }
    if (current.kind === 'pan') return
    const { path } = current
    const ids =
      tool === 'lasso'
        ? index.inPolygon(path.map((value, at) => (at % 2 === 0 ? dataX(value) : dataY(value))))
        : index.inRectangle(dataX(path[0]!), dataY(path[1]!), dataX(path[2]!), dataY(path[3]!))
    onSelect(ids, current.isMore)
  }

  const onPointerCancel = (event: PointerEvent<HTMLDivElement>) => {
    fingers.current.delete(event.pointerId)
    gesture.current = null
    setBrush(null)
  }

  // React listens to wheels passively, where the page could not be kept from scrolling along.
  useEffect(() => {
    const element = surface.current
    if (!element) return
    const onWheel = (event: WheelEvent) => {
      const { tool: now, ...view } = latest.current
      // A wheel without a key scrolls the page, as everywhere; a pinch on a trackpad comes with the control key.
      if (!event.ctrlKey && !event.metaKey && now !== 'move') return
      event.preventDefault()
      const edges = element.getBoundingClientRect()
      const at = [
        (event.clientX - edges.left) / edges.width,
        1 - (event.clientY - edges.top) / edges.height,
      ] as const
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 * event.deltaY : event.deltaY
      glideNow.current(zoomed(view.home, view.window, Math.exp(-pixels / 300), at))
    }
    element.addEventListener('wheel', onWheel, { passive: false })
    return () => element.removeEventListener('wheel', onWheel)
  }, [])

  const step = (direction: Direction) => {
    const id = active
      ? index.neighbour(index.idOf(active), direction, unitX, unitY)
      : (index.nearest(dataX(box.width / 2), dataY(box.height / 2), box.width * unitX, box.height * unitY) ??
        (index.count > 0 ? 0 : undefined))
    if (id === undefined) return
    onActive(index.placeOf(id))
    const [x, y] = [index.x(id), index.y(id)]
    const isShown = x >= window.x[0] && x <= window.x[1] && y >= window.y[0] && y <= window.y[1]
    if (!isShown)
      onWindow({
        x: [x - (window.x[1] - window.x[0]) / 2, x + (window.x[1] - window.x[0]) / 2],
        y: [y - (window.y[1] - window.y[0]) / 2, y + (window.y[1] - window.y[0]) / 2],
      })
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const direction = arrows[event.key]
    if (direction && event.shiftKey) {
      const across = direction === 'right' ? panStep : direction === 'left' ? -panStep : 0
      const up = direction === 'up' ? panStep : direction === 'down' ? -panStep : 0
      onWindow(panned(home, window, across, up))
    } else if (direction) step(direction)
    else if (event.key === '+' || event.key === '=') onWindow(zoomed(home, window, zoomStep))
    else if (event.key === '-' || event.key === '_') onWindow(zoomed(home, window, 1 / zoomStep))
    else if (event.key === '0') onWindow(home)
    else if (event.key === 'Enter' && active) onOpen(active)
    else if (event.key === ' ' && active) onSelect([index.idOf(active)], true)
    else if (event.key === 'Escape') onClear()
    else return
    event.preventDefault()
  }

  const place = active && index.count > 0 ? index.idOf(active) : undefined
  const left = place === undefined ? 0 : scales.x(index.x(place)) - box.left
  const top = place === undefined ? 0 : scales.y(index.y(place)) - box.top
  const isInside = place !== undefined && left >= 0 && top >= 0 && left <= box.width && top <= box.height
  return (
    <div
      ref={surface}
      className="plot-surface"
      style={{ left: box.left, top: box.top, width: box.width, height: box.height }}
      data-tool={tool}
      role="application"
      aria-label={props.label}
      aria-describedby={hintId}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys
      tabIndex={0}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerCancel}
      onPointerLeave={() => !gesture.current && active && onActive(undefined)}
      onKeyDown={onKeyDown}
    >
      <p id={hintId} className="visually-hidden">
        {props.hint}
      </p>
      {brush && <Brush path={brush} tool={tool} box={box} />}
      {isInside && (
        <svg className="plot-cursor" style={{ left: left - 9, top: top - 9 }} aria-hidden="true">
          <circle cx="9" cy="9" r="6.5" fill="none" stroke="var(--ink)" strokeWidth="1.8" />
        </svg>
      )}
      <div
        className="plot-tip"
        role="status"
        hidden={!isInside || !props.tip}
        data-side={left > box.width / 2 ? 'left' : 'right'}
        style={left > box.width / 2 ? { right: box.width - left + 12, top } : { left: left + 12, top }}
      >
        {isInside && props.tip}
      </div>
    </div>
  )
}

function Brush({ path, tool, box }: { path: number[]; tool: PlotTool; box: PlotBox }) {
  const points: number[] =
    tool === 'lasso' ? path : [path[0]!, path[1]!, path[2]!, path[1]!, path[2]!, path[3]!, path[0]!, path[3]!]
  return (
    <svg className="plot-brush" width={box.width} height={box.height} aria-hidden="true">
      <polygon
        points={points.join(' ')}
        fill="var(--accent)"
        fillOpacity={0.1}
        stroke="var(--accent)"
        strokeDasharray="4 3"
      />
    </svg>
  )
}
