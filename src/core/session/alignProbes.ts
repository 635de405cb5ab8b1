// Which probes AlignMerge estimates on and which it accepts on. Both halves come from the estimating split: a seeded
// order of each set is cut in the middle, its front fits (rows of A, gradients of the budget), its back accepts
// (whether the budget holds). Held-out probes are for reporting and are not touched here.
// The session's own rows of A are the first of the same order, so they fit too.

import { EngineError } from '../errors.ts'
import { type Probe, type ProbeFile, pickProbes } from '../evaluate/probes.ts'

export type Half = 'fit' | 'accept'

/** Most probes of a set in each half: more steady the budget and cost time. */
export const PROBES_PER_HALF = 64

/** One half of the estimating probes of a set that have a misaligned completion. */
export function halfOf(
  file: Pick<ProbeFile, 'items'>,
  set: 'harmful' | 'harmless',
  half: Half,
  seed: number,
): Probe[] {
  const items = file.items.filter(({ misaligned }) => misaligned !== undefined)
  const order = pickProbes({ items }, set, 'estimate', items.length, seed)
  const middle = Math.ceil(order.length / 2)
  const own = half === 'fit' ? order.slice(0, middle) : order.slice(middle)
  return own.slice(0, PROBES_PER_HALF)
}

/** Both classes of a half; `request-invalid` where one is missing: without it the budget has one side only. */
export function classesOf(
  file: Pick<ProbeFile, 'items'>,
  half: Half,
  seed: number,
): { harmful: Probe[]; harmless: Probe[] } {
  const classes = {
    harmful: halfOf(file, 'harmful', half, seed),
    harmless: halfOf(file, 'harmless', half, seed),
  }
  for (const [name, probes] of Object.entries(classes))
    if (probes.length === 0)
      throw new EngineError(
        'request-invalid',
        `one class only: the budget needs two or more ${name} estimating probes with a misaligned completion`,
      )
  return classes
}
