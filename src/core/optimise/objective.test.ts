// J against losses of the float64 reference, dJ/dλ against finite differences of J itself.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomModel, tinyCodec } from '../../testing/answeringModels.ts'
import { expectFailure, tinyConfig } from '../../testing/tinyCheckpoint.ts'
import { referenceLosses } from '../../testing/tinyModels.ts'
import type { TextCodec } from '../files/tokenizer.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, type GradientBuffers } from '../model/gradientSink.ts'
import { coefficientGradient } from './coefficientGradient.ts'
import { mergeChoice } from './genome.ts'
import { layerGroups } from './layerGroups.ts'
import { alphaWeights, PairObjective } from './objective.ts'
import { type Pair, pairSequence } from './pairs.ts'

const pair = (kind: Pair['kind'], prompt: string, answer: string): Pair => ({ kind, prompt, answer, by: 'x' })
// More than one batch of gradients, answers of different lengths, unequal counts of the kinds.
const PAIRS: Pair[] = [
  ...Array.from({ length: 25 }, (_, i) => pair('task', `ask ${i}`, i % 2 ? 'yes.' : 'hello there.')),
  ...Array.from({ length: 15 }, (_, i) => pair('safety', `bad ${i}!`, i % 3 ? 'no.' : 'never, no.')),
]

let anchor: DeviceModel
let experts: DeviceModel[]
let codec: TextCodec
let gradients: GradientBuffers
beforeAll(async () => {
  codec = await tinyCodec()
  const models = [await randomModel(1), await randomModel(2), await randomModel(3)]
  const { gpu, config } = models[0]
  const arrays = async (model: DeviceModel) =>
    new Map(
      await Promise.all(
        [...model.tensors.keys()].map(async (name) => [name, await model.read(name)] as const),
      ),
    )
  const base = await arrays(models[0])
  anchor = models[0]
  // Experts near the anchor: its weights and a fifth of another model's.
  experts = []
  for (const model of models.slice(1)) {
    const other = await arrays(model)
    const mixed = new Map(
      [...base].map(([name, values]) => [name, values.map((v, i) => v + 0.2 * other.get(name)![i])]),
    )
    experts.push(DeviceModel.fromArrays(gpu, config, mixed))
    model.dispose()
  }
  gradients = createGradients(gpu, config)
})
afterAll(() => anchor?.gpu.close())

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('the objective', () => {
  it('is the weighted sum of mean losses, tokens first, as the reference has them', async () => {
    const weights = new Map<string, Float64Array>()
    for (const name of anchor.tensors.keys()) weights.set(name, Float64Array.from(await anchor.read(name)))
    const losses = PAIRS.map((one) =>
      meanOf(referenceLosses(anchor.config, weights, pairSequence(codec, one))),
    )
    const task = meanOf(losses.slice(0, 25))
    const safety = meanOf(losses.slice(25))
    const parts = await new PairObjective(codec, PAIRS, { task: 0.5, align: 4 }).evaluate(anchor)
    expect(parts.task).toBeCloseTo(task, 5)
    expect(parts.safety).toBeCloseTo(safety, 5)
    expect(parts.objective).toBeCloseTo(0.5 * task + 4 * safety, 4)
    expect(Math.abs(task - safety)).toBeGreaterThan(0.05)
  })

  it('has the same value with its gradient, and looks at answers alone', async () => {
    const objective = new PairObjective(codec, PAIRS, alphaWeights(8))
    const [value, withGradient] = [
      await objective.evaluate(anchor),
      await objective.gradient(anchor, gradients),
    ]
    expect(withGradient.objective).toBeCloseTo(value.objective, 4)
    const { ids, firstTarget } = pairSequence(codec, PAIRS[0])
    expect(codec.decode(ids.slice(firstTarget))).toBe('hello there.')
    expect(firstTarget).toBe(codec.encodePrompt(PAIRS[0].prompt).length)
  })

  it('refuses weights and pairs that make none', async () => {
    const make = (pairs: Pair[], task: number, align: number) => () =>
      new PairObjective(codec, pairs, { task, align })
    await expectFailure(make(PAIRS, -1, 1), 'request-invalid')
    await expectFailure(make(PAIRS, 0, 0), 'request-invalid')
    await expectFailure(make(PAIRS, 1, Number.NaN), 'request-invalid')
    await expectFailure(make(PAIRS.slice(0, 25), 1, 1), 'request-invalid')
    await expectFailure(make([], 1, 1), 'request-invalid')
    expect(make(PAIRS.slice(0, 25), 1, 0)).not.toThrow()
  })

  it('stops when asked', async () => {
    const objective = new PairObjective(codec, PAIRS, alphaWeights(1))
    const signal = AbortSignal.abort()
    await expectFailure(objective.evaluate(anchor, signal), 'cancelled')
    await expectFailure(objective.gradient(anchor, gradients, signal), 'cancelled')
  })
})

describe('dJ/dλ', () => {
  it.each([1, 2])('is the central difference of J, %d layers per group', async (layersPerGroup) => {
    const groups = layerGroups(anchor, layersPerGroup)
    expect(groups.count).toBe(2 / layersPerGroup)
    const objective = new PairObjective(codec, PAIRS, alphaWeights(4))
    const out = new DeviceModel(anchor.gpu, anchor.config, anchor.type)
    const merge = { anchor, experts, mode: 'task_arithmetic' as const, groups, seed: 1 }
    const point = Array.from({ length: groups.count }, (_, g) => [0.4 + 0.2 * g, 0.7 - 0.3 * g])
    await mergeChoice(merge, { weights: point }, out)
    await objective.gradient(out, gradients)
    const slope = await coefficientGradient(anchor, experts, gradients, groups)
    const valueAt = async (g: number, k: number, step: number) => {
      const weights = point.map((row) => [...row])
      weights[g][k] += step
      await mergeChoice(merge, { weights }, out)
      return (await objective.evaluate(out)).objective
    }
    // Two step sizes, so that neither rounding nor curvature decides (Richardson).
    for (let g = 0; g < groups.count; g++)
      for (let k = 0; k < 2; k++) {
        const difference = async (h: number) =>
          ((await valueAt(g, k, h)) - (await valueAt(g, k, -h))) / (2 * h)
        const exact = (4 * (await difference(0.02)) - (await difference(0.04))) / 3
        expect(Math.abs(slope[g * 2 + k] - exact)).toBeLessThan(2e-3 * Math.max(...slope.map(Math.abs)))
      }
    expect(Math.max(...slope.map(Math.abs))).toBeGreaterThan(0.05)
    out.dispose()
  })
})

it('puts the embedding with the first layers, final norm and head with the last', () => {
  const groups = layerGroups(anchor, 1)
  expect([...anchor.tensors.keys()].map((name) => groups.of(name))).toEqual([
    0,
    ...Array(6).fill(0),
    ...Array(6).fill(1),
    1,
    1,
  ])
  expect(groups.labels).toEqual(['layer 0', 'layer 1'])
  expect(layerGroups(anchor).labels).toEqual(['layers 0–1'])
  expect(layerGroups(anchor, 7).count).toBe(1)
  expect(() => layerGroups(anchor, 0)).toThrow(/whole number/)
  expect(() => groups.of('what')).toThrow(/no such tensor/)
  expect(tinyConfig().num_hidden_layers).toBe(2)
})
