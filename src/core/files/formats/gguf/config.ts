// config.json as the metadata of a GGUF file gives it, for the families that the engine has.

import { EngineError } from '../../../errors.ts'
import type { RawConfig } from '../../../model/config.ts'
import { Metadata } from './metadata.ts'
import { ARCHITECTURES } from './names.ts'
import { type RopeTensors, readRopeScaling } from './ropeScaling.ts'
import type { GgufHeader } from './types.ts'

/** Hugging Face's architecture of each family. */
const CLASSES: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  phi3: 'Phi3ForCausalLM',
  gemma2: 'Gemma2ForCausalLM',
}

/** Ours: which family it was, where GGUF has one name for two. */
export const MODEL_TYPE_KEY = 'alignmerge.model_type'

const MAX_LAYERS = 4096

/** Gemma 2 27B, whose scores are scaled by hidden size over heads; llama.cpp knows it by its layers too. */
const GEMMA2_27B_LAYERS = 46

/** Keys that other models of these architectures use for what no family here computes. */
const NOT_COMPUTED = [
  'logit_scale',
  'embedding_scale',
  'residual_scale',
  'attention.max_alibi_bias',
  'attention.clamp_kqv',
  'attention.temperature_length',
]

/** `general.architecture`; `file-unsupported` for what the engine has no family of, and for mixtures of experts. */
export function readArchitecture(metadata: Metadata): string {
  const architecture =
    metadata.text('general.architecture') ?? metadata.fail('general.architecture', 'a text')
  const known = [...new Set(Object.values(ARCHITECTURES))]
  const unsupported = (message: string) =>
    new EngineError('file-unsupported', message, { file: metadata.file })
  if (!known.includes(architecture))
    throw unsupported(`GGUF architecture ${architecture.slice(0, 80)}: expected one of ${known.join(', ')}`)
  const experts = metadata.whole(`${architecture}.expert_count`) ?? 0
  if (experts > 0) throw unsupported(`${experts} experts a layer: expected none`)
  for (const name of NOT_COMPUTED) {
    const value = metadata.number(`${architecture}.${name}`)
    const isNeutral = value === undefined || value === 0 || (value === 1 && name.endsWith('scale'))
    if (!isNeutral) throw unsupported(`metadata key ${architecture}.${name} of ${value}: expected none`)
  }
  return architecture
}

/** llama or mistral: told by ourselves, by a config.json beside the file, or by a window. */
function familyOf(metadata: Metadata, architecture: string, beside: RawConfig | undefined): string {
  if (architecture !== 'llama') return architecture
  const told = metadata.text(MODEL_TYPE_KEY) ?? beside?.model_type
  if (told === 'llama' || told === 'mistral') return told
  return (metadata.whole('llama.attention.sliding_window') ?? 0) > 0 ? 'mistral' : 'llama'
}

/**
 * config.json of a file. `beside` is a config.json in its folder, of which only the name of the family is taken.
 * Rejects `file-malformed` for keys that are missing or of another kind.
 */
export function readGgufConfig(
  header: Pick<GgufHeader, 'file' | 'metadata' | 'tensors'>,
  rope: RopeTensors,
  beside?: RawConfig,
): RawConfig {
  const metadata = new Metadata(header)
  const architecture = readArchitecture(metadata)
  const family = familyOf(metadata, architecture, beside)
  const key = (name: string) => `${architecture}.${name}`
  const hiddenSize = metadata.requireWhole(key('embedding_length'))
  const heads = metadata.requireWhole(key('attention.head_count'))
  const headSize = metadata.whole(key('attention.key_length')) ?? hiddenSize / heads
  const values = metadata.whole(key('attention.value_length')) ?? headSize
  if (values !== headSize) metadata.fail(key('attention.value_length'), `${headSize}, as keys have`)
  const rotated = metadata.whole(key('rope.dimension_count')) ?? headSize
  const positions = metadata.requireWhole(key('context_length'))
  const theta = metadata.number(key('rope.freq_base')) ?? 10000
  const epsilon = key('attention.layer_norm_rms_epsilon')
  return {
    architectures: [CLASSES[family]],
    model_type: family,
    vocab_size: readVocabularySize(header, metadata),
    hidden_size: hiddenSize,
    intermediate_size: metadata.requireWhole(key('feed_forward_length')),
    num_hidden_layers: metadata.requireWhole(key('block_count')),
    num_attention_heads: heads,
    num_key_value_heads: metadata.whole(key('attention.head_count_kv')) ?? heads,
    head_dim: headSize,
    max_position_embeddings: positions,
    rms_norm_eps: metadata.number(epsilon) ?? metadata.fail(epsilon, 'a number'),
    rope_theta: theta,
    ...(rotated !== headSize && { partial_rotary_factor: shareOf(rotated, headSize) }),
    tie_word_embeddings: !header.tensors.has('output.weight'),
    ...readTokenIds(metadata),
    ...readRopeScaling(metadata, architecture, rope, { theta, pairs: rotated / 2, positions }),
    ...familyKeys(family, { header, metadata, architecture, headSize, hiddenSize, heads }),
  }
}

