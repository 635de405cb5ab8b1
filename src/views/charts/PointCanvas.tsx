// Points and densities as pixels, for clouds beyond what SVG carries. Pure.

import { useLayoutEffect, useRef } from 'react'
import type { ClusterLayer, DensityLayer, PlotBox } from './clusterLayers.ts'
import { isHollow } from './clusterLayers.ts'
import { countPoints, paintField, smoothed } from './densityField.ts'
import type { PlotWindow } from './plotWindow.ts'
import { countVisible, markRadius, splat } from './pointSplat.ts'
import { useColours } from './useColours.ts'

export interface PointCanvasProps {
  layers: readonly ClusterLayer[]
  density: readonly DensityLayer[]
  box: PlotBox
  window: PlotWindow
}

const tokens = ['--safe', '--unsafe', '--accent', '--ink'] as const
/** CSS pixels of a cell of the density, and of its smoothing to each side. */
const cellSize = 3
const smoothing = 3
/** Beyond two, a pixel is smaller than anybody sees and costs as much. */
const maxDensity = 2

interface Buffers {
  image: ImageData
  coverage: Uint32Array
}

export function PointCanvas({ layers, density, box, window }: PointCanvasProps) {
  const ref = useRef<HTMLCanvasElement>(null)
  const buffers = useRef<Buffers | null>(null)
  const colours = useColours(tokens)
  const ratio = Math.min(maxDensity, globalThis.devicePixelRatio || 1)
  const width = Math.max(1, Math.round(box.width * ratio))
  const height = Math.max(1, Math.round(box.height * ratio))

  useLayoutEffect(() => {
    const context = ref.current?.getContext('2d')
    if (!context) return
    const known = buffers.current
    if (known?.image.width !== width || known.image.height !== height)
      buffers.current = { image: new ImageData(width, height), coverage: new Uint32Array(width * height) }
    const { image, coverage } = buffers.current!
    image.data.fill(0)
    const visible = countVisible(
      layers.map(({ points }) => points),
      window,
    )
    const frame = { width, height, ...window, radius: ratio * markRadius(visible) }
    splat(
      image.data,
      coverage,
      frame,
      layers.map(({ points, mark, colour, isGuess }) => ({
        ...{ points, mark },
        colour: colours[colour] ?? [128, 128, 128],
        // Hollow marks have less ink to show themselves with.
        opacity: isGuess ? 0.3 : isHollow(mark) ? 0.6 : 0.5,
      })),
    )
    if (density.length === 0) {
      context.putImageData(image, 0, 0)
      return
    }
    const size = { width: Math.ceil(box.width / cellSize), height: Math.ceil(box.height / cellSize) }
    const field = new ImageData(size.width, size.height)
    for (const { points, colour } of density)
      paintField(
        field.data,
        smoothed(countPoints(points, size, window), size, smoothing),
        colours[colour] ?? [128, 128, 128],
        0.55,
      )
    const scratch = new OffscreenCanvas(Math.max(size.width, width), Math.max(size.height, height))
    const pixels = scratch.getContext('2d')!
    context.clearRect(0, 0, width, height)
    pixels.putImageData(field, 0, 0)
    context.drawImage(scratch, 0, 0, size.width, size.height, 0, 0, width, height)
    pixels.putImageData(image, 0, 0)
    context.drawImage(scratch, 0, 0, width, height, 0, 0, width, height)
  }, [layers, density, box, window, colours, width, height, ratio])

  return (
    <div className="cluster-canvas" style={{ left: box.left, top: box.top }} aria-hidden="true">
      <canvas ref={ref} width={width} height={height} style={{ width: box.width, height: box.height }} />
    </div>
  )
}
