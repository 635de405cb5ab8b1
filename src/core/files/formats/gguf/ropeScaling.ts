// Rotary scaling: GGUF stores what a converter has worked out (divisors of every pair's angle, a factor of cos and
// sin), config.json what it was worked out from.

import { EngineError } from '../../../errors.ts'
import type { RawConfig } from '../../../model/config.ts'
import { shortFloat } from './floats.ts'
import type { Metadata } from './metadata.ts'

/** Divisors of the angles, one for each rotated pair; absent where the file has no such tensor. */
export interface RopeTensors {
  /** rope_freqs.weight */
  frequencies?: Float32Array
  /** rope_factors_long.weight and rope_factors_short.weight */
  long?: Float32Array
  short?: Float32Array
}

export interface Llama3Scaling {
  factor: number
  lowFrequencyFactor: number
  highFrequencyFactor: number
  originalMaxPositions: number
}

/** Divisor of each pair's angle by llama3's rule, for R = 2 × pairs rotated dimensions. */
export function llama3Divisors(scaling: Llama3Scaling, theta: number, pairs: number): Float64Array {
  const { factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalMaxPositions } = scaling
  return Float64Array.from({ length: pairs }, (_, i) => {
    const turns = (originalMaxPositions * theta ** (-i / pairs)) / (2 * Math.PI)
    if (turns < low) return factor
    if (turns > high) return 1
    const smooth = (turns - low) / (high - low)
    return 1 / ((1 - smooth) / factor + smooth)
  })
}

const isNear = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => Math.abs(value - b[i]) <= 1e-5 * Math.abs(b[i]))

/**
 * What gives these divisors by llama3's rule, with low_freq_factor 1 as all published models have it; undefined where
 * nothing does. Between the ends 1 / divisor is linear in the pair's frequency, so two pairs there tell both bounds.
 */
export function fitLlama3(divisors: ArrayLike<number>, theta: number): Llama3Scaling | undefined {
  const pairs = divisors.length
  const factor = shortFloat(Math.max(...Array.from(divisors)))
  const turnsPerPosition = (i: number) => theta ** (-i / pairs) / (2 * Math.PI)
  const smooth = (i: number) => (1 / divisors[i] - 1 / factor) / (1 - 1 / factor)
  const between = Array.from({ length: pairs }, (_, i) => i).filter(
    (i) => divisors[i] > 1.0001 && divisors[i] < factor * 0.9999,
  )
  if (between.length < 2) return undefined
  const [first, last] = [between[0], between[between.length - 1]]
  const slope = (smooth(first) - smooth(last)) / (turnsPerPosition(first) - turnsPerPosition(last))
  const base = smooth(first) - slope * turnsPerPosition(first)
  const scaling = {
    factor,
    lowFrequencyFactor: 1,
    highFrequencyFactor: Number((1 - 1 / base).toPrecision(4)),
    originalMaxPositions: Math.round(-slope / base),
  }
  const isPossible = scaling.originalMaxPositions >= 1 && scaling.highFrequencyFactor > 1
  return isPossible && isNear(llama3Divisors(scaling, theta, pairs), divisors) ? scaling : undefined
}

/** Factor of cos and sin of longrope where a config does not give it. */
export function longropeAttention(positions: number, original: number): number {
  const ratio = positions / original
  return ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original))
}

/** The same of YaRN. */
export const yarnAttention = (factor: number): number => (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1)

