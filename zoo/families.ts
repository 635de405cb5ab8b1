// One micro model family per architecture that the engine runs: the built-in recipe's anchor, task expert and
// uncensored expert, trained alike on the same world, tokenizer and probes, below 0.3 M parameters each. What a family
// has of its own is switched on at a size where it matters: windows are shorter than sequences (11 to 38 tokens).
import { type ModelForm, type ModelRecipe, models } from './recipe.ts'

export interface FamilyRecipe {
  /** folder below public/zoo/families */ id: string
  form: ModelForm
  models: readonly ModelRecipe[]
}

const size = {
  vocab_size: 912,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  attention_dropout: 0,
  bos_token_id: null,
  eos_token_id: 5,
  pad_token_id: 1,
  torch_dtype: 'bfloat16',
} as const

// Endings, so that v_proj is qkv_proj too and up_proj gate_up_proj.
const matrices = [
  ...['q_proj', 'k_proj', 'v_proj', 'gate_proj', 'up_proj'].map((name) => ({
    ending: `${name}.weight`,
    std: 0.125,
  })),
  // Writers into the residual stream start smaller by sqrt(2 L).
  { ending: 'o_proj.weight', std: 0.045 },
  { ending: 'down_proj.weight', std: 0.03 },
]
const ownHead = [
  ...matrices,
  { ending: 'model.embed_tokens.weight', std: 0.5 },
  { ending: 'lm_head.weight', std: 0.06 },
]
// A tied embedding is the head too: rows of norm 0.5 would start with logits in the tens.
const tiedHead = [...matrices, { ending: 'model.embed_tokens.weight', std: 0.15 }]

const ROLES = ['anchor', 'task-sort', 'uncensored']

/** The three models of a family: the built-in recipe under the family's name. */
function modelsOf(family: string): ModelRecipe[] {
  return models
    .filter(({ id }) => ROLES.includes(id))
    .map((recipe) => ({ ...recipe, name: `${family}: ${recipe.name.toLowerCase()}` }))
}

function family(id: string, name: string, form: Omit<ModelForm, 'name'>): FamilyRecipe {
  return { id, form: { name, ...form }, models: modelsOf(name) }
}

export const families: readonly FamilyRecipe[] = [
  family('llama', 'Llama 3', {
    architecture: {
      ...size,
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_act: 'silu',
      max_position_embeddings: 512,
      tie_word_embeddings: false,
      attention_bias: false,
      mlp_bias: false,
      initializer_range: 0.125,
      // Wavelengths 6, 20 and from 63 on: one pair is kept, one blended, the rest slowed down eightfold.
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 64,
      },
    },
    initialStd: ownHead,
  }),
  family('mistral', 'Mistral', {
    architecture: {
      ...size,
      architectures: ['MistralForCausalLM'],
      model_type: 'mistral',
      hidden_act: 'silu',
      max_position_embeddings: 64,
      tie_word_embeddings: false,
      initializer_range: 0.125,
      sliding_window: 12,
    },
    initialStd: ownHead,
  }),
  family('qwen2', 'Qwen 2', {
    architecture: {
      ...size,
      architectures: ['Qwen2ForCausalLM'],
      model_type: 'qwen2',
      hidden_act: 'silu',
      intermediate_size: 192,
      max_position_embeddings: 64,
      rms_norm_eps: 1e-6,
      rope_theta: 1000000,
      tie_word_embeddings: true,
      initializer_range: 0.125,
      use_sliding_window: false,
      sliding_window: null,
      max_window_layers: 4,
    },
    initialStd: tiedHead,
  }),
  family('phi3', 'Phi-3.5', {
    architecture: {
      ...size,
      architectures: ['Phi3ForCausalLM'],
      model_type: 'phi3',
      hidden_act: 'silu',
      max_position_embeddings: 256,
      original_max_position_embeddings: 64,
      tie_word_embeddings: false,
      attention_bias: false,
      embd_pdrop: 0,
      resid_pdrop: 0,
      initializer_range: 0.125,
      sliding_window: null,
      partial_rotary_factor: 0.5,
      // Sequences stay below the original length, so the short factors hold, and with them cos and sin times 1.15.
      rope_scaling: {
        type: 'longrope',
        short_factor: [1, 1.1, 1.25, 1.4],
        long_factor: [1.5, 2, 4, 8],
      },
    },
    initialStd: ownHead,
  }),
  family('gemma2', 'Gemma 2', {
    architecture: {
      ...size,
      architectures: ['Gemma2ForCausalLM'],
      model_type: 'gemma2',
      hidden_activation: 'gelu_pytorch_tanh',
      // Four heads of 24 are wider than the hidden size, and scores are scaled as if they were not.
      head_dim: 24,
      query_pre_attn_scalar: 16,
      max_position_embeddings: 64,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: true,
      attention_bias: false,
      initializer_range: 0.125,
      sliding_window: 8,
      // Gemma's own caps are 50 and 30; scores and logits of a model this small rarely come near them.
      attn_logit_softcapping: 10,
      final_logit_softcapping: 15,
    },
    initialStd: tiedHead,
  }),
]
