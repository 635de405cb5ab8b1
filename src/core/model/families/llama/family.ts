// Llama 2 and 3: separate q, k, v and gate, up projections, optional biases everywhere, no window.

import { readRotary } from '../rotary.ts'
import { readDecoder } from './decoder.ts'
import type { Family } from './family.ts'

export const llama: Family = {
  architecture: 'LlamaForCausalLM',
  modelType: 'llama',
  read(config) {
    const decoder = readDecoder(config)
    const attentionBias = config.flag('attention_bias', false)
    return {
      ...decoder,
      family: 'llama',
      fused: false,
      qkvBias: attentionBias,
      outputBias: attentionBias,
      mlpBias: config.flag('mlp_bias', false),
      rotary: readRotary(config, decoder.headSize, false),
      window: () => undefined,
    }
  },
}
