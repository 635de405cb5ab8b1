// Closed forms, the least-squares property, identities, systems without a unique answer, and what is refused.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { mergeSmall, referenceSmall, roundNormals, type SmallMerge } from '../../../../testing/smallMerge.ts'
import { relativeError } from '../../../../testing/tinyModels.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { reference } from './reference.ts'
import { solveSymmetric } from './solve.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

async function merged(merge: SmallMerge, tensor = 'a'): Promise<number[]> {
  const ours = (await mergeSmall(gpu, merge)).get(tensor)!
  expect(relativeError(ours, referenceSmall(reference, merge).get(tensor)!)).toBeLessThan(1e-6)
  return [...ours]
}
const close = (ours: number[], expected: number[], bound = 1e-6) =>
  expect(relativeError(ours, expected), `${ours}`).toBeLessThan(bound)

/** Xᵀ X of `tokens` seeded inputs (n), rounded to float32. */
function gramOf(n: number, tokens: number, seed: number): number[] {
  const x = roundNormals(n * tokens, seed)
  return Array.from({ length: n * n }, (_, at) => {
    let sum = 0
    for (let t = 0; t < tokens; t++) sum += x[t * n + Math.floor(at / n)] * x[t * n + (at % n)]
    return Math.fround(sum)
  })
}

const TWO: SmallMerge = {
  method: 'regmean',
  shapes: { a: [1, 2] },
  models: [
    { a: [1, 2], b: [4] },
    { a: [3, -2], b: [8] },
  ],
  modelParameters: [{ weight: 1 }, { weight: 3 }],
  parameters: { off_diagonal: 1 },
  material: { 'gram.0.a': [2, 0, 0, 6], 'gram.1.a': [2, 0, 0, 1] },
}

describe('closed forms', () => {
  test('diagonal Gram matrices give a mean by input size; other tensors the weighted mean', async () => {
    close(await merged(TWO), [(2 * 1 + 6 * 3) / 8, (6 * 2 + 3 * -2) / 9])
    close(await merged(TWO, 'b'), [7])
  })

  test('full Gram matrices: the solution by Cramer’s rule, off-diagonals scaled', async () => {
    const full: SmallMerge = {
      ...TWO,
      modelParameters: [{ weight: 1 }, { weight: 1 }],
      parameters: { off_diagonal: 0.5 },
      material: { 'gram.0.a': [2, 1, 1, 2], 'gram.1.a': [1, -1, -1, 4] },
    }
    // G̃_0 = [2 .5; .5 2], G̃_1 = [1 -.5; -.5 4], their sum diagonal: [3 0; 0 6]
    close(await merged(full), [(2 + 1 + 3 + 1) / 3, (0.5 + 4 - 1.5 - 8) / 6])
    const correlated = { ...full, material: { ...full.material, 'gram.1.a': [1, 3, 3, 4] } }
    // S = [3 2; 2 6], R = [1 2] G̃_0 + [3 -2][1 1.5; 1.5 4] = [3 4.5] + [0 -3.5]
    close(await merged(correlated), [(3 * 6 - 1 * 2) / 14, (3 * 1 - 2 * 3) / 14])
  })

  test('a tensor for which one expert has no Gram matrix takes the mean', async () => {
    const { 'gram.1.a': _, ...rest } = TWO.material!
    close(await merged({ ...TWO, material: rest }), [2.5, -1])
  })
})

test('no random neighbour is nearer to the experts’ outputs on their own inputs', async () => {
  const [rows, n] = [5, 7]
  const grams = [gramOf(n, 20, 1), gramOf(n, 30, 2), gramOf(n, 9, 3)]
  const models = [11, 12, 13].map((seed) => roundNormals(rows * n, seed))
  const weights = [1, 0.5, 2]
  const best = await merged({
    method: 'regmean',
    shapes: { a: [rows, n] },
    models: models.map((a) => ({ a })),
    modelParameters: weights.map((weight) => ({ weight })),
    parameters: { off_diagonal: 1 },
    material: Object.fromEntries(grams.map((gram, k) => [`gram.${k}.a`, gram])),
  })
  const distance = (W: number[]) => {
    let sum = 0
    for (const [k, G] of grams.entries())
      for (let r = 0; r < rows; r++)
        for (let i = 0; i < n; i++)
          for (let j = 0; j < n; j++)
            sum +=
              weights[k] *
              (W[r * n + i] - models[k][r * n + i]) *
              G[i * n + j] *
              (W[r * n + j] - models[k][r * n + j])
    return sum
  }
  const least = distance(best)
  for (let trial = 0; trial < 200; trial++) {
    const step = roundNormals(rows * n, 100 + trial, 0.05)
    expect(distance(best.map((value, i) => value + step[i]))).toBeGreaterThan(least)
  }
  const plain = models[0].map((_, i) => models.reduce((sum, W, k) => sum + (weights[k] * W[i]) / 3.5, 0))
  expect(distance(plain)).toBeGreaterThan(1.2 * least)
})

