// The search over made-up budgets: which stage accepts, how many evaluations it takes, and that it always ends.

import { describe, expect, test } from 'vitest'
import {
  LAMBDA_BISECTIONS,
  MAXIMUM_EVALUATIONS,
  RETREAT_BISECTIONS,
  type SearchPoint,
  searchAlignment,
} from './search.ts'

/** Accepts where `holds` says so; the result is the point itself. */
const run = (holds: (point: SearchPoint) => boolean) =>
  searchAlignment(async (point) => ({ result: point, isAccepted: holds(point) }))

describe('searchAlignment', () => {
  test('a budget that holds without a shield is accepted at λ 0 at once', async () => {
    const { stage, point, evaluations } = await run(() => true)
    expect([stage, point]).toEqual(['doubling', { lambdaAlign: 0, scale: 1 }])
    expect(evaluations.length).toBe(1)
  })

  test.each([0.3, 1, 5, 300, 1000])(
    'the least λ_align that holds is found to a sixteenth, at %d',
    async (at) => {
      const { stage, point, result, evaluations } = await run(({ lambdaAlign }) => lambdaAlign >= at)
      const upper = Math.max(1, 2 ** Math.ceil(Math.log2(at)))
      const lower = upper === 1 ? 0 : upper / 2
      expect(point.lambdaAlign).toBeGreaterThanOrEqual(at)
      expect(point.lambdaAlign - at).toBeLessThanOrEqual((upper - lower) / 2 ** LAMBDA_BISECTIONS)
      expect(stage).toBe(point.lambdaAlign === upper ? 'doubling' : 'bisection')
      expect(result).toEqual(point)
      expect(evaluations.filter((one) => one.stage === 'bisection').length).toBe(LAMBDA_BISECTIONS)
      expect(evaluations.map(({ lambdaAlign }) => lambdaAlign).slice(0, 2)).toEqual([0, 1])
    },
  )

  test('only the hard projection holds: whole of it is kept', async () => {
    const { stage, point } = await run(({ lambdaAlign }) => lambdaAlign === Number.POSITIVE_INFINITY)
    expect([stage, point.scale]).toEqual(['retreat', 1])
  })

  test.each([0.02, 0.3, 0.77])('retreat stops just below the largest share that holds, at %d', async (at) => {
    const { stage, point, evaluations } = await run(({ scale }) => scale <= at)
    expect(stage).toBe('retreat')
    expect(point.scale).toBeLessThanOrEqual(at)
    expect(at - point.scale).toBeLessThanOrEqual(2 ** -RETREAT_BISECTIONS)
    expect(evaluations.length).toBe(MAXIMUM_EVALUATIONS)
    expect(evaluations.at(-1)?.stage).toBe('retreat')
  })

  test('nothing holds: it ends at the anchor, which is not measured', async () => {
    const { stage, point, result, evaluations } = await run(() => false)
    expect([stage, point.scale, result]).toEqual(['anchor', 0, undefined])
    expect(evaluations.length).toBe(MAXIMUM_EVALUATIONS)
  })

  test('a budget that holds at odd places still ends, at a point that held', async () => {
    let seen = 0
    const { point, evaluations } = await searchAlignment(async (tried) => {
      seen++
      return { result: tried, isAccepted: seen % 3 === 0 }
    })
    const accepted = evaluations.filter(({ isAccepted }) => isAccepted)
    expect(accepted.at(-1)).toMatchObject(point)
    expect(evaluations.length).toBeLessThanOrEqual(MAXIMUM_EVALUATIONS)
  })

  test('what the evaluation rejects is rejected', async () => {
    await expect(
      searchAlignment(async () => {
        throw new Error('stopped')
      }),
    ).rejects.toThrow('stopped')
  })
})
