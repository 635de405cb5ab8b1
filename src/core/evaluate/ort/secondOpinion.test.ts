// onnxruntime-web over Dawn against the float64 reference, one tiny random model per switch of the config.
// onnxruntime compiles a pipeline per operator and per divisibility of its sizes by 4, a second or more on a
// software driver: most cases keep to the same sizes so that they share them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { create, globals } from 'webgpu'
import type { ModelConfig } from '../../model/config.ts'
import { referenceForward } from '../../model/decoder.reference.ts'
import { listWeights } from '../../model/families/decoder.ts'
import { readConfig } from '../../model/families/registry.ts'
import { Random } from '../../tensors/random.ts'
import { loadOrtNode } from './ortNode.ts'
import type { OrtModule } from './ortSession.ts'
import { OrtDecoder, relativeError } from './secondOpinion.ts'

const small = {
  hidden_size: 48,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  vocab_size: 52,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-5,
}
const llama = { ...small, architectures: ['LlamaForCausalLM'] }
const phi3 = { ...small, architectures: ['Phi3ForCausalLM'], original_max_position_embeddings: 16 }
const longrope = { type: 'longrope', short_factor: [1, 1.1, 1.2, 1.3], long_factor: [2, 3, 5, 9] }
const llama3 = {
  rope_type: 'llama3',
  factor: 8,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 64,
}

// Caps near the size of what they cap.
const gemma2 = {
  ...small,
  architectures: ['Gemma2ForCausalLM'],
  head_dim: 8,
  query_pre_attn_scalar: 16,
  attn_logit_softcapping: 2,
  final_logit_softcapping: 4,
  sliding_window: 5,
}

const cases: Record<string, Record<string, unknown>> = {
  'Llama, grouped queries': llama,
  'Llama, tied head, all biases, linear scaling': {
    ...llama,
    tie_word_embeddings: true,
    attention_bias: true,
    mlp_bias: true,
    rope_scaling: { type: 'linear', factor: 4 },
  },
  'Llama, one key head, wide heads, odd vocabulary, llama3 scaling': {
    ...llama,
    num_key_value_heads: 1,
    head_dim: 16,
    vocab_size: 53,
    rope_scaling: llama3,
  },
  'Phi-3, window, short longrope': {
    ...phi3,
    original_max_position_embeddings: 64,
    sliding_window: 5,
    rope_scaling: longrope,
  },
  'Phi-3, long longrope': { ...phi3, rope_scaling: longrope },
  'Phi-3, no grouping, partial rotary, other epsilon': {
    ...phi3,
    num_key_value_heads: 6,
    partial_rotary_factor: 0.5,
    rms_norm_eps: 1e-2,
  },
  'Mistral, window': { ...small, architectures: ['MistralForCausalLM'], sliding_window: 7 },
  'Qwen 2, tied, yarn, window on the upper layer': {
    ...small,
    architectures: ['Qwen2ForCausalLM'],
    tie_word_embeddings: true,
    rope_scaling: { type: 'yarn', factor: 4, original_max_position_embeddings: 64, beta_fast: 8 },
    use_sliding_window: true,
    sliding_window: 6,
    max_window_layers: 1,
  },
  'Gemma 2': gemma2,
  'Gemma 2, caps off, untied, biases': {
    ...gemma2,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    tie_word_embeddings: false,
    attention_bias: true,
  },
}

interface TestModel {
  config: ModelConfig
  values: Map<string, Float32Array>
}

function randomModel(raw: Record<string, unknown>, seed: number): TestModel {
  const config = readConfig(raw)
  const random = new Random(seed)
  const values = new Map<string, Float32Array>()
  for (const { name, shape, role } of listWeights(config)) {
    const spread =
      role === 'matrix' || role === 'head' ? 1.5 / Math.sqrt(shape[1]) : role === 'gain' ? 0.3 : 1
    const middle = role === 'gain' ? 1 - config.gainOffset : 0
    const length = shape.reduce((a, b) => a * b, 1)
    values.set(
      name,
      Float32Array.from({ length }, () => middle + spread * random.normal()),
    )
  }
  return { config, values }
}

