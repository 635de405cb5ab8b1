// Closed forms of the elementwise merges on a few numbers, their identities (methods.md §6.7), and bad input.

import { beforeAll, describe, expect, it, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { mergeSmall, roundNormals, type SmallMerge } from '../../testing/smallMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import type { ParameterValues } from './method.ts'
import { saltOf } from './taskVectorsKeep.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

/** Merge of one vector `w`; the first of `models` is the base unless the method has none. */
async function merge(
  method: string,
  models: readonly (readonly number[])[],
  parameters: ParameterValues = {},
  more: Partial<SmallMerge> = {},
): Promise<number[]> {
  const [base, ...experts] = models.map((w) => ({ w }))
  const merged = await mergeSmall(gpu, { method, base, models: experts, parameters, ...more })
  return [...merged.get('w')!]
}
const close = (found: readonly number[], expected: readonly number[]) => {
  expect(found.length).toBe(expected.length)
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(expected[i], 6)
  })
}

const zeros = [0, 0, 0, 0, 0, 0]

describe('on a few numbers', () => {
  it('task arithmetic adds weighted changes and scales them', async () => {
    const models = [
      [1, 1, 1],
      [2, 1, 0],
      [1, 3, 1],
    ]
    const weights = { modelParameters: [{ weight: 0.5 }, { weight: 0.25 }] }
    close(await merge('task_arithmetic', models, { lambda: 2 }, weights), [2, 2, 0])
    close(await merge('task_arithmetic', models, { normalize: true }, weights), [1 + 2 / 3, 1 + 2 / 3, 1 / 3])
  })
  it('TIES keeps the larger half, elects by weight, and divides by who agrees', async () => {
    const models = [zeros, [4, -3, 2, 1, 0.5, 0], [-5, 1, 2, 3, 0, 0.5]]
    const weights = { modelParameters: [{ weight: 1 }, { weight: 0.5 }] }
    // τ̂: 4 −3 2 | −5 · 2 3; votes 4, −2.5; −3; 2, 1; 1.5.
    close(await merge('ties', models, { density: 0.5 }, weights), [4, -3, 2, 3, 0, 0])
    close(await merge('ties', models, { density: 0.5, normalize: false }, weights), [4, -3, 3, 1.5, 0, 0])
    const rescaled = await merge('ties', models, { density: 0.5, normalize: false, rescale: true }, weights)
    const [r1, r2] = [10.5 / 9, 11.5 / 10]
    close(rescaled, [4 * r1, -3 * r1, 2 * r1 + r2, 1.5 * r2, 0, 0])
  })
  it('of equal magnitudes the lower index stays', async () => {
    close(await merge('ties', [zeros, [1, -1, 1, 1, -1, 1]], { density: 0.5 }), [1, -1, 1, 0, 0, 0])
    const crumbs = await merge('breadcrumbs', [zeros, [1, -1, 1, 1, -1, 1]], { density: 0.5, gamma: 0.2 })
    close(crumbs, [0, -1, 1, 1, 0, 0])
  })
  it('a sum of zero counts as positive', async () => {
    close(
      await merge('ties', [
        [0, 0],
        [1, -2],
        [-1, 2],
      ]),
      [1, 2],
    )
  })
  it('TIES as in the paper trims the whole model, gives every model one vote, and settles draws by majority', async () => {
    const found = await mergeSmall(gpu, {
      method: 'ties',
      base: { b: [0, 0, 0, 0], a: [0, 0] },
      // Draws in b; one more negative than positive coordinate elsewhere.
      models: [
        { b: [8, -7, 1, 0.25], a: [-6, 0.5] },
        { b: [-8, -7, 1, 0.25], a: [-6, 0.5] },
      ],
      parameters: { variant: 'paper', density: 0.5, normalize: true },
      modelParameters: [{ weight: 0.1 }, { weight: 2 }],
    })
    close([...found.get('b')!], [-8, -7, 0, 0])
    close([...found.get('a')!], [-6, 0])
  })
  it('TIES as in the paper keeps ties in the order of names', async () => {
    const ones = { 'layers.2.w': [1, 1, 1], 'layers.10.w': [1, 1, 1], b: [1, 1, 1] }
    const nothing = { 'layers.2.w': [0, 0, 0], 'layers.10.w': [0, 0, 0], b: [0, 0, 0] }
    const found = await mergeSmall(gpu, {
      method: 'ties',
      base: nothing,
      models: [ones],
      parameters: { variant: 'paper', density: 0.6 },
    })
    close([...found.get('b')!], [1, 1, 1])
    close([...found.get('layers.10.w')!], [1, 1, 0])
    close([...found.get('layers.2.w')!], [0, 0, 0])
  })
  it('breadcrumbs drops outliers and the smallest', async () => {
    const models = [zeros, [6, -5, 4, 3, -2, 1]]
    close(await merge('breadcrumbs', models, { density: 0.5, gamma: 0.17 }), [0, -5, 4, 3, 0, 0])
    // Nothing to drop at the top: the largest stay.
    close(await merge('breadcrumbs', models, { density: 0.5, gamma: 0.1 }), [6, -5, 4, 0, 0, 0])
    // More outliers than may go: only what density leaves.
    close(await merge('breadcrumbs', models, { density: 0.67, gamma: 0.9 }), [0, 0, 4, 3, -2, 1])
  })
  it('DARE and DELLA as in the paper divide by the chance to stay', async () => {
    const change = Array.from({ length: 400 }, () => 1)
    const base = change.map(() => 0)
    const dare = await merge('dare_linear', [base, change], { variant: 'paper', density: 0.25 }, { seed: 3 })
    expect(new Set(dare)).toEqual(new Set([0, 4]))
    const share = dare.filter((value) => value > 0).length / 400
    expect(Math.abs(share - 0.25)).toBeLessThan(3 * Math.sqrt((0.25 * 0.75) / 400))
    const parameters = { variant: 'paper', density: 0.5, epsilon: 0.25 }
    // One row of two: the smaller stays with chance 1/4, the larger with 3/4.
    const pairs = Array.from({ length: 400 }, (_, i) => 1 + (i % 2))
    const della = await merge('della_linear', [base, pairs], parameters, { seed: 3, shapes: { w: [200, 2] } })
    const kept = [0, 1].map((odd) => della.filter((value, i) => i % 2 === odd && value > 0))
    expect(new Set(kept[0])).toEqual(new Set([4]))
    kept[1].forEach((value) => {
      expect(value).toBeCloseTo(8 / 3, 5)
    })
    expect(Math.abs(kept[0].length / 200 - 0.25)).toBeLessThan(0.1)
    expect(Math.abs(kept[1].length / 200 - 0.75)).toBeLessThan(0.1)
  })
  it('a seed repeats, another differs, and every model has draws of its own', async () => {
    const change = roundNormals(200, 4)
    const base = change.map(() => 0)
    const run = (seed: number) => merge('dare_linear', [base, change, change], { density: 0.5 }, { seed })
    const first = await run(5)
    expect(await run(5)).toEqual(first)
    expect(await run(6)).not.toEqual(first)
    expect(new Set([0, 1, 2].map((k) => saltOf(2 ** 32 - 1, k))).size).toBe(3)
    // Where only one of two equal models stays, the change is half of where both do.
    const sizes = new Set(first.map((value, i) => Math.round((1e3 * value) / (change[i] || 1))))
    expect(sizes.size).toBeGreaterThan(3)
  })
  it('SCE keeps where models differ most and shares by energy', async () => {
    const models = [
      [0, 0, 0, 0],
      [3, 1, 1, 0],
      [1, 1, -1, 0],
    ]
    // Half of two varying places: the first of the equal variances; energies 9 and 1.
    close(await merge('sce', models, { select_topk: 0.5 }), [2.8, 0, 0, 0])
    close(await merge('sce', models), [(11 / 14) * 3 + 3 / 14, 1, 1, 0])
  })
  it('RAM keeps what one model changed and averages what several did; RAM+ reinforces the former', async () => {
    const models = [
      [0, 0, 0, 0],
      [1, 1, 0.05, 0],
      [0, 3, 0, 2],
    ]
    close(await merge('ram', models, { epsilon: 0.1 }), [1, 2, 0, 2])
    close(await merge('ramplus_tl', models, { epsilon: 0.1, r: 0.5, alpha: 0.6 }), [1.3, 2, 0, 2.6])
    // No unshared change to scale.
    close(await merge('ramplus_tl', [[0], [1], [3]], { epsilon: 0.1 }), [2])
  })
  it('NearSwap swaps what is near and moves the rest by t', async () => {
    close(
      await merge(
        'nearswap',
        [
          [1, 1, 1, 1],
          [1.1, 3, -1, 1],
        ],
        { t: 0.5 },
      ),
      [1.1, 1.5, 0.5, 1],
    )
  })
  it('layer by layer goes from the first model to the others', async () => {
    const names = [
      'model.embed_tokens.weight',
      ...[0, 1, 2].map((l) => `model.layers.${l}.w`),
      'lm_head.weight',
    ]
    const model = (value: number) => Object.fromEntries(names.map((name) => [name, [value]]))
    const found = await mergeSmall(gpu, {
      method: 'layerwise',
      models: [model(0), model(1), model(4)],
      parameters: { start: 0.1, end: 0.5 },
      modelParameters: [{ weight: 7 }, { weight: 2 }, { weight: 1 }],
    })
    close(
      [...found.values()].flatMap((value) => [...value]),
      [0.2, 0.2, 0.6, 1, 1],
    )
  })
  it('passthrough scales', async () => {
    const found = await mergeSmall(gpu, {
      method: 'passthrough',
      models: [{ w: [1, -2] }],
      parameters: { scale: 0.5 },
    })
    close([...found.get('w')!], [0.5, -1])
  })
  it('Arcee fusion takes what moved most in rows that moved', async () => {
    const base = Array.from({ length: 16 }, (_, i) => (i % 4) / 4)
    // All move a little, unevenly; the second row moves far at one place, which makes all of the row matter.
    const model = base.map((value, i) => value + (i === 5 ? 1 : (((i * 7) % 4) - 1.5) / 64))
    for (const variant of ['mergekit', 'exact']) {
      const found = await merge('arcee_fusion', [base, model], { variant }, { shapes: { w: [4, 4] } })
      expect(found.map((value, i) => value !== Math.fround(base[i]))).toEqual(
        base.map((_, i) => i >= 4 && i < 8),
      )
    }
  })
})

