// Every method against its formula in float64, and the identities a merge must keep.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import {
  expertOf,
  flatBuffers,
  flatRows,
  flatWeights,
  type TinyMerge,
  tinyMerge,
} from '../../../testing/tinyMerge.ts'
import { relativeError, TINY_CONFIGS } from '../../../testing/tinyModels.ts'
import { type Fisher, fisherDiagonal } from '../../geometry/fisher.ts'
import type { Gpu } from '../../gpu/device.ts'
import { DeviceModel } from '../../model/deviceModel.ts'
import type { WeightType } from '../../tensors/dtype.ts'
import { alignMerge } from './alignMerge.ts'
import { average } from './average.ts'
import { FISHER_FLOOR, fisherSoup } from './fisherSoup.ts'
import type { MergeMaterial, MergeMethod } from './method.ts'
import { METHODS, methodOf } from './registry.ts'

const CONFIG = 'phi3, odd sizes: hidden 18, head 6, window 4, tied'

let gpu: Gpu
let tiny: TinyMerge
beforeAll(async () => {
  gpu = await openTestDevice()
  tiny = await tinyMerge(gpu, { experts: 3, config: CONFIG })
})
afterAll(() => gpu?.close())

/** Weights of a merge (P). */
async function merged(
  method: MergeMethod,
  experts: readonly DeviceModel[],
  weights: readonly number[],
  material: MergeMaterial = {},
  { anchor } = tiny,
): Promise<Float64Array> {
  const out = new DeviceModel(gpu, anchor.config, anchor.type)
  method.encode({ anchor, experts, weights }, material, out)
  const flat = await flatWeights(out)
  out.dispose()
  return flat
}

const shield = (b: number[], { rows, metric } = tiny): MergeMaterial => ({
  shield: { b: Float64Array.from(b), rows: rows.own, metric },
})
const fisherOf = (model: DeviceModel, seed: number): Promise<Fisher> =>
  fisherDiagonal(
    model,
    [2, 5].map((start) => ({ ids: [start, 7 + seed, 3, 1], firstTarget: 1 })),
    { labels: 'sampled', form: 'sequence', seed },
  )
const WEIGHTS = [0.5, 0.3, 0.2]

describe('plain average', () => {
  test('is Σ λ_k θ_k', async () => {
    const parts = await Promise.all(tiny.experts.map(flatWeights))
    const expected = parts[0].map((_, j) => parts.reduce((sum, part, k) => sum + WEIGHTS[k] * part[j], 0))
    expect(relativeError(await merged(average, tiny.experts, WEIGHTS), expected)).toBeLessThan(1e-7)
  })
})

describe('AlignMerge', () => {
  test('is θ + δ̄ − G⁻¹Aᵀb', async () => {
    const b = [0.3, -0.2, 0, 0.1, 0.4, -0.5]
    const rows = await flatRows(tiny.anchor, tiny.rows.own)
    const g = await flatBuffers(tiny.anchor, tiny.metric.diagonal)
    const plain = await merged(average, tiny.experts, WEIGHTS)
    const expected = plain.map(
      (value, j) => value - rows.reduce((sum, row, i) => sum + b[i] * row[j], 0) / g[j],
    )
    const found = await merged(alignMerge, tiny.experts, WEIGHTS, shield(b))
    expect(relativeError(found, plain)).toBeGreaterThan(0.01)
    expect(relativeError(found, expected)).toBeLessThan(1e-6)
  })

  test.each<WeightType>(['f32', 'bf16', 'f16'])(
    'without a shield it is the average bit for bit (%s)',
    async (type) => {
      const own = await tinyMerge(gpu, { type, config: CONFIG })
      const b = new Array(own.rows.own.count).fill(0)
      const found = await merged(alignMerge, own.experts, [0.7, 0.3], shield(b, own), own)
      expect(found).toEqual(await merged(average, own.experts, [0.7, 0.3], {}, own))
    },
  )

  test('tensors without rows are interpolated', async () => {
    const name = 'model.layers.0.mlp.down_proj.weight'
    const rows = new Map(tiny.rows.own.rows)
    rows.delete(name)
    const out = new DeviceModel(gpu, tiny.anchor.config, 'f32')
    const material = { shield: { ...shield([1, 1, 1, 1, 1, 1]).shield!, rows: { count: 6, rows } } }
    alignMerge.encode({ anchor: tiny.anchor, experts: tiny.experts, weights: WEIGHTS }, material, out)
    const plain = new DeviceModel(gpu, tiny.anchor.config, 'f32')
    average.encode({ anchor: tiny.anchor, experts: tiny.experts, weights: WEIGHTS }, {}, plain)
    expect(await out.read(name)).toEqual(await plain.read(name))
    const shieldedOne = 'model.layers.1.mlp.down_proj.weight'
    expect(await out.read(shieldedOne)).not.toEqual(await plain.read(shieldedOne))
  })
})

