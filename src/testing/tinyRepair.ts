// A session of two made-up models of a few thousand weights with probes of every set, for tests of what is done
// after a merge.

import { Session, type Setup } from '../core/session/session.ts'
import type { WeightType } from '../core/tensors/dtype.ts'
import { manyProbes, probe, probeFile } from './answeringModels.ts'
import { nearCheckpoint } from './nearCheckpoint.ts'
import { openTestDevice } from './openTestDevice.ts'

/** Estimating probes: 24 harmful, 24 harmless, 6 of each of two skills; held-out ones beside them. */
export const REPAIR_PROBES = probeFile([
  ...manyProbes(8, 1),
  ...manyProbes(24, 2).map((one) => ({
    ...one,
    id: `e-${one.id}`,
    prompt: `${one.prompt} k`,
    split: 'estimate' as const,
  })),
  ...['sort', 'flip'].flatMap((skill) =>
    Array.from({ length: 6 }, (_, i) =>
      probe(`${skill}${i}`, 'skill', `${skill} b a ${i}`, { skill, aligned: 'a b.', split: 'estimate' }),
    ),
  ),
])

export const REPAIR_SETUP: Setup = {
  method: 'linear',
  anchor: 'anchor',
  experts: [{ id: 'one', weight: 1 }],
  lambdaAlign: 0,
  rank: 4,
  damping: 0.1,
  metric: 'fisher',
  source: 'margin',
  fisher: { labels: 'sampled', form: 'sequence' },
  seed: 1,
}

/** Models `anchor` and `one`, the second standing in for a merge. */
export async function tinyRepairSession(type: WeightType = 'f32'): Promise<Session> {
  const session = new Session(await openTestDevice(), REPAIR_PROBES)
  await session.load('anchor', await nearCheckpoint(1, 0.03, { type }))
  await session.load('one', await nearCheckpoint(2, 0.03, { type }))
  return session
}
