// What a session hands to methods: against the methods' own float64 references, from numbers read back; what is kept,
// what closing frees, what cancelling leaves, and what is refused.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manyProbes, probe, probeFile } from '../../testing/answeringModels.ts'
import { watchBuffers } from '../../testing/liveBuffers.ts'
import { nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatWeights } from '../../testing/tinyMerge.ts'
import { relativeError } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import type { MaterialKind } from '../merge/declaration.ts'
import { layerOf } from '../merge/deviceMerge.ts'
import type { MergeReference } from '../merge/method.ts'
import { reference as fisherAverage } from '../merge/methods/fisher_average/reference.ts'
import { reference as led } from '../merge/methods/led/reference.ts'
import { reference as mergealign } from '../merge/methods/mergealign/reference.ts'
import { methodOf } from '../merge/methods/registry.ts'
import { reference as regmean } from '../merge/methods/regmean/reference.ts'
import { completeParameters } from '../merge/parameters.ts'
import { Session, type Setup } from './session.ts'

const PROBES = probeFile([
  ...manyProbes(40, 2).map((one) => ({ ...one, split: 'estimate' as const })),
  // More than one batch of each set, so that there is a middle to stop in.
  ...Array.from({ length: 40 }, (_, i) => {
    const [first, second] = ['abcdefgh'[i % 8], 'klmno'[Math.floor(i / 8)]]
    const more = { skill: 'sort', aligned: `${first} ${second}.`, split: 'estimate' as const }
    return probe(`s${i}`, 'skill', `sort ${second} ${first}`, more)
  }),
])

async function load(session: Session, id: string, seed: number, change: Record<string, unknown> = {}) {
  await session.load(id, await nearCheckpoint(seed, 0.05, { name: id, change }))
}

const SETUP: Setup = {
  method: 'regmean',
  anchor: 'anchor',
  experts: [
    { id: 'one', weight: 3, purpose: 'skill:sort' },
    { id: 'two', weight: 1, purpose: 'safety' },
  ],
  lambdaAlign: 0,
  rank: 4,
  damping: 0.1,
  metric: 'fisher',
  source: 'margin',
  fisher: { labels: 'sampled', form: 'sequence' },
  seed: 1,
}

let gpu: Gpu
let session: Session
beforeAll(async () => {
  gpu = await openTestDevice()
})
beforeEach(async () => {
  session = new Session(gpu, PROBES)
  await load(session, 'anchor', 1)
  await load(session, 'one', 2)
  await load(session, 'two', 3)
})
afterEach(() => session.dispose())
afterAll(() => gpu?.close())

/** The merge by a method's reference from material computed by `read`, and by the session. */
async function both(
  setup: Setup,
  reference: MergeReference,
  read: (kind: MaterialKind, tensor: string, k: number | 'base') => Promise<Float64Array | undefined>,
): Promise<[ours: Float64Array, expected: Float64Array]> {
  const ours = await flatWeights(await session.merge(setup))
  const anchor = session.get('anchor').model
  const { declaration } = methodOf(setup.method)
  const complete = completeParameters(declaration, setup.parameters ?? {}, [
    { weight: 0.75 },
    { weight: 0.25 },
  ])
  const tensors = [...anchor.tensors.values()].map(({ spec }) => {
    const layer = layerOf(spec.name)
    return { name: spec.name, shape: spec.shape, ...(layer !== undefined && { layer }), ...complete }
  })
  const weights = async (id: string) => {
    const { model } = session.get(id)
    const out = new Map<string, Float64Array>()
    for (const name of model.tensors.keys()) out.set(name, Float64Array.from(await model.read(name)))
    return out
  }
  const material = new Map<string, Float64Array | undefined>()
  const kinds: MaterialKind[] = ['fisher', 'gram', 'importance', 'baseImportance', 'aligned']
  for (const kind of kinds)
    for (const { name } of tensors)
      for (const k of [0, 1, 'base'] as const) material.set(`${kind} ${name} ${k}`, await read(kind, name, k))
  const merged = reference({
    tensors,
    layerCount: anchor.config.layerCount,
    seed: setup.seed,
    base: declaration.base === 'required' ? await weights('anchor') : undefined,
    models: [await weights('one'), await weights('two')],
    material: (kind, name, k) => material.get(`${kind} ${name} ${k}`),
  })
  const expected = tensors.flatMap(({ name }) => [...merged.get(name)!])
  return [ours, Float64Array.from(expected)]
}

