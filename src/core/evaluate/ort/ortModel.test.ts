// Our weights, where they lie, through onnxruntime-web on our own device, and on its CPU provider: logits, hidden
// states and greedy tokens of every family against the engine's own. Small sizes are shared, because onnxruntime
// compiles a pipeline per operator and per divisibility of its sizes.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globals } from 'webgpu'
import { openTestDevice } from '../../../testing/openTestDevice.ts'
import {
  referenceLosses,
  relativeError,
  TINY_CONFIGS,
  TINY_SEQUENCES,
  tinyModel,
} from '../../../testing/tinyModels.ts'
import { Gpu } from '../../gpu/device.ts'
import { Batch } from '../../model/batch.ts'
import type { RawConfig } from '../../model/config.ts'
import { DeviceModel } from '../../model/deviceModel.ts'
import { generate } from '../../model/generate.ts'
import { allLogits, hiddenStates } from '../../model/gradients.ts'
import { OrtModel } from './ortModel.ts'
import { loadOrtNode } from './ortNode.ts'
import type { OrtModule } from './ortSession.ts'

/** Heads of 16, so that GroupQueryAttention takes them. */
const wide = {
  vocab_size: 40,
  hidden_size: 32,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  eos_token_id: 1,
}
const phi3 = { ...wide, architectures: ['Phi3ForCausalLM'], hidden_size: 64 }
const fused: Record<string, RawConfig> = {
  llama: { ...wide, architectures: ['LlamaForCausalLM'], attention_bias: true, mlp_bias: true },
  'mistral, window of 5': { ...wide, architectures: ['MistralForCausalLM'], sliding_window: 5 },
  'qwen2, window on the upper layer, tied': {
    ...wide,
    architectures: ['Qwen2ForCausalLM'],
    use_sliding_window: true,
    sliding_window: 4,
    max_window_layers: 1,
    tie_word_embeddings: true,
  },
  'phi3, packed, longrope switched while it answers': {
    ...phi3,
    max_position_embeddings: 48,
    original_max_position_embeddings: 14,
    rope_scaling: {
      type: 'longrope',
      short_factor: [1, 1, 1, 1, 1, 1, 1, 1.2],
      long_factor: [1, 1, 2, 2, 2, 2, 1.5, 4],
    },
  },
  'phi3, packed, partial rotary': {
    ...phi3,
    hidden_size: 128,
    head_dim: 32,
    partial_rotary_factor: 0.5,
  },
  'gemma2, scores not capped': {
    ...wide,
    architectures: ['Gemma2ForCausalLM'],
    query_pre_attn_scalar: 6,
    attn_logit_softcapping: null,
    final_logit_softcapping: 3,
    sliding_window: 3,
  },
}
const explicit = [
  'phi3, longrope (short and long sequences)',
  'phi3, partial rotary, no grouping',
  'llama, all biases, tied',
  'llama, odd sizes: hidden 18, head 6, inner 26',
  'mistral, heads wider than their share, window of 5',
  'qwen2, yarn, windows by layer_types',
  'gemma2',
]
const cases: [attention: 'fused' | 'explicit', name: string, raw: RawConfig][] = [
  ...Object.entries(fused).map(
    ([name, raw]) => ['fused', name, raw] as [typeof name & 'fused', string, RawConfig],
  ),
  ...explicit.map((name) => ['explicit', name, TINY_CONFIGS[name]] as ['explicit', string, RawConfig]),
]

/** Float32 on both sides, another order of sums. */
const BOUND = 1e-5
const ids = [3, 17, 9, 3, 30, 22, 5, 8, 12, 30, 1, 2]
const prompts = [
  [3, 17, 9, 3, 30, 22, 5],
  [8, 3],
  [12, 7, 33, 20, 7, 7, 2, 31, 14, 9, 26],
  [4, 5],
]
const open = { maxNewTokens: 9, endTokens: [] }

