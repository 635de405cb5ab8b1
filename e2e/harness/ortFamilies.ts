// A merge of each family, written by our kernels, through our forward pass and through onnxruntime-web in this
// browser: on the same device and the same buffers, and on the CPU. Loaded by e2e/onnxruntime.spec.ts.

import { loadOrtBrowser } from '../../src/core/evaluate/ort/ortBrowser.ts'
import { OrtModel } from '../../src/core/evaluate/ort/ortModel.ts'
import { Gpu } from '../../src/core/gpu/device.ts'
import { Batch } from '../../src/core/model/batch.ts'
import type { RawConfig } from '../../src/core/model/config.ts'
import { DeviceModel } from '../../src/core/model/deviceModel.ts'
import { listWeights } from '../../src/core/model/families/decoder.ts'
import { generate } from '../../src/core/model/generate.ts'
import { allLogits } from '../../src/core/model/gradients.ts'
import { mergeStored } from '../../src/testing/storedMerge.ts'
import { relativeError, tinyModel } from '../../src/testing/tinyModels.ts'

const small = {
  vocab_size: 64,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  eos_token_id: 1,
}
const FAMILIES: Record<string, RawConfig> = {
  phi3: {
    ...small,
    architectures: ['Phi3ForCausalLM'],
    original_max_position_embeddings: 12,
    rope_scaling: {
      type: 'longrope',
      short_factor: [1, 1, 1, 1, 1, 1, 1, 1.2],
      long_factor: [1, 1, 2, 2, 2, 2, 1.5, 4],
    },
  },
  llama: { ...small, architectures: ['LlamaForCausalLM'] },
  mistral: { ...small, architectures: ['MistralForCausalLM'], sliding_window: 8 },
  qwen2: { ...small, architectures: ['Qwen2ForCausalLM'], tie_word_embeddings: true },
  gemma2: { ...small, architectures: ['Gemma2ForCausalLM'], head_dim: 16, sliding_window: 8 },
}

export interface FamilyResult {
  family: string
  provider: string
  attention: string
  logitsError: number
  /** generated tokens are ours */ isEqual: boolean
}

async function compareFamilies(): Promise<FamilyResult[]> {
  const gpu = await Gpu.open(navigator.gpu)
  const ort = await loadOrtBrowser()
  const results: FamilyResult[] = []
  const ids = Array.from({ length: 40 }, (_, t) => (7 * t + 3) % 64)
  const prompts = [ids.slice(0, 9), ids.slice(5, 8), ids.slice(20, 31)]
  const options = { maxNewTokens: 8, endTokens: [] }
  for (const [family, raw] of Object.entries(FAMILIES)) {
    const parts = [5, 6, 7].map((seed) => tinyModel(raw, 'f32', seed))
    const { config } = parts[0]
    const merged = await mergeStored(gpu, {
      method: 'ties',
      type: 'f32',
      shapes: Object.fromEntries(listWeights(config).map(({ name, shape }) => [name, shape])),
      values: parts.map((part) => Object.fromEntries(part.arrays)),
      hasBase: true,
      parameters: {},
      modelParameters: [{ weight: 0.6 }, { weight: 0.5 }],
      seed: 1,
    })
    const model = DeviceModel.fromArrays(gpu, config, merged)
    const batch = new Batch(gpu, config, [{ ids }])
    const logits = await allLogits(model, batch)
    const answers = await generate(model, prompts, options)
    const onDevice = await OrtModel.open(ort, gpu.device, config)
    onDevice.bind((name) => model.buffer(name))
    const onHost = await OrtModel.openHost(ort, config, (name) => merged.get(name)!)
    for (const theirs of [onDevice, onHost]) {
      results.push({
        family,
        provider: theirs.provider,
        attention: theirs.attention,
        logitsError: relativeError(await theirs.logits(ids), logits),
        isEqual: JSON.stringify(await theirs.generate(prompts, options)) === JSON.stringify(answers),
      })
      await theirs.dispose()
    }
    batch.release()
    model.dispose()
  }
  gpu.close()
  return results
}

Object.assign(globalThis, { compareFamilies })
