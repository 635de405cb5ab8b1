// The trainer on a tiny task: it learns, one step is AdamW's formula, a resumed run gives the same bits, and
// clipping and the schedule hold.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { relativeError, TINY_CONFIGS, TINY_SEQUENCES, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch } from '../model/batch.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient, readGradients } from '../model/gradients.ts'
import { rateAt } from './schedule.ts'
import { Trainer, type TrainerOptions } from './trainer.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const options: TrainerOptions = {
  steps: 30,
  learningRate: 0.01,
  minimumLearningRate: 0.001,
  warmupSteps: 3,
  weightDecay: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  epsilon: 1e-8,
  clipNorm: 1,
}
const tiny = tinyModel(TINY_CONFIGS['llama, odd sizes: hidden 18, head 6, inner 26'])
const open = (changes: Partial<TrainerOptions> = {}, { config, arrays } = tiny) => {
  const model = DeviceModel.fromArrays(gpu, config, arrays)
  return { model, trainer: new Trainer(model, { ...options, ...changes }) }
}
// One batch per step, none like the one before.
const batchOf = (step: number) => [TINY_SEQUENCES[step % 3], TINY_SEQUENCES[(step + 1) % 3]]

const normOf = (tensors: Iterable<Float32Array>) => {
  let sum = 0
  for (const values of tensors) for (const value of values) sum += value ** 2
  return Math.sqrt(sum)
}

test.each([
  ['llama', tiny],
  // With caps as published: tight ones leave no room to be sure.
  ['gemma2', tinyModel({ ...TINY_CONFIGS.gemma2, attn_logit_softcapping: 50, final_logit_softcapping: 30 })],
])('the loss of a task that can be learnt by heart falls: %s', async (_name, model) => {
  const { trainer } = open({}, model)
  const losses: number[] = []
  for (let step = 0; step < 30; step++) losses.push((await trainer.trainStep(TINY_SEQUENCES)).loss)
  expect(losses[0]).toBeGreaterThan(3)
  expect(losses[29]).toBeLessThan(0.1 * losses[0])
  trainer.dispose()
})

test('one step is AdamW on the clipped gradient; gains and biases do not decay', async () => {
  const { model, trainer } = open({ clipNorm: 0.25 })
  const outputs = createGradients(gpu, tiny.config)
  const batch = new Batch(gpu, tiny.config, TINY_SEQUENCES)
  const sink = new GradientSink(gpu, tiny.config, batch, outputs, 'gradient')
  encodeLossGradient(model, batch, new Float32Array(batch.rowCount).fill(1 / batch.rowCount), sink)
  const gradients = await readGradients(gpu, outputs, (name) => model.tensor(name).count)
  const report = await trainer.trainStep(TINY_SEQUENCES)
  const norm = normOf(gradients.values())
  expect(report).toMatchObject({ step: 0, rate: 0.01 / 3 })
  expect(report.gradientNorm / norm).toBeCloseTo(1, 5)
  for (const [name, { spec }] of model.tensors) {
    const decay = spec.role === 'gain' || spec.role === 'bias' ? 0 : options.weightDecay
    const before = tiny.arrays.get(name)!
    const after = await model.read(name)
    const moved = after.map((value, i) => value - before[i])
    const expected = Array.from(gradients.get(name)!, (value, i) => {
      const g = (value * 0.25) / norm
      return -report.rate * (g / (Math.abs(g) + options.epsilon) + decay * before[i])
    })
    // A gradient of almost nothing has a sign that rounding decides, and Adam's first step is its sign.
    const clear = expected.map((value, i) =>
      Math.abs(gradients.get(name)![i]) > 1e-5 * norm ? value : moved[i],
    )
    expect(relativeError(moved, clear), name).toBeLessThan(1e-3)
  }
  trainer.dispose()
})

