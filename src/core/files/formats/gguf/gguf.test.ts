// Written and read again: every switch of the engine's configs, all three types, and the same logits on the device.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ggufOf } from '../../../../testing/ggufBytes.ts'
import { openTestDevice } from '../../../../testing/openTestDevice.ts'
import { expectFailure } from '../../../../testing/tinyCheckpoint.ts'
import { TINY_CONFIGS, TINY_SEQUENCES, type TinyModel, tinyModel } from '../../../../testing/tinyModels.ts'
import type { Gpu } from '../../../gpu/device.ts'
import { Batch } from '../../../model/batch.ts'
import type { ModelConfig, RawConfig } from '../../../model/config.ts'
import { DeviceModel } from '../../../model/deviceModel.ts'
import { listWeights } from '../../../model/families/decoder.ts'
import { allLogits } from '../../../model/gradients.ts'
import { encodeBlocks } from '../../../tensors/blocks/encodeBlocks.ts'
import { decodeWeights, encodeWeights } from '../../../tensors/dtype.ts'
import { decodeValues } from '../../../tensors/encoding.ts'
import { openCheckpoint } from '../../checkpoint.ts'
import { memoryFolder } from '../../folder.ts'
import { assertMergeable } from '../../mergeable.ts'
import { readElements } from '../../storedWeight.ts'
import type { GgufType } from './write.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})
afterAll(() => gpu?.close())

const open = (bytes: Uint8Array, name = 'tiny.gguf') =>
  openCheckpoint(memoryFolder('tiny', new Map([[name, bytes]])))

/** GGUF has no place for these; each is refused by its name. */
const REFUSED = 'gemma2, no caps, untied, biases, odd sizes: hidden 18, head 6, inner 26'
const writable = Object.entries(TINY_CONFIGS).filter(([name]) => name !== REFUSED)

/** Every row is whole blocks. */
const wide = {
  hidden_size: 64,
  intermediate_size: 96,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 41,
  head_dim: 16,
}
const of = (start: string): RawConfig =>
  Object.entries(TINY_CONFIGS).find(([name]) => name.startsWith(start))![1]
const FAMILIES: Record<string, RawConfig> = {
  llama: { ...of('llama, separate'), ...wide },
  mistral: { ...of('mistral'), ...wide },
  qwen2: { ...of('qwen2'), ...wide },
  phi3: { ...of('phi3, fused'), ...wide },
  gemma2: {
    ...Object.entries(TINY_CONFIGS).find(([n]) => n.startsWith('gemma2') && n !== REFUSED)![1],
    ...wide,
  },
}

/** What is stored of a weight, worked out apart from the writer. */
function rounded(
  values: Float32Array,
  shape: readonly number[],
  type: GgufType,
  isGemmaNorm: boolean,
): Float32Array {
  if (isGemmaNorm) return values.map((value) => Math.fround(value + 1) - 1)
  if (shape.length === 1) return values
  if (type === 'f16' || shape[1] % 32 !== 0) return decodeWeights(encodeWeights(values, 'f16'), 'f16')
  return decodeValues({ bytes: encodeBlocks(values, type), encoding: type })
}

function roundedModel(
  { config, arrays }: TinyModel,
  shapes: ReadonlyMap<string, readonly number[]>,
  type: GgufType,
) {
  return new Map(
    [...arrays].map(([name, values]) => [
      name,
      rounded(values, shapes.get(name)!, type, config.family === 'gemma2' && /norm\.weight$/.test(name)),
    ]),
  )
}

/** All that the engine reads of a config; floats as GGUF keeps them. */
function comparable({ raw: _, window, ...config }: ModelConfig): unknown {
  const windows = Array.from({ length: config.layerCount }, (_x, layer) => window(layer) ?? null)
  return JSON.parse(
    JSON.stringify({ ...config, windows }, (_key, value) =>
      typeof value === 'number' ? Math.fround(value) : value,
    ),
  )
}

async function logitsOf(model: DeviceModel, config: ModelConfig): Promise<Float32Array> {
  const batch = new Batch(gpu, config, TINY_SEQUENCES)
  const logits = await allLogits(model, batch)
  batch.release()
  model.dispose()
  return logits
}

async function checkRoundTrip(raw: RawConfig, type: GgufType) {
  const model = tinyModel(raw)
  const file = await ggufOf(model, type)
  const checkpoint = await open(file.bytes)
  expect(checkpoint.format).toBe('gguf')
  expect(checkpoint.extraTensors).toEqual([])
  expect(comparable(checkpoint.config)).toEqual(comparable(model.config))
  const origin = {
    name: 'origin',
    config: model.config,
    weights: listWeights(model.config),
    tokenizerJson: undefined,
  }
  assertMergeable(origin, [checkpoint])
  const shapes = new Map(checkpoint.weights.map(({ name, shape }) => [name, shape]))
  const expected = roundedModel(model, shapes, type)
  for (const [name, weight] of checkpoint.stored) {
    expect(weight.shape).toEqual(shapes.get(name))
    expect(await readElements(weight), name).toEqual(expected.get(name))
  }
  return { model, file, checkpoint, expected }
}

describe.each(writable)('%s', (_name, raw) => {
  it('is written as F16 and read back with the same config and weights', async () => {
    await checkRoundTrip(raw, 'f16')
  })
})

