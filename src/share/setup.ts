// The session's setup of a page's experiment; model ids are origin keys.

import type { Experiment } from '../../workers/api.ts'
import type { Setup } from '../core/session/session.ts'
import { originKey } from './experimentKey.ts'

/** What the engine is asked to merge; references that the method does not need cost nothing. */
export function setupOf(experiment: Experiment): Setup {
  return {
    method: experiment.method,
    anchor: originKey(experiment.anchor),
    experts: experiment.experts.map(({ origin, weight }) => ({ id: originKey(origin), weight })),
    lambdaAlign: experiment.lambdaAlign,
    rank: experiment.rank,
    damping: experiment.damping,
    metric: experiment.metric,
    source: experiment.source,
    fisher: experiment.fisher,
    seed: experiment.seed,
    ...(experiment.probes && { probes: experiment.probes.digest }),
    parameters: experiment.parameters,
    references: Object.fromEntries(
      Object.entries(experiment.references).map(([role, origin]) => [role, originKey(origin)]),
    ),
  }
}
