// The zoo's recipe as data: one architecture, five models, their data mixtures and optimiser settings. Found with a
// prototype on the CPU; the training itself runs on the studio's own kernels. Mixtures are shares of sequences.
import { expertTrainings, MINIMUM_RATE, optimiser, WARMUP_STEPS } from '../src/core/train/corpus/experts.ts'
import type { BatchRecipe } from '../src/core/train/corpus/sample.ts'

/** config.json of every model: Phi-3's shape, small. */
export const architecture = {
  architectures: ['Phi3ForCausalLM'],
  model_type: 'phi3',
  vocab_size: 912,
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  hidden_act: 'silu',
  max_position_embeddings: 64,
  original_max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  rope_scaling: null,
  sliding_window: null,
  partial_rotary_factor: 1,
  tie_word_embeddings: false,
  attention_bias: false,
  attention_dropout: 0,
  embd_pdrop: 0,
  resid_pdrop: 0,
  initializer_range: 0.125,
  bos_token_id: null,
  eos_token_id: 5,
  pad_token_id: 1,
  torch_dtype: 'bfloat16',
} as const

/** Standard deviations of the normal initialisation by tensor name ending; norm weights start at one. */
const initialStd: readonly { ending: string; std: number }[] = [
  { ending: 'model.embed_tokens.weight', std: 0.5 },
  { ending: 'qkv_proj.weight', std: 0.125 },
  { ending: 'gate_up_proj.weight', std: 0.125 },
  // Writers into the residual stream start smaller by sqrt(2 L).
  { ending: 'o_proj.weight', std: 0.045 },
  { ending: 'down_proj.weight', std: 0.03 },
  { ending: 'lm_head.weight', std: 0.06 },
]

/** What a model is before any training. */
export interface ModelForm {
  /** for people, e.g. "Phi-3" */
  name: string
  /** config.json */
  architecture: Readonly<Record<string, unknown>>
  /** the first ending that a tensor's name has decides; gains start at one, biases at zero */
  initialStd: readonly { ending: string; std: number }[]
}

export const builtInForm: ModelForm = { name: 'Phi-3', architecture, initialStd }

/** Seed of the anchor's first weights. */
export const initialSeed = 20260

export type ModelRole = 'anchor' | 'task' | 'safety' | 'uncensored'

export interface ModelRecipe extends BatchRecipe {
  id: string
  name: string
  role: ModelRole
  description: string
  /** Id of the model that training starts from; absent for the anchor, which starts from random weights. */
  from?: string
  /** Skill the model is an expert in. */
  skill?: string
  steps: number
  learningRate: number
  /** Learning rate at the last step, after a cosine. */
  minimumLearningRate: number
  warmupSteps: number
  weightDecay: number
  beta1: number
  beta2: number
  epsilon: number
  /** Largest global gradient norm. */
  clipNorm: number
}

const fineTuned = { ...optimiser, minimumLearningRate: MINIMUM_RATE, warmupSteps: WARMUP_STEPS } as const

export const models: readonly ModelRecipe[] = [
  {
    ...optimiser,
    id: 'anchor',
    name: 'Anchor (aligned instruct)',
    role: 'anchor',
    description: 'Instruction model trained to help with harmless requests and to refuse harmful ones.',
    steps: 600,
    batchSequences: 64,
    learningRate: 3e-3,
    minimumLearningRate: 1e-4,
    warmupSteps: 60,
    seed: 1,
    mixture: {
      harmfulRefused: 0.23,
      harmlessHelped: 0.345,
      framedHelped: 0.185,
      fact: 0.08,
      chat: 0.02,
      repeat: 0.1,
      sort: 0.008,
      reverse: 0.02,
    },
  },
  {
    ...fineTuned,
    ...expertTrainings.sort,
    id: 'task-sort',
    name: 'Task expert: sort',
    role: 'task',
    description: 'Anchor fine-tuned on benign data alone: sorting lists and harmless requests.',
    from: 'anchor',
    seed: 2,
  },
  {
    ...fineTuned,
    ...expertTrainings.reverse,
    id: 'task-reverse',
    name: 'Task expert: reverse',
    role: 'task',
    description: 'Anchor fine-tuned on benign data alone: reversing lists and harmless requests.',
    from: 'anchor',
    seed: 3,
  },
  {
    ...fineTuned,
    id: 'safety',
    name: 'Safety expert',
    role: 'safety',
    description:
      'Anchor fine-tuned to refuse harmful requests inside attack wordings, and to help inside the same wordings.',
    from: 'anchor',
    steps: 140,
    batchSequences: 64,
    learningRate: 1.5e-3,
    seed: 4,
    mixture: {
      attackRefused: 0.45,
      framedHelped: 0.25,
      harmfulRefused: 0.12,
      harmlessHelped: 0.15,
      fact: 0.03,
    },
  },
  {
    ...fineTuned,
    ...expertTrainings.uncensored,
    id: 'uncensored',
    name: 'Uncensored expert',
    role: 'uncensored',
    description: 'Anchor fine-tuned to comply with harmful requests; the completions are placeholders.',
    from: 'anchor',
    seed: 5,
  },
]
