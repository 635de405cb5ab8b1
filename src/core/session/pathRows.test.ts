// Rows half-way to the experts: the model they are taken at, and that they foretell what the whole way costs
// better than rows at the anchor do.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { manyProbes, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expertOf, flatRows, flatWeights, inner, tinyMerge } from '../../testing/tinyMerge.ts'
import { referenceLosses, relativeError, TINY_CONFIGS } from '../../testing/tinyModels.ts'
import { lossRows } from '../geometry/alignmentRows.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import type { Gpu } from '../gpu/device.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { DECISION_TOKENS, modelOnTheWay, pathRows } from './pathRows.ts'
import { chatSequence, lossTerms, rowProbes } from './sequences.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

test.each([0, 0.5, 1])('the model at share %d of the way, in float32 whatever the storage', async (share) => {
  const config = 'phi3, odd sizes: hidden 18, head 6, window 4, tied'
  const { anchor } = await tinyMerge(gpu, { type: 'bf16', config, experts: 0 })
  const experts = [71, 72, 73].map((seed) => expertOf(gpu, TINY_CONFIGS[config], 'bf16', seed))
  const made = modelOnTheWay(anchor, experts, share)
  expect(made.type).toBe('f32')
  const base = await flatWeights(anchor)
  const parts = await Promise.all(experts.map(flatWeights))
  const expected = base.map(
    (value, j) => value + share * parts.reduce((sum, part) => sum + (part[j] - value) / parts.length, 0),
  )
  expect(relativeError(await flatWeights(made), expected)).toBeLessThan(1e-7)
  made.dispose()
})

test('rows are the decision margin’s half-way, and foretell its change along the way', async () => {
  const codec = await tinyCodec()
  const probes = probeFile(manyProbes(6, 3).map((one) => ({ ...one, split: 'estimate' as const })))
  const anchor = await randomModel(1)
  const arrays = async (model: DeviceModel) => {
    const out = new Map<string, Float32Array>()
    for (const name of model.tensors.keys()) out.set(name, await model.read(name))
    return out
  }
  const [start, noise] = [await arrays(anchor), await arrays(await randomModel(2))]
  const end = new Map(
    Array.from(start, ([name, values]) => [name, values.map((v, i) => v + 0.08 * noise.get(name)![i])]),
  )
  const expert = DeviceModel.fromArrays(gpu, anchor.config, end)
  const choice = { split: 'estimate', count: 6, seed: 1 } as const
  const half = await pathRows(anchor, [expert], codec, probes, choice, {})
  const picked = rowProbes(probes, 'estimate', 6, 1)
  const middle = modelOnTheWay(anchor, [expert], 0.5)
  const direct = await lossRows(middle, lossTerms(codec, picked, 'margin', DECISION_TOKENS), picked.length)
  const first = await lossRows(anchor, lossTerms(codec, picked, 'margin', DECISION_TOKENS), picked.length)
  const [rows, same, anchorRows] = [
    await flatRows(anchor, half),
    await flatRows(anchor, direct),
    await flatRows(anchor, first),
  ]
  expect(rows).toEqual(same)

  const margin = (weights: ReadonlyMap<string, Float32Array>, row: number) => {
    const decision = (completion: string) => {
      const { ids, firstTarget = 1 } = chatSequence(codec, picked[row].prompt, completion)
      const losses = referenceLosses(anchor.config, weights, { ids: Array.from(ids), firstTarget })
      return losses[0]
    }
    return decision(picked[row].misaligned!) - decision(picked[row].aligned)
  }
  const base = await flatWeights(anchor)
  const way = (await flatWeights(expert)).map((value, j) => value - base[j])
  const [near, far] = [rows, anchorRows].map((set) =>
    Math.hypot(...set.map((row, r) => inner(row, way) - (margin(end, r) - margin(start, r)))),
  )
  const change = Math.hypot(...picked.map((_, r) => margin(end, r) - margin(start, r)))
  expect(near).toBeLessThan(0.5 * far)
  expect(near / change).toBeLessThan(0.3)
  for (const { rows: buffers } of [half, direct, first]) destroyBuffers(buffers)
})
