import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { mergeSmall, roundNormals, type SmallMerge, type SmallModel } from '../../../../testing/smallMerge.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { paddedCount } from '../../../model/deviceModel.ts'
import type { MergeJob } from '../../execute.ts'
import { largestOf } from '../../modelTop.ts'
import { mapConflict, routingOf } from './conflict.ts'
import { mediatorExport, type RoutedDifference } from './export.ts'
import { addDifferences, routingWeights, sparseDifference } from './sparse.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const inLayer = (layer: number, part = 'w') => `model.layers.${layer}.${part}`
/** Two tensors in each of three layers, and one outside. */
const names = [0, 1, 2].flatMap((layer) => [inLayer(layer), inLayer(layer, 'v')]).concat('head')
const size = 8
const base: SmallModel = Object.fromEntries(names.map((name, i) => [name, roundNormals(size, 100 + i)]))
const moved = (by: (name: string) => readonly number[]): SmallModel =>
  Object.fromEntries(names.map((name) => [name, base[name].map((x, i) => x + by(name)[i])]))
const step = roundNormals(size, 7)
/** Both alike in layer 0, opposite in layer 1 (the second half as far), at a right angle in layer 2 and outside. */
const one = moved(() => step)
const other = moved((name) => {
  if (name.includes('.0.')) return step
  if (name.includes('.1.')) return step.map((x) => -x / 2)
  return step.map((_, i) => (i % 2 === 0 ? -step[i + 1] : step[i - 1]))
})
const weight = { weight: 1 }
const merge = (parameters: SmallMerge['parameters'], models = [one, other]) =>
  mergeSmall(gpu, { method: 'mediator', base, models, parameters: { ...weight, ...parameters } })

/** A job over the two models; merged tensors by name. */
function jobOf(parameters: Record<string, number | string>, models = [one, other]) {
  const out = new Map<string, Float32Array>()
  const upload = (values: readonly number[]) => {
    const padded = new Float32Array(paddedCount(values.length))
    padded.set(values)
    return gpu.upload(padded)
  }
  const job: MergeJob = {
    gpu,
    tensors: names.map((name) => {
      const layer = /layers\.(\d)/.exec(name)?.[1]
      return {
        name,
        shape: [size],
        ...(layer !== undefined && { layer: Number(layer) }),
        parameters: { threshold: 0.5, keep: 0.25, mode: 'static', ...parameters },
        modelParameters: models.map((_, k) => ({ weight: k + 1 })),
      }
    }),
    layerCount: 3,
    seed: 0,
    open: ({ name }) => ({
      base: upload(base[name]),
      models: models.map((model) => upload(model[name])),
      out: upload(new Array<number>(size).fill(0)),
      type: 'f32',
    }),
    close: async ({ name }, tensors, isWritten) => {
      if (isWritten) out.set(name, await gpu.readFloats(tensors.out, size))
    },
  }
  return { job, out }
}

describe('conflict map', () => {
  test('κ of equal, opposite and orthogonal changes, over all tensors of a layer', async () => {
    const { job } = jobOf({})
    const map = await mediatorExport(job, () => {})
    const [alike, opposite, across] = map.layers.map(({ conflict }) => conflict)
    expect(alike).toBeCloseTo(0, 5)
    // ‖τ − τ/2‖ / (‖τ‖ + ‖τ‖/2) = 1/3.
    expect(opposite).toBeCloseTo(2 / 3, 5)
    expect(across).toBeCloseTo(1 - Math.SQRT1_2, 5)
    expect(map.mean).toBeCloseTo((2 / 3 + 1 - Math.SQRT1_2) / 3, 5)
    expect(map.layers.map(({ isRouted }) => isRouted)).toEqual([false, true, false])
    const length = Math.SQRT2 * Math.hypot(...step)
    expect(map.layers[1].norms[0]).toBeCloseTo(length, 4)
    expect(map.layers[1].norms[1]).toBeCloseTo(length / 2, 4)
    // Shares by weight and length: 1·1 against 2·½.
    const tensor = { layer: 1, modelParameters: [{ weight: 1 }, { weight: 2 }] }
    expect(routingOf(map, tensor)?.shares[0]).toBeCloseTo(0.5, 5)
    expect(routingOf(map, { ...tensor, layer: 0 })).toBeUndefined()
  })

  test('parameters of the whole model may not differ by tensor', async () => {
    const { job } = jobOf({})
    const tensors = job.tensors.map((tensor, i) => ({
      ...tensor,
      parameters: { ...tensor.parameters, threshold: i === 3 ? 1 : 0.5 },
    }))
    const model = { gpu, tensors, layerCount: 3, seed: 0, forEach: () => Promise.resolve() }
    await expect(mapConflict(model)).rejects.toThrow(/threshold counts over the whole model, found 0.5 and 1/)
  })
})

