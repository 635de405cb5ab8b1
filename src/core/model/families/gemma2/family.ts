// Gemma 2: tied, embedding scaled by √C, norms with 1 + w before and after both blocks, GELU by tanh, scores
// scaled by query_pre_attn_scalar and soft-capped, logits soft-capped, a window on every other layer from the first.
// Defaults are those of the published model code, which leaves out what is equal to them: tied embeddings, the caps.

import type { ConfigReader } from '../../config.ts'
import { readDecoder, readSlidingLayers, readWindow } from '../decoder.ts'
import type { Family } from '../family.ts'

/** 0 for null, which switches a cap off; absent it is Gemma's own. */
function readCap(config: ConfigReader, key: string, absent: number): number {
  if (config.raw[key] === null) return 0
  const cap = config.number(key, absent)
  return cap > 0 ? cap : config.fail(key, 'a number above 0, or null for none')
}

export const family: Family = {
  architecture: 'Gemma2ForCausalLM',
  modelType: 'gemma2',
  read(config) {
    config.only('mlp_bias', false)
    const decoder = readDecoder(config, 'gemma2', {
      tied: true,
      headSize: 256,
      // hidden_act stands in the files too and is not read by the model.
      activationKey: 'hidden_activation',
      activation: 'gelu_pytorch_tanh',
    })
    const scalar = config.number('query_pre_attn_scalar', 256)
    if (!(scalar > 0)) config.fail('query_pre_attn_scalar', 'a number above 0')
    const attentionBias = config.flag('attention_bias', false)
    const window = readWindow(config, 4096)
    const slides = readSlidingLayers(config, decoder.layerCount, (layer) => layer % 2 === 0)
    return {
      ...decoder,
      norms: {
        attention: 'input_layernorm',
        attentionOutput: 'post_attention_layernorm',
        mlp: 'pre_feedforward_layernorm',
        mlpOutput: 'post_feedforward_layernorm',
      },
      gainOffset: 1,
      embeddingScale: Math.sqrt(decoder.hiddenSize),
      scoreScale: scalar ** -0.5,
      scoreCap: readCap(config, 'attn_logit_softcapping', 50),
      logitCap: readCap(config, 'final_logit_softcapping', 30),
      qkvBias: attentionBias,
      outputBias: attentionBias,
      window: (layer) => (window !== undefined && slides(layer) ? window : undefined),
    }
  },
}
