// The part of the plane that a plot shows, and how zooming and panning change it. Pure.

export interface PlotWindow {
  x: readonly [number, number]
  y: readonly [number, number]
}

/** How far one may zoom in and out of the whole picture. */
const CLOSEST = 1 / 2048
const FARTHEST = 2

const spanOf = ([low, high]: readonly [number, number]) => high - low

/** An interval of `span` that keeps `fixed` where it is, and never leaves the whole altogether. */
function placed(whole: readonly [number, number], low: number, span: number): readonly [number, number] {
  const middle = Math.min(whole[1], Math.max(whole[0], low + span / 2))
  return [middle - span / 2, middle + span / 2]
}

/** Zooms by `factor` (above 1: closer) about a place given as shares of the picture from its lower left. */
export function zoomed(
  home: PlotWindow,
  window: PlotWindow,
  factor: number,
  [acrossShare, upShare]: readonly [number, number] = [0.5, 0.5],
): PlotWindow {
  // One factor for both axes: a cloud keeps its shape.
  const share = spanOf(window.x) / spanOf(home.x) / factor
  const applied = Math.min(FARTHEST, Math.max(CLOSEST, share))
  const axis = (whole: readonly [number, number], shown: readonly [number, number], at: number) => {
    const fixed = shown[0] + at * spanOf(shown)
    const span = applied * spanOf(whole)
    return placed(whole, fixed - at * span, span)
  }
  return { x: axis(home.x, window.x, acrossShare), y: axis(home.y, window.y, upShare) }
}

/** Moves the window by shares of itself; positive shows what lies to the right, above. */
export function panned(home: PlotWindow, window: PlotWindow, across: number, up: number): PlotWindow {
  const axis = (whole: readonly [number, number], shown: readonly [number, number], share: number) =>
    placed(whole, shown[0] + share * spanOf(shown), spanOf(shown))
  return { x: axis(home.x, window.x, across), y: axis(home.y, window.y, up) }
}

/** Times closer than the whole. */
export const zoomOf = (home: PlotWindow, window: PlotWindow): number => spanOf(home.x) / spanOf(window.x)

/** A power of two that cuts the extent in about six. */
export const niceStep = (extent: number): number => 2 ** Math.ceil(Math.log2(Math.max(extent, 1e-6) / 6))

/** Round values inside an interval, about six. */
export function windowTicks([low, high]: readonly [number, number]): number[] {
  const step = niceStep(high - low)
  const first = Math.ceil(low / step - 1e-9)
  const count = Math.floor(high / step + 1e-9) - first + 1
  return Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step)
}