test('clipping scales the gradient down to its bound and leaves smaller ones alone', async () => {
  const first = async (clipNorm: number) => {
    const { trainer } = open({ clipNorm, epsilon: 1, weightDecay: 0 })
    const report = await trainer.trainStep(TINY_SEQUENCES)
    const snapshot = await trainer.snapshot()
    trainer.dispose()
    const moved = Array.from(snapshot.weights, ([name, values]) =>
      values.map((value, i) => value - tiny.arrays.get(name)![i]),
    )
    return { report, moment: normOf(snapshot.first.values()), moved: normOf(moved) }
  }
  const free = await first(1e9)
  expect(free.moment / (0.1 * free.report.gradientNorm)).toBeCloseTo(1, 5)
  const bound = free.report.gradientNorm / 8
  const clipped = await first(bound)
  expect(clipped.report.gradientNorm).toBe(free.report.gradientNorm)
  expect(clipped.moment / (0.1 * bound)).toBeCloseTo(1, 5)
  // |g / (|g| + 1)| ≤ |g|, so with ε = 1 the step itself is bounded too.
  expect(clipped.moved).toBeLessThan(clipped.report.rate * bound)
  expect(clipped.moved).toBeGreaterThan(0.3 * clipped.report.rate * bound)
})

test('a run resumed from a snapshot gives the bits of an uninterrupted one', async () => {
  const whole = open()
  for (let step = 0; step < 9; step++) await whole.trainer.trainStep(batchOf(step))
  const interrupted = open()
  for (let step = 0; step < 4; step++) await interrupted.trainer.trainStep(batchOf(step))
  const snapshot = structuredClone(await interrupted.trainer.snapshot())
  // Steps taken after the snapshot must leave no trace in it.
  await interrupted.trainer.trainStep(batchOf(7))
  const resumed = open({})
  await resumed.trainer.trainStep(batchOf(5))
  resumed.trainer.restore(snapshot)
  expect(resumed.trainer.step).toBe(4)
  for (let step = 4; step < 9; step++) await resumed.trainer.trainStep(batchOf(step))
  for (const name of whole.model.tensors.keys())
    expect(
      Buffer.compare(await whole.model.readStored(name), await resumed.model.readStored(name)),
      name,
    ).toBe(0)
  const [a, b] = [await whole.trainer.snapshot(), await resumed.trainer.snapshot()]
  expect(b).toEqual(a)
})

test('a loss that is no number is refused and leaves weights and step alone', async () => {
  const { model, trainer } = open()
  const name = 'model.layers.0.mlp.up_proj.weight'
  const spoiled = tiny.arrays.get(name)!.slice()
  spoiled[3] = Number.POSITIVE_INFINITY
  gpu.write(model.buffer(name), spoiled)
  await expect(trainer.trainStep(TINY_SEQUENCES)).rejects.toMatchObject({ code: 'not-finite' })
  expect(trainer.step).toBe(0)
  expect(Array.from(await model.read('lm_head.weight'))).toEqual(
    Array.from(tiny.arrays.get('lm_head.weight')!),
  )
  await expect(trainer.trainStep([{ ids: [1, 2] }])).rejects.toMatchObject({ code: 'request-invalid' })
})

test('training refuses weights that are not float32', () => {
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays, 'bf16')
  expect(() => new Trainer(model, options)).toThrow(expect.objectContaining({ code: 'request-invalid' }))
})

test('the rate climbs to its peak, falls along a cosine and ends at its minimum', () => {
  const schedule = { steps: 13, learningRate: 1, minimumLearningRate: 0.2, warmupSteps: 4 }
  expect([0, 1, 2, 3].map((step) => rateAt(schedule, step))).toEqual([0.25, 0.5, 0.75, 1])
  expect(rateAt(schedule, 4)).toBe(1)
  expect(rateAt(schedule, 8)).toBeCloseTo(0.6, 14)
  expect(rateAt(schedule, 12)).toBeCloseTo(0.2, 14)
  expect(rateAt(schedule, 99)).toBeCloseTo(0.2, 14)
  expect(rateAt({ ...schedule, warmupSteps: 0 }, 0)).toBe(1)
})
