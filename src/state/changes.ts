// What differs between two experiments, in words: names undo steps and tells pinned runs apart.

import type { Experiment } from '../../workers/api.ts'
import { t } from '../language/translate.ts'
import { originKey } from '../share/experimentKey.ts'
import { findMethod, type ParameterDeclaration, type ParameterScalar } from '../share/methods.ts'
import {
  type ChoiceParameter,
  type ChoiceParameterId,
  choiceParameters,
  numberParameters,
} from '../share/parameters.ts'

const numbers = ['lambdaAlign', 'rank', 'damping', 'antidote', 'probesPerClass', 'seed'] as const

const plain = (value: unknown): string =>
  typeof value === 'number' ? String(Number(value.toPrecision(3))).replace('-', '−') : String(value)

/** A choice as the page words it. */
const choiceLabel = (
  { options }: { options: readonly { value: string; label: string }[] },
  value: string,
): string => t(options.find((option) => option.value === value)?.label ?? value)

/** A setting of a method as the page words it: choices and switches by their labels, numbers in three digits. */
export function settingText(declared: ParameterDeclaration, value: ParameterScalar): string {
  if (typeof value === 'number') return plain(value)
  if (typeof value === 'boolean') return value ? t('on') : t('off')
  return declared.kind === 'choice' ? choiceLabel(declared, value) : value
}

/** Every difference, the most important first. */
export function differencesOf(before: Experiment, after: Experiment): string[] {
  const found: string[] = []
  const add = (name: string, from: unknown, to: unknown) =>
    found.push(`${name} ${plain(from)} → ${plain(to)}`)
  const labelOf = (id: string) => t(findMethod(id)?.label ?? id)
  if (before.method !== after.method) add(t('method'), labelOf(before.method), labelOf(after.method))
  if (originKey(before.anchor) !== originKey(after.anchor)) found.push(t('another anchor'))
  const namesOf = (experiment: Experiment) => experiment.experts.map(({ origin }) => originKey(origin)).join()
  if (namesOf(before) !== namesOf(after)) found.push(t('other experts'))
  else
    before.experts.forEach(({ weight }, index) => {
      const next = after.experts[index]!.weight
      if (weight !== next) add(`λ${index + 1}`, weight, next)
    })
  for (const id of numbers)
    if (before[id] !== after[id]) add(t(numberParameters[id].label), before[id], after[id])
  const textOf = (declared: ParameterDeclaration, value: ParameterScalar | undefined) =>
    value === undefined ? t('default') : settingText(declared, value)
  if (before.method === after.method)
    for (const declared of findMethod(after.method)?.parameters ?? []) {
      const [from, to] = [before.parameters[declared.id], after.parameters[declared.id]]
      if (from !== to) add(t(declared.label), textOf(declared, from), textOf(declared, to))
    }
  const addChoice = (id: ChoiceParameterId, from: string, to: string) => {
    const declared: ChoiceParameter<string> = choiceParameters[id]
    if (from !== to) add(t(declared.label), choiceLabel(declared, from), choiceLabel(declared, to))
  }
  addChoice('metric', before.metric, after.metric)
  addChoice('source', before.source, after.source)
  for (const id of ['labels', 'form'] as const) addChoice(id, before.fisher[id], after.fisher[id])
  if (before.probes?.digest !== after.probes?.digest)
    found.push(after.probes ? t('probes “{name}”', { name: after.probes.name }) : t('built-in probes'))
  const references = (experiment: Experiment) => JSON.stringify(experiment.references)
  if (references(before) !== references(after)) found.push(t('another reference model'))
  return found
}

/** The change in a few words. */
export function describeChange(before: Experiment, after: Experiment): string {
  const [first, second, ...others] = differencesOf(before, after)
  if (!first) return t('how it is looked at')
  if (!second) return first
  return others.length === 0
    ? `${first}, ${second}`
    : t('{first} and {count} more', { first, count: others.length + 1 })
}
