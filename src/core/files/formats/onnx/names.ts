// Names that exporters give to nodes and tensors, as Hugging Face names the modules. Known: onnxruntime-genai's model
// builder (`/model/layers.0/attn/q_proj/MatMul_Q4`, `model.layers.2.final_norm_layernorm.weight`, underscores for dots
// in some versions) and Optimum's and transformers.js' exports (`/model/layers.0/self_attn/q_proj/MatMul`).

/** Modules of a layer by the last part of their name. */
const IN_LAYER: Readonly<Record<string, string>> = {
  q_proj: 'self_attn.q_proj',
  k_proj: 'self_attn.k_proj',
  v_proj: 'self_attn.v_proj',
  qkv_proj: 'self_attn.qkv_proj',
  o_proj: 'self_attn.o_proj',
  gate_proj: 'mlp.gate_proj',
  up_proj: 'mlp.up_proj',
  gate_up_proj: 'mlp.gate_up_proj',
  down_proj: 'mlp.down_proj',
  input_layernorm: 'input_layernorm',
  post_attention_layernorm: 'post_attention_layernorm',
  pre_feedforward_layernorm: 'pre_feedforward_layernorm',
  post_feedforward_layernorm: 'post_feedforward_layernorm',
}

const LAYER = /(?:^|[._])layers[._](\d{1,4})[._](.+)$/
const KNOWN = new RegExp(`(?:^|[._])(${Object.keys(IN_LAYER).join('|')})(?:[._]|$)`)
/** Parts that a module's name may hold without being the module's own weight. */
const FOREIGN = /(?:^|[._])(lora|dora|adapter|router|experts?|vision|audio)(?:[._]|$)/i

/** The module that a node's or tensor's name tells of; undefined for all others. */
export function moduleOf(name: string): string | undefined {
  const text = name.replaceAll('/', '.').replaceAll('::', '.')
  if (FOREIGN.test(text.replaceAll('_', '.'))) return undefined
  // The builder numbers its final norm as one layer more.
  if (/(?:^|[._])final_norm_layernorm(?:[._]|$)/.test(text)) return 'model.norm'
  const inLayer = LAYER.exec(text)
  if (inLayer) {
    const known = KNOWN.exec(inLayer[2])
    return known ? `model.layers.${Number(inLayer[1])}.${IN_LAYER[known[1]]}` : undefined
  }
  if (/(?:^|[._])embed_tokens(?:[._]|$)/.test(text)) return 'model.embed_tokens'
  if (/(?:^|[._])lm_head(?:[._]|$)/.test(text)) return 'lm_head'
  if (/(?:^|\.)model[._]norm(?:[._]|$)/.test(text)) return 'model.norm'
  return undefined
}

/** Whether a module is a norm, whose weight is a vector that is multiplied. */
export const isNorm = (module: string): boolean => /(_layernorm|^model\.norm)$/.test(module)
