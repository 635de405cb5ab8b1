import { describe, expect, it } from 'vitest'
import {
  describeEstimate,
  formatBytes,
  formatDuration,
  formatNorm,
  formatParameter,
  formatScaled,
  formatSignificant,
  formatTick,
  normScaleOf,
} from './format.ts'

describe('format', () => {
  it('writes numbers short and with real superscripts', () => {
    expect(formatSignificant(0.117)).toBe('0.117')
    expect(formatSignificant(4821.7)).toBe('4822')
    expect(formatSignificant(8.83e-5)).toBe('8.8 × 10⁻⁵')
    expect(formatSignificant(-3e12)).toBe('-3.0 × 10¹²')
    expect(formatNorm(0.0019049)).toBe('0.0019')
    expect(formatParameter(0.1 + 0.2)).toBe('0.3')
    expect([0.25, 0.5, 1024].map(formatTick)).toEqual(['¼', '½', '1024'])
    expect(formatBytes(611_456)).toBe('611 kB')
    expect([3.44, 158.2, 34_800].map(formatDuration)).toEqual(['3.4 ms', '158 ms', '34.8 s'])
  })

  it('gives charts one power of a thousand', () => {
    expect(normScaleOf(0)).toEqual({ factor: 1, unit: '' })
    expect(normScaleOf(2.4)).toEqual({ factor: 1, unit: '' })
    expect(normScaleOf(0.0005)).toEqual({ factor: 1000, unit: ' × 10⁻³' })
    expect(normScaleOf(4e-7)).toEqual({ factor: 1e6, unit: ' × 10⁻⁶' })
    expect([0, 0.0004, 0.088, 0.34, 123.4].map(formatScaled)).toEqual([
      '0',
      '<0.001',
      '0.088',
      '0.340',
      '123',
    ])
  })

  it('says an estimate in one line, or why there is none', () => {
    expect(describeEstimate('share', { value: 0.33, low: 0.25, high: 0.41, count: 128 })).toBe(
      '33 % (95 % interval 25–41, n = 128)',
    )
    expect(describeEstimate('aqi', { unavailable: 'one class only' })).toBe('one class only')
  })
})
