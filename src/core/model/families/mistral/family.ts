// Mistral 7B and Nemo: Llama's layout with one sliding window for all layers and no biases. Nemo's heads are
// narrower than hidden_size / num_attention_heads and say so in head_dim.

import { readDecoder, readWindow } from '../decoder.ts'
import type { Family } from '../family.ts'

export const family: Family = {
  architecture: 'MistralForCausalLM',
  modelType: 'mistral',
  read(config) {
    for (const key of ['attention_bias', 'mlp_bias']) config.only(key, false)
    const window = readWindow(config, 4096)
    return { ...readDecoder(config, 'mistral'), window: () => window }
  },
}