const sumsOf = async (buffer: GPUBuffer | undefined, count: number) =>
  buffer && Float64Array.from(await gpu.readFloats(buffer, count))

describe('what methods are given', () => {
  test('RegMean: means over tokens of each expert’s own probes', async () => {
    const ids = ['one', 'two']
    const purposes = ['skill:sort', 'safety'] as const
    const [ours, expected] = await both(SETUP, regmean, async (kind, tensor, k) => {
      if (kind !== 'gram' || k === 'base') return undefined
      const { sums, tokens } = await session.material.gram(ids[k], purposes[k], 1)
      const width = session.get('one').model.tensor(tensor).spec.shape[1] ?? 0
      return (await sumsOf(sums.get(tensor), width ** 2))?.map((value) => value / tokens)
    })
    expect(relativeError(ours, expected)).toBeLessThan(1e-6)
    const plain = await flatWeights(await session.merge({ ...SETUP, method: 'linear' }))
    expect(relativeError(ours, plain)).toBeGreaterThan(1e-3)
    const general = SETUP.experts.map((expert) => ({ ...expert, purpose: 'general' as const }))
    const other = await flatWeights(await session.merge({ ...SETUP, experts: general }))
    expect(relativeError(ours, other)).toBeGreaterThan(1e-3)
  })

  test('LED-Merging: importance of each expert, and of the base on the same probes', async () => {
    const setup: Setup = { ...SETUP, method: 'led', parameters: { r: 0.4 } }
    const purposes = ['skill:sort', 'safety'] as const
    const [ours, expected] = await both(setup, led, async (kind, tensor, k) => {
      if ((kind !== 'importance' && kind !== 'baseImportance') || k === 'base') return undefined
      const id = kind === 'importance' ? ['one', 'two'][k] : 'anchor'
      const { sums } = await session.material.absoluteGradients(id, purposes[k], 1)
      const weights = await session.get(id).model.read(tensor)
      const values = await sumsOf(sums.get(tensor), weights.length)
      return values?.map((value, i) => Math.fround(value * Math.abs(weights[i])))
    })
    expect(relativeError(ours, expected)).toBeLessThan(1e-6)
    const anchor = await flatWeights(session.get('anchor').model)
    const moved = ours.filter((value, i) => value !== anchor[i]).length / ours.length
    expect(moved).toBeGreaterThan(0.02)
    expect(moved).toBeLessThan(0.6)
  })

  test('Fisher average: per token, of each expert', async () => {
    const [ours, expected] = await both(
      { ...SETUP, method: 'fisher_average' },
      fisherAverage,
      async (kind, tensor, k) => {
        if (kind !== 'fisher' || k === 'base') return undefined
        const { sums, tokens } = await session.fisher(['one', 'two'][k], SETUP.fisher, 1)
        const { count } = session.get('one').model.tensor(tensor)
        return (await sumsOf(sums.get(tensor), count))?.map((value) => value / tokens)
      },
    )
    expect(relativeError(ours, expected)).toBeLessThan(1e-6)
  })

  test('MergeAlign: the model that the setup names', async () => {
    await load(session, 'guard', 4)
    const setup: Setup = { ...SETUP, method: 'mergealign', references: { aligned: 'guard' } }
    const [ours, expected] = await both(setup, mergealign, async (kind, tensor) =>
      kind === 'aligned' ? Float64Array.from(await session.get('guard').model.read(tensor)) : undefined,
    )
    expect(relativeError(ours, expected)).toBeLessThan(1e-6)
  })

  test('an expert whose purpose is not given has it told by its losses', async () => {
    const experts = SETUP.experts.map(({ id, weight }) => ({ id, weight }))
    const told = await flatWeights(await session.merge({ ...SETUP, experts }))
    const given = []
    for (const expert of experts)
      given.push({ ...expert, purpose: await session.material.purposeOf(expert.id, 'anchor', 1) })
    expect(await flatWeights(await session.merge({ ...SETUP, experts: given }))).toEqual(told)
  })
})

