// Phi-3 and 3.5: fused qkv_proj and gate_up_proj, partial rotary, longrope, one sliding window for all layers.

import { readRotary } from '../rotary.ts'
import { readDecoder } from './decoder.ts'
import type { Family } from './family.ts'

export const phi3: Family = {
  architecture: 'Phi3ForCausalLM',
  modelType: 'phi3',
  read(config) {
    const decoder = readDecoder(config)
    const window = config.raw.sliding_window == null ? undefined : config.count('sliding_window')
    return {
      ...decoder,
      family: 'phi3',
      fused: true,
      qkvBias: false,
      outputBias: false,
      mlpBias: false,
      rotary: readRotary(config, decoder.headSize, true),
      window: () => window,
    }
  },
}