const BASE = roundNormals(130, 1)
const [X, Y, Z] = [2, 3, 4].map((seed) => roundNormals(130, seed))
const CONSENSUS = ['ties', 'dare_ties', 'della', 'breadcrumbs_ties']
const SPARSE = [...CONSENSUS, 'dare_linear', 'della_linear', 'breadcrumbs']
const DELTA_METHODS = [...SPARSE, 'task_arithmetic', 'sce', 'ram', 'ramplus_tl']

describe('identities', () => {
  test.each(DELTA_METHODS)('%s: one model with everything kept is that model', async (method) => {
    const parameters = SPARSE.includes(method) ? { density: 1 } : {}
    close(await merge(method, [BASE, X], parameters), X)
  })
  test.each([...DELTA_METHODS, 'nearswap', 'arcee_fusion'])(
    '%s: no change, no difference, bit for bit',
    async (method) => {
      const experts = ['nearswap', 'arcee_fusion'].includes(method) ? [BASE] : [BASE, BASE]
      expect(await merge(method, [BASE, ...experts])).toEqual(BASE)
    },
  )
  test.each(['ties', 'della', 'sce', 'ram'])('%s: equal models merge to themselves', async (method) => {
    const parameters = ['ties', 'della'].includes(method) ? { density: 1 } : {}
    close(await merge(method, [BASE, X, X, X], parameters), X)
  })
  it('DARE that drops nothing is task arithmetic, breadcrumbs that drop nothing too', async () => {
    const weights = { modelParameters: [{ weight: 0.5 }, { weight: -0.2 }, { weight: 0.7 }] }
    const expected = await merge('task_arithmetic', [BASE, X, Y, Z], {}, weights)
    for (const method of ['dare_linear', 'breadcrumbs', 'della_linear'])
      expect(await merge(method, [BASE, X, Y, Z], { density: 1 }, weights)).toEqual(expected)
  })
  it('weights of zero are the base', async () => {
    for (const method of ['task_arithmetic', 'ties', 'dare_ties'])
      expect(await merge(method, [BASE, X, Y], { weight: 0 })).toEqual(BASE)
  })
  it('layer by layer at its ends is the first model and the mean of the others', async () => {
    const models = [{ w: X }, { w: Y }, { w: Z }]
    const at = async (share: number) => [
      ...(
        await mergeSmall(gpu, { method: 'layerwise', models, parameters: { start: share, end: share } })
      ).get('w')!,
    ]
    expect(await at(0)).toEqual(X)
    close(
      await at(1),
      Y.map((value, i) => (value + Z[i]) / 2),
    )
  })
  it('NearSwap of a large t and Arcee fusion of a change of one weight are the model', async () => {
    expect(await merge('nearswap', [BASE, X], { t: 10 })).toEqual(X)
    const moved = BASE.map((value, i) => (i === 3 ? value + 1 : value))
    expect(await merge('arcee_fusion', [BASE, moved])).toEqual(moved)
  })
})