/** Keys of config.json that say the scaling; {} without one. `pairs` is half of the rotated dimensions. */
export function readRopeScaling(
  metadata: Metadata,
  architecture: string,
  tensors: RopeTensors,
  about: { theta: number; pairs: number; positions: number },
): RawConfig {
  const key = (name: string) => `${architecture}.rope.scaling.${name}`
  const original = metadata.whole(key('original_context_length'))
  for (const [name, values] of Object.entries(tensors) as [string, Float32Array][])
    if (values.length !== about.pairs || !values.every((value) => value > 0 && Number.isFinite(value)))
      throw new EngineError('file-malformed', `rotary ${name}: expected ${about.pairs} positive divisors`, {
        file: metadata.file,
      })
  const attention = metadata.number(key('attn_factor'))
  if (tensors.long && tensors.short) return longrope(tensors.long, tensors.short, original, attention, about)
  if (tensors.frequencies) return fromFrequencies(metadata, tensors.frequencies, about)
  const kind = metadata.text(key('type')) ?? 'none'
  if (kind === 'none') return {}
  const factor = metadata.number(key('factor')) ?? metadata.fail(key('factor'), 'a number')
  if (kind === 'linear') return { rope_scaling: { rope_type: 'linear', factor } }
  if (kind !== 'yarn') return metadata.fail(key('type'), 'none, linear or yarn, or longrope with its tensors')
  const betas = Object.fromEntries(
    ['beta_fast', 'beta_slow'].flatMap((name) => {
      const value = metadata.number(key(`yarn_${name}`))
      return value === undefined ? [] : [[name, value]]
    }),
  )
  return {
    rope_scaling: {
      rope_type: 'yarn',
      factor,
      original_max_position_embeddings: original ?? about.positions,
      ...betas,
      ...(attention !== undefined &&
        attention !== 1 && {
          attention_factor: shortFloat(attention * yarnAttention(factor)),
        }),
    },
  }
}

function longrope(
  long: Float32Array,
  short: Float32Array,
  original: number | undefined,
  attention: number | undefined,
  { positions }: { positions: number },
): RawConfig {
  const from = original ?? positions
  const usual = longropeAttention(positions, from)
  const isUsual = attention === undefined || Math.fround(attention) === Math.fround(usual)
  return {
    original_max_position_embeddings: from,
    rope_scaling: {
      type: 'longrope',
      short_factor: Array.from(short, shortFloat),
      long_factor: Array.from(long, shortFloat),
      ...(!isUsual && { attention_factor: attention }),
    },
  }
}

/** Keys of ours, where GGUF has none: what llama3's divisors were worked out from. */
export const LLAMA3_KEYS = {
  factor: 'alignmerge.rope.factor',
  lowFrequencyFactor: 'alignmerge.rope.low_freq_factor',
  highFrequencyFactor: 'alignmerge.rope.high_freq_factor',
  originalMaxPositions: 'alignmerge.rope.original_context_length',
} as const satisfies Record<keyof Llama3Scaling, string>

function fromFrequencies(
  metadata: Metadata,
  divisors: Float32Array,
  { theta, pairs, positions }: { theta: number; pairs: number; positions: number },
): RawConfig {
  if (divisors.every((value) => value === 1)) return {}
  const told = Object.fromEntries(
    Object.entries(LLAMA3_KEYS).map(([name, key]) => [name, metadata.number(key)]),
  ) as Record<keyof Llama3Scaling, number | undefined>
  const isTold = Object.values(told).every((value) => value !== undefined)
  const ours = isTold && isNear(llama3Divisors(told as Llama3Scaling, theta, pairs), divisors)
  const scaling = ours ? (told as Llama3Scaling) : fitLlama3(divisors, theta)
  if (scaling)
    return {
      rope_scaling: {
        rope_type: 'llama3',
        factor: scaling.factor,
        low_freq_factor: scaling.lowFrequencyFactor,
        high_freq_factor: scaling.highFrequencyFactor,
        original_max_position_embeddings: scaling.originalMaxPositions,
      },
    }
  // Any divisors at all are a longrope whose two lists are the same.
  const list = Array.from(divisors, shortFloat)
  return {
    rope_scaling: {
      rope_type: 'longrope',
      original_max_position_embeddings: positions,
      short_factor: list,
      long_factor: list,
      attention_factor: 1,
    },
  }
}
