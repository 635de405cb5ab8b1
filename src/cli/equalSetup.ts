import type { Setup } from '../core/session/session.ts'
import { defaultGeometry, defaultMethod, numberParameters } from '../share/parameters.ts'

/** The page's defaults for an anchor and experts of equal weight, by the ids that the session knows them by. */
export function equalSetup(anchor: string, experts: readonly string[]): Setup {
  return {
    method: defaultMethod,
    anchor,
    experts: experts.map((id) => ({ id, weight: 1 / experts.length })),
    ...defaultGeometry,
    seed: numberParameters.seed.default,
  }
}