describe.each(Object.entries(FAMILIES))('%s', (family, raw) => {
  it.each(['f16', 'q8_0', 'q4_0'] as const)(
    '%s gives the logits of the rounded weights, bit for bit',
    async (type) => {
      const { model, file, checkpoint, expected } = await checkRoundTrip(raw, type)
      expect(checkpoint.config.family).toBe(family)
      const ours = await DeviceModel.load(gpu, checkpoint, { type: 'f32' })
      const theirs = DeviceModel.fromArrays(gpu, model.config, expected)
      expect(await logitsOf(ours, checkpoint.config)).toEqual(await logitsOf(theirs, model.config))
      expect(file.fallbacks).toEqual([])
      const matrix = checkpoint.stored.get('model.embed_tokens.weight')!
      expect(matrix.storage).toBe(type.toUpperCase())
      // Half a step of the largest in a block of normal values: 2^-12, 1/254, 1/16 of about two deviations.
      const bound = { f16: 3e-4, q8_0: 8e-3, q4_0: 0.12 }[type]
      for (const { tensor, encoding, relative, max } of file.requantised) {
        const values = model.arrays.get(tensor)!
        const stored = expected.get(tensor)!
        const differences = values.map((value, i) => Math.abs(stored[i] - value))
        const norm = (list: Float32Array) => Math.hypot(...list)
        expect(max).toBeCloseTo(Math.max(...differences), 6)
        expect(relative).toBeCloseTo(norm(differences) / norm(values), 6)
        if (encoding === 'f32') expect(relative).toBeLessThan(3e-7)
        else {
          expect(relative).toBeLessThan(bound)
          expect(relative).toBeGreaterThan(bound / 20)
        }
      }
    },
  )

  it('is merged in f16 and bf16 on the device as on the host', async () => {
    const { checkpoint, expected } = await checkRoundTrip(raw, 'q8_0')
    for (const type of ['f16', 'bf16'] as const) {
      const model = await DeviceModel.load(gpu, checkpoint, { type })
      for (const [name, values] of expected)
        expect(await model.read(name), name).toEqual(decodeWeights(encodeWeights(values, type), type))
      model.dispose()
    }
  })
})

describe('what is read', () => {
  it('q and k come in whole heads, in any range of them', async () => {
    const model = tinyModel(FAMILIES.llama)
    const { stored } = await open((await ggufOf(model, 'q8_0')).bytes)
    const weight = stored.get('model.layers.1.self_attn.k_proj.weight')!
    expect(weight.granule).toBe(16 * 64)
    const all = await readElements(weight)
    const second = await weight.read(16 * 64, 16 * 64)
    expect(second.encoding).toBe('q8_0')
    expect(decodeValues(second)).toEqual(all.slice(16 * 64))
    await expectFailure(weight.read(64, 64), 'request-invalid', { tensor: weight.name })
    expect(await readElements(weight, 70, 100)).toEqual(all.slice(70, 170))
  })

  it('rows of q are interleaved halves of heads in the file', async () => {
    const model = tinyModel(FAMILIES.llama)
    const { bytes } = await ggufOf(model, 'f16')
    // Read as qwen2 would be: the same file with another architecture keeps the file's order.
    const text = new TextDecoder('latin1').decode(bytes)
    const qwen = Uint8Array.from(text.replaceAll('llama', 'qwen2'), (c) => c.charCodeAt(0))
    const { openGgufShards } = await import('./shards.ts')
    const { ggufWeights } = await import('./weights.ts')
    const shards = await openGgufShards(memoryFolder('x', new Map([['x.gguf', qwen]])))
    const name = 'model.layers.0.self_attn.q_proj.weight'
    const file = await readElements(ggufWeights(shards, 'qwen2', 16).weights.get(name)!)
    const [C, D] = [64, 16]
    const ours = decodeWeights(encodeWeights(model.arrays.get(name)!, 'f16'), 'f16')
    for (let head = 0; head < 4; head++)
      for (let row = 0; row < D; row++) {
        const from = head * D + row
        const to = head * D + (row < D / 2 ? 2 * row : 2 * (row - D / 2) + 1)
        expect(file.slice(to * C, to * C + C)).toEqual(ours.slice(from * C, from * C + C))
      }
  })

  it('rows that are no whole blocks are stored as F16 and listed', async () => {
    const file = await ggufOf(tinyModel({ ...FAMILIES.llama, intermediate_size: 40 }), 'q4_0')
    expect(file.fallbacks).toEqual([0, 1, 2].map((layer) => `model.layers.${layer}.mlp.down_proj.weight`))
    const { stored } = await open(file.bytes)
    expect(stored.get(file.fallbacks[0])!.storage).toBe('F16')
  })

  it('what GGUF cannot say is refused when it is written', async () => {
    await expectFailure(ggufOf(tinyModel(TINY_CONFIGS[REFUSED]), 'f16'), 'config-unsupported')
    await expectFailure(
      ggufOf(tinyModel({ ...FAMILIES.qwen2, layer_types: undefined, hidden_act: 'gelu_new' }), 'f16'),
      'config-unsupported',
    )
  })

  it('values that a type cannot hold are named', async () => {
    const model = tinyModel(FAMILIES.phi3)
    model.arrays.get('model.layers.1.mlp.down_proj.weight')![7] = 1e6
    await expectFailure(ggufOf(model, 'f16'), 'not-finite', { tensor: 'model.layers.1.mlp.down_proj.weight' })
    model.arrays.get('model.layers.1.mlp.down_proj.weight')![7] = 1e9
    await expectFailure(ggufOf(model, 'q4_0'), 'not-finite', {
      tensor: 'model.layers.1.mlp.down_proj.weight',
    })
  })
})
