// Which probes are an expert's own, and how its purpose is told from its losses.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { probe, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import type { Probe } from '../evaluate/probes.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient, readGradients } from '../model/gradients.ts'
import { inferPurpose, type Purpose, purposeSequences } from './purpose.ts'
import { chatSequence } from './sequences.ts'

const words = { harmful: 'no ab', attack: 'no ba', harmless: 'yes', sort: 'p q', reverse: 'z y' }
const make = (set: Probe['set'], name: keyof typeof words, more: Partial<Probe> = {}) =>
  (['estimate', 'heldout'] as const).flatMap((split) =>
    Array.from({ length: 12 }, (_, i) =>
      probe(`${name}-${split}-${i}`, set, `${name} ${i} ${split === 'estimate' ? 'e' : 'h'}`, {
        split,
        aligned: `${words[name]}${'abcdefghijkl'[i]}`,
        ...more,
      }),
    ),
  )
const FILE = probeFile([
  ...make('harmful', 'harmful'),
  ...make('attack', 'attack'),
  ...make('harmless', 'harmless'),
  ...make('skill', 'sort', { skill: 'sort' }),
  ...make('skill', 'reverse', { skill: 'reverse' }),
])

let gpu: Gpu
let codec: TextCodec
beforeAll(async () => {
  gpu = await openTestDevice()
  codec = await tinyCodec()
})
afterAll(() => gpu?.close())

describe('the probes of a purpose', () => {
  const idsOf = (purpose: Purpose, count: number, seed = 1) => {
    const known = new Map(
      FILE.items.map((one) => [chatSequence(codec, one.prompt, one.aligned).ids.toString(), one.id]),
    )
    return purposeSequences(codec, FILE, purpose, count, seed).map(({ ids }) => known.get(ids.toString())!)
  }
  const count = (ids: string[], start: string) =>
    ids.filter((id) => id.startsWith(`${start}-estimate`)).length

  test('safety: harmful requests, plain and in disguise, half each', () => {
    const ids = idsOf('safety', 10)
    expect([count(ids, 'harmful'), count(ids, 'attack'), ids.length]).toEqual([5, 5, 10])
    expect(idsOf('safety', 7).length).toBe(7)
    expect(idsOf('safety', 100).length).toBe(24)
    expect(idsOf('safety', 10, 2)).not.toEqual(ids)
  })

  test('a skill: its own probes alone', () => {
    const ids = idsOf('skill:reverse', 8)
    expect([count(ids, 'reverse'), ids.length]).toEqual([8, 8])
    expect(idsOf('skill:sort', 100).length).toBe(12)
  })

  test('general: harmless, skills and harmful', () => {
    const ids = idsOf('general', 18)
    expect([count(ids, 'harmless'), count(ids, 'harmful'), count(ids, 'attack')]).toEqual([6, 6, 0])
    expect(count(ids, 'sort') + count(ids, 'reverse')).toBe(6)
  })

  test('one that the file knows nothing of is refused', () => {
    expect(() => purposeSequences(codec, FILE, 'skill:maths', 8, 1)).toThrow(/no estimating probes .* maths/)
    const harmless = probeFile(make('harmless', 'harmless'))
    expect(() => purposeSequences(codec, harmless, 'safety', 8, 1)).toThrow(/safety/)
  })
})

/** A model after one step of `size` against the gradient of its mean loss on `sequences`. */
async function stepped(model: DeviceModel, sequences: Sequence[], size: number): Promise<DeviceModel> {
  const batch = new Batch(gpu, model.config, sequences)
  const outputs = createGradients(gpu, model.config)
  const scale = new Float32Array(batch.rowCount).fill(1 / batch.rowCount)
  const sink = new GradientSink(gpu, model.config, batch, outputs, 'gradient')
  gpu.pool.release(encodeLossGradient(model, batch, scale, sink))
  const gradients = await readGradients(gpu, outputs, (name) => model.tensor(name).count)
  batch.release()
  destroyBuffers(outputs)
  const arrays = new Map<string, Float32Array>()
  for (const name of model.tensors.keys()) {
    const gradient = gradients.get(name)!
    arrays.set(
      name,
      (await model.read(name)).map((value, i) => value - size * gradient[i]),
    )
  }
  return DeviceModel.fromArrays(gpu, model.config, arrays)
}

describe('inference', () => {
  test.each<[Purpose, number]>([
    ['safety', 0.3],
    ['skill:sort', 0.3],
    ['skill:reverse', 0.3],
  ])('a model that learned %s is told by its losses', async (purpose, size) => {
    const base = await randomModel(3)
    const expert = await stepped(base, purposeSequences(codec, FILE, purpose, 64, 1), size)
    const seen: number[] = []
    const options = { onProgress: (done: number, total: number) => seen.push(done, total) }
    expect(await inferPurpose(base, expert, codec, FILE, 1, options)).toBe(purpose)
    expect(seen).toEqual([1, 3, 2, 3, 3, 3])
    base.dispose()
    expert.dispose()
  })

  test('one that learned nothing, or forgot, is general', async () => {
    const base = await randomModel(3)
    const worse = await stepped(base, purposeSequences(codec, FILE, 'safety', 64, 1), -0.3)
    expect(await inferPurpose(base, base, codec, FILE, 1)).toBe('general')
    const forgot = probeFile(FILE.items.filter(({ set }) => set !== 'skill'))
    expect(await inferPurpose(base, worse, codec, forgot, 1)).toBe('general')
    expect(await inferPurpose(worse, base, codec, forgot, 1)).toBe('safety')
    base.dispose()
    worse.dispose()
  })

  test('a raised signal stops', async () => {
    const base = await randomModel(3)
    const signal = AbortSignal.abort()
    await expect(inferPurpose(base, base, codec, FILE, 1, { signal })).rejects.toMatchObject({
      code: 'cancelled',
    })
    base.dispose()
  })
})
