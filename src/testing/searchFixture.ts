// What tests of the search for weights start from: pairs of both kinds, and a setup whose metric costs nothing.

import type { Pair } from '../core/optimise/pairs.ts'
import type { Setup } from '../core/session/session.ts'

/** Alternately of the task and of safety. */
export const searchPairs = (count: number): Pair[] =>
  Array.from({ length: count }, (_, i) => ({
    kind: i % 2 ? 'safety' : 'task',
    prompt: `ask ${i}`,
    answer: i % 2 ? 'no.' : 'yes it is.',
    by: 'x',
  }))

export const searchSetup = (method: string, experts: readonly string[], lambdaAlign: number): Setup => ({
  method,
  anchor: 'anchor',
  experts: experts.map((id) => ({ id, weight: 1 })),
  lambdaAlign,
  rank: 2,
  damping: 1,
  metric: 'identity',
  source: 'unwanted',
  fisher: { labels: 'sampled', form: 'sequence' },
  seed: 7,
})
