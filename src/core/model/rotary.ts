// Rotary position embedding: which angle each position turns each pair of a head by. Host side, float64;
// the device only receives cos and sin per token. Su et al. 2104.09864; llama3 and longrope scaling as in
// the published configs (Llama 3.1 model card; LongRoPE 2402.13753), yarn as Peng et al. 2309.00071.

import type { ConfigReader, ModelConfig, RotaryScaling } from './config.ts'

/** Reads `rope_theta`, `rope_scaling` or the newer `rope_parameters` of a config. `headSize` in elements. */
export function readRotary(
  config: ConfigReader,
  headSize: number,
  allowPartial: boolean,
): ModelConfig['rotary'] {
  const key = config.object('rope_scaling') ? 'rope_scaling' : 'rope_parameters'
  const scaling = config.object(key)
  const holder = (name: string) =>
    [config.object('rope_parameters'), scaling].find((reader) => reader?.raw[name] != null) ?? config
  const theta = holder('rope_theta').number('rope_theta', 10000)
  if (!(theta > 1)) config.fail('rope_theta', 'a number above 1')
  const partial = holder('partial_rotary_factor').number('partial_rotary_factor', 1)
  if (!(partial > 0 && partial <= 1) || (partial !== 1 && !allowPartial))
    config.fail('partial_rotary_factor', allowPartial ? 'a share in (0, 1]' : '1 for this family')
  const size = Math.trunc(headSize * partial)
  if (size % 2 !== 0 || size === 0)
    config.fail(partial === 1 ? 'head_dim' : 'partial_rotary_factor', 'an even number of rotated dimensions')
  return { theta, size, scaling: scaling ? readScaling(config, scaling, key, size) : { kind: 'default' } }
}

/** Keys that a scaling may have besides those of its kind, and are read elsewhere or say the same again. */
const COMMON_KEYS = [
  'rope_type',
  'type',
  'rope_theta',
  'partial_rotary_factor',
  'original_max_position_embeddings',
]

const KIND_KEYS = {
  default: [],
  linear: ['factor'],
  llama3: ['factor', 'low_freq_factor', 'high_freq_factor'],
  longrope: ['factor', 'short_factor', 'long_factor', 'attention_factor'],
  yarn: [
    'factor',
    'attention_factor',
    'beta_fast',
    'beta_slow',
    'mscale',
    'mscale_all_dim',
    'truncate',
    'finetuned',
  ],
} as const satisfies Record<RotaryScaling['kind'], readonly string[]>

/** `holder` is the scaling's own key in config.json, which refusals name. */
function readScaling(
  config: ConfigReader,
  scaling: ConfigReader,
  holder: string,
  size: number,
): RotaryScaling {
  const kinds = Object.keys(KIND_KEYS).join(', ')
  const named = scaling.raw.rope_type ?? scaling.raw.type ?? 'default'
  // `su` is what longrope was called before it had a paper's name.
  const kind = named === 'su' ? 'longrope' : (named as RotaryScaling['kind'])
  if (typeof named !== 'string' || !Object.hasOwn(KIND_KEYS, kind)) config.fail(holder, `a type of ${kinds}`)
  const known: readonly string[] = [...COMMON_KEYS, ...KIND_KEYS[kind]]
  const stranger = Object.keys(scaling.raw).find((key) => scaling.raw[key] !== null && !known.includes(key))
  // An unknown key would change the angles unnoticed.
  if (stranger !== undefined) scaling.fail(stranger, `no such key in ${holder} of type ${named}`)
  const positive = (key: string, fallback?: number) => {
    const value = scaling.number(key, fallback)
    return value > 0 ? value : scaling.fail(key, 'a number above 0')
  }
  switch (kind) {
    case 'default':
      return { kind }
    case 'linear':
      return { kind, factor: positive('factor') }
    case 'llama3':
      return {
        kind,
        factor: positive('factor'),
        lowFrequencyFactor: positive('low_freq_factor', 1),
        highFrequencyFactor: positive('high_freq_factor', 4),
        originalMaxPositions: scaling.count('original_max_position_embeddings'),
      }
    case 'longrope':
      return readLongrope(config, scaling, size)
    case 'yarn':
      return readYarn(config, scaling, positive)
  }
}

/** Positions of the pretraining: of the scaling, of the config, or all there are. */
function readOriginal(config: ConfigReader, scaling: ConfigReader): number {
  const key = 'original_max_position_embeddings'
  return (scaling.raw[key] != null ? scaling : config).count(key, config.count('max_position_embeddings'))
}

function readLongrope(config: ConfigReader, scaling: ConfigReader, size: number): RotaryScaling {
  const original = readOriginal(config, scaling)
  // The lengths say it where both are there; a config without the original length gives the factor itself.
  const isGiven =
    scaling.raw.original_max_position_embeddings != null ||
    config.raw.original_max_position_embeddings != null
  const ratio = isGiven ? config.count('max_position_embeddings') / original : scaling.number('factor')
  return {
    kind: 'longrope',
    shortFactor: scaling.numbers('short_factor', size / 2),
    longFactor: scaling.numbers('long_factor', size / 2),
    originalMaxPositions: original,
    // A published `attention_factor` overrules the formula, as in the reference implementation.
    attentionFactor: scaling.number(
      'attention_factor',
      ratio <= 1 ? 1 : Math.sqrt(1 + Math.log(ratio) / Math.log(original)),
    ),
  }
}

