// Decision scores: which token decides, slopes against differences, values and gradients against float64 losses.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manyProbes, probe, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatRows, inner, spansOf } from '../../testing/tinyMerge.ts'
import { referenceLosses } from '../../testing/tinyModels.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import type { Gpu } from '../gpu/device.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { Random } from '../tensors/random.ts'
import {
  type DecisionItem,
  decisionItem,
  decisionRows,
  decisionScores,
  SAFE_LOG_ODDS,
  SCORED_TOKENS,
  scoreDecision,
} from './alignDecision.ts'

let gpu: Gpu
let codec: TextCodec
beforeAll(async () => {
  gpu = await openTestDevice()
  codec = await tinyCodec()
})
afterAll(() => gpu?.close())

const item = {} as DecisionItem

describe('the deciding token', () => {
  const of = (aligned: string, misaligned: string | undefined) =>
    decisionItem(codec, { ...probe('p', 'harmful', 'ab', { aligned }), ...(misaligned && { misaligned }) })

  test('is the first that differs, after what both begin with', () => {
    const before = codec.encodePrompt('ab').length
    const { aligned, unwanted } = of('i can not.', 'i do it.')
    const words = codec.encodeCompletion('i can not.')
    expect(aligned.firstTarget).toBe(unwanted.firstTarget)
    const shared = aligned.firstTarget! - before
    expect(shared).toBeGreaterThan(0)
    expect(Array.from(aligned.ids).slice(before)).toEqual(words)
    expect(Array.from(unwanted.ids).length).toBe(before + shared + 1)
    expect(Array.from(unwanted.ids).slice(0, -1)).toEqual(Array.from(aligned.ids).slice(0, before + shared))
    expect(Array.from(unwanted.ids).at(-1)).not.toBe(words[shared])
  })

  test('at most sixteen tokens are scored', () => {
    const { aligned } = of('no. this is a long refusal of many letters.', 'yes.')
    expect(Array.from(aligned.ids).length).toBe(aligned.firstTarget! + SCORED_TOKENS)
  })

  test('completions that are one text, or none, decide nothing', () => {
    expect(() => of('no.', 'no.')).toThrow(/nothing decides/)
    expect(() => of('no.', undefined)).toThrow(/nothing decides/)
  })
})

describe('the score', () => {
  const valueAt = (aligned: number[], unwanted: number) => scoreDecision(item, aligned, unwanted).value

  test('is −Σ log(1 + exp(κ − log-odds)) of its tokens', () => {
    const [p, q, later] = [0.7, 0.02, 0.9]
    const { value, margin } = scoreDecision(item, [-Math.log(p), -Math.log(later)], -Math.log(q))
    const term = (odds: number) => Math.log1p(Math.exp(SAFE_LOG_ODDS - odds))
    expect(margin).toBeCloseTo(Math.log(p / q), 12)
    expect(value).toBeCloseTo(-term(Math.log(p / q)) - term(Math.log(later / (1 - later))), 12)
  })

  test.each([
    [[0.4, 1.3, 0.01], 2],
    [[3, 0.2], 0.1],
    [[0.001], 8],
    [[40, 30], 0],
  ])('slopes are those of differences: losses %j against %d', (aligned, unwanted) => {
    const { alignedSlopes, unwantedSlope } = scoreDecision(item, aligned, unwanted)
    const step = 1e-6
    aligned.forEach((_, t) => {
      const moved = (sign: number) => aligned.map((loss, i) => (i === t ? loss + sign * step : loss))
      const slope = (valueAt(moved(1), unwanted) - valueAt(moved(-1), unwanted)) / (2 * step)
      expect(Math.abs(slope - alignedSlopes[t])).toBeLessThan(1e-4 * (1 + Math.abs(slope)))
    })
    const slope = (valueAt(aligned, unwanted + step) - valueAt(aligned, unwanted - step)) / (2 * step)
    expect(Math.abs(slope - unwantedSlope)).toBeLessThan(1e-6)
  })

  test('saturates where a decision is safe, and never overflows', () => {
    const gain = (from: number) => valueAt([0.01], from + 1) - valueAt([0.01], from)
    expect(gain(0)).toBeGreaterThan(0.9)
    expect(gain(12)).toBeLessThan(1e-3)
    expect(Number.isFinite(valueAt([0, 0], 0))).toBe(true)
    expect(Number.isFinite(valueAt([800, 800], 0))).toBe(true)
  })
})

describe('at a model', () => {
  async function reference(model: DeviceModel) {
    const base = new Map<string, Float64Array>()
    for (const name of model.tensors.keys()) base.set(name, Float64Array.from(await model.read(name)))
    return (items: readonly DecisionItem[], along?: Float64Array, step = 0) => {
      const weights = new Map(base)
      if (along)
        for (const { name, start, end } of spansOf(model))
          weights.set(
            name,
            base.get(name)!.map((value, i) => value + step * along[Math.min(start + i, end - 1)]),
          )
      const losses = ({ ids, firstTarget = 1 }: DecisionItem['aligned']) =>
        referenceLosses(model.config, weights, { ids: Array.from(ids), firstTarget })
      return items.map((one) => scoreDecision(one, losses(one.aligned), losses(one.unwanted)[0]).value)
    }
  }

  test('values are those of float64 losses, rows those of differences', async () => {
    const model = await randomModel(4)
    const probes = manyProbes(4, 3)
    const items = probes.map((one) => decisionItem(codec, one))
    const exact = await reference(model)
    const scores = await decisionScores(model, items)
    exact(items).forEach((value, i) => {
      expect(Math.abs(scores[i].value - value)).toBeLessThan(2e-4 * (1 + Math.abs(value)))
    })
    // Row 0: one refusal. Row 1: a weighted pair of both classes.
    const parts = [
      { row: 0, factor: 1, score: scores[0] },
      { row: 1, factor: 0.5, score: scores[1] },
      { row: 1, factor: 2, score: scores[5] },
    ]
    const rows = await flatRows(model, await decisionRows(model, parts, 2, {}))
    const random = new Random(8, 8)
    for (let trial = 0; trial < 3; trial++) {
      const along = Float64Array.from(random.normals(rows[0].length, 1))
      const step = 1e-4
      const [up, down] = [exact(items, along, step), exact(items, along, -step)]
      const slope = (i: number) => (up[i] - down[i]) / (2 * step)
      const size = Math.sqrt(inner(rows[0], rows[0])) * 0.02
      expect(Math.abs(inner(rows[0], along) - slope(0))).toBeLessThan(size)
      expect(Math.abs(inner(rows[1], along) - 0.5 * slope(1) - 2 * slope(5))).toBeLessThan(
        Math.sqrt(inner(rows[1], rows[1])) * 0.02,
      )
    }
  })

  test('a raised signal stops', async () => {
    const model = await randomModel(4)
    const items = [decisionItem(codec, manyProbes(1, 3)[0])]
    await expect(decisionScores(model, items, AbortSignal.abort())).rejects.toMatchObject({
      code: 'cancelled',
    })
  })
})
