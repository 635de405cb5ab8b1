// Angles of scaled positions against their formulas worked out by hand, and the spellings they are asked for in.

import { describe, expect, test } from 'vitest'
import { gemma2, mistral3, phi4mini, phi35, qwen25 } from '../../testing/publishedConfigs.ts'
import type { RawConfig } from './config.ts'
import { readConfig } from './families/registry.ts'
import { rotaryAmplitude, rotaryFrequencies } from './rotary.ts'

describe('rotary positions', () => {
  const rotaryOf = (raw: RawConfig) => readConfig(raw).rotary

  test("Phi-3's longrope has two names, and short and long factors by the whole sequence's length", () => {
    const { scaling } = rotaryOf(phi35)
    expect(rotaryOf({ ...phi35, rope_scaling: { ...phi35.rope_scaling, type: 'su' } }).scaling).toEqual(
      scaling,
    )
    expect(rotaryAmplitude(rotaryOf(phi35))).toBeCloseTo(Math.sqrt(1 + Math.log(32) / Math.log(4096)), 14)
    expect(rotaryFrequencies(rotaryOf(phi35), 4096)[47]).toBeCloseTo(10000 ** (-94 / 96) / 1.47, 14)
    expect(rotaryFrequencies(rotaryOf(phi35), 4097)[47]).toBeCloseTo(10000 ** (-94 / 96) / 2.47, 14)
    expect(rotaryOf(phi4mini).size).toBe(96)
    // A config without the original length says the factor itself.
    const { original_max_position_embeddings: _, ...rest } = phi35
    const given = {
      ...rest,
      rope_scaling: { ...phi35.rope_scaling, factor: 4 },
      max_position_embeddings: 4096,
    }
    expect(rotaryAmplitude(rotaryOf(given))).toBeCloseTo(Math.sqrt(1 + Math.log(4) / Math.log(4096)), 14)
    const told = { ...phi35.rope_scaling, attention_factor: 1.25 }
    expect(rotaryAmplitude(rotaryOf({ ...phi35, rope_scaling: told }))).toBe(1.25)
  })

  const yarn = { type: 'yarn', factor: 4, original_max_position_embeddings: 32768 }

  test("YaRN as Qwen 2.5's cards tell people to set it", () => {
    const rotary = rotaryOf({ ...qwen25, rope_scaling: yarn })
    expect(rotaryAmplitude(rotary)).toBeCloseTo(1.138629436111989, 14)
    const found = rotaryFrequencies(rotary, 1)
    const plain = rotaryFrequencies(rotaryOf(qwen25), 1)
    // 128 ln(32768 / 64π) / (2 ln 10⁶) = 23.6 and 128 ln(32768 / 2π) / (2 ln 10⁶) = 39.7: pairs up to 23 turn 32 times
    // or more within 32768 positions and are kept, those from 40 on turn less than once and are divided.
    for (const i of [0, 10, 23]) expect(found[i] / plain[i]).toBe(1)
    for (const i of [40, 50, 63]) expect(found[i] / plain[i]).toBeCloseTo(0.25, 14)
    expect(found[24] / plain[24]).toBeCloseTo(16 / 17 + 1 / 17 / 4, 14)
    expect(found[30] / plain[30]).toBeCloseTo(10 / 17 + 7 / 17 / 4, 14)
    // The same whatever the length, in any family, in both spellings.
    expect(rotaryFrequencies(rotary, 100_000)).toEqual(found)
    const { rope_theta: _, ...rest } = qwen25
    const newer = {
      ...rest,
      rope_parameters: { ...yarn, type: undefined, rope_type: 'yarn', rope_theta: 1e6 },
    }
    expect(rotaryOf(newer)).toEqual(rotary)
    expect(rotaryOf({ ...mistral3, rope_scaling: yarn }).scaling).toEqual(rotary.scaling)
  })

  test("YaRN's further keys", () => {
    const read = (changes: RawConfig) => rotaryOf({ ...qwen25, rope_scaling: { ...yarn, ...changes } })
    expect(rotaryAmplitude(read({ attention_factor: 1.5 }))).toBe(1.5)
    expect(rotaryAmplitude(read({ mscale: 2, mscale_all_dim: 1 }))).toBeCloseTo(
      (0.2 * Math.log(4) + 1) / (0.1 * Math.log(4) + 1),
      14,
    )
    expect(rotaryAmplitude(read({ factor: 0.5 }))).toBe(1)
    // Without the original length it is the config's, and without a factor the ratio of the two.
    expect(read({ original_max_position_embeddings: undefined }).scaling).toEqual(read({}).scaling)
    expect(
      rotaryOf({ ...qwen25, max_position_embeddings: 131072, rope_scaling: { ...yarn, factor: undefined } })
        .scaling,
    ).toEqual(read({}).scaling)
    const plain = rotaryFrequencies(rotaryOf(qwen25), 1)
    const ratio = (changes: RawConfig, i: number) => rotaryFrequencies(read(changes), 1)[i] / plain[i]
    // Bounds of the ramp not rounded to whole pairs.
    const low = (128 * Math.log(32768 / (64 * Math.PI))) / (2 * Math.log(1e6))
    const high = (128 * Math.log(32768 / (2 * Math.PI))) / (2 * Math.log(1e6))
    expect(ratio({ truncate: false }, 30)).toBeCloseTo(1 - (0.75 * (30 - low)) / (high - low), 14)
    // Bounds that meet: one pair kept, the next divided.
    expect(ratio({ beta_fast: 8, beta_slow: 8, truncate: false }, 30)).toBe(1)
    expect(ratio({ beta_fast: 8, beta_slow: 8, truncate: false }, 31)).toBeCloseTo(0.25, 14)
  })

  test('rope_parameters, the newer spelling, says what the older keys say', () => {
    const { rope_theta, rope_scaling, partial_rotary_factor, ...rest } = phi4mini
    const newer = { ...rest, rope_parameters: { ...rope_scaling, rope_theta, partial_rotary_factor } }
    expect(rotaryOf(newer)).toEqual(rotaryOf(phi4mini))
    const { rope_theta: theta, ...gemma } = gemma2
    expect(rotaryOf({ ...gemma, rope_parameters: { rope_theta: theta, rope_type: 'default' } })).toEqual(
      rotaryOf(gemma2),
    )
  })
})
