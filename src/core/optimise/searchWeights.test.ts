// Searches on tiny models: what they reach, what the trace says, how they stop, what they refuse.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probe, probeFile } from '../../testing/answeringModels.ts'
import { nearCheckpoint } from '../../testing/nearCheckpoint.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { searchPairs, searchSetup } from '../../testing/searchFixture.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import type { Gpu } from '../gpu/device.ts'
import { Session } from '../session/session.ts'
import { softmaxWeights } from './cocktail.ts'
import { alphaWeights, PairObjective } from './objective.ts'
import { type SearchOptions, searchWeights, type TracePoint } from './searchWeights.ts'

const PAIRS = searchPairs(12)
const SETUP = searchSetup('alignmerge', ['one', 'two', 'three'], 1)

let gpu: Gpu
let session: Session
beforeAll(async () => {
  gpu = await openTestDevice()
  session = new Session(gpu, probeFile([probe('p', 'harmful', 'ab')]))
  for (const [i, id] of ['anchor', 'one', 'two', 'three'].entries())
    await session.load(id, await nearCheckpoint(i + 1, 0.3))
})
afterAll(() => {
  session?.dispose()
  gpu?.close()
})

const search = (options: SearchOptions) =>
  searchWeights(session, SETUP, { pairs: PAIRS, mode: 'task_arithmetic', layersPerGroup: 1, ...options })
const ownValue = (id: string, alpha = 1) =>
  new PairObjective(session.get('anchor').codec, PAIRS, alphaWeights(alpha)).evaluate(session.get(id).model)

describe('evolution', () => {
  it('beats the uniform start within its evaluations, and its trace says how', async () => {
    const points: TracePoint[] = []
    const found = await search({ evaluations: 100, onTrace: (point) => points.push(point) })
    expect(found.trace).toEqual(points)
    expect(points.map(({ evaluation }) => evaluation)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1))
    expect(found.start.weights).toEqual([1, 2].map(() => [1, 1, 1].map((one) => one / 3)))
    expect(found.best.objective).toBeLessThan(found.start.objective - 0.2)
    expect(found.best.objective).toBe(Math.min(...points.map(({ objective }) => objective)))
    for (const [i, { bestObjective, objective, task, safety, isPass }] of points.entries()) {
      expect(bestObjective).toBe(
        Math.min(objective, points[i - 1]?.bestObjective ?? Number.POSITIVE_INFINITY),
      )
      expect(objective).toBeCloseTo(task + safety, 9)
      expect(isPass).toBe(false)
    }
    expect(found.weights).toEqual(
      [0, 1, 2].map((k) => (found.best.weights[0][k] + found.best.weights[1][k]) / 2),
    )
    expect(found.isStopped).toBe(false)
  })

  it('repeats with its seed alone', async () => {
    const run = async (seed: number) => (await search({ evaluations: 25, seed })).trace
    expect(await run(1)).toEqual(await run(1))
    expect(await run(2)).not.toEqual(await run(1))
    expect((await search({ evaluations: 25 })).trace).toEqual(await run(SETUP.seed))
  })

  it('keeps linear weights summing to 1 in every group', async () => {
    const { trace } = await search({ mode: 'linear', evaluations: 20 })
    for (const { weights } of trace)
      for (const row of weights) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12)
  })
})

describe('other modes', () => {
  it.each(['slerp', 'ties', 'dare_ties'] as const)('%s is searched, densities and all', async (mode) => {
    const found = await search({ mode, evaluations: 30 })
    expect(found.trace).toHaveLength(30)
    expect(found.best.objective).toBeLessThan(found.start.objective)
    if (mode === 'slerp') return
    expect(found.start.densities).toEqual([1, 2].map(() => [1, 1, 1]))
    const tried = found.trace.flatMap(({ densities }) => densities!.flat())
    expect(Math.min(...tried)).toBeLessThan(0.9)
    expect(Math.max(...tried)).toBeLessThanOrEqual(1)
  })
})