test('equal experts, one alone, and equal Gram matrices: the expert, and the mean', async () => {
  const [rows, n] = [6, 9]
  const [x, y] = [roundNormals(rows * n, 1), roundNormals(rows * n, 2)]
  const [g, h] = [gramOf(n, 4, 3), gramOf(n, 40, 4)]
  const merge = (models: number[][], grams: number[][]): SmallMerge => ({
    method: 'regmean',
    shapes: { a: [rows, n] },
    models: models.map((a) => ({ a })),
    modelParameters: models.map((_, k) => ({ weight: k + 1 })),
    material: Object.fromEntries(grams.map((gram, k) => [`gram.${k}.a`, gram])),
  })
  close(await merged(merge([x, x], [g, h])), x)
  close(await merged(merge([x], [g])), x)
  close(
    await merged(merge([x, y], [h, h])),
    x.map((value, i) => (value + 2 * y[i]) / 3),
  )
})

describe('systems without a unique answer', () => {
  test('an input that nobody ever sees takes the mean, the others their solution', async () => {
    const dead: SmallMerge = {
      ...TWO,
      shapes: { a: [1, 3] },
      models: [{ a: [1, 5, 2] }, { a: [3, 9, -2] }],
      parameters: {},
      material: { 'gram.0.a': [2, 0, 0, 0, 0, 0, 0, 0, 6], 'gram.1.a': [2, 0, 0, 0, 0, 0, 0, 0, 1] },
    }
    close(await merged(dead), [(2 * 1 + 6 * 3) / 8, 8, (6 * 2 + 3 * -2) / 9])
  })

  test('no inputs at all: the mean', async () => {
    const nothing = { 'gram.0.a': [0, 0, 0, 0], 'gram.1.a': [0, 0, 0, 0] }
    close(await merged({ ...TWO, material: nothing }), [2.5, -1])
  })

  test('fewer tokens than inputs, unscaled: the ridge decides, as in the reference', async () => {
    const [rows, n] = [3, 12]
    const merge: SmallMerge = {
      method: 'regmean',
      shapes: { a: [rows, n] },
      models: [{ a: roundNormals(rows * n, 7) }, { a: roundNormals(rows * n, 8) }],
      modelParameters: [{ weight: 1 }, { weight: 1 }],
      parameters: { off_diagonal: 1 },
      material: { 'gram.0.a': gramOf(n, 3, 5), 'gram.1.a': gramOf(n, 4, 6) },
    }
    const singular = await mergeSmall(gpu, merge)
    const expected = referenceSmall(reference, merge).get('a')!
    // Conditioned like 1/ridge: float64 leaves half of its digits.
    expect(relativeError(singular.get('a')!, expected)).toBeLessThan(1e-5)
    await merged({ ...merge, parameters: { off_diagonal: 0.6 } })
  })

  test('the pseudo-inverse where the matrix is singular or indefinite: the limit of a vanishing ridge', () => {
    // S has rank 1 along (1, 1); R = W S with W = [2 4] and a mean of [1 −1] in the other direction.
    const limit = solveSymmetric(
      Float64Array.of(1, 1, 1, 1),
      2,
      Float64Array.of(6, 6),
      1,
      Float64Array.of(1, -1),
    )
    close([...limit], [3 + 1, 3 - 1])
    const indefinite = Float64Array.of(1, 2, 2, 1)
    close([...solveSymmetric(indefinite, 2, Float64Array.of(5, 4), 1, new Float64Array(2))], [1, 2])
    close(
      [...solveSymmetric(new Float64Array(4), 2, new Float64Array(2), 1, Float64Array.of(7, -7))],
      [7, -7],
    )
  })
})

describe('refusals', () => {
  test.each([Number.NaN, Number.POSITIVE_INFINITY])('a Gram matrix with %d', async (value) => {
    const material = { ...TWO.material, 'gram.1.a': [1, value, value, 1] }
    await expect(mergeSmall(gpu, { ...TWO, material })).rejects.toMatchObject({
      code: 'not-finite',
      message: expect.stringMatching(/expert 2 .*tensor a/),
    })
  })

  test('a Gram matrix of another size', async () => {
    const wide: SmallMerge = {
      ...TWO,
      shapes: { a: [1, 3] },
      models: [{ a: [1, 2, 3] }, { a: [4, 5, 6] }],
    }
    await expect(mergeSmall(gpu, wide)).rejects.toMatchObject({
      code: 'shape-mismatch',
      message: expect.stringMatching(/16 bytes, expected 3×3/),
    })
  })

  test('weights that add up to nothing', async () => {
    const none = { ...TWO, modelParameters: [{ weight: 1 }, { weight: -1 }] }
    await expect(mergeSmall(gpu, none)).rejects.toMatchObject({ code: 'request-invalid' })
  })
})
