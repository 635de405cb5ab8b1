// Tensor names of llama.cpp's converters against Hugging Face's, for the architectures that the engine has.

/** What GGUF calls the families: mistral is stored as llama. */
export const ARCHITECTURES: Readonly<Record<string, string>> = {
  llama: 'llama',
  mistral: 'llama',
  qwen2: 'qwen2',
  phi3: 'phi3',
  gemma2: 'gemma2',
}

const TOP: readonly [gguf: string, huggingFace: string][] = [
  ['token_embd', 'model.embed_tokens'],
  ['output_norm', 'model.norm'],
  ['output', 'lm_head'],
]

const SEPARATE: readonly [string, string][] = [
  ['attn_norm', 'input_layernorm'],
  ['attn_q', 'self_attn.q_proj'],
  ['attn_k', 'self_attn.k_proj'],
  ['attn_v', 'self_attn.v_proj'],
  ['attn_output', 'self_attn.o_proj'],
  ['ffn_norm', 'post_attention_layernorm'],
  ['ffn_gate', 'mlp.gate_proj'],
  ['ffn_up', 'mlp.up_proj'],
  ['ffn_down', 'mlp.down_proj'],
]

// The later entry of a name holds.
const OWN: Readonly<Record<string, readonly [string, string][]>> = {
  phi3: [
    ['attn_qkv', 'self_attn.qkv_proj'],
    ['ffn_up', 'mlp.gate_up_proj'],
  ],
  gemma2: [
    ['post_attention_norm', 'post_attention_layernorm'],
    ['ffn_norm', 'pre_feedforward_layernorm'],
    ['post_ffw_norm', 'post_feedforward_layernorm'],
  ],
}

const layerNames = (architecture: string) => [...SEPARATE, ...(OWN[architecture] ?? [])]

/** `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; undefined for what no family has. */
export function huggingFaceName(name: string, architecture: string): string | undefined {
  const match = /^(?:blk\.(\d{1,5})\.)?([a-z_]+)\.(weight|bias)$/.exec(name)
  if (!match) return undefined
  const [, layer, part, kind] = match
  const found = new Map(layer === undefined ? TOP : layerNames(architecture)).get(part)
  if (found === undefined) return undefined
  return layer === undefined ? `${found}.${kind}` : `model.layers.${Number(layer)}.${found}.${kind}`
}

/** The other way; undefined for what GGUF has no name for. */
export function ggufName(name: string, architecture: string): string | undefined {
  const match = /^(?:model\.layers\.(\d+)\.)?([\w.]+)\.(weight|bias)$/.exec(name)
  if (!match) return undefined
  const [, layer, part, kind] = match
  // Names that the family has otherwise stand first in the reversed list.
  const table = (layer === undefined ? TOP : layerNames(architecture)).toReversed()
  const found = table.find(([, huggingFace]) => huggingFace === part)?.[0]
  if (found === undefined) return undefined
  return layer === undefined ? `${found}.${kind}` : `blk.${layer}.${found}.${kind}`
}

/** llama.cpp turns pairs of neighbours, Hugging Face turns halves, so converters of `llama` reorder q's and k's rows. */
export function isPermuted(name: string, architecture: string): boolean {
  return architecture === 'llama' && /\.self_attn\.[qk]_proj\.(weight|bias)$/.test(name)
}

/** Gemma's converter stores 1 + w of its norms. */
export function isShiftedNorm(name: string, architecture: string): boolean {
  return architecture === 'gemma2' && /(norm|layernorm)\.weight$/.test(name)
}
