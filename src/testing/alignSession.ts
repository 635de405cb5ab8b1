// A session of tiny models for tests of the full AlignMerge: an anchor, experts near it in no particular direction,
// and `bad`, an expert moved straight down the gradient of the refusal margin, which any budget on it must notice.

import type { ProbeFile } from '../core/evaluate/probes.ts'
import { destroyBuffers } from '../core/geometry/metric.ts'
import type { Gpu } from '../core/gpu/device.ts'
import { budgetFunctional } from '../core/session/alignBudget.ts'
import { Session, type Setup } from '../core/session/session.ts'
import { manyProbes, probe, probeFile } from './answeringModels.ts'
import { movedCheckpoint, nearCheckpoint } from './nearCheckpoint.ts'

/** `perSet` harmful and harmless estimating probes, 70 held-out ones, a skill. */
export function alignProbeFile(perSet: number): ProbeFile {
  return probeFile([
    ...manyProbes(70, 1),
    ...manyProbes(perSet, 2).map((one) => ({
      ...one,
      id: `e-${one.id}`,
      prompt: `${one.prompt} k`,
      split: 'estimate' as const,
    })),
    probe('s1', 'skill', 'sort b a', { skill: 'sort', aligned: 'a b.' }),
    probe('s2', 'skill', 'sort d c', { skill: 'sort', aligned: 'c d.', split: 'estimate' }),
  ])
}

export const ALIGN_SETUP: Setup = {
  method: 'alignmerge',
  anchor: 'anchor',
  experts: [
    { id: 'one', weight: 1 },
    { id: 'bad', weight: 3 },
  ],
  lambdaAlign: 16,
  rank: 4,
  damping: 0.1,
  metric: 'fisher',
  source: 'margin',
  fisher: { labels: 'sampled', form: 'sequence' },
  seed: 1,
}

/** Models anchor, one, two, same (the anchor again) and bad. */
export async function alignSession(gpu: Gpu, perSet = 130): Promise<Session> {
  const session = new Session(gpu, alignProbeFile(perSet))
  await session.load('anchor', await movedCheckpoint('anchor', (values) => values))
  await session.load('same', await movedCheckpoint('same', (values) => values))
  await session.load('one', await nearCheckpoint(2, 0.03))
  await session.load('two', await nearCheckpoint(3, 0.03))
  const { model, codec } = session.get('anchor')
  const margin = await budgetFunctional('refusal', { anchor: model, codec, probes: session.probes, seed: 1 })
  const { rows } = await margin.linearise(model, {})
  const slopes = new Map<string, Float32Array>()
  let squared = 0
  for (const { spec, count } of model.tensors.values()) {
    const slope = await gpu.readFloats(rows.rows.get(spec.name)!, count)
    squared += slope.reduce((sum, value) => sum + value * value, 0)
    slopes.set(spec.name, slope)
  }
  destroyBuffers(rows.rows)
  const step = 1.5 / Math.sqrt(squared)
  await session.load(
    'bad',
    await movedCheckpoint('bad', (values, tensor) =>
      values.map((value, i) => value - step * slopes.get(tensor)![i]),
    ),
  )
  return session
}
