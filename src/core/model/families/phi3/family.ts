// Phi-3, 3.5 and 4-mini: fused qkv_proj and gate_up_proj, partial rotary, longrope, one sliding window for all layers.

import { readDecoder, readWindow } from '../decoder.ts'
import type { Family } from '../family.ts'

export const family: Family = {
  architecture: 'Phi3ForCausalLM',
  modelType: 'phi3',
  read(config) {
    for (const key of ['attention_bias', 'mlp_bias']) config.only(key, false)
    // Phi-4-mini's: every how many layers attend to everything, and a divisor of positions.
    for (const key of ['full_attn_mod', 'interpolate_factor']) config.only(key, 1)
    const window = readWindow(config)
    return {
      ...readDecoder(config, 'phi3', { isPartialRotary: true }),
      fused: true,
      window: () => window,
    }
  },
}
