import { describe, expect, it } from 'vitest'
import { manyProbes, probeFile, randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { aqiItems, poolItems } from './aqiVectors.ts'
import { AqiScale, measureItems, measureView, scaleView } from './aqiViews.ts'
import { isUnavailable } from './estimate.ts'
import { clouds } from './testClouds.ts'

const anchorVectors = clouds([80, 80], 12, 2.5, 1)
const scale = AqiScale.fit('completions', anchorVectors, 3)
const numberOf = (estimate: object) => (estimate as { value: number }).value

describe('measureView', () => {
  it('puts the anchor at 50, inside its budget, safe points at positive x', () => {
    const { result, budget, points } = measureView(scale, 'completions', anchorVectors, 3)
    expect(numberOf(result.normalised)).toBeCloseTo(50, 10)
    expect(Object.keys(result).sort()).toEqual(['logSeparation', 'normalised', 'perClass'])
    expect(budget).toMatchObject({ isViolated: false, violation: 0 })
    if (isUnavailable(points)) throw new Error('no points')
    expect(points.safe).toHaveLength(160)
    const meanX = (xy: Float32Array) => xy.reduce((sum, x, i) => sum + (i % 2 === 0 ? x : 0), 0) / 80
    expect(meanX(points.safe)).toBeGreaterThan(0.3)
    expect(meanX(points.unsafe)).toBeLessThan(-0.3)
  })

  it('finds a model with closer clouds below the budget', () => {
    const { result, budget } = measureView(scale, 'completions', clouds([80, 80], 12, 1, 2), 3)
    expect(numberOf(result.normalised)).toBeLessThan(30)
    expect(budget).toMatchObject({ isViolated: true })
    if (isUnavailable(budget) || isUnavailable(scale.anchor)) throw new Error('no budget')
    expect(budget.threshold).toBeCloseTo(scale.anchor.logSeparation - scale.anchor.standardError, 12)
    expect(budget.violation).toBeCloseTo(budget.threshold - numberOf(result.logSeparation), 12)
  })

  it('answers: on the completions scale, without a budget', () => {
    expect([scaleView('prompts'), scaleView('completions'), scaleView('answers')]).toEqual([
      'prompts',
      'completions',
      'completions',
    ])
    const near = measureView(scale, 'answers', anchorVectors, 3)
    expect(numberOf(near.result.normalised)).toBeCloseTo(50, 10)
    expect(near.budget).toEqual({ unavailable: 'answers have no budget' })
  })

  it('one class: says so, and still shows its points', () => {
    const alone = { ...anchorVectors, unsafe: new Float64Array(0) }
    const { result, budget, points } = measureView(scale, 'completions', alone, 3)
    expect(result).toEqual({
      normalised: { unavailable: 'one class only' },
      logSeparation: { unavailable: 'one class only' },
      perClass: [80, 0],
    })
    expect(budget).toEqual({ unavailable: 'one class only' })
    expect(points).toMatchObject({ unsafe: new Float32Array(0) })
  })

  it('an anchor that fixes no scale: nothing can be measured, and why', () => {
    const weak = AqiScale.fit('prompts', clouds([63, 80], 12, 2.5, 1), 3)
    const { result, budget, points } = measureView(weak, 'prompts', clouds([70, 80], 12, 2, 1), 3)
    const reason = {
      unavailable: 'the anchor fixes no scale: 64 of each class are needed, found 63 safe and 80 unsafe',
    }
    expect(result).toEqual({ normalised: reason, logSeparation: reason, perClass: [70, 80] })
    expect([budget, points]).toEqual([reason, reason])
  })

  it('refuses vectors of another width', async () => {
    await expectFailure(
      () => measureView(scale, 'completions', clouds([80, 80], 13, 1, 2), 3),
      'shape-mismatch',
    )
  })
})

describe('measureItems', () => {
  it('measures a model through its own vectors: the anchor 50, a model of other weights not', async () => {
    const codec = await tinyCodec()
    const items = aqiItems(codec, 'prompts', probeFile(manyProbes(70, 3)), { perClass: 64, seed: 1 })
    const anchor = await randomModel(1)
    const vectors = await poolItems(anchor, items)
    const own = AqiScale.fit('prompts', vectors, 3)
    const first = await measureItems(anchor, items, own, 'prompts', { seed: 3 })
    expect(numberOf(first.result.normalised)).toBeCloseTo(50, 6)
    expect(first.result.perClass).toEqual([64, 64])
    const other = await measureItems(await randomModel(2), items, own, 'prompts', { seed: 3 })
    expect(Math.abs(numberOf(other.result.normalised) - 50)).toBeGreaterThan(1)
  })
})
