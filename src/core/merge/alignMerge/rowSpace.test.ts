// Rows in blocks on the device against explicit vectors: products by group and in all, forgetting blocks, and merges
// written from several blocks, whole and by layer.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import {
  flatBuffers,
  flatRows,
  flatWeights,
  inner,
  spansOf,
  type TinyMerge,
  tinyMerge,
} from '../../../testing/tinyMerge.ts'
import { relativeError } from '../../../testing/tinyModels.ts'
import type { Gpu } from '../../gpu/device.ts'
import { writeMerge } from '../../kernels/mergeStep/mergeStep.ts'
import { DeviceModel, paddedCount } from '../../model/deviceModel.ts'
import { Random } from '../../tensors/random.ts'
import { encodeBarycentre } from '../mergeInput.ts'
import { OUTSIDE_LAYERS, RowSpace } from './rowSpace.ts'
import { encodeShielded } from './writeShielded.ts'

const WEIGHTS = [0.6, 0.4]

let gpu: Gpu
let tiny: TinyMerge
let explicit: { base: Float64Array; g: Float64Array; experts: Float64Array[]; rows: Float64Array[] }
let space: RowSpace
beforeAll(async () => {
  gpu = await openTestDevice()
  tiny = await tinyMerge(gpu)
  const { anchor, metric, rows } = tiny
  const base = await flatWeights(anchor)
  const experts: Float64Array[] = []
  for (const expert of tiny.experts)
    experts.push((await flatWeights(expert)).map((value, j) => Math.fround(value - base[j])))
  explicit = {
    base,
    g: await flatBuffers(anchor, metric.diagonal),
    experts,
    rows: [...(await flatRows(anchor, rows.own)), ...(await flatRows(anchor, rows.heldOut))],
  }
  space = new RowSpace(tiny)
  await space.append(rows.own)
  await space.append(rows.heldOut)
})
afterAll(() => gpu?.close())

/** Sum over the weights of a group, or all. */
function within(x: Float64Array, y: Float64Array, group?: string, over?: Float64Array): number {
  let sum = 0
  for (const { layer, start, end } of spansOf(tiny.anchor)) {
    const own = layer === undefined ? OUTSIDE_LAYERS : `layer ${layer}`
    if (group !== undefined && own !== group) continue
    for (let j = start; j < end; j++) sum += (x[j] * y[j]) / (over ? over[j] : 1)
  }
  return sum
}

describe('products', () => {
  test('of two blocks are A G⁻¹ Aᵀ and A Δ_k, in all and by group', () => {
    const { rows, experts, g } = explicit
    expect(space.count).toBe(11)
    expect(space.starts).toEqual([0, 6, 11])
    expect(space.groupNames).toEqual([OUTSIDE_LAYERS, 'layer 0', 'layer 1'])
    const sets = [
      { products: space.total, name: undefined },
      ...space.groups.map((products, i) => ({ products, name: space.groupNames[i] })),
    ]
    for (const { products, name } of sets) {
      const gram = rows.flatMap((x) => rows.map((y) => within(x, y, name, g)))
      expect(relativeError(products.gram, gram)).toBeLessThan(1e-5)
      experts.forEach((expert, k) => {
        const along = rows.map((row) => within(row, expert, name))
        expect(relativeError(products.products[k], along)).toBeLessThan(1e-5)
      })
    }
  })

  test('the first block’s are not changed by a second, and are what is left when it is forgotten', async () => {
    const alone = new RowSpace(tiny)
    await alone.append(tiny.rows.own)
    const both = new RowSpace(tiny)
    await both.append(tiny.rows.own)
    await both.append(tiny.rows.heldOut)
    both.truncate(1)
    expect(both.total).toEqual(alone.total)
    expect(both.groups).toEqual(alone.groups)
    expect([both.count, both.blocks.length]).toEqual([6, 1])
    expect(await both.append(tiny.rows.other)).toBe(6)
    expect(both.count).toBe(10)
  })

  test('no experts, a raised signal', async () => {
    expect(() => new RowSpace({ ...tiny, experts: [] })).toThrow(/at least one expert/)
    const stopped = new RowSpace(tiny)
    await expect(stopped.append(tiny.rows.own, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    })
    expect(stopped.count).toBe(0)
  })
})

describe('writing', () => {
  const random = new Random(6, 6)
  // Large enough for the correction to be as large as the barycentre.
  const coefficients = () => Float64Array.from(random.normals(11, 0.01))

  async function written(b: Float64Array[], scale: number): Promise<Float64Array> {
    const out = new DeviceModel(gpu, tiny.anchor.config, tiny.anchor.type)
    const input = { anchor: tiny.anchor, experts: tiny.experts, weights: WEIGHTS }
    encodeShielded(input, tiny.metric, space, { scale, b }, out)
    const delta = (await flatWeights(out)).map((value, j) => value - explicit.base[j])
    out.dispose()
    return delta
  }

  const expected = (bOf: (group: number) => Float64Array, scale: number) => {
    const out = new Float64Array(explicit.base.length)
    for (const { name, start, end } of spansOf(tiny.anchor)) {
      const b = bOf(space.groupOf.get(name)!)
      for (let j = start; j < end; j++) {
        out[j] = scale * explicit.experts.reduce((sum, expert, k) => sum + WEIGHTS[k] * expert[j], 0)
        out[j] -= explicit.rows.reduce((sum, row, r) => sum + b[r] * row[j], 0) / explicit.g[j]
      }
    }
    return out
  }

  test.each([1, 0.3, 0])('two blocks, whole model, scale %d', async (scale) => {
    const b = coefficients()
    const delta = await written([b], scale)
    expect(
      relativeError(
        delta,
        expected(() => b, scale),
      ),
    ).toBeLessThan(1e-4)
    expect(inner(delta, delta)).toBeGreaterThan(1e-3)
  })

  test('each group with its own b', async () => {
    const b = space.groups.map(coefficients)
    const delta = await written(b, 1)
    expect(
      relativeError(
        delta,
        expected((group) => b[group], 1),
      ),
    ).toBeLessThan(1e-4)
  })

  test('one block is one pass, bit for bit', async () => {
    const b = coefficients().fill(0, 6)
    const { anchor, experts, metric, rows } = tiny
    const out = new DeviceModel(gpu, anchor.config, anchor.type)
    const buffer = gpu.upload(Float32Array.from(b.slice(0, 6)))
    for (const { spec, count: exact } of anchor.tensors.values()) {
      const count = paddedCount(exact)
      const delta = gpu.pool.take(count * 4)
      encodeBarycentre({ anchor, experts, weights: WEIGHTS }, spec.name, delta)
      gpu.run(
        writeMerge,
        { count, rows: 6, stride: count },
        {
          base: anchor.buffer(spec.name),
          delta,
          rows: rows.own.rows.get(spec.name)!,
          metric: metric.diagonal.get(spec.name)!,
          b: buffer,
          out: out.buffer(spec.name),
        },
        anchor.type,
      )
      gpu.pool.release(delta)
    }
    const direct = (await flatWeights(out)).map((value, j) => value - explicit.base[j])
    expect(await written([b], 1)).toEqual(direct)
  })

  test('models stored otherwise are refused', () => {
    const out = new DeviceModel(gpu, tiny.anchor.config, 'bf16')
    const input = { anchor: tiny.anchor, experts: tiny.experts, weights: WEIGHTS }
    expect(() => encodeShielded(input, tiny.metric, space, { scale: 1, b: [coefficients()] }, out)).toThrow(
      /one storage type/,
    )
  })
})
