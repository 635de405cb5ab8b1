// Charts are loaded after the page has painted, and one after another: three mounted in one commit would hold the
// main thread for a tenth of a second. What explains the charts comes after them.

import { type ComponentType, type LazyExoticComponent, lazy } from 'react'
import { firstPicture } from '../state/firstPicture.ts'

/** Time for one chart to mount and paint before the next arrives. */
const pauseMs = 80

const pause = () => new Promise<void>((done) => setTimeout(done, pauseMs))

/** How long the other charts wait for the lines of the first, as the engine does. */
const firstWithinMs = 3000

let first: Promise<void> | undefined

/** When the chart has found its size and drawn its lines; where a browser cannot say so, at once. */
const idle = async (): Promise<void> => {
  if (!('requestIdleCallback' in globalThis)) return
  await new Promise<void>((done) => requestIdleCallback(() => done(), { timeout: 600 }))
  // On a busy machine idle comes before the lines do.
  first ??= firstPicture(firstWithinMs)
  await first
}

let turn: Promise<unknown> = Promise.resolve()

/** Like React.lazy, but resolves only when the charts asked for before have had their turn. */
export function lazyInTurn<Props>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(() => {
    // Evaluating the library and mounting the chart are two tasks, not one.
    const mine = turn.then(load).then((module) => pause().then(() => module))
    turn = mine.then(
      () => pause().then(idle),
      // A chart that failed to load says so itself; the others still come.
      () => undefined,
    )
    return mine
  })
}

/** Like React.lazy, but behind the charts that are asked for at the same time. */
export function lazyAfterCharts<Props>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(() =>
    pause()
      .then(() => turn)
      .then(load),
  )
}
