// A session of tiny models for tests of the full AlignMerge: an anchor, experts near it in no particular direction,
// and `bad`, an expert moved straight down the gradient of the refusal margin, which any budget on it must notice.

import type { ProbeFile } from '../core/evaluate/probes.ts'
import { type Checkpoint, openCheckpoint } from '../core/files/checkpoint.ts'
import { memoryFolder } from '../core/files/folder.ts'
import { destroyBuffers } from '../core/geometry/metric.ts'
import type { Gpu } from '../core/gpu/device.ts'
import { budgetFunctional } from '../core/session/alignBudget.ts'
import { Session, type Setup } from '../core/session/session.ts'
import { decodeWeights, encodeWeights } from '../core/tensors/dtype.ts'
import { manyProbes, probe, probeFile } from './answeringModels.ts'
import { packTensors, tinyConfig, tinyFiles, tinyTensors } from './tinyCheckpoint.ts'

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

/** The tiny checkpoint with every tensor changed by `move`. */
export function movedCheckpoint(
  name: string,
  move: (values: Float32Array, tensor: string) => ArrayLike<number>,
): Promise<Checkpoint> {
  const config = tinyConfig()
  const files = tinyFiles(config, 'f32', 1)
  const tensors = tinyTensors(config, 'f32', 1).map((tensor) => {
    const values = decodeWeights(tensor.bytes, 'f32').map((value) => 0.4 * value)
    return { ...tensor, bytes: encodeWeights(Float32Array.from(move(values, tensor.name)), 'f32') }
  })
  files.set('model.safetensors', packTensors(tensors, { format: 'pt' }))
  return openCheckpoint(memoryFolder(name, files))
}

/** An expert `size` away from the anchor in a seeded random direction. */
export function noisyCheckpoint(seed: number, size: number): Promise<Checkpoint> {
  const noise = new Map(
    tinyTensors(tinyConfig(), 'f32', seed).map(({ name, bytes }) => [name, decodeWeights(bytes, 'f32')]),
  )
  return movedCheckpoint(`tiny-${seed}`, (values, tensor) =>
    values.map((value, i) => value + size * noise.get(tensor)![i]),
  )
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
  await session.load('one', await noisyCheckpoint(2, 0.03))
  await session.load('two', await noisyCheckpoint(3, 0.03))
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
