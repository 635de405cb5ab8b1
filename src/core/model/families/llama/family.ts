// Llama 2, 3, 3.1 and 3.2: separate q, k, v and gate, up projections, biases where the config says so, no window.
// `pretraining_tp` cuts each product into parts that are added again: the same function, so it is not read.

import { readDecoder } from '../decoder.ts'
import type { Family } from '../family.ts'

export const family: Family = {
  architecture: 'LlamaForCausalLM',
  modelType: 'llama',
  read(config) {
    const attentionBias = config.flag('attention_bias', false)
    return {
      ...readDecoder(config, 'llama'),
      qkvBias: attentionBias,
      outputBias: attentionBias,
      mlpBias: config.flag('mlp_bias', false),
    }
  },
}
