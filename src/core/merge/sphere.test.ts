import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { mergeSmall, referenceSmall, roundNormals, type SmallMerge } from '../../testing/smallMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../tensors/dtype.ts'
import { runMerge } from './execute.ts'
import type { MergeReference, TensorTask } from './method.ts'
import { reference as karcher } from './methods/karcher/reference.ts'
import { declaration } from './methods/linear/declaration.ts'
import { reference as modelStock } from './methods/model_stock/reference.ts'
import { reference as multislerp } from './methods/multislerp/reference.ts'
import { reference as nuslerp } from './methods/nuslerp/reference.ts'
import { reference as slerp } from './methods/slerp/reference.ts'
import { encodeLines, type Lines, lineGrams } from './sphere.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const rotated = (angle: number, size = 1) => [size * Math.cos(angle), size * Math.sin(angle)]
const far = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (x, i) => x - b[i])) / Math.hypot(...Array.from(b))

/** Device against the method's float64 reference. */
async function errorOf(reference: MergeReference, merge: SmallMerge): Promise<number> {
  const device = await mergeSmall(gpu, merge)
  const truth = referenceSmall(reference, merge)
  return Math.max(...[...truth].map(([name, values]) => far(device.get(name)!, values)))
}

describe('lines in slices', () => {
  const [height, width, K] = [300, 7, 3]
  const arrays = Array.from({ length: K + 1 }, (_, k) =>
    Float32Array.from(roundNormals(height * width, 5 + k)),
  )
  /** Runs `work` on one tensor; `out` afterwards. */
  async function onTensor(
    type: WeightType,
    work: (task: TensorTask) => Promise<void>,
  ): Promise<Float32Array> {
    const buffers = arrays.map((values) => gpu.upload(encodeWeights(values, type)))
    const out = gpu.createBuffer(height * width * 4)
    const tensor = { name: 'm', shape: [height, width], parameters: {}, modelParameters: [] }
    await runMerge(
      { declaration, merge: work },
      {
        gpu,
        tensors: [tensor],
        layerCount: 0,
        seed: 0,
        open: () => ({ base: buffers[0], models: buffers.slice(1), out, type }),
      },
    )
    return decodeWeights(
      new Uint8Array(await gpu.readBytes(out, height * width * (type === 'f32' ? 4 : 2))),
      type,
    )
  }
  const lineAt: Record<Lines, (i: number) => number> = {
    tensor: () => 0,
    rows: (i) => Math.floor(i / width),
    columns: (i) => i % width,
  }
  const counts: Record<Lines, number> = { tensor: 1, rows: height, columns: width }
  for (const lines of ['tensor', 'rows', 'columns'] as const)
    for (const minusBase of [false, true])
      for (const [type, sliceElements] of [
        ['f32', 2 ** 24],
        ['f32', 2688],
        ['f16', 1],
      ] as const)
        test(`${lines}, ${minusBase ? 'task vectors' : 'models'}, ${type}, ${sliceElements} elements`, async () => {
          const count = counts[lines]
          const shares = Float64Array.from(roundNormals(count * K, 40))
          const wide = arrays.map((values) => decodeWeights(encodeWeights(values, type), type))
          const vector = (k: number, i: number) => wide[k + 1][i] - (minusBase ? wide[0][i] : 0)
          const truth = new Float64Array(count * K * K)
          const merged = wide[0].map((base, i) => {
            const line = lineAt[lines](i)
            let sum = minusBase ? base : 0
            for (let k = 0; k < K; k++) {
              sum += shares[line * K + k] * vector(k, i)
              for (let l = 0; l < K; l++) truth[(line * K + k) * K + l] += vector(k, i) * vector(l, i)
            }
            return sum
          })
          const out = await onTensor(type, async (task) => {
            const vectors = { buffers: task.models, minusBase }
            const grams = await lineGrams(task, vectors, lines, sliceElements)
            expect(grams).toMatchObject({ count, size: K })
            expect(far(grams.values, truth)).toBeLessThan(3e-7)
            encodeLines(task, vectors, lines, shares, sliceElements)
          })
          expect(far(out, merged)).toBeLessThan(type === 'f32' ? 2e-7 : 5e-4)
        })
})

