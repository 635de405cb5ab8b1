// Rotary position embedding: which angle each position turns each pair of a head by. Host side, float64;
// the device only receives cos and sin per token. Su et al. 2104.09864; llama3 and longrope scaling as in
// the published configs (Llama 3.1 model card; LongRoPE 2402.13753).

import type { ConfigReader, ModelConfig, RotaryScaling } from './config.ts'

/** Reads `rope_theta`, `rope_scaling` or the newer `rope_parameters` of a config. `headSize` in elements. */
export function readRotary(
  config: ConfigReader,
  headSize: number,
  allowPartial: boolean,
): ModelConfig['rotary'] {
  const parameters = config.object('rope_parameters')
  const scalingReader = config.object('rope_scaling') ?? parameters
  const theta = (parameters?.raw.rope_theta !== undefined ? parameters : config).number('rope_theta', 10000)
  const partialReader = parameters?.raw.partial_rotary_factor !== undefined ? parameters : config
  const partial = partialReader.number('partial_rotary_factor', 1)
  if (!(partial > 0 && partial <= 1) || (partial !== 1 && !allowPartial))
    config.fail('partial_rotary_factor', allowPartial ? 'a share in (0, 1]' : '1 for this family')
  const size = Math.trunc(headSize * partial)
  if (size % 2 !== 0) config.fail('partial_rotary_factor', 'an even number of rotated dimensions')
  return { theta, size, scaling: readScaling(config, scalingReader, size) }
}

function readScaling(config: ConfigReader, scaling: ConfigReader | undefined, size: number): RotaryScaling {
  if (!scaling) return { kind: 'default' }
  const kind = scaling.raw.rope_type ?? scaling.raw.type ?? 'default'
  switch (kind) {
    case 'default':
      return { kind: 'default' }
    case 'linear':
      return { kind: 'linear', factor: scaling.number('factor') }
    case 'llama3':
      return {
        kind: 'llama3',
        factor: scaling.number('factor'),
        lowFrequencyFactor: scaling.number('low_freq_factor', 1),
        highFrequencyFactor: scaling.number('high_freq_factor', 4),
        originalMaxPositions: scaling.count('original_max_position_embeddings'),
      }
    case 'longrope':
    case 'su': {
      const original = (scaling.raw.original_max_position_embeddings !== undefined ? scaling : config).count(
        'original_max_position_embeddings',
      )
      const ratio = config.count('max_position_embeddings') / original
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
    default:
      return config.fail('rope_scaling', 'default, linear, llama3 or longrope')
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
  const scale = rotary.scaling.kind === 'longrope' ? rotary.scaling.attentionFactor : 1
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
