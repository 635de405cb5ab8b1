// Qwen 2 and 2.5: Llama's layout with biases on q, k and v, and a window on the upper layers where asked for.

import { readDecoder, readSlidingLayers, readWindow } from '../decoder.ts'
import type { Family } from '../family.ts'

export const family: Family = {
  architecture: 'Qwen2ForCausalLM',
  modelType: 'qwen2',
  read(config) {
    config.only('mlp_bias', false)
    const decoder = readDecoder(config, 'qwen2')
    // Zero is a legal layer number here, so `count` does not fit.
    const first = config.number('max_window_layers', 28)
    const slides = readSlidingLayers(config, decoder.layerCount, (layer) => layer >= first)
    // The window's size stands in configs that do not use it.
    const window = config.flag('use_sliding_window', false) ? readWindow(config, 4096) : undefined
    return {
      ...decoder,
      qkvBias: true,
      window: (layer) => (window !== undefined && slides(layer) ? window : undefined),
    }
  },
}
