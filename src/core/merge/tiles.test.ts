// A tensor merged in tiles is the tensor merged whole, for every method that can be cut; and nothing that does not fit
// is begun.

import { beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { mergeTiled } from '../../testing/tiledMerge.ts'
import { EngineError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { Random } from '../tensors/random.ts'
import type { PlannedTensor, Tile } from './method.ts'
import { METHODS, methodOf } from './methods/registry.ts'
import { completeParameters } from './parameters.ts'
import { DEFAULT_BUDGET, tilesOf } from './tiles.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

/** Steps of 1/16, so that magnitudes are equal in many places and ties fall into several tiles. */
function weights(count: number, stream: number, isCoarse: boolean): Float32Array {
  const values = new Random(3, stream).normals(count, 1)
  return isCoarse ? values.map((value) => Math.round(value * 16) / 16) : values
}

const planned = (
  id: string,
  shape: readonly number[],
  parameters: Record<string, number | boolean | string>,
  models: number,
): PlannedTensor => ({
  name: 'model.layers.0.mlp.up_proj.weight',
  shape,
  layer: 0,
  ...completeParameters(
    methodOf(id).declaration,
    parameters,
    Array.from({ length: models }, (_, k) =>
      methodOf(id).declaration.parameters.some((declared) => declared.id === 'weight')
        ? { weight: 0.5 + k / 4 }
        : {},
    ),
  ),
})

const cut = (total: number, ...ends: number[]): Tile[] =>
  [0, ...ends].map((start, i) => ({ start, count: (ends[i] ?? total) - start }))

interface Case {
  method: string
  parameters?: Record<string, number | boolean | string>
  models?: number
  shape?: readonly number[]
  ends?: readonly number[]
  isCoarse?: boolean
  type?: WeightType
}

const COLUMNS = 96
const SHAPE = [130, COLUMNS]
const ENDS = [4096, 8192]
/** Several slices of partial sums. */
const LONG = { shape: [2 ** 19 + 4104], ends: [2 ** 18, 2 ** 19] }

const CASES: Case[] = [
  { method: 'linear' },
  { method: 'linear', type: 'bf16', models: 5 },
  { method: 'task_arithmetic', parameters: { lambda: 0.7 } },
  { method: 'passthrough', models: 1 },
  { method: 'nearswap', models: 1, parameters: { t: 0.05 } },
  { method: 'layerwise' },
  { method: 'ram', models: 3 },
  { method: 'ramplus_tl', models: 3, isCoarse: true },
  { method: 'slerp', models: 1, parameters: { t: 0.3 }, ...LONG },
  { method: 'nuslerp', parameters: { nuslerp_flatten: true }, ...LONG },
  { method: 'nuslerp', parameters: { nuslerp_flatten: false }, ends: [4 * COLUMNS, 100 * COLUMNS] },
  {
    method: 'nuslerp',
    parameters: { nuslerp_flatten: false, nuslerp_row_wise: true },
    shape: [1200, 1024],
    ends: [2 ** 20],
  },
  { method: 'multislerp', models: 3, ...LONG },
  { method: 'karcher', models: 3, ...LONG },
  { method: 'model_stock', ...LONG },
  { method: 'model_stock', parameters: { filter_wise: true }, ends: [4 * COLUMNS, 100 * COLUMNS] },
  { method: 'ties', parameters: { density: 0.3 }, isCoarse: true },
  { method: 'ties', parameters: { density: 0.3, rescale: true } },
  { method: 'ties', parameters: { density: 0.3, variant: 'paper' }, isCoarse: true },
  { method: 'dare_ties', parameters: { density: 0.4 } },
  { method: 'dare_linear', parameters: { density: 0.4 }, type: 'f16' },
  { method: 'dare_linear', parameters: { density: 0.4, variant: 'paper' } },
  { method: 'della', parameters: { density: 0.4, epsilon: 0.1 }, ends: [4 * COLUMNS, 100 * COLUMNS] },
  {
    method: 'della_linear',
    parameters: { density: 0.4, epsilon: 0.1, variant: 'paper' },
    ends: [4 * COLUMNS],
    isCoarse: true,
  },
  { method: 'breadcrumbs', parameters: { density: 0.5, gamma: 0.1 }, isCoarse: true },
  { method: 'breadcrumbs_ties', parameters: { density: 0.5, gamma: 0.1 }, type: 'bf16' },
  { method: 'sce', parameters: { select_topk: 0.4 }, models: 3, isCoarse: true },
  { method: 'sce', parameters: { select_topk: 1 } },
]

describe('tiles', () => {
  it.each(CASES)('$method $parameters $type', async (test) => {
    const { method, parameters = {}, models = 2, shape = SHAPE, ends = ENDS, type = 'f32' } = test
    const total = shape.reduce((a, b) => a * b, 1)
    const tensor = planned(method, shape, parameters, models)
    const values = Array.from({ length: models + 1 }, (_, k) => weights(total, k, test.isCoarse ?? false))
    const input = { gpu, method: methodOf(method), tensor, values, type, seed: 7 }
    const whole = await mergeTiled(input, [{ start: 0, count: total }])
    const tiled = await mergeTiled(input, cut(total, ...ends))
    expect(whole.some((value) => value !== 0)).toBe(true)
    const first = tiled.findIndex((value, i) => value !== whole[i])
    expect(first < 0 ? 'equal' : `element ${first}: ${tiled[first]} instead of ${whole[first]}`).toBe('equal')
  })

  it('all methods with a tiling are compared', () => {
    const compared = new Set([...CASES.map(({ method }) => method), 'alignmerge', 'fisher_average'])
    const tiled = METHODS.filter(({ tiling }) => tiling).map(({ declaration }) => declaration.id)
    expect(tiled.filter((id) => !compared.has(id))).toEqual([])
  })
})

describe('tilesOf', () => {
  const embedding: PlannedTensor = {
    name: 'model.embed_tokens.weight',
    shape: [128256, 2048],
    parameters: {},
    modelParameters: [{}, {}],
  }

  it('covers a tensor without gaps, in whole units', () => {
    for (const { tiling, declaration } of METHODS) {
      if (!tiling) continue
      const tensor = planned(declaration.id, embedding.shape, {}, 2)
      const tiles = tilesOf(methodOf(declaration.id), tensor, 3, DEFAULT_BUDGET)
      let end = 0
      for (const { start, count } of tiles) {
        expect(start).toBe(end)
        expect(start % tiling.unit(tensor)).toBe(0)
        expect(count).toBeLessThanOrEqual(2 ** 22)
        end += count
      }
      expect(end).toBe(128256 * 2048)
    }
  })

  it('makes tiles smaller with the budget', () => {
    const sizes = [1.5e9, 4e8, 1e8].map(
      (budget) => tilesOf(methodOf('linear'), embedding, 3, budget)[0].count,
    )
    expect(sizes[0]).toBeGreaterThan(sizes[1])
    expect(sizes[1]).toBeGreaterThan(sizes[2])
  })

  it('says what a method that needs the tensor whole would hold', () => {
    const refused = () => tilesOf(methodOf('tsvm'), embedding, 3, DEFAULT_BUDGET)
    expect(refused).toThrow(EngineError)
    expect(refused).toThrow(
      /holds a tensor of 262668288 weights of 3 models at once, \d+ MB; the budget of 1500 MB/,
    )
    const small = { ...embedding, shape: [2048, 2048] }
    expect(tilesOf(methodOf('tsvm'), small, 3, DEFAULT_BUDGET)).toEqual([{ start: 0, count: 2 ** 22 }])
  })
})