let gpu: Gpu
let ort: OrtModule
beforeAll(async () => {
  gpu = await openTestDevice()
  ort = await loadOrtNode({ gpu: navigator.gpu, globals })
})
afterAll(() => gpu.close())

function deviceModel(raw: RawConfig, seed = 5) {
  const { config, arrays } = tinyModel(raw, 'f32', seed)
  return { config, arrays, model: DeviceModel.fromArrays(gpu, config, arrays) }
}

/** Binds a model's own buffers, everything written to them submitted. */
function bind(ours: OrtModel, model: DeviceModel): void {
  model.gpu.flush()
  ours.bind((name) => model.buffer(name))
}

async function ownLogits(model: DeviceModel, sequence = ids): Promise<Float32Array> {
  const batch = new Batch(gpu, model.config, [{ ids: sequence }])
  const logits = await allLogits(model, batch)
  batch.release()
  return logits
}

describe('weights bound where they lie', () => {
  it.each(cases)('%s attention, %s: the engine’s numbers on both providers', async (attention, _, raw) => {
    const { config, arrays, model } = deviceModel(raw)
    const batch = new Batch(gpu, config, [{ ids }])
    const logits = await allLogits(model, batch)
    const states = await hiddenStates(model, batch)
    const answers = await generate(model, prompts, open)
    const form = { attention, hasHidden: true }
    const onDevice = await OrtModel.open(ort, gpu.device, config, form)
    bind(onDevice, model)
    const onHost = await OrtModel.openHost(ort, config, (name) => arrays.get(name)!, form)
    for (const theirs of [onDevice, onHost]) {
      expect(theirs.attention).toBe(attention)
      expect(relativeError(await theirs.logits(ids), logits)).toBeLessThan(BOUND)
      const hidden = await theirs.hiddenStates(ids)
      expect(hidden.length).toBe(config.layerCount + 1)
      hidden.forEach((state, l) => {
        expect(relativeError(state, states[l])).toBeLessThan(BOUND)
      })
      expect(await theirs.generate(prompts, open)).toEqual(answers)
      await theirs.dispose()
    }
    batch.release()
    model.dispose()
  })

  it('gives losses and pooled streams of sequences of unequal length', async () => {
    const spans = [
      [1, 2],
      [0, 2],
      [3, 11],
    ]
    const sequences = TINY_SEQUENCES.map((sequence, b) => ({
      ...sequence,
      start: spans[b][0],
      end: spans[b][1],
    }))
    for (const [attention, raw] of [
      ['fused', fused['phi3, packed, longrope switched while it answers']],
      ['fused', fused['mistral, window of 5']],
      ['explicit', TINY_CONFIGS['phi3, longrope (short and long sequences)']],
    ] as const) {
      const { config, arrays } = tinyModel({ ...raw, original_max_position_embeddings: 8 })
      const theirs = await OrtModel.openHost(ort, config, (name) => arrays.get(name)!, { hasHidden: true })
      expect(theirs.attention).toBe(attention)
      const expected = sequences.flatMap((sequence) => referenceLosses(config, arrays, sequence))
      const losses = await theirs.targetLosses(sequences)
      expect(losses.map((own) => own.length)).toEqual([5, 1, 3])
      expect(
        relativeError(
          losses.flatMap((own) => [...own]),
          expected,
        ),
      ).toBeLessThan(BOUND)
      const pooled = await theirs.poolHidden(sequences, [2, 1])
      for (const [b, { ids: own, start, end }] of sequences.entries()) {
        const states = await theirs.hiddenStates(own)
        const means = [2, 1].flatMap((l) =>
          Array.from({ length: config.hiddenSize }, (_, c) => {
            let sum = 0
            for (let t = start; t < end; t++) sum += states[l][t * config.hiddenSize + c]
            return sum / (end - start)
          }),
        )
        const width = means.length
        expect(relativeError(pooled.subarray(b * width, (b + 1) * width), means)).toBeLessThan(BOUND)
      }
      await theirs.dispose()
    }
  })

  it('agrees on long sequences in the form it chooses by itself', async () => {
    const long = Array.from({ length: 45 }, (_, t) => (7 * t + 3) % 40)
    const forms = { ...fused, gemma2: TINY_CONFIGS.gemma2, 'small heads': TINY_CONFIGS['llama, separate'] }
    for (const [name, raw] of Object.entries(forms)) {
      const { config, arrays, model } = deviceModel(raw)
      const expected = await ownLogits(model, long)
      const onDevice = await OrtModel.open(ort, gpu.device, config)
      bind(onDevice, model)
      const onHost = await OrtModel.openHost(ort, config, (weight) => arrays.get(weight)!)
      expect([name, onDevice.attention]).toEqual([name, 'explicit'])
      expect([name, onHost.attention]).toEqual([name, name in fused ? 'fused' : 'explicit'])
      for (const theirs of [onDevice, onHost]) {
        expect(relativeError(await theirs.logits(long), expected)).toBeLessThan(BOUND)
        await theirs.dispose()
      }
      model.dispose()
    }
    const { config } = tinyModel(TINY_CONFIGS.gemma2)
    await expect(OrtModel.open(ort, gpu.device, config, { attention: 'fused' })).rejects.toMatchObject({
      code: 'config-unsupported',
    })
  })

  it('serves other weights in the same session, and changed ones in the same buffers', async () => {
    const first = deviceModel(fused.llama, 1)
    const second = deviceModel(fused.llama, 2)
    const theirs = await OrtModel.open(ort, gpu.device, first.config)
    for (const { model } of [first, second, first]) {
      bind(theirs, model)
      expect(relativeError(await theirs.logits(ids), await ownLogits(model))).toBeLessThan(BOUND)
      expect(await theirs.generate(prompts, open)).toEqual(await generate(model, prompts, open))
    }
    const before = await theirs.logits(ids)
    // A merge is written into the buffers that are bound already.
    first.model.copyFrom(second.model)
    gpu.flush()
    const after = await theirs.logits(ids)
    expect(relativeError(after, await ownLogits(second.model))).toBeLessThan(BOUND)
    expect(relativeError(before, after)).toBeGreaterThan(0.1)
    await theirs.dispose()
  })

  it('computes in float16 where the device does', async () => {
    const { config, arrays } = tinyModel(fused.llama, 'f16')
    const model = DeviceModel.fromArrays(gpu, config, arrays, 'f16')
    const theirs = await OrtModel.open(ort, gpu.device, config, { precision: 'f16' })
    bind(theirs, model)
    const error = relativeError(await theirs.logits(ids), await ownLogits(model))
    // Eleven bits of every sum: far from float32's error, and from another model's.
    expect(error).toBeGreaterThan(1e-5)
    expect(error).toBeLessThan(1e-2)
    await theirs.dispose()
  })
})

