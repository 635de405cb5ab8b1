// The Fisher diagonal against separately squared gradients, and its sampled form against the exact sum over the
// vocabulary and against a Kullback-Leibler divergence, both from the float64 reference.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { flatBuffers, randomSequences } from '../../testing/tinyMerge.ts'
import { relativeError, TINY_CONFIGS, tinyModel } from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { Batch, type Sequence } from '../model/batch.ts'
import { referenceForward } from '../model/decoder.reference.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients, GradientSink } from '../model/gradientSink.ts'
import { encodeLossGradient } from '../model/gradients.ts'
import { type FisherOptions, fisherDiagonal } from './fisher.ts'
import { destroyBuffers } from './metric.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const DATA: FisherOptions = { labels: 'data', form: 'sequence', seed: 1 }
const SAMPLED: FisherOptions = { labels: 'sampled', form: 'sequence', seed: 9 }

/** Sums of squares (P) and the token count. */
async function measure(model: DeviceModel, sequences: readonly Sequence[], options: FisherOptions) {
  const { sums, tokens } = await fisherDiagonal(model, sequences, options)
  const flat = await flatBuffers(model, sums)
  destroyBuffers(sums)
  return { flat, tokens }
}

describe.each(['phi3, fused, grouped', 'llama, all biases, tied'])('%s', (name) => {
  const tiny = tinyModel(TINY_CONFIGS[name])
  const sequences = randomSequences(5, tiny.config.vocabSize, 21)
  let model: DeviceModel
  beforeAll(() => {
    model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  })
  afterAll(() => model.dispose())

  test('is the sum over sequences of the squared gradient of the sequence’s summed loss', async () => {
    const { flat, tokens } = await measure(model, sequences, DATA)
    const expected = new Float64Array(flat.length)
    for (const sequence of sequences) {
      const batch = new Batch(gpu, model.config, [sequence])
      const outputs = createGradients(gpu, model.config)
      const sink = new GradientSink(gpu, model.config, batch, outputs, 'gradient')
      gpu.pool.release(encodeLossGradient(model, batch, new Float32Array(batch.rowCount).fill(1), sink))
      const gradient = await flatBuffers(model, outputs)
      gradient.forEach((value, j) => {
        expected[j] += value * value
      })
      batch.release()
      destroyBuffers(outputs)
    }
    expect(relativeError(flat, expected)).toBeLessThan(3e-6)
    expect(tokens).toBe(sequences.reduce((sum, { ids, firstTarget }) => sum + ids.length - firstTarget, 0))
  })

  test.each([{ ...DATA }, { ...SAMPLED }, { ...SAMPLED, form: 'fast' as const }])(
    'does not depend on the batch size ($labels, $form)',
    async (options) => {
      const whole = await measure(model, sequences, options)
      for (const batchSequences of [1, 2, 3]) {
        const parts = await measure(model, sequences, { ...options, batchSequences })
        expect(parts.tokens).toBe(whole.tokens)
        expect(relativeError(parts.flat, whole.flat)).toBeLessThan(2e-6)
      }
    },
  )

  test('per token nothing changes when every sequence is there twice', async () => {
    const once = await measure(model, sequences, DATA)
    const twice = await measure(model, [...sequences, ...sequences], DATA)
    expect(twice.tokens).toBe(2 * once.tokens)
    const perToken = ({ flat, tokens }: typeof once) => flat.map((value) => value / tokens)
    expect(relativeError(perToken(twice), perToken(once))).toBeLessThan(1e-6)
  })
})