describe('static merge', () => {
  test('averages where experts agree and outside of layers, mixes where they do not', async () => {
    const merged = await merge({ keep: 0.25, threshold: 0.5 })
    for (const name of names.filter((each) => !each.includes('.1.')))
      merged.get(name)!.forEach((value, i) => {
        expect(value).toBeCloseTo((one[name][i] + other[name][i]) / 2, 5)
      })
    for (const name of [inLayer(1), inLayer(1, 'v')]) {
      // Shares 2/3 and 1/3: the first stays whole, and takes a third of the two largest differences.
      const largest = [...largestOf(Float64Array.from(step), 2)]
      merged.get(name)!.forEach((value, i) => {
        const taken = largest.includes(i) ? (other[name][i] - one[name][i]) / 3 : 0
        expect(value).toBeCloseTo(one[name][i] + taken, 5)
      })
    }
  })

  test('trunk: one expert alone in conflicting layers; a low bound routes all layers, a high one none', async () => {
    const trunk = await merge({ mode: 'trunk' })
    expect(Array.from(trunk.get(inLayer(1))!)).toEqual(one[inLayer(1)])
    const all = await merge({ mode: 'trunk', threshold: -9 })
    for (const layer of [0, 1, 2]) expect(Array.from(all.get(inLayer(layer))!)).toEqual(one[inLayer(layer)])
    expect(all.get('head')![0]).toBeCloseTo((one.head[0] + other.head[0]) / 2, 5)
    const none = await merge({ mode: 'trunk', threshold: 9 })
    expect(none.get(inLayer(1))![0]).toBeCloseTo((one[inLayer(1)][0] + other[inLayer(1)][0]) / 2, 5)
  })

  test('bad input: weights without a sum, nothing changed, one expert, numbers that are none', async () => {
    await expect(
      mergeSmall(gpu, {
        method: 'mediator',
        base,
        models: [one, other],
        modelParameters: [{ weight: 1 }, { weight: -1 }],
      }),
    ).rejects.toThrow(/add up to 0/)
    const still = await merge({ threshold: -9 }, [base, base])
    const alone = await merge({ threshold: -9 }, [one])
    for (const name of names) {
      still.get(name)!.forEach((value, i) => {
        expect(value).toBeCloseTo(base[name][i], 6)
      })
      expect(Array.from(alone.get(name)!)).toEqual(one[name])
    }
    const broken = { ...other, [inLayer(2)]: other[inLayer(2)].map((x, i) => (i === 1 ? Number.NaN : x)) }
    await expect(merge({}, [one, broken])).rejects.toMatchObject({
      code: 'not-finite',
      where: { tensor: inLayer(2) },
    })
  })
})

describe('export', () => {
  test('trunk and differences give back the static merge, and with keep 1 any expert', async () => {
    for (const keep of [0.25, 1]) {
      const differences: RoutedDifference[] = []
      const { job, out } = jobOf({ keep, threshold: -9 })
      const map = await mediatorExport(job, (difference) => {
        differences.push(difference)
      })
      expect(differences.map(({ tensor }) => tensor)).toEqual(names.filter((name) => name !== 'head'))
      const merged = await mergeSmall(gpu, {
        method: 'mediator',
        base,
        models: [one, other],
        modelParameters: [{ weight: 1 }, { weight: 2 }],
        parameters: { keep, threshold: -9 },
      })
      expect(Array.from(out.get('head')!)).toEqual(Array.from(merged.get('head')!))
      for (const { tensor, layer, expert, dense, indices, values } of differences) {
        expect([expert, dense].sort()).toEqual([0, 1])
        expect(indices.length).toBe(keep * size)
        expect(Array.from(out.get(tensor)!)).toEqual([one, other][dense][tensor])
        const { shares } = routingOf(map, { layer, modelParameters: [{ weight: 1 }, { weight: 2 }] })!
        const mixed = Float64Array.from(out.get(tensor)!)
        addDifferences(mixed, [{ indices, values }], [shares[expert]])
        mixed.forEach((value, i) => {
          expect(value).toBeCloseTo(merged.get(tensor)![i], 6)
        })
        if (keep < 1) continue
        const whole = Float64Array.from(out.get(tensor)!)
        addDifferences(whole, [{ indices, values }], [1])
        whole.forEach((value, i) => {
          expect(value).toBeCloseTo([one, other][expert][tensor][i], 6)
        })
      }
    }
  })
})

describe('sparse differences', () => {
  test('the largest, of equals the first, at least one', () => {
    const values = Float64Array.of(1, -3, 2, 3, 0, -2, 3)
    expect([...largestOf(values, 2)]).toEqual([1, 3])
    expect([...largestOf(values, 4)]).toEqual([1, 2, 3, 6])
    expect([...largestOf(values, 0)]).toEqual([])
    expect([...largestOf(values, 99)]).toEqual([0, 1, 2, 3, 4, 5, 6])
    const many = Float64Array.from(roundNormals(5000, 3))
    const order = [...many.keys()].sort((a, b) => Math.abs(many[b]) - Math.abs(many[a]) || a - b)
    for (const count of [1, 777, 4999])
      expect([...largestOf(many, count)]).toEqual(order.slice(0, count).sort((a, b) => a - b))
    const zero = new Float64Array(7)
    expect(sparseDifference(values, zero, 0)).toEqual({
      indices: Uint32Array.of(1),
      values: Float32Array.of(-3),
    })
  })
})

describe('routing by the prompt', () => {
  test('softmax of minus entropy: surest most, shares sum to 1', () => {
    const [a, b] = routingWeights([1, 2], 1)
    expect(a / b).toBeCloseTo(Math.E, 12)
    expect(a + b).toBeCloseTo(1, 15)
    const [c, d, e] = routingWeights([0.5, 0.9, 3], 0.2)
    expect(c / d).toBeCloseTo(Math.exp(2), 10)
    expect(d / e).toBeCloseTo(Math.exp(10.5), 3)
  })

  test('its limits: one alone, all alike, no overflow', () => {
    expect(routingWeights([2, 1, 1], 0)).toEqual([0, 0.5, 0.5])
    expect(routingWeights([2, 1, 5], Number.POSITIVE_INFINITY)).toEqual([1 / 3, 1 / 3, 1 / 3])
    expect(routingWeights([1e6, 0], 1e-3)).toEqual([0, 1])
    expect(routingWeights([7], 1)).toEqual([1])
  })
})
