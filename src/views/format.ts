// Numbers as text: tabular, with units, and words where there is no number.

import type { Estimate } from '../../workers/api.ts'
import { t } from '../language/translate.ts'
import { reasonText } from './reasonText.ts'

/** How a quantity is written. */
export type NumberForm = 'share' | 'score' | 'aqi' | 'nats' | 'norm'

export const forms: Record<NumberForm, { unit: string; digits: (value: number) => string }> = {
  share: { unit: '%', digits: (value) => (100 * value).toFixed(0) },
  score: { unit: '', digits: (value) => value.toFixed(2) },
  aqi: { unit: '', digits: (value) => value.toFixed(1) },
  nats: { unit: 'nats', digits: (value) => value.toFixed(2) },
  norm: { unit: '', digits: formatNorm },
}

/** Norms: three digits, two where leading zeros make the number long. */
export function formatNorm(value: number): string {
  return formatSignificant(value, Math.abs(value) < 0.01 ? 2 : 3)
}

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹'
/** 10 to a power, as text. */
export function formatPower(exponent: number): string {
  const digits = [...String(Math.abs(exponent))].map((digit) => superscripts[Number(digit)]).join('')
  return `10${exponent < 0 ? '⁻' : ''}${digits}`
}

/** Three significant digits without an exponent in the usual range. */
export function formatSignificant(value: number, digits = 3): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e5 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(1).split('e')
    return `${mantissa} × ${formatPower(Number(exponent))}`
  }
  return size >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits)
}

export interface NormScale {
  /** Shown = value × factor. */
  factor: number
  /** Empty, or the unit that the shown numbers are in. */
  unit: string
}

/** One power of a thousand for all numbers of a chart, so that axes and readouts stay short. */
export function normScaleOf(maximum: number): NormScale {
  const thousands = maximum > 0 ? Math.ceil(-Math.log10(maximum) / 3 - 0.5) : 0
  if (thousands <= 0) return { factor: 1, unit: '' }
  return { factor: 1000 ** thousands, unit: ` × ${formatPower(-3 * thousands)}` }
}

/** Numbers on such a scale, with as many decimals as fit a readout. */
export function formatScaled(value: number): string {
  if (value === 0) return '0'
  if (value < 0.0005) return '<0.001'
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)
}

/** A round number on an axis. */
export function formatRound(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−')
}

/** λ and other parameters: as short as exact. */
export function formatParameter(value: number): string {
  return String(Number(value.toPrecision(4)))
}

const fractions = new Map([
  [0.25, '¼'],
  [0.5, '½'],
])
/** λ on an axis. */
export function formatTick(value: number): string {
  return fractions.get(value) ?? formatParameter(value)
}

export function formatValue(form: NumberForm, value: number): string {
  const { unit, digits } = forms[form]
  return unit === '' ? digits(value) : `${digits(value)} ${unit}`
}

export function formatInterval(form: NumberForm, low: number, high: number): string {
  const { digits } = forms[form]
  return `${digits(low)}–${digits(high)}`
}

/** One estimate in one line: value, interval, count; or the words. */
export function describeEstimate(form: NumberForm, estimate: Estimate): string {
  if ('unavailable' in estimate) return reasonText(estimate.unavailable)
  const interval = formatInterval(form, estimate.low, estimate.high)
  return t('{value} (95 % interval {interval}, n = {count})', {
    value: formatValue(form, estimate.value),
    interval,
    count: estimate.count,
  })
}

/** Words or names in a row: a; a and b; a and b and c. */
export const formatList = (words: readonly string[]): string =>
  words.length === 0 ? '' : words.reduce((first, second) => t('{first} and {second}', { first, second }))

export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${durationMs < 10 ? durationMs.toFixed(1) : durationMs.toFixed(0)} ms`
  return `${(durationMs / 1000).toFixed(1)} s`
}

/** A time to wait: whole seconds, then minutes, then hours. */
export function formatSpan(durationMs: number): string {
  const seconds = Math.max(1, Math.round(durationMs / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

const byteUnits = ['B', 'kB', 'MB', 'GB'] as const
export function formatBytes(bytes: number): string {
  const power = Math.min(byteUnits.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${(bytes / 1000 ** power).toPrecision(3)} ${byteUnits[power]}`
}

export function formatCount(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toPrecision(3)} B`
  if (count >= 1e6) return `${(count / 1e6).toPrecision(3)} M`
  return count.toLocaleString('en')
}