describe('generation', () => {
  it('draws what the engine draws with the same seed, and other tokens with another', async () => {
    const { config, model } = deviceModel(fused.llama)
    const theirs = await OrtModel.open(ort, gpu.device, config)
    bind(theirs, model)
    const sampled = (seed: number) => ({ ...open, sampling: { temperature: 1.5, seed } })
    const drawn = await theirs.generate(prompts, sampled(7))
    expect(drawn).toEqual(await generate(model, prompts, sampled(7)))
    expect(await theirs.generate(prompts, sampled(8))).not.toEqual(drawn)
    const narrow = { ...open, sampling: { temperature: 1.5, seed: 7, topK: 1 } }
    expect(await theirs.generate(prompts, narrow)).toEqual(await generate(model, prompts, open))
    // Whoever is asked to choose sees each prompt's own logits, on either side, and only while its answer is open.
    const asked: number[] = []
    const choose = async (logits: Float32Array, prompt: number) => {
      asked.push(prompt)
      return logits.indexOf(Math.max(...logits))
    }
    const whole = await generate(model, prompts, open)
    const ended = { ...open, choose, endTokens: [whole[0][1]] }
    const chosen = await theirs.generate(prompts, ended)
    expect(chosen).toEqual(await generate(model, prompts, { ...open, endTokens: [whole[0][1]] }))
    expect(asked.filter((prompt) => prompt === 0)).toHaveLength(chosen[0].length)
    expect(await generate(model, prompts, ended)).toEqual(chosen)
    await theirs.dispose()
  })

  it('streams tokens as they come and stops each answer at its end token', async () => {
    const { config, model } = deviceModel(fused.llama)
    const theirs = await OrtModel.open(ort, gpu.device, config)
    bind(theirs, model)
    const whole = await generate(model, prompts, open)
    const options = { maxNewTokens: 9, endTokens: [whole[0][2], whole[2][4]] }
    const streamed: number[][] = prompts.map(() => [])
    const answers = await theirs.generate(prompts, {
      ...options,
      onToken: (prompt, token) => streamed[prompt].push(token),
    })
    expect(answers).toEqual(await generate(model, prompts, options))
    expect(streamed).toEqual(answers)
    expect(Math.min(...answers.map((answer) => answer.length))).toBeLessThan(9)
    await theirs.dispose()
  })

  it('stops when it is cancelled, and works afterwards', async () => {
    const { config, model } = deviceModel(fused.llama)
    const theirs = await OrtModel.open(ort, gpu.device, config)
    bind(theirs, model)
    const stop = new AbortController()
    let seen = 0
    const onToken = () => {
      if (++seen === 3) stop.abort()
    }
    const cut = theirs.generate([[3, 4]], { ...open, signal: stop.signal, onToken })
    await expect(cut).rejects.toMatchObject({ code: 'cancelled' })
    expect(seen).toBe(3)
    expect(await theirs.generate(prompts, open)).toEqual(await generate(model, prompts, open))
    await theirs.dispose()
  })

  it('refuses what it cannot run, by code', async () => {
    const { config, model, arrays } = deviceModel(fused.llama)
    const theirs = await OrtModel.open(ort, gpu.device, config)
    await expect(theirs.logits([1])).rejects.toMatchObject({ code: 'request-invalid' })
    const short = (name: string) => model.buffer(name === 'lm_head.weight' ? 'model.norm.weight' : name)
    expect(() => theirs.bind(short)).toThrow(expect.objectContaining({ code: 'shape-mismatch' }))
    bind(theirs, model)
    for (const prompt of [[], [40], [-1], [0.5]])
      await expect(theirs.generate([[1], prompt], open)).rejects.toMatchObject({ code: 'request-invalid' })
    const cold = { ...open, sampling: { temperature: 0, seed: 1 } }
    await expect(theirs.generate(prompts, cold)).rejects.toMatchObject({ code: 'request-invalid' })
    await expect(theirs.hiddenStates([1])).rejects.toMatchObject({ code: 'request-invalid' })
    const long = new Array(20_000).fill(1)
    await expect(theirs.logits(long)).rejects.toMatchObject({ code: 'gpu-limit' })
    expect(await theirs.generate([], open)).toEqual([])
    await theirs.dispose()
    await expect(theirs.logits([1])).rejects.toMatchObject({ code: 'request-invalid' })
    const wrong = (name: string) => arrays.get(name === 'lm_head.weight' ? 'model.norm.weight' : name)!
    await expect(OrtModel.openHost(ort, config, wrong)).rejects.toMatchObject({ code: 'shape-mismatch' })
  })

  it('tells a lost device', async () => {
    const other = await Gpu.open(navigator.gpu)
    const { config, arrays } = tinyModel(fused.llama)
    const model = DeviceModel.fromArrays(other, config, arrays)
    const theirs = await OrtModel.open(ort, other.device, config)
    bind(theirs, model)
    const onToken = (_: number, __: number) => other.device.destroy()
    const during = theirs.generate([[3, 4]], { ...open, onToken })
    await expect(during).rejects.toMatchObject({ code: 'device-lost' })
    await expect(theirs.logits([1])).rejects.toMatchObject({ code: 'device-lost' })
    await theirs.dispose()
  })
})
