// AlignMerge over files: rows from factors are the rows of the resident model, and the streamed merge is the closed form
// with those rows, whatever the tiles.

import { beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import { storedWeight } from '../../../testing/storedWeights.ts'
import { TINY_CONFIGS, tinyModel } from '../../../testing/tinyModels.ts'
import type { LossTerm } from '../../geometry/alignmentRows.ts'
import { lossRows } from '../../geometry/alignmentRows.ts'
import {
  coveredShapes,
  factorRows,
  HeldFactor,
  memoryFactors,
  tokensOf,
} from '../../geometry/factoredRows.ts'
import { destroyBuffers } from '../../geometry/metric.ts'
import type { Gpu } from '../../gpu/device.ts'
import { DeviceModel, paddedCount } from '../../model/deviceModel.ts'
import { Random } from '../../tensors/random.ts'
import { methodOf } from '../methods/registry.ts'
import type { MergePlan } from '../recipe/plan.ts'
import { streamMerge, valuesOfPiece } from '../streamMerge.ts'
import { factoredShield, solveStreamed, streamProducts } from './streamedShield.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

const TERMS: LossTerm[] = [
  { row: 0, sign: 1, sequence: { ids: [3, 1, 4, 1, 5], firstTarget: 2 } },
  { row: 0, sign: -1, sequence: { ids: [3, 1, 9, 2], firstTarget: 2 } },
  { row: 1, sign: 1, sequence: { ids: [2, 7, 1, 8, 2, 8], firstTarget: 3 } },
  { row: 2, sign: 1, sequence: { ids: [6, 6, 3], firstTarget: 1 } },
]
const N = 3

async function made(name: string) {
  const tiny = tinyModel(TINY_CONFIGS[name])
  const shapes = new Map<string, readonly number[]>()
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  for (const { spec } of model.tensors.values()) shapes.set(spec.name, spec.shape)
  const store = (change: (values: Float32Array, stream: number) => Float32Array) =>
    new Map(
      Array.from(tiny.arrays, ([key, values], i) => [
        key,
        storedWeight(key, change(values, i), 'f32', shapes.get(key)!),
      ]),
    )
  const anchor = store((values) => values)
  const experts = [1, 2].map((seed) =>
    store((values, i) => {
      const noise = new Random(seed, i).normals(values.length, 0.05)
      return values.map((value, j) => value + noise[j])
    }),
  )
  const factors = memoryFactors(coveredShapes(tiny.config), tokensOf(TERMS))
  const rows = await factorRows({ gpu, config: tiny.config, stored: anchor }, TERMS, N, factors)
  return { tiny, model, anchor, experts, rows }
}

/** g = 0.3 to 0.8, by place. */
const METRIC = {
  shift: 0.1,
  read: async (_: string, { start, count }: { start: number; count: number }) =>
    Float32Array.from({ length: count }, (__, i) => 0.2 + ((start + i) % 6) / 10),
}
const metricAt = (i: number) => 0.3 + (i % 6) / 10

describe('rows from factors', () => {
  it.each(['phi3, fused, grouped', 'llama, separate'])('%s: those of the resident model', async (name) => {
    const { tiny, model, rows } = await made(name)
    const resident = await lossRows(model, TERMS, N)
    for (const [key, shape] of coveredShapes(tiny.config)) {
      const factor = new HeldFactor(gpu, rows, shape, await rows.store.read(key))
      const [out, width] = shape
      const first = 4
      const a = factor.encode(first, out - first)
      const stride = paddedCount((out - first) * width)
      const found = await gpu.readFloats(a, N * stride)
      const padded = paddedCount(out * width)
      const expected = await gpu.readFloats(resident.rows.get(key)!, N * padded)
      const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      let worst = 0
      for (let row = 0; row < N; row++)
        for (let i = 0; i < (out - first) * width; i++)
          worst = Math.max(
            worst,
            Math.abs(found[row * stride + i] - expected[row * padded + first * width + i]),
          )
      expect(scale, key).toBeGreaterThan(0)
      expect(worst / scale, key).toBeLessThan(1e-5)
      gpu.pool.release(a)
      factor.release()
    }
    destroyBuffers(resident.rows)
    model.dispose()
  })
})

describe('the streamed merge', () => {
  it('is the closed form with those rows', async () => {
    const { tiny, model, anchor, experts, rows } = await made('llama, separate')
    const shapes = coveredShapes(tiny.config)
    const resident = await lossRows(model, TERMS, N)
    // A, Δ and g written out, over the covered weights in order.
    const dense: { a: Float64Array[]; delta: Float64Array[]; g: Float64Array; name: string }[] = []
    for (const [name, [out, width]] of shapes) {
      const count = out * width
      const padded = paddedCount(count)
      const values = await gpu.readFloats(resident.rows.get(name)!, N * padded)
      const base = tiny.arrays.get(name)!
      const delta: Float64Array[] = []
      for (const expert of experts) {
        const { bytes } = await expert.get(name)!.read(0, count)
        const own = new Float32Array(bytes.slice().buffer)
        delta.push(Float64Array.from(own, (value, i) => value - base[i]))
      }
      dense.push({
        name,
        a: Array.from({ length: N }, (_, row) =>
          Float64Array.from(values.subarray(row * padded, row * padded + count)),
        ),
        delta,
        g: Float64Array.from({ length: count }, (_, i) => metricAt(i)),
      })
    }
    const sum = (f: (part: (typeof dense)[number], i: number) => number) =>
      dense.reduce((total, part) => total + part.g.reduce((inner, _, i) => inner + f(part, i), 0), 0)
    const kernel = Array.from({ length: N * N }, (_, at) => {
      const [i, j] = [Math.floor(at / N), at % N]
      return sum(({ a, g }, e) => (a[i][e] * a[j][e]) / g[e]) / N
    })
    const input = { gpu, rows, anchor, experts, metric: METRIC }
    const streamed = await streamProducts(input)
    const relative = (x: ArrayLike<number>, y: ArrayLike<number>) => {
      const scale = Math.max(...Array.from(y, Math.abs))
      return Math.max(...Array.from(y, (value, i) => Math.abs(value - x[i]) / scale))
    }
    expect(relative(streamed.kernel, kernel)).toBeLessThan(1e-5)
    streamed.products.forEach((found, k) => {
      const expected = Array.from({ length: N }, (_, row) =>
        sum(({ a, delta }, e) => a[row][e] * delta[k][e]),
      )
      expect(relative(found, expected)).toBeLessThan(1e-5)
    })

    const weights = [0.25, 0.75]
    const b = solveStreamed(streamed, weights, 3, 2)
    const shield = factoredShield(input, b)
    // Tiles that begin and end inside of rows, of two weights in turn.
    for (const [at, start, count] of [
      [0, 20, 60],
      [2, 133, 31],
      [0, 96, 100],
    ]) {
      const { name, a, g } = dense[at]
      const found = (await shield.read(name, { start, count }))!
      for (let row = 0; row < N; row++)
        expect(
          relative(found.a.subarray(row * count, (row + 1) * count), a[row].subarray(start, start + count)),
          `row ${row} of ${name}`,
        ).toBeLessThan(1e-4)
      expect(relative(found.metric, g.subarray(start, start + count))).toBeLessThan(1e-6)
    }
    expect(await shield.read('model.norm.weight', { start: 0, count: 4 })).toBeUndefined()
    const plan: MergePlan = {
      method: 'alignmerge',
      layerCount: tiny.config.layerCount,
      tensors: Array.from(tiny.arrays.keys(), (name) => ({
        name,
        shape: anchor.get(name)!.shape,
        sources: weights.map((weight, k) => ({ model: `e${k}`, tensor: name, parameters: { weight } })),
        base: { model: 'anchor', tensor: name },
        parameters: {},
      })),
      outDtype: 'float32',
      configFrom: 'anchor',
      tokenizerFrom: 'anchor',
      seed: 0,
      roles: {},
      models: ['anchor', 'e0', 'e1'],
      notes: [],
    }
    const readers = new Map([
      ['anchor', { stored: anchor }],
      ['e0', { stored: experts[0] }],
      ['e1', { stored: experts[1] }],
    ])
    const merged = new Map<string, Float32Array>()
    await streamMerge(methodOf('alignmerge'), {
      gpu,
      plan,
      readers,
      streamedShield: shield,
      write: ({ name, shape }, piece) => {
        const values = merged.get(name) ?? new Float32Array(shape.reduce((x, y) => x * y, 1))
        values.set(valuesOfPiece(piece), piece.start)
        merged.set(name, values)
      },
    })
    shield.release()
    let moved = 0
    for (const { name, a, delta, g } of dense) {
      const base = tiny.arrays.get(name)!
      const expected = Float64Array.from(base, (value, i) => {
        const bar = weights.reduce((total, weight, k) => total + weight * delta[k][i], 0)
        const taken = b.reduce((total, share, row) => total + share * a[row][i], 0) / g[i]
        moved = Math.max(moved, Math.abs(taken))
        return value + bar - taken
      })
      expect(relative(merged.get(name)!, expected), name).toBeLessThan(2e-6)
    }
    expect(moved).toBeGreaterThan(1e-3)
    destroyBuffers(resident.rows)
    model.dispose()
  })
})
