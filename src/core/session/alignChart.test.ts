// KL along a merge: the divergence itself, a flat curve close to the anchor, the exact Fisher behind it, and nothing
// where nothing moves.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manyProbes, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expertOf, tinyMerge } from '../../testing/tinyMerge.ts'
import { TINY_CONFIGS } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { referenceForward } from '../model/decoder.reference.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { chartValidity, divergence, genericSequences } from './alignChart.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const CONFIG = 'phi3, odd sizes: hidden 18, head 6, window 4, tied'
const SEQUENCES = [{ ids: [3, 17, 9, 3, 30, 22] }, { ids: [8, 3, 12, 7] }]

/** k(t) by the slow reference, float64 throughout. */
async function referenceDivergence(anchor: DeviceModel, merged: DeviceModel, t: number): Promise<number> {
  const weights = async (share: number) => {
    const out = new Map<string, Float64Array>()
    for (const name of anchor.tensors.keys()) {
      const [a, b] = [await anchor.read(name), await merged.read(name)]
      out.set(
        name,
        Float64Array.from(a, (value, i) => value + share * (b[i] - value)),
      )
    }
    return out
  }
  const [start, end] = [await weights(0), await weights(t)]
  const V = anchor.config.vocabSize
  let [sum, tokens] = [0, 0]
  for (const { ids } of SEQUENCES) {
    const [p, q] = [start, end].map((own) => referenceForward(anchor.config, own, ids).logits)
    for (let i = 0; i < ids.length; i++) {
      sum += divergence(p.subarray(i * V, (i + 1) * V), q.subarray(i * V, (i + 1) * V))
      tokens++
    }
  }
  return sum / tokens
}

test('divergence is the textbook sum', () => {
  const [p, q] = [
    [1, 2, -1],
    [0.5, 2.5, 0],
  ]
  const soft = (x: number[]) => {
    const total = x.reduce((s, v) => s + Math.exp(v), 0)
    return x.map((v) => Math.exp(v) / total)
  }
  const [a, b] = [soft(p), soft(q)]
  expect(divergence(p, q)).toBeCloseTo(
    a.reduce((sum, value, i) => sum + value * Math.log(value / b[i]), 0),
    12,
  )
  expect(divergence(p, p)).toBe(0)
  // A shift of all logits says nothing, and large ones do not overflow.
  expect(
    divergence(
      p.map((v) => v + 900),
      q,
    ),
  ).toBeCloseTo(divergence(p, q), 9)
})

describe('chartValidity', () => {
  test('is the divergence of the reference at every step', async () => {
    const { anchor, experts } = await tinyMerge(gpu, { experts: 1, config: CONFIG })
    const { points, tokens } = await chartValidity(anchor, experts[0], SEQUENCES, { steps: [0.25, 1] })
    expect(tokens).toBe(10)
    for (const { t, divergence: found, curvature } of points) {
      expect(found / (await referenceDivergence(anchor, experts[0], t))).toBeCloseTo(1, 3)
      expect(curvature).toBe(found / t ** 2)
    }
  })

  test('close to the anchor the curve is flat and the Fisher foretells it; far from it, it is not flat', async () => {
    const { anchor, fisher } = await tinyMerge(gpu, { experts: 0, config: CONFIG })
    const near = expertOf(gpu, TINY_CONFIGS[CONFIG], 'f32', 51, 0.01)
    const far = expertOf(gpu, TINY_CONFIGS[CONFIG], 'f32', 51, 0.6)
    const close = await chartValidity(anchor, near, SEQUENCES, { fisher })
    const curve = close.points.map(({ curvature }) => curvature / close.points[0].curvature)
    for (const value of curve) expect(Math.abs(value - 1)).toBeLessThan(0.1)
    // A diagonal from other text and a random direction: right to a factor of two, not to digits.
    expect(close.fisherRatio).toBeGreaterThan(0.5)
    expect(close.fisherRatio).toBeLessThan(2)
    const wide = await chartValidity(anchor, far, SEQUENCES)
    expect(wide.points.at(-1)!.curvature / wide.points[0].curvature).toBeLessThan(0.8)
    expect(wide.fisherRatio).toBeUndefined()
  })

  test('a merge that is the anchor has no divergence and no ratio', async () => {
    const { anchor, fisher } = await tinyMerge(gpu, { experts: 0, config: CONFIG })
    const { points, fisherRatio } = await chartValidity(anchor, anchor, SEQUENCES, { fisher })
    for (const point of points) expect(point.divergence).toBe(0)
    expect(fisherRatio).toBeUndefined()
  })

  test('no text, no steps, a raised signal', async () => {
    const model = await randomModel(1)
    await expect(chartValidity(model, model, [])).rejects.toMatchObject({ code: 'request-invalid' })
    await expect(chartValidity(model, model, SEQUENCES, { steps: [0] })).rejects.toThrow(/positive/)
    const signal = AbortSignal.abort()
    await expect(chartValidity(model, model, SEQUENCES, { signal })).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})

test('generic text is harmless estimating probes with their answers', async () => {
  const codec = await tinyCodec()
  const items = manyProbes(6, 2).map((one) => ({ ...one, split: 'estimate' as const }))
  const sequences = genericSequences(codec, probeFile(items), 8, 1)
  expect(sequences.length).toBe(4)
  const texts = items.filter(({ set }) => set === 'harmless').map(({ prompt }) => codec.encodePrompt(prompt))
  for (const { ids, firstTarget } of sequences)
    expect(texts).toContainEqual(Array.from(ids).slice(0, firstTarget))
  expect(() => genericSequences(codec, probeFile(manyProbes(6, 2)), 8, 1)).toThrow(/no harmless/)
})