function readYarn(
  config: ConfigReader,
  scaling: ConfigReader,
  positive: (key: string, fallback?: number) => number,
): RotaryScaling {
  const originalMaxPositions = readOriginal(config, scaling)
  const factor = positive('factor', config.count('max_position_embeddings') / originalMaxPositions)
  const scaleOf = (mscale: number) => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1)
  const [mscale, allDimensions] = ['mscale', 'mscale_all_dim'].map((key) => scaling.number(key, 0))
  const isTwofold = mscale !== 0 && allDimensions !== 0
  return {
    kind: 'yarn',
    factor,
    originalMaxPositions,
    betaFast: positive('beta_fast', 32),
    betaSlow: positive('beta_slow', 1),
    isTruncated: scaling.flag('truncate', true),
    attentionFactor: scaling.number(
      'attention_factor',
      isTwofold ? scaleOf(mscale) / scaleOf(allDimensions) : scaleOf(1),
    ),
  }
}

/** Angle per position of each rotated pair, length R/2, for a sequence of `length` tokens. */
export function rotaryFrequencies(rotary: ModelConfig['rotary'], length: number): Float64Array {
  const { theta, size, scaling } = rotary
  const frequencies = new Float64Array(size / 2)
  for (let i = 0; i < frequencies.length; i++) {
    let frequency = theta ** ((-2 * i) / size)
    if (scaling.kind === 'linear') frequency /= scaling.factor
    if (scaling.kind === 'longrope') {
      const isLong = length > scaling.originalMaxPositions
      frequency /= (isLong ? scaling.longFactor : scaling.shortFactor)[i]
    }
    if (scaling.kind === 'yarn') {
      const kept = 1 - yarnRamp(rotary.theta, size, scaling, i)
      frequency *= kept + (1 - kept) / scaling.factor
    }
    if (scaling.kind === 'llama3') {
      const wavelength = (2 * Math.PI) / frequency
      const low = scaling.originalMaxPositions / scaling.lowFrequencyFactor
      const high = scaling.originalMaxPositions / scaling.highFrequencyFactor
      if (wavelength > low) frequency /= scaling.factor
      else if (wavelength > high) {
        const smooth =
          (scaling.originalMaxPositions / wavelength - scaling.lowFrequencyFactor) /
          (scaling.highFrequencyFactor - scaling.lowFrequencyFactor)
        frequency = ((1 - smooth) * frequency) / scaling.factor + smooth * frequency
      }
    }
    frequencies[i] = frequency
  }
  return frequencies
}

/** 0 for pairs that turn fast enough to keep their angle, 1 for those that are divided, a line between. */
function yarnRamp(
  theta: number,
  size: number,
  { originalMaxPositions, betaFast, betaSlow, isTruncated }: Extract<RotaryScaling, { kind: 'yarn' }>,
  pair: number,
): number {
  /** the pair, as a real number, that makes `turns` turns within the original positions */
  const pairOf = (turns: number) =>
    (size * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const fast = pairOf(betaFast)
  const slow = pairOf(betaSlow)
  const low = Math.max(isTruncated ? Math.floor(fast) : fast, 0)
  const high = Math.min(isTruncated ? Math.ceil(slow) : slow, size - 1)
  // Equal bounds would divide by zero; the published code widens them by this much.
  const width = low === high ? 0.001 : high - low
  return Math.min(1, Math.max(0, (pair - low) / width))
}

/** Factor of all cosines and sines: longrope and yarn sharpen attention by it. */
export function rotaryAmplitude({ scaling }: ModelConfig['rotary']): number {
  return 'attentionFactor' in scaling ? scaling.attentionFactor : 1
}

/**
 * cos and sin of every token, (T, R/2) each; `positions` and the `lengths` of the sequence each token is in.
 * Which longrope factor holds depends on the whole sequence, so a growing one must be told its final length.
 */
export function rotaryTables(
  rotary: ModelConfig['rotary'],
  positions: ArrayLike<number>,
  lengths: ArrayLike<number>,
): { cos: Float32Array; sin: Float32Array } {
  const half = rotary.size / 2
  const cos = new Float32Array(positions.length * half)
  const sin = new Float32Array(positions.length * half)
  const scale = rotaryAmplitude(rotary)
  let frequencies = rotaryFrequencies(rotary, lengths[0] ?? 1)
  let known = lengths[0]
  for (let t = 0; t < positions.length; t++) {
    if (lengths[t] !== known) {
      known = lengths[t]
      frequencies = rotaryFrequencies(rotary, known)
    }
    for (let i = 0; i < half; i++) {
      const angle = positions[t] * frequencies[i]
      cos[t * half + i] = Math.cos(angle) * scale
      sin[t * half + i] = Math.sin(angle) * scale
    }
  }
  return { cos, sin }
}