describe('gradient search', () => {
  it.each([1, 8])('reaches what evolution found in ten passes, α %d', async (alpha) => {
    const evolved = await search({ evaluations: 100, alpha })
    const found = await search({ search: 'gradient', alpha })
    expect(found.trace.length).toBeLessThanOrEqual(10)
    expect(found.trace.every(({ isPass }) => isPass)).toBe(true)
    expect(found.start.objective).toBeCloseTo(evolved.start.objective, 4)
    expect(found.best.objective).toBeLessThanOrEqual(evolved.best.objective)
    for (const { weights } of found.trace)
      for (const weight of weights.flat()) expect(weight).toBeGreaterThanOrEqual(0)
  })

  it('stays on the simplex of a linear merge', async () => {
    const found = await search({ search: 'gradient', mode: 'linear' })
    for (const { weights } of found.trace)
      for (const row of weights) expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9)
    expect(found.best.objective).toBeLessThan(found.start.objective)
    await expectFailure(search({ search: 'gradient', mode: 'slerp' }), 'request-invalid')
  })

  it('uses weights below 0 where they are allowed and help', async () => {
    const free = await search({ search: 'gradient', allowNegative: true, evaluations: 20 })
    const bound = await search({ search: 'gradient', evaluations: 20 })
    expect(Math.min(...free.best.weights.flat())).toBeLessThan(0)
    expect(free.best.objective).toBeLessThan(bound.best.objective)
  })
})

describe('LM-Cocktail', () => {
  it('weighs experts by the softmax of their own mean losses', async () => {
    const found = await search({ search: 'cocktail', temperature: 1 })
    // Equal counts of both kinds: the mean over all pairs is the mean of the two.
    const losses = await Promise.all(
      ['one', 'two', 'three'].map(async (id) => (await ownValue(id)).objective / 2),
    )
    const expected = softmaxWeights(losses, 1)
    expected.forEach((weight, k) => {
      expect(found.trace[1].weights[0][k]).toBeCloseTo(weight, 5)
      expect(found.trace[1].weights[1][k]).toBeCloseTo(weight, 5)
    })
    const warm = await search({ search: 'cocktail' })
    const spread = (weights: readonly number[]) => Math.max(...weights) - Math.min(...weights)
    expect(spread(warm.trace[1].weights[0])).toBeLessThan(spread(found.trace[1].weights[0]))
  })

  it('has a softmax in closed form', () => {
    const [a, b] = softmaxWeights([1, 3], 2)
    expect(a / b).toBeCloseTo(Math.E, 12)
    expect(a + b).toBeCloseTo(1, 12)
    expect(softmaxWeights([2000, 1000], 1)).toEqual([0, 1])
    expect(() => softmaxWeights([1], 0)).toThrow(/temperature/)
  })
})

describe('stopping', () => {
  it('keeps the best so far', async () => {
    for (const kind of ['evolution', 'gradient'] as const) {
      const controller = new AbortController()
      const found = await search({
        search: kind,
        signal: controller.signal,
        onTrace: ({ evaluation }) => evaluation === 5 && controller.abort(),
      })
      expect(found.isStopped).toBe(true)
      expect(found.trace).toHaveLength(5)
      expect(found.best.objective).toBe(Math.min(...found.trace.map(({ objective }) => objective)))
    }
  })

  it('rejects before the first value, and leaves nothing behind', async () => {
    await search({ search: 'gradient', evaluations: 2 })
    const before = gpu.pool.byteLength
    await expectFailure(search({ signal: AbortSignal.abort() }), 'cancelled')
    await search({ search: 'gradient', evaluations: 2 })
    expect(gpu.pool.byteLength).toBe(before)
  })
})

it('refuses what cannot be searched', async () => {
  await expectFailure(search({ evaluations: 0 }), 'request-invalid')
  await expectFailure(search({ mode: 'model_stock' as 'ties' }), 'request-invalid')
  await expectFailure(search({ pairs: [] }), 'request-invalid')
  await expectFailure(search({ layersPerGroup: 0.5 }), 'request-invalid')
  await expectFailure(search({ search: 'cocktail', temperature: 0 }), 'request-invalid')
  await expectFailure(
    searchWeights(session, { ...SETUP, experts: [{ id: 'nobody', weight: 1 }] }, { pairs: PAIRS }),
    'request-invalid',
  )
})
