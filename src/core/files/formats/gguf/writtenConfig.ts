// A model's config as GGUF metadata, and the rotary tensors that go with it. What GGUF has no place for is refused by
// its name, so that no file says less than the model needs.

import { EngineError } from '../../../errors.ts'
import type { ModelConfig } from '../../../model/config.ts'
import { MODEL_TYPE_KEY } from './config.ts'
import type { MetadataWriter } from './metadataWriter.ts'
import { ARCHITECTURES } from './names.ts'
import { LLAMA3_KEYS, llama3Divisors, yarnAttention } from './ropeScaling.ts'

const refuse = (message: string): never => {
  throw new EngineError('config-unsupported', `cannot be written as GGUF: ${message}`, {
    file: 'config.json',
  })
}

/** `general.architecture` of a family. */
export function writtenArchitecture(config: ModelConfig): string {
  return ARCHITECTURES[config.family] ?? refuse(`family ${config.family}`)
}

/** Puts all keys of the config but the tokenizer's. Throws `config-unsupported`. */
export function putConfig(out: MetadataWriter, config: ModelConfig): void {
  const architecture = writtenArchitecture(config)
  const isGemma = config.family === 'gemma2'
  if (config.activation !== (isGemma ? 'gelu-tanh' : 'silu')) refuse(`activation ${config.activation}`)
  if (isGemma && !config.tied) refuse('a head of its own (tie_word_embeddings) in gemma2')
  const key = (name: string) => `${architecture}.${name}`
  if (architecture !== config.family) out.put(MODEL_TYPE_KEY, 'string', config.family)
  out.put(key('vocab_size'), 'u32', config.vocabSize)
  out.put(key('context_length'), 'u32', config.maxPositions)
  out.put(key('embedding_length'), 'u32', config.hiddenSize)
  out.put(key('block_count'), 'u32', config.layerCount)
  out.put(key('feed_forward_length'), 'u32', config.intermediateSize)
  out.put(key('attention.head_count'), 'u32', config.headCount)
  out.put(key('attention.head_count_kv'), 'u32', config.kvHeadCount)
  out.put(key('attention.key_length'), 'u32', config.headSize)
  out.put(key('attention.value_length'), 'u32', config.headSize)
  out.put(key('attention.layer_norm_rms_epsilon'), 'f32', config.normEpsilon)
  out.put(key('rope.dimension_count'), 'u32', config.rotary.size)
  out.put(key('rope.freq_base'), 'f32', config.rotary.theta)
  putScaling(out, config, key)
  putWindow(out, config, key)
  if (!isGemma) return
  if (config.scoreCap > 0) out.put(key('attn_logit_softcapping'), 'f32', config.scoreCap)
  if (config.logitCap > 0) out.put(key('final_logit_softcapping'), 'f32', config.logitCap)
  out.put(key('attention.scale'), 'f32', config.scoreScale)
}

function putScaling(out: MetadataWriter, config: ModelConfig, key: (name: string) => string): void {
  const { scaling } = config.rotary
  const put = (name: string, kind: 'u32' | 'f32' | 'string', value: number | string) =>
    out.put(key(`rope.scaling.${name}`), kind, value)
  switch (scaling.kind) {
    case 'default':
      return
    case 'linear':
      put('type', 'string', 'linear')
      put('factor', 'f32', scaling.factor)
      return
    case 'yarn':
      if (!scaling.isTruncated) refuse('YaRN with truncate false')
      put('type', 'string', 'yarn')
      put('factor', 'f32', scaling.factor)
      put('original_context_length', 'u32', scaling.originalMaxPositions)
      put('yarn_beta_fast', 'f32', scaling.betaFast)
      put('yarn_beta_slow', 'f32', scaling.betaSlow)
      put('attn_factor', 'f32', scaling.attentionFactor / yarnAttention(scaling.factor))
      return
    case 'longrope':
      put('original_context_length', 'u32', scaling.originalMaxPositions)
      put('attn_factor', 'f32', scaling.attentionFactor)
      return
    case 'llama3':
      // The divisors are a tensor; rope.scaling keys would scale a second time in llama.cpp.
      for (const [name, ours] of Object.entries(LLAMA3_KEYS))
        out.put(ours, 'f64', scaling[name as keyof typeof LLAMA3_KEYS])
  }
}

function putWindow(out: MetadataWriter, config: ModelConfig, key: (name: string) => string): void {
  const windows = Array.from({ length: config.layerCount }, (_, layer) => config.window(layer))
  const sizes = new Set(windows.filter((window) => window !== undefined))
  if (sizes.size === 0) return
  if (sizes.size > 1) refuse(`windows of ${[...sizes].join(' and ')}`)
  out.put(key('attention.sliding_window'), 'u32', [...sizes][0])
  const slides = windows.map((window) => window !== undefined)
  const hasPattern = config.family === 'qwen2' || config.family === 'gemma2'
  if (!hasPattern && slides.includes(false)) refuse('a window on some layers only')
  const isUsual = config.family === 'gemma2' && slides.every((is, layer) => is === (layer % 2 === 0))
  if (hasPattern && !isUsual) out.putArray(key('attention.sliding_window_pattern'), 'bool', slides)
}

/** Rotary tensors by GGUF name: divisors of the angle of each rotated pair. */
export function rotaryTensors(config: ModelConfig): [name: string, divisors: Float32Array][] {
  const { theta, size, scaling } = config.rotary
  if (scaling.kind === 'llama3')
    return [['rope_freqs.weight', Float32Array.from(llama3Divisors(scaling, theta, size / 2))]]
  if (scaling.kind === 'longrope')
    return [
      ['rope_factors_long.weight', Float32Array.from(scaling.longFactor)],
      ['rope_factors_short.weight', Float32Array.from(scaling.shortFactor)],
    ]
  return []
}
