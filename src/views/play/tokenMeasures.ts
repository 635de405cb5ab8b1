// What a token can be coloured by, how strongly, and in which words: numbers from one comparison.

import type { TokenComparison } from '../../../workers/api/play.ts'
import { t } from '../../language/translate.ts'

/** A measure of one token: of one model alone, or of the merge against the anchor. */
export type TokenMeasure =
  | { kind: 'probability'; model: number }
  | { kind: 'ratio' | 'divergence'; model: number }

/** How a token is drawn: `share` of the full colour in [0, 1]; of a ratio, which side it is on. */
export interface TokenShade {
  share: number
  side: 'one' | 'more' | 'less'
}

/** Nats at which ratio and divergence have their full colour. */
const FULL_RATIO = 3
const FULL_DIVERGENCE = 2

export const probabilityOf = ({ models }: TokenComparison, model: number, i: number): number =>
  Math.exp(models[model]!.logProbabilities[i]!)

/** log p_model − log p_first, nats. */
export const ratioOf = ({ models }: TokenComparison, model: number, i: number): number =>
  models[model]!.logProbabilities[i]! - models[0]!.logProbabilities[i]!

/** The number that a measure gives a token. */
export function measuredValue(comparison: TokenComparison, { kind, model }: TokenMeasure, i: number): number {
  if (kind === 'probability') return probabilityOf(comparison, model, i)
  return kind === 'ratio' ? ratioOf(comparison, model, i) : comparison.models[model]!.divergences[i]!
}

/** Of a probability the surprise is coloured: what a model would not have said stands out. */
export function shadeOf(comparison: TokenComparison, measure: TokenMeasure, i: number): TokenShade {
  const value = measuredValue(comparison, measure, i)
  if (measure.kind === 'probability') return { share: 1 - value, side: 'one' }
  if (measure.kind === 'divergence') return { share: Math.min(1, value / FULL_DIVERGENCE), side: 'one' }
  return { share: Math.min(1, Math.abs(value) / FULL_RATIO), side: value < 0 ? 'less' : 'more' }
}

/** A probability without more digits than it has. */
export function formatProbability(value: number): string {
  if (value >= 0.9995) return value === 1 ? '100 %' : '> 99.9 %'
  return value >= 0.001 ? `${(100 * value).toFixed(1)} %` : '< 0.1 %'
}

export function formatNats(value: number): string {
  const text = value.toFixed(2).replace('-', '−')
  return text === '−0.00' ? '0.00' : text
}

export const formatSigned = (value: number): string =>
  value > 0.005 ? `+${formatNats(value)}` : formatNats(value)

export function formatMeasure(comparison: TokenComparison, measure: TokenMeasure, i: number): string {
  const value = measuredValue(comparison, measure, i)
  if (measure.kind === 'probability') return formatProbability(value)
  return `${measure.kind === 'ratio' ? formatSigned(value) : formatNats(value)} ${t('nats')}`
}

/** Ends of the legend, from pale to strong. */
export function legendOf({ kind }: TokenMeasure): { from: string; to: string } {
  if (kind === 'probability') return { from: '100 %', to: '0 %' }
  if (kind === 'divergence') return { from: `0 ${t('nats')}`, to: `≥ ${FULL_DIVERGENCE} ${t('nats')}` }
  return { from: `≤ −${FULL_RATIO} ${t('nats')}`, to: `≥ +${FULL_RATIO} ${t('nats')}` }
}

/** White space and line ends that would not be seen. */
export const visibleToken = (text: string): string =>
  text.replaceAll('\n', '↵').replaceAll('\t', '⇥').replace(/^ /, '·')
