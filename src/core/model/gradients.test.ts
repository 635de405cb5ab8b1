// Every weight's gradient against central differences of the float64 reference, from the loss and from pooled
// hidden states; and the other uses of the same sink against plain gradients of single sequences.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import {
  referenceLosses,
  relativeError,
  TINY_CONFIGS,
  TINY_SEQUENCES,
  type TinyModel,
  tinyModel,
} from '../../testing/tinyModels.ts'
import type { Gpu } from '../gpu/device.ts'
import { Random } from '../tensors/random.ts'
import { Batch, type Sequence } from './batch.ts'
import type { ModelConfig } from './config.ts'
import { referenceForward } from './decoder.reference.ts'
import { DeviceModel } from './deviceModel.ts'
import { createGradients, type GradientKind, GradientSink } from './gradientSink.ts'
import { encodeLossGradient, encodePooledGradient, type Pooling, readGradients } from './gradients.ts'

const PLACES = 6
// float32 sums of a few hundred terms, against the largest element of the same tensor
const BOUND = 2e-5

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

type Gradients = Map<string, Float32Array>

/** Runs `encode` with a sink of `kind` and reads the outputs; Z rows of each tensor, padding included when Z > 1. */
async function collect(
  model: DeviceModel,
  sequences: readonly Sequence[],
  kind: GradientKind,
  encode: (batch: Batch, sink: GradientSink) => GPUBuffer | undefined,
  groups?: number[],
): Promise<Gradients> {
  const Z = groups ? Math.max(...groups) + 1 : 1
  const batch = new Batch(gpu, model.config, sequences)
  const outputs = createGradients(gpu, model.config, Z)
  const pooled = encode(batch, new GradientSink(gpu, model.config, batch, outputs, kind, groups, Z))
  const count = (name: string) => model.tensor(name).count
  const values = await readGradients(gpu, outputs, (name) =>
    Z === 1 ? count(name) : Z * Math.ceil(count(name) / 4) * 4,
  )
  gpu.pool.release(pooled)
  batch.release()
  for (const buffer of outputs.values()) buffer.destroy()
  return values
}

/** Encodes the gradient of the summed loss, times `share` of the batch. */
const lossOf =
  (model: DeviceModel, share: (batch: Batch) => number = () => 1) =>
  (batch: Batch, sink: GradientSink): GPUBuffer =>
    encodeLossGradient(model, batch, new Float32Array(batch.rowCount).fill(share(batch)), sink)

/** Central differences of `objective` at seeded places of every tensor, against `ours`. */
function compareWithDifferences(
  { arrays }: TinyModel,
  ours: Gradients,
  objective: (weights: Map<string, Float64Array>) => number,
): string[] {
  const weights = new Map(Array.from(arrays, ([name, values]) => [name, Float64Array.from(values)]))
  const misses: string[] = []
  let stream = 0
  for (const [name, values] of weights) {
    const gradient = ours.get(name)!
    const scale = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
    if (!(scale > 0 && scale < 1e4)) misses.push(`${name}: largest element ${scale}`)
    const random = new Random(31, stream++)
    for (let place = 0; place < PLACES; place++) {
      // Half of the places where the gradient is not zero: most rows of an embedding are never used.
      let i = random.integer(values.length)
      if (place % 2 === 0) while (gradient[i] === 0) i = random.integer(values.length)
      const before = values[i]
      const at = (step: number) => {
        values[i] = before + step
        const value = objective(weights)
        values[i] = before
        return value
      }
      const slope = (at(1e-4) - at(-1e-4)) / 2e-4
      if (!(Math.abs(slope - gradient[i]) <= BOUND * scale + 1e-7))
        misses.push(`${name}[${i}]: ${gradient[i]}, differences give ${slope}`)
    }
  }
  return misses
}

