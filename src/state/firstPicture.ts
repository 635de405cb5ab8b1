// The engine's script is as large as all of the page's. Where results ship with the page, the first picture is drawn of
// them, and the engine is fetched once it stands.

const lookEveryMs = 40

/**
 * The line of a chart, a cell of a map or a point of a Pareto picture: one of them is in every first picture. A line
 * without values yet is an empty path.
 */
const drawn = '.plot-path[d]:not([d=""]), .map-cell, .pareto-point'

const isDrawn = () => globalThis.document?.querySelector(drawn) != null

/** Resolves when the first picture stands, or after `withinMs`: a chart that does not come holds nothing up. */
export async function firstPicture(withinMs: number): Promise<void> {
  const end = performance.now() + withinMs
  while (!isDrawn() && performance.now() < end) await new Promise((done) => setTimeout(done, lookEveryMs))
}