describe('bad input', () => {
  test.each(SPARSE)('%s: a density that empties a tensor leaves the base', async (method) => {
    if (method.startsWith('della'))
      return expect(merge(method, [BASE, X], { density: 0 })).rejects.toThrow(/epsilon/)
    expect(await merge(method, [BASE, X, Y], { density: 0 })).toEqual(BASE)
    if (!method.startsWith('dare'))
      expect(
        await merge(
          method,
          [
            [1, 2, 3],
            [2, 3, 4],
          ],
          { density: 0.3 },
        ),
      ).toEqual([1, 2, 3])
    return undefined
  })
  it('DELLA names probabilities outside 0 … 1', async () => {
    for (const density of [0.1, 0.9])
      await expect(merge('della', [BASE, X], { density })).rejects.toMatchObject({
        code: 'request-invalid',
        message: expect.stringMatching(/expected all between 0 and 1.*tensor w/),
      })
  })
  it('layer by layer names weights without a mean', async () => {
    const models = [{ w: X }, { w: Y }, { w: Z }]
    const modelParameters = [{ weight: 1 }, { weight: 1 }, { weight: -1 }]
    await expect(mergeSmall(gpu, { method: 'layerwise', models, modelParameters })).rejects.toMatchObject({
      code: 'request-invalid',
      message: expect.stringMatching(/add up to 0/),
    })
  })
  it('weights that cancel are not divided by', async () => {
    const cancel = { modelParameters: [{ weight: 1 }, { weight: -1 }] }
    const plain = await merge('task_arithmetic', [BASE, X, Y], {}, cancel)
    expect(await merge('task_arithmetic', [BASE, X, Y], { normalize: true }, cancel)).toEqual(plain)
  })
  test.each([...DELTA_METHODS, 'nearswap', 'arcee_fusion', 'passthrough', 'layerwise'])(
    '%s: NaN is refused or seen',
    async (method) => {
      const sick = X.map((value, i) => (i === 17 ? Number.NaN : value))
      const withoutBase = ['passthrough', 'layerwise'].includes(method)
      const alone = ['nearswap', 'arcee_fusion', 'passthrough'].includes(method)
      const models = alone ? [{ w: sick }] : [{ w: sick }, { w: Y }]
      const merged = mergeSmall(gpu, { method, models, ...(!withoutBase && { base: { w: BASE } }), seed: 1 })
      const found = await merged.catch((error) => error)
      if (found instanceof Map) expect(found.get('w')![17]).toBeNaN()
      else expect(found).toMatchObject({ code: 'not-finite' })
    },
  )
  it('wrong numbers of models are refused', async () => {
    for (const method of ['nearswap', 'arcee_fusion'])
      await expect(merge(method, [BASE, X, Y])).rejects.toThrow(/exactly 1/)
    await expect(mergeSmall(gpu, { method: 'layerwise', models: [{ w: X }] })).rejects.toThrow(/2 to 8/)
    await expect(merge('ties', [BASE, ...Array(9).fill(X)])).rejects.toThrow(/1 to 8/)
  })
  it('a base that is missing is named', async () => {
    await expect(mergeSmall(gpu, { method: 'ties', models: [{ w: X }] })).rejects.toThrow(/base/)
  })
})
