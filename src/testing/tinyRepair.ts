// A session of two made-up models of a few thousand weights with probes of every set, for tests of what is done
// after a merge.

import { type Checkpoint, openCheckpoint } from '../core/files/checkpoint.ts'
import { memoryFolder } from '../core/files/folder.ts'
import { Session, type Setup } from '../core/session/session.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../core/tensors/dtype.ts'
import { manyProbes, probe, probeFile } from './answeringModels.ts'
import { openTestDevice } from './openTestDevice.ts'
import { packTensors, tinyConfig, tinyFiles, tinyTensors } from './tinyCheckpoint.ts'

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

/** Seed 1 is the anchor, smoothed; other seeds are weights near it. */
export function tinyNearCheckpoint(seed: number, type: WeightType = 'f32'): Promise<Checkpoint> {
  const config = tinyConfig()
  const files = tinyFiles(config, type, 1)
  const noise = tinyTensors(config, 'f32', seed)
  const tensors = tinyTensors(config, 'f32', 1).map((tensor, i) => {
    const [values, other] = [tensor, noise[i]].map(({ bytes }) => decodeWeights(bytes, 'f32'))
    const near = values.map((value, j) => 0.4 * value + (seed === 1 ? 0 : 0.03 * other[j]))
    return {
      ...tensor,
      dtype: type === 'bf16' ? ('BF16' as const) : tensor.dtype,
      bytes: encodeWeights(near, type),
    }
  })
  files.set('model.safetensors', packTensors(tensors, { format: 'pt' }))
  return openCheckpoint(memoryFolder(`near-${seed}`, files))
}

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
  await session.load('anchor', await tinyNearCheckpoint(1, type))
  await session.load('one', await tinyNearCheckpoint(2, type))
  return session
}