describe('angles', () => {
  const n = 1000
  const a = roundNormals(n, 1)
  const b = roundNormals(n, 2)
  /** A vector at this angle to a, 1.5 times as long. */
  const at = (angle: number) => a.map((x, i) => 1.5 * (Math.cos(angle) * x + Math.sin(angle) * b[i]))
  // Toward π the shares grow like 1 / sin Ω, and the cosine's rounding with them.
  for (const [angle, bound] of [
    [0, 3e-7],
    [1e-6, 3e-7],
    [1e-4, 3e-7],
    [1e-2, 3e-7],
    [0.04, 3e-7],
    [0.5, 3e-7],
    [1.6, 3e-7],
    [3, 1e-5],
  ])
    test(`${angle} rad: as in float64`, async () => {
      const models = [{ v: a }, { v: at(angle) }]
      const weights = [{ weight: 0.3 }, { weight: 0.9 }]
      expect(await errorOf(nuslerp, { method: 'nuslerp', models, modelParameters: weights })).toBeLessThan(
        bound,
      )
      expect(
        await errorOf(slerp, {
          method: 'slerp',
          base: models[0],
          models: [models[1]],
          parameters: { t: 0.3 },
        }),
      ).toBeLessThan(bound)
      expect(
        await errorOf(multislerp, { method: 'multislerp', models, modelParameters: weights }),
      ).toBeLessThan(10 * bound)
      if (angle < 3) expect(await errorOf(karcher, { method: 'karcher', models })).toBeLessThan(bound)
    })

  test('slerp of a right angle, in closed form, and its ends bit for bit', async () => {
    const [base, model] = [{ v: [2, 0] }, { v: [0, 3] }]
    const merge = async (t: number) =>
      (await mergeSmall(gpu, { method: 'slerp', base, models: [model], parameters: { t } })).get('v')!
    const third = await merge(1 / 3)
    expect(third[0]).toBeCloseTo(2 * Math.cos(Math.PI / 6), 6)
    expect(third[1]).toBeCloseTo(3 * Math.sin(Math.PI / 6), 6)
    expect([...(await merge(0))]).toEqual([2, 0])
    expect([...(await merge(1))]).toEqual([0, 3])
  })

  test('slerp takes the chord beyond |cos| = 0.9995, at both ends', async () => {
    const along = (angle: number) =>
      mergeSmall(gpu, {
        method: 'slerp',
        base: { v: [1, 0] },
        models: [{ v: rotated(angle) }],
        parameters: { t: 0.5 },
      }).then((merged) => Math.hypot(...merged.get('v')!))
    // acos(0.9995) = 0.03162; the chord's middle is shorter than 1, the arc's is not.
    expect(await along(0.031)).toBeCloseTo(Math.cos(0.031 / 2), 6)
    expect(await along(0.033)).toBeCloseTo(1, 6)
    expect(await along(Math.PI - 0.031)).toBeLessThan(0.02)
    expect(await along(Math.PI - 0.033)).toBeCloseTo(1, 3)
  })
})