describe.each(Object.entries(TINY_CONFIGS))('%s', (_name, raw) => {
  test('gradient of the mean loss equals finite differences', async () => {
    const tiny = tinyModel(raw)
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    const mean = lossOf(model, (batch) => 1 / batch.rowCount)
    const ours = await collect(model, TINY_SEQUENCES, 'gradient', mean)
    const misses = compareWithDifferences(tiny, ours, (weights) => {
      const losses = TINY_SEQUENCES.flatMap((s) => referenceLosses(tiny.config, weights, s))
      return losses.reduce((a, b) => a + b, 0) / losses.length
    })
    expect(misses).toEqual([])
    model.dispose()
  })
})

const pooling: Pooling = {
  spanStart: Uint32Array.of(2, 7, 15),
  spanEnd: Uint32Array.of(6, 9, 20),
  hidden: [2, 0],
}

function pooledObjective(config: ModelConfig, upstream: Float32Array, starts: number[]) {
  const C = config.hiddenSize
  return (weights: Map<string, Float64Array>) => {
    let sum = 0
    TINY_SEQUENCES.forEach(({ ids }, s) => {
      const { hidden } = referenceForward(config, weights, ids)
      const [start, end] = [pooling.spanStart[s] - starts[s], pooling.spanEnd[s] - starts[s]]
      pooling.hidden.forEach((l, block) => {
        for (let c = 0; c < C; c++)
          for (let t = start; t < end; t++)
            sum += (upstream[(s * 2 + block) * C + c] * hidden[l][t * C + c]) / (end - start)
      })
    })
    return sum
  }
}

test.each(['phi3, sliding window of 3', 'llama, odd sizes: hidden 18, head 6, inner 26', 'gemma2'])(
  'gradient of pooled hidden states equals finite differences: %s',
  async (name) => {
    const tiny = tinyModel(TINY_CONFIGS[name])
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    const upstream = new Random(8).normals(3 * 2 * tiny.config.hiddenSize)
    const ours = await collect(model, TINY_SEQUENCES, 'gradient', (batch, sink) => {
      encodePooledGradient(model, batch, pooling, upstream, sink)
      return undefined
    })
    // Layers above the last pooled state, the final norm and the head are not reached.
    const isReached = (tensor: string) => !/layers\.2|model\.norm|lm_head/.test(tensor)
    for (const [tensor, values] of ours)
      if (!isReached(tensor)) {
        expect(values.every((v) => v === 0)).toBe(true)
        ours.delete(tensor)
      }
    const arrays = new Map([...tiny.arrays].filter(([tensor]) => isReached(tensor)))
    const misses = compareWithDifferences({ ...tiny, arrays }, ours, (weights) =>
      pooledObjective(
        tiny.config,
        upstream,
        [0, 7, 9],
      )(new Map([...Array.from(tiny.arrays, ([k, v]) => [k, Float64Array.from(v)] as const), ...weights])),
    )
    expect(misses).toEqual([])
    model.dispose()
  },
)

const tiedAndNot = [
  'llama, odd sizes: hidden 18, head 6, inner 26',
  'llama, all biases, tied',
  'phi3, odd sizes: hidden 18, head 6, window 4, tied',
  // The two uses of its embedding have different factors.
  'gemma2',
]

