// How far to go along a fixed direction: the shortest ρ that meets a budget, and never further than what has to be
// spared allows. Always ends (after methods.md §1.3): at most `doublings` growing steps and two bisections. Knows no
// model: it is given a measurement.

import { EngineError } from '../errors.ts'

export interface RhoMeasure {
  /** grows as the repair takes hold */ value: number
  /** false where what had to be spared is spared no more */ isSpared: boolean
}

/**
 * - already met: ρ = 0 meets the budget
 * - met: the shortest ρ that does, to the bisection's width, and spares what it must
 * - spared first: a ρ meets the budget but does not spare; the longest that still spares is taken
 * - out of reach: no ρ up to the largest meets the budget; of those that spare, the best is taken
 */
export type RhoStage = 'already met' | 'met' | 'spared first' | 'out of reach'

export interface RhoSearch<M extends RhoMeasure> {
  stage: RhoStage
  rho: number
  measure: M
  /** everything measured, in order */ trace: { rho: number; measure: M }[]
}

export interface RhoRange {
  /** budget: value ≥ target */ target: number
  largest: number
  /** growing steps: largest/2^(doublings−1) … largest */ doublings: number
  bisections: number
}

/** Never fails but by what `measureAt` throws; `request-invalid` for a range that is none. */
export async function searchRho<M extends RhoMeasure>(
  measureAt: (rho: number) => Promise<M>,
  { target, largest, doublings, bisections }: RhoRange,
): Promise<RhoSearch<M>> {
  if (!(largest > 0 && Number.isFinite(largest)) || doublings < 1 || bisections < 0)
    throw new EngineError(
      'request-invalid',
      `ρ search: expected a largest ρ above 0 and at least one step, found ${largest} and ${doublings}`,
    )
  const trace: { rho: number; measure: M }[] = []
  const at = async (rho: number) => {
    const measure = await measureAt(rho)
    trace.push({ rho, measure })
    return { rho, measure }
  }
  const meets = ({ measure }: { measure: M }) => measure.value >= target
  const spares = ({ measure }: { measure: M }) => measure.isSpared
  const end = (stage: RhoStage, point: { rho: number; measure: M }) => ({ stage, ...point, trace })
  let below = await at(0)
  if (meets(below)) return end('already met', below)
  let above: typeof below | undefined
  for (let i = doublings - 1; i >= 0 && !above; i--) {
    const point = await at(largest / 2 ** i)
    if (meets(point)) above = point
    else below = point
  }
  if (!above) {
    const best = trace.filter(spares).reduce<typeof below | undefined>((known, point) => {
      return known && known.measure.value >= point.measure.value ? known : point
    }, undefined)
    return end('out of reach', best ?? trace[0])
  }
  for (let i = 0; i < bisections; i++) {
    const middle = await at((below.rho + above.rho) / 2)
    if (meets(middle)) above = middle
    else below = middle
  }
  if (spares(above)) return end('met', above)
  // The longest known point that spares, and the shortest beyond it that does not.
  const ordered = [...trace].sort((a, b) => a.rho - b.rho)
  const firstHarm = ordered.findIndex((point) => !spares(point))
  if (firstHarm === 0) return end('spared first', ordered[0])
  let [safe, harmful] = [ordered[firstHarm - 1], ordered[firstHarm]]
  for (let i = 0; i < bisections; i++) {
    const middle = await at((safe.rho + harmful.rho) / 2)
    if (spares(middle)) safe = middle
    else harmful = middle
  }
  return end('spared first', safe)
}