describe('means on the sphere', () => {
  test('Karcher: two models meet half way on the arc, at their mean length', async () => {
    const models = [{ v: rotated(0.2, 2) }, { v: rotated(1.4, 4) }]
    const merged = (await mergeSmall(gpu, { method: 'karcher', models })).get('v')!
    expect(far(merged, rotated(0.8, 3))).toBeLessThan(2e-7)
  })

  test('Karcher: the mean of log maps vanishes, unlike at the normalised mean it starts from', async () => {
    const models = [0, 0.3, 1.9].map((angle, k) => ({ v: [...rotated(angle), 0.4 * k] }))
    const at = async (max_iter: number) => {
      const merge = { method: 'karcher', models, parameters: { max_iter, tol: 1e-9 } }
      return (await mergeSmall(gpu, merge)).get('v')!
    }
    const pull = (centre: ArrayLike<number>) => {
      const c = Array.from(centre, (x) => x / Math.hypot(...Array.from(centre)))
      const sum = [0, 0, 0]
      for (const { v } of models) {
        const u = v.map((x) => x / Math.hypot(...v))
        const cosine = u.reduce((s, x, i) => s + x * c[i], 0)
        u.forEach((x, i) => {
          sum[i] += (Math.acos(cosine) / Math.sqrt(1 - cosine ** 2)) * (x - cosine * c[i])
        })
      }
      return Math.hypot(...sum)
    }
    expect(pull(await at(50))).toBeLessThan(1e-5)
    expect(pull(await at(1))).toBeGreaterThan(1e-3)
    const parameters = { max_iter: 1, tol: 1e-9 }
    expect(await errorOf(karcher, { method: 'karcher', models, parameters })).toBeLessThan(3e-7)
  })

  test('Karcher: inputs that depend on one another, and ones nearly alike', async () => {
    const [x, y] = [roundNormals(500, 8), roundNormals(500, 9)]
    const middle = x.map((value, i) => (value + y[i]) / 2)
    const dependent = [x, y, middle, x].map((v) => ({ v }))
    const parameters = { max_iter: 100, tol: 1e-8 }
    expect(await errorOf(karcher, { method: 'karcher', models: dependent, parameters })).toBeLessThan(1e-6)
    const close = [0, 1, 2, 3].map((k) => ({ v: x.map((value, i) => value + 1e-4 * y[(i + 7 * k) % 500]) }))
    expect(await errorOf(karcher, { method: 'karcher', models: close, parameters })).toBeLessThan(3e-7)
  })

  test('a base that is given is one more input of Karcher; a model of no length is none', async () => {
    const parts = { base: { v: [0, 0, 5] }, models: [{ v: [4, 0, 0] }, { v: [0, 0, 0] }, { v: [0, 3, 0] }] }
    const merged = (await mergeSmall(gpu, { method: 'karcher', ...parts })).get('v')!
    expect(
      far(
        merged,
        [4, 4, 4].map((x) => x / Math.sqrt(3)),
      ),
    ).toBeLessThan(2e-7)
  })

  test('Multi-SLERP: mean direction by weight, mean length; weights as they are scale it', async () => {
    const models = [{ v: [2, 0] }, { v: [0, 4] }]
    const of = (normalize_weights: boolean, base?: number[]) =>
      mergeSmall(gpu, {
        method: 'multislerp',
        ...(base && { base: { v: base } }),
        models: base ? models.map(({ v }) => ({ v: v.map((x, i) => x + base[i]) })) : models,
        parameters: { normalize_weights, weight: 2 },
      }).then((merged) => merged.get('v')!)
    expect(far(await of(true), rotated(Math.PI / 4, 3))).toBeLessThan(2e-7)
    expect(far(await of(false), rotated(Math.PI / 4, 12))).toBeLessThan(2e-7)
    const [east, north] = rotated(Math.PI / 4, 3)
    expect(far(await of(true, [7, -1]), [7 + east, north - 1])).toBeLessThan(2e-7)
  })

  test('Model Stock: 60° give t = 2/3, equal experts themselves, opposite ones more than the base', async () => {
    const stock = (...angles: number[]) =>
      mergeSmall(gpu, {
        method: 'model_stock',
        base: { v: [1, 1] },
        models: angles.map((angle) => ({ v: rotated(angle).map((x) => x + 1) })),
      }).then((merged) => Array.from(merged.get('v')!, (x) => x - 1))
    const mean = rotated(Math.PI / 6, Math.cos(Math.PI / 6))
    expect(
      far(
        await stock(0, Math.PI / 3),
        mean.map((x) => (2 / 3) * x),
      ),
    ).toBeLessThan(1e-6)
    expect(far(await stock(0.7, 0.7, 0.7), rotated(0.7))).toBeLessThan(1e-6)
    // c = −1/2: t = −2, beyond the base on the other side.
    const third = rotated(Math.PI / 3, Math.cos(Math.PI / 3))
    expect(
      far(
        await stock(0, (2 * Math.PI) / 3),
        third.map((x) => -2 * x),
      ),
    ).toBeLessThan(1e-6)
  })
})

