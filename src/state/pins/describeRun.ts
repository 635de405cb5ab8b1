// A run in a few words: its method and what differs from the defaults.

import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { mergeLambda, normaliseWeights } from '../../share/experimentKey.ts'
import { findMethod, ownParameters, statedParameters } from '../../share/methods.ts'
import { numberParameters } from '../../share/parameters.ts'
import { settingText } from '../changes.ts'

const short = (value: number): string => String(Number(value.toPrecision(4)))

/** Weights as whole per cent where they are, else with what they need. */
const share = (weight: number): string => short(Math.round(1000 * weight) / 10)

export function describeRun(experiment: Experiment): string {
  const { method, parameters, rank, damping, antidote } = experiment
  const declaration = findMethod(method)
  const words = [t(declaration?.label ?? method)]
  if (method === 'alignmerge') {
    words.push(`λ ${short(mergeLambda(experiment))}`)
    if (rank !== numberParameters.rank.default) words.push(`m ${rank}`)
    if (damping !== numberParameters.damping.default) words.push(`ρ ${short(damping)}`)
  }
  const stated = statedParameters(method, parameters)
  for (const declared of declaration ? ownParameters(declaration) : []) {
    const value = stated[declared.id]
    if (value === undefined) continue
    const text = typeof value === 'number' ? short(value) : settingText(declared, value)
    words.push(`${declared.symbol ?? t(declared.label)} ${text}`)
  }
  const weights = normaliseWeights(experiment.experts.map((expert) => expert.weight))
  const isEqual = weights.every((weight) => Math.abs(weight - weights[0]!) < 5e-4)
  if (!isEqual) words.push(`λₖ ${weights.map(share).join(':')} %`)
  if (antidote > 0) words.push(t('antidote {share} %', { share: short(antidote) }))
  return words.join(', ')
}