describe('Fisher soup', () => {
  test('is Σ λ_k F_k θ_k / Σ λ_k F_k with the floor, per token', async () => {
    const fishers: Fisher[] = []
    for (const [k, expert] of tiny.experts.entries()) {
      const fisher = await fisherOf(expert, k + 1)
      // Counts that differ show whether the unit is kept.
      fishers.push({ ...fisher, tokens: fisher.tokens * (k + 1) })
    }
    const parts = await Promise.all(tiny.experts.map(flatWeights))
    const shares: Float64Array[] = []
    for (const [k, { sums, tokens }] of fishers.entries())
      shares.push((await flatBuffers(tiny.anchor, sums)).map((f) => WEIGHTS[k] * (f / tokens + FISHER_FLOOR)))
    const expected = parts[0].map(
      (_, j) =>
        parts.reduce((sum, part, k) => sum + shares[k][j] * part[j], 0) /
        shares.reduce((sum, share) => sum + share[j], 0),
    )
    const found = await merged(fisherSoup, tiny.experts, WEIGHTS, { expertFishers: fishers })
    expect(relativeError(found, await merged(average, tiny.experts, WEIGHTS))).toBeGreaterThan(0.01)
    expect(relativeError(found, expected)).toBeLessThan(3e-7)
  })

  test('with equal Fishers it is the average', async () => {
    const fisher = await fisherOf(tiny.anchor, 4)
    const found = await merged(fisherSoup, tiny.experts, WEIGHTS, { expertFishers: [fisher, fisher, fisher] })
    expect(relativeError(found, await merged(average, tiny.experts, WEIGHTS))).toBeLessThan(3e-7)
  })
})

describe.each(METHODS.map((method) => [method.id, method] as const))('identities of %s', (_, method) => {
  /** A shield of the experts' own would change them, so identities hold at b = 0. */
  async function material(experts: readonly DeviceModel[]): Promise<MergeMaterial> {
    const expertFishers: Fisher[] = []
    for (const expert of experts) expertFishers.push(await fisherOf(expert, 9))
    return { ...shield([0, 0, 0, 0, 0, 0]), expertFishers }
  }

  test('equal experts give that expert, in bf16 to the bit', async () => {
    const [expert] = tiny.experts
    const same = [expert, expert, expert]
    const found = await merged(method, same, WEIGHTS, await material(same))
    expect(relativeError(found, await flatWeights(expert))).toBeLessThan(2e-7)
    const own = await tinyMerge(gpu, { type: 'bf16', config: CONFIG })
    const half = expertOf(gpu, TINY_CONFIGS[CONFIG], 'bf16', 60)
    const fisher = await fisherOf(half, 1)
    const given = { ...shield([0, 0, 0, 0, 0, 0], own), expertFishers: [fisher, fisher] }
    const stored = await merged(method, [half, half], [0.5, 0.5], given, own)
    expect(stored).toEqual(await flatWeights(half))
  })

  test('an expert of weight one is given back', async () => {
    const found = await merged(method, tiny.experts, [0, 1, 0], await material(tiny.experts))
    expect(relativeError(found, await flatWeights(tiny.experts[1]))).toBeLessThan(2e-7)
  })

  test('the order of experts does not matter beyond rounding', async () => {
    const given = await material(tiny.experts)
    const turned = [2, 0, 1]
    const found = await merged(method, tiny.experts, WEIGHTS, given)
    const other = await merged(
      method,
      turned.map((k) => tiny.experts[k]),
      turned.map((k) => WEIGHTS[k]),
      { ...given, expertFishers: turned.map((k) => given.expertFishers![k]) },
    )
    expect(relativeError(other, found)).toBeLessThan(2e-7)
  })

  test('models of another storage type are refused', () => {
    const half = expertOf(gpu, TINY_CONFIGS[CONFIG], 'bf16', 61)
    const out = new DeviceModel(gpu, tiny.anchor.config, 'f32')
    const fisher: Fisher = { sums: new Map(), tokens: 1 }
    const given = { ...shield([0, 0, 0, 0, 0, 0]), expertFishers: [fisher] }
    expect(() => method.encode({ anchor: tiny.anchor, experts: [half], weights: [1] }, given, out)).toThrow(
      /one storage type/,
    )
  })
})

test('missing material and unknown methods are refused by name', () => {
  const out = new DeviceModel(gpu, tiny.anchor.config, 'f32')
  const input = { anchor: tiny.anchor, experts: tiny.experts, weights: WEIGHTS }
  expect(() => alignMerge.encode(input, {}, out)).toThrow(/rows and a metric/)
  expect(() => fisherSoup.encode(input, { expertFishers: [] }, out)).toThrow(/every expert/)
  expect(() => methodOf('ties')).toThrow(/average, fisher-soup, alignmerge/)
  expect(methodOf('average')).toBe(average)
})