describe('sampled labels', () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const sequences = randomSequences(2, tiny.config.vocabSize, 4)
  const weights = new Map(Array.from(tiny.arrays, ([name, values]) => [name, Float64Array.from(values)]))
  // One place of each kind of tensor, each with a gradient that matters.
  const PLACES: [string, number][] = [
    ['model.embed_tokens.weight', sequences[0].ids[0] * 16 + 3],
    ['model.layers.0.self_attn.qkv_proj.weight', 37],
    ['model.layers.0.mlp.down_proj.weight', 101],
    ['model.layers.1.self_attn.o_proj.weight', 60],
    ['model.layers.1.mlp.gate_up_proj.weight', 210],
    ['model.norm.weight', 5],
  ]

  /** log p (V) of every target position of every sequence. */
  function logProbabilities(): Float64Array[] {
    const V = tiny.config.vocabSize
    return sequences.flatMap(({ ids, firstTarget }) => {
      const { logits } = referenceForward(tiny.config, weights, ids)
      return Array.from({ length: ids.length - firstTarget }, (_, r) => {
        const row = logits.subarray((firstTarget + r - 1) * V, (firstTarget + r) * V)
        const top = Math.max(...row)
        const log = Math.log(row.reduce((sum, value) => sum + Math.exp(value - top), 0)) + top
        return row.map((value) => value - log)
      })
    })
  }

  function movedBy(name: string, i: number, step: number): Float64Array[] {
    const values = weights.get(name)!
    const before = values[i]
    values[i] = before + step
    const result = logProbabilities()
    values[i] = before
    return result
  }

  /** Σ_t Σ_v p_v (∂ log p_v / ∂θ)²: labels of different positions are independent with mean gradient zero. */
  function exactFisher(name: string, i: number): number {
    const [up, down, here] = [movedBy(name, i, 1e-4), movedBy(name, i, -1e-4), logProbabilities()]
    let sum = 0
    here.forEach((row, t) => {
      row.forEach((log, v) => {
        sum += Math.exp(log) * ((up[t][v] - down[t][v]) / 2e-4) ** 2
      })
    })
    return sum
  }

  /** A column of the head's row of the likeliest token: rare ones are drawn too seldom to average. */
  function likelyHeadPlace(): [string, number] {
    const share = new Float64Array(tiny.config.vocabSize)
    for (const row of logProbabilities())
      row.forEach((log, v) => {
        share[v] += Math.exp(log) * (1 - Math.exp(log))
      })
    return ['lm_head.weight', share.indexOf(Math.max(...share)) * tiny.config.hiddenSize + 1]
  }

  /** KL(p ‖ p_{θ+step}) summed over target positions. */
  function divergence(name: string, i: number, step: number): number {
    const moved = movedBy(name, i, step)
    return logProbabilities().reduce(
      (sum, row, t) => sum + row.reduce((part, log, v) => part + Math.exp(log) * (log - moved[t][v]), 0),
      0,
    )
  }

  test('the mean over seeds is the exact Fisher, and ½ δᵀFδ the divergence, within sampling error', async () => {
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    const COPIES = 48
    const SEEDS = 16
    const many = Array.from({ length: COPIES }, () => sequences).flat()
    const wanted = [...PLACES, likelyHeadPlace()]
    const places = new Map<string, number[]>(wanted.map(([name]) => [name, []]))
    for (let seed = 0; seed < SEEDS; seed++) {
      const { sums } = await fisherDiagonal(model, many, { ...SAMPLED, seed })
      for (const [name, i] of wanted)
        places.get(name)!.push((await gpu.readFloats(sums.get(name)!, 1, i * 4))[0] / COPIES)
      destroyBuffers(sums)
    }
    for (const [name, i] of wanted) {
      const values = places.get(name)!
      const mean = values.reduce((a, b) => a + b, 0) / SEEDS
      const spread = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (SEEDS - 1))
      const error = spread / Math.sqrt(SEEDS)
      const exact = exactFisher(name, i)
      // A test whose own error bar hid a factor of two would show nothing.
      expect(error / exact, `${name}: sampling error`).toBeLessThan(0.08)
      expect(Math.abs(mean - exact) / error, `${name}: ${mean}, exact ${exact}`).toBeLessThan(4)
      const step = 1e-3
      const quadratic = divergence(name, i, step) / (0.5 * step * step)
      expect(Math.abs(quadratic / exact - 1), `${name}: divergence`).toBeLessThan(0.02)
      expect(Math.abs(mean - quadratic) / error, `${name}: ${mean}, divergence ${quadratic}`).toBeLessThan(
        4.2,
      )
    }
    model.dispose()
  })

  test('labels differ between seeds and from the data, and repeat with the seed', async () => {
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    const [a, again, other, data] = [
      await measure(model, sequences, SAMPLED),
      await measure(model, sequences, SAMPLED),
      await measure(model, sequences, { ...SAMPLED, seed: 10 }),
      await measure(model, sequences, DATA),
    ]
    expect(again.flat).toEqual(a.flat)
    expect(relativeError(other.flat, a.flat)).toBeGreaterThan(0.1)
    expect(relativeError(data.flat, a.flat)).toBeGreaterThan(0.1)
    model.dispose()
  })
})

test('a raised signal stops the work before the next batch', async () => {
  const tiny = tinyModel(TINY_CONFIGS['phi3, fused, grouped'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const abort = new AbortController()
  const seen: number[] = []
  const attempt = fisherDiagonal(model, randomSequences(6, tiny.config.vocabSize, 2), {
    ...DATA,
    batchSequences: 2,
    signal: abort.signal,
    onProgress: (done, total) => {
      seen.push(done, total)
      if (done === 4) abort.abort()
    },
  })
  await expect(attempt).rejects.toMatchObject({ code: 'cancelled' })
  expect(seen).toEqual([2, 6, 4, 6])
  model.dispose()
})