/** A share that, times `whole` and cut to an integer, is `part` again. */
function shareOf(part: number, whole: number): number {
  const share = part / whole
  return Math.trunc(share * whole) === part ? share : (part + 0.5) / whole
}

/** Rows of the embedding; the tokenizer may have fewer. */
function readVocabularySize(header: Pick<GgufHeader, 'tensors' | 'file'>, metadata: Metadata): number {
  const rows = header.tensors.get('token_embd.weight')?.dimensions[1]
  return (
    rows ??
    metadata.texts('tokenizer.ggml.tokens')?.length ??
    metadata.fail('tokenizer.ggml.tokens', 'tokens')
  )
}

function readTokenIds(metadata: Metadata): RawConfig {
  const id = (name: string) => metadata.whole(`tokenizer.ggml.${name}_token_id`)
  // Chat models end an answer with their end of turn or of message, which generation_config.json says elsewhere.
  const ends = [...new Set([id('eos'), id('eot'), id('eom')].filter((value) => value !== undefined))]
  const begin = id('bos')
  return {
    ...(begin !== undefined && { bos_token_id: begin }),
    ...(ends.length > 0 && { eos_token_id: ends.length === 1 ? ends[0] : ends }),
  }
}

interface About {
  header: Pick<GgufHeader, 'tensors'>
  metadata: Metadata
  architecture: string
  headSize: number
  hiddenSize: number
  heads: number
}

function familyKeys(family: string, about: About): RawConfig {
  const { header, metadata, architecture } = about
  const window = metadata.whole(`${architecture}.attention.sliding_window`) || null
  switch (family) {
    case 'llama':
      return {
        attention_bias: header.tensors.has('blk.0.attn_q.bias'),
        mlp_bias: header.tensors.has('blk.0.ffn_up.bias'),
      }
    case 'qwen2':
      return window === null
        ? { use_sliding_window: false }
        : { use_sliding_window: true, sliding_window: window, ...layerTypes(metadata, architecture) }
    case 'gemma2':
      return {
        hidden_activation: 'gelu_pytorch_tanh',
        attention_bias: header.tensors.has('blk.0.attn_q.bias'),
        sliding_window: window,
        ...layerTypes(metadata, architecture),
        query_pre_attn_scalar: readScalar(about),
        attn_logit_softcapping: metadata.number('gemma2.attn_logit_softcapping') || null,
        final_logit_softcapping: metadata.number('gemma2.final_logit_softcapping') || null,
      }
    default:
      return { sliding_window: window }
  }
}

/** Which layers slide, where the file says it: for each layer, or by a period whose last layer does not. */
function layerTypes(metadata: Metadata, architecture: string): RawConfig {
  const key = `${architecture}.attention.sliding_window_pattern`
  if (!metadata.has(key)) return {}
  const layers = metadata.requireWhole(`${architecture}.block_count`)
  const period = metadata.isNumber(key) ? metadata.requireWhole(key) : undefined
  const listed = period === undefined ? metadata.numbers(key) : undefined
  // The config's own check names a list of another length; a forged count must not make one.
  if (listed === undefined && (layers > MAX_LAYERS || period === 0)) return {}
  const slides =
    listed ?? Array.from({ length: layers }, (_, layer) => (layer % period! < period! - 1 ? 1 : 0))
  return { layer_types: Array.from(slides, (is) => (is ? 'sliding_attention' : 'full_attention')) }
}

/** Gemma 2's scores are scaled by this to the power −½. */
function readScalar({ metadata, hiddenSize, heads, headSize }: About): number {
  const scale = metadata.number('gemma2.attention.scale')
  if (scale !== undefined && scale > 0) return Number((scale ** -2).toPrecision(6))
  return metadata.whole('gemma2.block_count') === GEMMA2_27B_LAYERS ? hiddenSize / heads : headSize
}
