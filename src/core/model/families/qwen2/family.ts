// Qwen 2 and 2.5: Llama's layout with biases on q, k and v, and a window on the upper layers where asked for.

import { readRotary } from '../rotary.ts'
import { readDecoder } from './decoder.ts'
import type { Family } from './family.ts'

export const qwen2: Family = {
  architecture: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  read(config) {
    const decoder = readDecoder(config)
    const isWindowed = config.flag('use_sliding_window', false) && config.raw.sliding_window != null
    const window = isWindowed ? config.count('sliding_window') : undefined
    // Zero is a legal layer number here, so `count` does not fit.
    const first = config.number('max_window_layers', decoder.layerCount)
    const types = config.raw.layer_types
    const isSliding = (layer: number) =>
      Array.isArray(types) ? types[layer] === 'sliding_attention' : layer >= first
    return {
      ...decoder,
      family: 'qwen2',
      fused: false,
      qkvBias: true,
      outputBias: false,
      mlpBias: false,
      rotary: readRotary(config, decoder.headSize, false),
      window: (layer) => (window !== undefined && isSliding(layer) ? window : undefined),
    }
  },
}