function randomTokens(config: ModelConfig, length: number, seed: number): number[] {
  const random = new Random(seed)
  return Array.from({ length }, () => random.nextU32() % config.vocabSize)
}

async function openDevice(gpu: GPU): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter()
  if (!adapter) throw new Error('no WebGPU adapter: see scripts/setup.mjs')
  return adapter.requestDevice()
}

function upload(device: GPUDevice, values: Map<string, Float32Array>): (name: string) => GPUBuffer {
  const buffers = new Map<string, GPUBuffer>()
  for (const [name, data] of values) {
    // Odd sizes are padded, as our own buffers are.
    const size = Math.ceil(data.byteLength / 16) * 16
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST
    const buffer = device.createBuffer({ size, usage })
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>)
    buffers.set(name, buffer)
  }
  return (name) => buffers.get(name)!
}

describe('second opinion', () => {
  const gpu = create([])
  let device: GPUDevice
  let ort: OrtModule
  beforeAll(async () => {
    device = await openDevice(gpu)
    ort = await loadOrtNode({ gpu, globals })
  })
  afterAll(() => device.destroy())

  for (const [name, raw] of Object.entries(cases))
    it(`agrees with float64: ${name}`, async () => {
      const { config, values } = randomModel(raw, 11)
      const decoder = await OrtDecoder.open(ort, device, config)
      const ids = randomTokens(config, 20, 12)
      const logits = await decoder.logits(ids, upload(device, values))
      expect(relativeError(logits, referenceForward(config, values, ids).logits)).toBeLessThan(1e-5)
      await decoder.dispose()
    })

  it('takes sequences of any length in one session', async () => {
    const { config, values } = randomModel(llama, 10)
    const weights = upload(device, values)
    const decoder = await OrtDecoder.open(ort, device, config)
    for (const length of [9, 20]) {
      const ids = randomTokens(config, length, length)
      const logits = await decoder.logits(ids, weights)
      expect(relativeError(logits, referenceForward(config, values, ids).logits)).toBeLessThan(1e-5)
    }
    await decoder.dispose()
  })

  it('serves other weights of the same config in the same session', async () => {
    const first = randomModel(llama, 1)
    const second = randomModel(llama, 2)
    const decoder = await OrtDecoder.open(ort, device, first.config)
    const ids = randomTokens(first.config, 20, 3)
    for (const { config, values } of [first, second, first]) {
      const logits = await decoder.logits(ids, upload(device, values))
      expect(relativeError(logits, referenceForward(config, values, ids).logits)).toBeLessThan(1e-5)
    }
    await decoder.dispose()
  })

  it('reads a weight anew in every run, and tells one changed weight', async () => {
    const { config, values } = randomModel(llama, 4)
    const decoder = await OrtDecoder.open(ort, device, config)
    const weights = upload(device, values)
    const ids = randomTokens(config, 20, 5)
    const before = await decoder.logits(ids, weights)
    const name = 'model.layers.1.self_attn.k_proj.weight'
    const changed = values.get(name)!.map((value, i) => (i === 7 ? value + 0.5 : value))
    device.queue.writeBuffer(weights(name), 0, changed as Float32Array<ArrayBuffer>)
    const after = await decoder.logits(ids, weights)
    const expected = referenceForward(config, new Map(values).set(name, changed), ids).logits
    expect(relativeError(after, expected)).toBeLessThan(1e-5)
    expect(relativeError(before, expected)).toBeGreaterThan(1e-4)
    await decoder.dispose()
  })

  it('lines up calls made at once', async () => {
    const { config, values } = randomModel(llama, 6)
    const weights = upload(device, values)
    const decoders = await Promise.all([1, 2].map(() => OrtDecoder.open(ort, device, config)))
    const sequences = [5, 6, 7].map((seed) => randomTokens(config, 20, seed))
    const results = await Promise.all(
      sequences.flatMap((ids) => decoders.map((decoder) => decoder.logits(ids, weights))),
    )
    results.forEach((logits, i) => {
      const expected = referenceForward(config, values, sequences[Math.floor(i / 2)]).logits
      expect(relativeError(logits, expected)).toBeLessThan(1e-5)
    })
    await Promise.all(decoders.map((decoder) => decoder.dispose()))
  })

  it('refuses what it cannot run, by code', async () => {
    const { config, values } = randomModel(llama, 7)
    const weights = upload(device, values)
    const decoder = await OrtDecoder.open(ort, device, config)
    const fails = (ids: number[], code: string, from = weights) =>
      expect(decoder.logits(ids, from)).rejects.toMatchObject({ code })
    await fails([], 'request-invalid')
    await fails([52], 'request-invalid')
    await fails([-1], 'request-invalid')
    await fails([0.5], 'request-invalid')
    await fails([1], 'shape-mismatch', (name) =>
      weights(name === 'lm_head.weight' ? 'model.norm.weight' : name),
    )
    await fails(new Array(20_000).fill(1), 'gpu-limit')
    await decoder.dispose()
    await fails([1], 'request-invalid')
    const huge = readConfig({ ...llama, vocab_size: 2 ** 30 })
    await expect(OrtDecoder.open(ort, device, huge)).rejects.toMatchObject({ code: 'gpu-limit' })
  })

  it('reports a buffer of the wrong usage and keeps working', async () => {
    const { config, values } = randomModel(llama, 8)
    const weights = upload(device, values)
    const decoder = await OrtDecoder.open(ort, device, config)
    const wrong = device.createBuffer({ size: 4 * 48 * 52, usage: GPUBufferUsage.COPY_DST })
    const ids = randomTokens(config, 20, 1)
    const faulty = decoder.logits(ids, (name) => (name === 'lm_head.weight' ? wrong : weights(name)))
    await expect(faulty).rejects.toMatchObject({ code: 'gpu-failed' })
    const expected = referenceForward(config, values, ids).logits
    expect(relativeError(await decoder.logits(ids, weights), expected)).toBeLessThan(1e-5)
    await decoder.dispose()
  })

  it('tells a lost device, and a new one works afterwards', async () => {
    const { config, values } = randomModel(llama, 9)
    const doomed = await openDevice(gpu)
    const decoder = await OrtDecoder.open(ort, doomed, config)
    const weights = upload(doomed, values)
    const ids = randomTokens(config, 20, 1)
    const during = decoder.logits(ids, weights)
    setTimeout(() => doomed.destroy(), 1)
    await expect(during).rejects.toMatchObject({ code: 'device-lost' })
    await expect(decoder.logits(ids, weights)).rejects.toMatchObject({ code: 'device-lost' })
    await expect(OrtDecoder.open(ort, doomed, config)).rejects.toMatchObject({ code: 'device-lost' })
    await decoder.dispose()
    const other = await OrtDecoder.open(ort, device, config)
    const expected = referenceForward(config, values, ids).logits
    expect(relativeError(await other.logits(ids, upload(device, values)), expected)).toBeLessThan(1e-5)
    await other.dispose()
  })
})

describe('relativeError', () => {
  it('is the ratio of norms', () => {
    expect(relativeError([3, 4], [3, 4])).toBe(0)
    expect(relativeError([0, 0], [0, 0])).toBe(0)
    expect(relativeError([3, 5], [0, 5])).toBeCloseTo(0.6, 12)
  })
  it('refuses what cannot be compared', () => {
    expect(() => relativeError([1], [1, 2])).toThrow(expect.objectContaining({ code: 'shape-mismatch' }))
    expect(() => relativeError([1, Number.NaN], [1, 2])).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    )
  })
})