describe('bad input', () => {
  const merge = (method: string, models: number[][], rest: Partial<SmallMerge> = {}) =>
    mergeSmall(gpu, { method, models: models.map((v) => ({ v })), ...rest }).then((merged) => [
      ...merged.get('v')!,
    ])
  const base = { v: [1, 2, 3] }

  test('directions that cancel are refused where the mean has none', async () => {
    const opposite = [
      [1, 2, 3],
      [-2, -4, -6],
    ]
    const weight = { parameters: { weight: 1 } }
    await expect(merge('multislerp', opposite, weight)).rejects.toThrow(
      /directions of the models cancel.*tensor v/,
    )
    await expect(merge('karcher', opposite)).rejects.toThrow(/opposite to the mean/)
    const tripod = [0, 1, 2].map((k) => rotated((k * 2 * Math.PI) / 3))
    await expect(merge('multislerp', tripod, weight)).rejects.toThrow(/cancel/)
    // Task vectors τ, −τ: any t gives the base. 2τ, −τ: none does.
    const around = (...by: number[]) => by.map((factor) => base.v.map((x) => x + factor))
    expect(await merge('model_stock', around(1, -1), { base })).toEqual(base.v)
    await expect(merge('model_stock', around(2, -1), { base })).rejects.toThrow(
      /ratio t has no value.*tensor v/,
    )
  })

  test('NuSLERP of opposite models is the chord', async () => {
    const chord = await merge(
      'nuslerp',
      [
        [1, 2],
        [-3, -6],
      ],
      { modelParameters: [{ weight: 1 }, { weight: 3 }] },
    )
    expect(far(chord, [-2, -4])).toBeLessThan(2e-7)
  })

  test('zero tensors and zero task vectors', async () => {
    const zero = [0, 0, 0]
    const weight = { parameters: { weight: 1 } }
    expect(await merge('karcher', [zero, zero])).toEqual(zero)
    expect(await merge('multislerp', [zero, zero], weight)).toEqual(zero)
    expect(await merge('multislerp', [base.v, base.v], { ...weight, base })).toEqual(base.v)
    expect(await merge('nuslerp', [base.v, base.v], { ...weight, base })).toEqual(base.v)
    expect(await merge('model_stock', [base.v, base.v], { base })).toEqual(base.v)
    // One zero task vector keeps its share of the weights but has no direction.
    const moved = base.v.map((x) => x + 3)
    expect(await merge('multislerp', [moved, base.v], { ...weight, base })).toEqual([2.5, 3.5, 4.5])
    // No angle with nothing: a right angle, as in mergekit.
    const half = await merge('slerp', [base.v], { base: { v: zero }, parameters: { t: 0.5 } })
    expect(
      far(
        half,
        base.v.map((x) => x * Math.SQRT1_2),
      ),
    ).toBeLessThan(2e-7)
  })

  test('one model is itself', async () => {
    expect(await merge('karcher', [base.v])).toEqual(base.v)
    expect(await merge('multislerp', [[4, 5, 6]], { base, parameters: { weight: 0.3 } })).toEqual([4, 5, 6])
    await expect(merge('model_stock', [[4, 5, 6]], { base })).rejects.toThrow(/2 to 8/)
  })

  test('weights without a sum, and numbers that are none', async () => {
    const modelParameters = [{ weight: 1 }, { weight: -1 }]
    const two = [base.v, [3, 1, 1]]
    await expect(merge('multislerp', two, { modelParameters })).rejects.toThrow(/add up to 0.*tensor v/)
    for (const method of ['nuslerp', 'multislerp', 'karcher'])
      await expect(merge(method, [base.v, [1, Number.NaN, 1]])).rejects.toMatchObject({ code: 'not-finite' })
    const bad = [[1, Number.POSITIVE_INFINITY, 1], base.v]
    await expect(merge('model_stock', bad, { base })).rejects.toMatchObject({ code: 'not-finite' })
    await expect(merge('slerp', [bad[0]], { base })).rejects.toMatchObject({ code: 'not-finite' })
  })

  test('row by row, a row that is zero or equal in all models stays', async () => {
    const shapes = { v: [2, 3] }
    const first = [1, 2, 3, 0, 0, 0]
    const second = [1, 2, 3, 3, 0, 4]
    const parameters = { nuslerp_flatten: false, weight: 1 }
    const rows = await merge('nuslerp', [first, second], { shapes, parameters })
    expect(rows.slice(0, 3)).toEqual([1, 2, 3])
    expect(
      far(
        rows.slice(3),
        [3, 0, 4].map((x) => x * Math.SQRT1_2),
      ),
    ).toBeLessThan(2e-7)
    const stock = { method: 'model_stock', shapes, parameters: { filter_wise: true } }
    const parts = { base: { v: [1, 2, 3, 1, 1, 1] }, models: [{ v: first }, { v: second }] }
    expect(await errorOf(modelStock, { ...stock, ...parts })).toBeLessThan(3e-7)
  })
})
