// What genes stand for, and that the merge of a choice is the formula of its mode, group by group.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { expectFailure } from '../../testing/tinyCheckpoint.ts'
import { expertOf } from '../../testing/tinyMerge.ts'
import { relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { mergeOnDevice } from '../merge/deviceMerge.ts'
import { methodOf } from '../merge/methods/registry.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { assertMode, type Choice, decodeGenome, type MergeMode, mergeChoice, startGenome } from './genome.ts'
import { layerGroups } from './layerGroups.ts'

const RAW = TINY_CONFIGS['phi3, fused, grouped']

let gpu: Gpu
let anchor: DeviceModel
let experts: DeviceModel[]
let out: DeviceModel
beforeAll(async () => {
  gpu = await openTestDevice()
  const { config, arrays } = tinyModel(RAW)
  anchor = DeviceModel.fromArrays(gpu, config, arrays)
  experts = [40, 41, 42].map((seed) => expertOf(gpu, RAW, 'f32', seed, 0.3))
  out = new DeviceModel(gpu, config, 'f32')
})
afterAll(() => gpu?.close())

describe('genes', () => {
  it('start uniform: weights 1/n, densities 1', () => {
    expect(Array.from(startGenome({ mode: 'linear', groups: 2, experts: 4 }))).toEqual(Array(8).fill(0.25))
    expect(Array.from(startGenome({ mode: 'ties', groups: 1, experts: 2 }))).toEqual([0.5, 0.5, 1, 1])
  })

  it('stand for absolute values unless weights may be negative', () => {
    const shape = { mode: 'task_arithmetic' as const, groups: 2, experts: 2 }
    expect(decodeGenome(shape, [-1, 2, 0.5, -3])?.weights).toEqual([
      [1, 2],
      [0.5, 3],
    ])
    expect(decodeGenome({ ...shape, allowNegative: true }, [-1, 2, 0.5, -3])?.weights).toEqual([
      [-1, 2],
      [0.5, -3],
    ])
    expect(decodeGenome(shape, [-11, 0, 0, 0])).toBeUndefined()
    expect(decodeGenome(shape, [Number.NaN, 0, 0, 0])).toBeUndefined()
  })

  it('sum to 1 in each group of a linear merge, or to none at all', () => {
    const shape = { mode: 'linear' as const, groups: 2, experts: 2 }
    expect(decodeGenome(shape, [1, -3, 2, 2])?.weights).toEqual([
      [0.25, 0.75],
      [0.5, 0.5],
    ])
    expect(decodeGenome(shape, [1, 1, 0, 0])).toBeUndefined()
    expect(decodeGenome({ ...shape, allowNegative: true }, [1, 1, 1, -1])).toBeUndefined()
  })

  it('fold densities back between 5 % and all', () => {
    const densities = decodeGenome(
      { mode: 'dare_ties', groups: 1, experts: 4 },
      [1, 1, 1, 1, 1.25, -0.5, 0, 2.1],
    )?.densities?.[0]
    expect(densities?.map((value) => Number(value.toFixed(9)))).toEqual([0.75, 0.5, 0.05, 0.1])
  })
})

describe('the merge of a choice', () => {
  const merged = async (mode: MergeMode, choice: Choice, models = experts, layersPerGroup = 1) => {
    const groups = layerGroups(anchor, layersPerGroup)
    await mergeChoice({ anchor, experts: models, mode, groups, seed: 1 }, choice, out)
    return groups
  }
  const weights = [
    [0.5, 0.25, 0.25],
    [0.1, 0.7, 0.2],
  ]

  it.each(['linear', 'task_arithmetic'] as const)(
    '%s is the formula, with the weights of its group',
    async (mode) => {
      const used = mode === 'linear' ? weights : weights.map((row) => row.map((weight) => 1.6 * weight))
      const groups = await merged(mode, { weights: used })
      for (const name of anchor.tensors.keys()) {
        const own = used[groups.of(name)]
        const base = await anchor.read(name)
        const parts = await Promise.all(experts.map((expert) => expert.read(name)))
        const expected = base.map((value, i) => {
          const sum = parts.reduce((total, part, k) => total + own[k] * (part[i] - value), 0)
          return value + sum
        })
        expect(relativeError(await out.read(name), expected), name).toBeLessThan(1e-6)
      }
    },
  )

  it.each(['ties', 'dare_ties'] as const)('%s has the weights and densities of its group', async (mode) => {
    const densities = [
      [0.5, 0.8, 1],
      [1, 0.3, 0.6],
    ]
    const groups = await merged(mode, { weights, densities })
    const read = async () =>
      new Map(
        await Promise.all([...out.tensors.keys()].map(async (name) => [name, await out.read(name)] as const)),
      )
    const ours = await read()
    for (const g of [0, 1]) {
      const modelParameters = weights[g].map((weight, k) => ({ weight, density: densities[g][k] }))
      const merge = {
        base: anchor,
        models: experts,
        parameters: { normalize: false },
        modelParameters,
        seed: 1,
      }
      await mergeOnDevice(methodOf(mode), merge, out)
      const whole = await read()
      for (const [name, values] of ours)
        expect(relativeError(values, whole.get(name)!) === 0, `${name} ${g}`).toBe(groups.of(name) === g)
    }
  })

  it('slerp lies between the two largest weights of its group, at the softmax of the two', async () => {
    const groups = await merged('slerp', { weights })
    for (const name of anchor.tensors.keys()) {
      const own = weights[groups.of(name)]
      const [from, to] = groups.of(name) === 0 ? [0, 1] : [1, 2]
      const t = Math.exp(own[to]) / (Math.exp(own[from]) + Math.exp(own[to]))
      const [a, b] = [await experts[from].read(name), await experts[to].read(name)]
      const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0)
      const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
      // Nearly parallel vectors are interpolated along the chord.
      const angle = Math.acos(Math.min(1, cosine))
      const shares =
        cosine > 0.9995
          ? [1 - t, t]
          : [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)]
      const expected = a.map((value, i) => shares[0] * value + shares[1] * b[i])
      expect(relativeError(await out.read(name), expected), name).toBeLessThan(1e-5)
    }
  })

  it('refuses modes that cannot be merged', async () => {
    await expectFailure(
      () => assertMode({ anchor, experts: experts.slice(1, 2), mode: 'slerp' }),
      'request-invalid',
    )
    await expectFailure(() => assertMode({ anchor, experts, mode: 'best' as MergeMode }), 'request-invalid')
    const half = expertOf(gpu, RAW, 'bf16', 40)
    await expectFailure(() => assertMode({ anchor, experts: [half], mode: 'linear' }), 'request-invalid')
    await expectFailure(
      merged('linear', { weights }, experts, 1).then(() => mergeAborted()),
      'cancelled',
    )
    half.dispose()
  })

  const mergeAborted = () =>
    mergeChoice(
      { anchor, experts, mode: 'linear', groups: layerGroups(anchor), seed: 1 },
      { weights: [[1, 0, 0]] },
      out,
      AbortSignal.abort(),
    )
})
