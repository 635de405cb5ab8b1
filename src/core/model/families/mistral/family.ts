// Mistral: Llama's layout with one sliding window for all layers and no biases.

import { readRotary } from '../rotary.ts'
import { readDecoder } from './decoder.ts'
import type { Family } from './family.ts'

export const mistral: Family = {
  architecture: 'MistralForCausalLM',
  modelType: 'mistral',
  read(config) {
    const decoder = readDecoder(config)
    const window = config.raw.sliding_window == null ? undefined : config.count('sliding_window')
    return {
      ...decoder,
      family: 'mistral',
      fused: false,
      qkvBias: false,
      outputBias: false,
      mlpBias: false,
      rotary: readRotary(config, decoder.headSize, false),
      window: () => window,
    }
  },
}