describe('what is kept', () => {
  test('once for each model and purpose; another seed replaces it', async () => {
    const { material } = session
    const live = watchBuffers(gpu)
    const gram = await material.gram('one', 'safety', 1)
    const gradients = await material.absoluteGradients('one', 'safety', 1)
    const held = live.made().length
    expect(await material.gram('one', 'safety', 1)).toBe(gram)
    expect(await material.absoluteGradients('one', 'safety', 1)).toBe(gradients)
    expect(live.made().length).toBe(held)
    expect(await material.gram('one', 'safety', 2)).not.toBe(gram)
    expect(await material.absoluteGradients('one', 'safety', 2)).not.toBe(gradients)
    expect(live.made().length).toBe(held)
    expect(await material.gram('one', 'general', 2)).not.toBe(await material.gram('one', 'safety', 2))
    expect(live.made().length).toBeGreaterThan(held)
    live.stop()
  })

  test('closing a model frees what came from it; disposing frees all', async () => {
    const live = watchBuffers(gpu)
    const other = new Session(gpu, PROBES)
    await load(other, 'anchor', 1)
    await load(other, 'one', 2)
    await load(other, 'two', 3)
    const models = live.made().length
    const gram = await other.material.gram('two', 'safety', 1)
    const own = live.made().length - models
    const kept = [
      await other.material.gram('one', 'safety', 1),
      await other.material.absoluteGradients('one', 'safety', 1),
    ]
    other.close('one')
    expect(live.made().length).toBe(models - models / 3 + own)
    expect(await other.material.gram('two', 'safety', 1)).toBe(gram)
    await load(other, 'one', 2)
    expect(await other.material.gram('one', 'safety', 1)).not.toBe(kept[0])
    expect(await other.material.absoluteGradients('one', 'safety', 1)).not.toBe(kept[1])
    for (const method of ['regmean', 'led', 'fisher_average']) await other.merge({ ...SETUP, method })
    other.dispose()
    expect(live.made()).toEqual([])
    expect(live.taken()).toBe(0)
    live.stop()
  })

  test('a model that is closed while it is measured leaves nothing', async () => {
    const live = watchBuffers(gpu)
    const attempt = session.material.gram('two', 'safety', 1, { onProgress: () => session.close('two') })
    await expect(attempt).rejects.toMatchObject({ code: 'request-invalid' })
    expect(live.made()).toEqual([])
    live.stop()
  })

  test.each(['regmean', 'led', 'fisher_average'])(
    '%s: cancelled work leaves nothing behind',
    async (method) => {
      // The merge's own slot is the session's.
      await session.merge({ ...SETUP, method: 'linear' })
      const live = watchBuffers(gpu)
      const abort = new AbortController()
      const labels: string[] = []
      const attempt = session.merge(
        { ...SETUP, method },
        {
          signal: abort.signal,
          onProgress: (label) => {
            labels.push(label)
            abort.abort()
          },
        },
      )
      await expect(attempt).rejects.toMatchObject({ code: 'cancelled' })
      expect(labels.length).toBe(1)
      expect(live.made()).toEqual([])
      expect(live.taken()).toBe(0)
      live.stop()
    },
  )
})

describe('refusals', () => {
  test('a method whose further model is not named', async () => {
    await expect(session.merge({ ...SETUP, method: 'mergealign' })).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringContaining('references.aligned'),
    })
  })

  test('a further model that is not open, or of another shape', async () => {
    const setup: Setup = { ...SETUP, method: 'mergealign', references: { aligned: 'guard' } }
    await expect(session.merge(setup)).rejects.toThrow(/guard is not open/)
    await load(session, 'guard', 4, { intermediate_size: 16 })
    await expect(session.merge(setup)).rejects.toMatchObject({ code: 'shape-mismatch' })
  })

  test('a skill that the probes do not have', async () => {
    const experts = [{ id: 'one', weight: 1, purpose: 'skill:maths' as const }]
    await expect(session.merge({ ...SETUP, experts })).rejects.toThrow(/no estimating probes .* maths/)
  })
})