describe.each(tiedAndNot)('%s', (name) => {
  let model: DeviceModel
  beforeAll(() => {
    const tiny = tinyModel(TINY_CONFIGS[name])
    model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  })
  afterAll(() => model.dispose())

  /** Σ_s (gradient of sequence s alone)^power, in float64; power 0 stands for the absolute value. */
  async function sumAlone(sequences: readonly Sequence[], power: number): Promise<Map<string, Float64Array>> {
    const sums = new Map<string, Float64Array>()
    for (const sequence of sequences)
      for (const [tensor, values] of await collect(model, [sequence], 'gradient', lossOf(model))) {
        const sum = sums.get(tensor) ?? new Float64Array(values.length)
        for (let i = 0; i < sum.length; i++) sum[i] += power === 0 ? Math.abs(values[i]) : values[i] ** power
        sums.set(tensor, sum)
      }
    return sums
  }

  test.each([
    ['squares', 2],
    ['absolutes', 0],
  ] as const)('%s are sums over sequences of that power of their gradients', async (kind, power) => {
    const expected = await sumAlone(TINY_SEQUENCES, power)
    for (const [tensor, values] of await collect(model, TINY_SEQUENCES, kind, lossOf(model)))
      expect(relativeError(values, expected.get(tensor)!), tensor).toBeLessThan(2e-6)
  })

  test('rows are gradients of groups of sequences, an empty group included', async () => {
    const groups = [0, 2, 2]
    const rows = await collect(model, TINY_SEQUENCES, 'rows', lossOf(model), groups)
    for (const z of [0, 1, 2]) {
      const expected = await sumAlone(
        TINY_SEQUENCES.filter((_, s) => groups[s] === z),
        1,
      )
      for (const [tensor, values] of rows) {
        const { count } = model.tensor(tensor)
        const row = values.subarray(z * Math.ceil(count / 4) * 4).subarray(0, count)
        expect(relativeError(row, expected.get(tensor) ?? new Float64Array(count)), tensor).toBeLessThan(2e-6)
      }
    }
  })

  test('fast squares are exact where one position of each sequence has a gradient', async () => {
    // Two tokens, one target: the second token predicts nothing and no one looks at it.
    const sequences = [5, 9, 5, 30].map((id, i) => ({ ids: [id, (id * 3 + i) % 37], firstTarget: 1 }))
    const exact = await collect(model, sequences, 'squares', lossOf(model))
    for (const [tensor, values] of await collect(model, sequences, 'fast-squares', lossOf(model)))
      expect(relativeError(values, exact.get(tensor)!), tensor).toBeLessThan(2e-6)
  })
})

test.each([true, false])(
  'fast squares are sums over positions: exact per target where every token sees only itself (tied: %s)',
  async (tied) => {
    const raw = { ...TINY_CONFIGS['phi3, fused, grouped'], sliding_window: 1, tie_word_embeddings: tied }
    const tiny = tinyModel(raw)
    const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
    // From the first token on, so that a token met twice in a sequence counts twice.
    const sequences = TINY_SEQUENCES.map(({ ids }) => ({ ids, firstTarget: 1 }))
    const fast = await collect(model, sequences, 'fast-squares', lossOf(model))
    // With a window of one the loss of a target reaches one position, that of the token before it.
    const pairs = sequences.flatMap(({ ids }) =>
      ids.slice(1).map((id, i) => ({ ids: [ids[i], id], firstTarget: 1 })),
    )
    const exact = await collect(model, pairs, 'squares', lossOf(model))
    for (const [tensor, values] of fast)
      expect(relativeError(values, exact.get(tensor)!), tensor).toBeLessThan(3e-6)
    model.dispose()
  },
)

test('only the tensors asked for get a gradient, and gradients add to what is there', async () => {
  const tiny = tinyModel(TINY_CONFIGS['llama, all biases, tied'])
  const model = DeviceModel.fromArrays(gpu, tiny.config, tiny.arrays)
  const wanted = new Set(['model.layers.1.mlp.up_proj.weight', 'model.layers.0.self_attn.k_proj.bias'])
  const full = await collect(model, TINY_SEQUENCES, 'gradient', lossOf(model))
  const outputs = createGradients(gpu, tiny.config, 1, wanted)
  expect(new Set(outputs.keys())).toEqual(wanted)
  const batch = new Batch(gpu, tiny.config, TINY_SEQUENCES)
  for (const _ of [1, 2])
    gpu.pool.release(lossOf(model)(batch, new GradientSink(gpu, tiny.config, batch, outputs, 'gradient')))
  const twice = await readGradients(gpu, outputs, (name) => model.tensor(name).count)
  for (const [tensor, values] of twice)
    expect(
      relativeError(
        values,
        full.get(tensor)!.map((v) => 2 * v),
      ),
    ).toBeLessThan(1e-6)
  batch.release()
  model.dispose()
})
