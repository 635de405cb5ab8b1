// Changes of the experiment. Weights are kept on the simplex: moving one lets the others share the rest in the
// proportion they had.

import type { Experiment, ModelOrigin, ModelSummary, ReferenceRole } from '../../../workers/api.ts'
import { normaliseWeights, originKey } from '../../share/experimentKey.ts'
import { findMethod, misfit, type ParameterScalar } from '../../share/methods.ts'
import {
  defaultMethod,
  equalParts,
  experimentWith,
  limits,
  numberParameters,
} from '../../share/parameters.ts'
import { clampNumber } from '../../share/scale.ts'
import { redistribute } from '../../share/sweeps/parameters.ts'
import { usePresentation } from '../share/presentation.ts'
import { readState, update } from '../store.ts'
import { recipeChanged } from './runner.ts'

export { redistribute }

function change(edit: (experiment: Experiment) => Experiment): void {
  const { experiment } = readState().recipe
  // In a frame there is nothing to be set.
  if (!experiment || usePresentation.getState().isEmbed) return
  update('recipe', { experiment: withFittingMethod(edit(experiment)) })
  recipeChanged()
}

export type ScalarParameter = 'antidote' | 'lambdaAlign' | 'rank' | 'damping' | 'probesPerClass' | 'seed'

/** Sets a number, clamped into its range; anything that is no number is ignored. */
export function setNumber(id: ScalarParameter, value: number): void {
  if (!Number.isFinite(value)) return
  const parameter = numberParameters[id]
  const rounded = parameter.isInteger ? Math.round(value) : value
  const next = clampNumber(rounded, parameter.min, parameter.max)
  if (readState().recipe.experiment?.[id] === next) return
  change((experiment) => ({ ...experiment, [id]: next }))
}

/** Another method starts from its own defaults. */
export function setMethod(method: string): void {
  if (!findMethod(method) || readState().recipe.experiment?.method === method) return
  change((experiment) => ({ ...experiment, method, parameters: {} }))
}

/** Changes the experiment as a sweep's parameter does. */
export function changeExperiment(edit: (experiment: Experiment) => Experiment): void {
  change(edit)
}

/** Opens a merge of the comparison in the studio. */
export function openExperiment(experiment: Experiment): void {
  update('view', { page: 'studio' })
  change(() => experiment)
}

/** Sets a parameter that the method declares; numbers are clamped into their range. */
export function setParameter(id: string, value: ParameterScalar): void {
  change((experiment) => {
    const declared = findMethod(experiment.method)?.parameters.find((parameter) => parameter.id === id)
    if (!declared || typeof value !== typeof declared.default) return experiment
    if (typeof value === 'number' && !Number.isFinite(value)) return experiment
    const next =
      declared.kind === 'number'
        ? clampNumber(
            declared.isInteger ? Math.round(Number(value)) : Number(value),
            declared.min,
            declared.max,
          )
        : value
    return { ...experiment, parameters: { ...experiment.parameters, [id]: next } }
  })
}

export type ScalarChoice = 'metric' | 'source'

export function setChoice<K extends ScalarChoice>(id: K, value: Experiment[K]): void {
  change((experiment) => ({ ...experiment, [id]: value }))
}

export function setFisher(fisher: Partial<Experiment['fisher']>): void {
  change((experiment) => ({ ...experiment, fisher: { ...experiment.fisher, ...fisher } }))
}

/** A method that cannot merge this many experts gives way to the default one. */
function withFittingMethod(experiment: Experiment): Experiment {
  const declaration = findMethod(experiment.method)
  if (declaration && !misfit(declaration, experiment.experts.length)) return experiment
  return { ...experiment, method: defaultMethod, parameters: {} }
}

function withWeights(experiment: Experiment, weights: readonly number[]): Experiment {
  return {
    ...experiment,
    experts: experiment.experts.map((expert, index) => ({ ...expert, weight: weights[index] ?? 0 })),
  }
}

export function setWeight(index: number, weight: number): void {
  if (!Number.isFinite(weight)) return
  change((experiment) => {
    const weights = normaliseWeights(experiment.experts.map((expert) => expert.weight))
    return withWeights(experiment, redistribute(weights, index, weight))
  })
}

/** All weights at once, brought onto the simplex. */
export function setWeights(weights: readonly number[]): void {
  change((experiment) => withWeights(experiment, normaliseWeights(weights.map((w) => Math.max(0, w)))))
}

export function setEqualWeights(): void {
  change((experiment) =>
    withWeights(
      experiment,
      experiment.experts.map(() => 1 / experiment.experts.length),
    ),
  )
}

/** A new expert takes an equal share; the others keep their proportion. */
export function addExpert(origin: ModelOrigin): void {
  change((experiment) => {
    const count = experiment.experts.length
    const isPresent = experiment.experts.some((expert) => originKey(expert.origin) === originKey(origin))
    if (isPresent || count >= limits.maxExperts) return experiment
    const weights = normaliseWeights(experiment.experts.map((expert) => expert.weight))
    const share = 1 / (count + 1)
    return {
      ...withWeights(
        experiment,
        weights.map((weight) => weight * (1 - share)),
      ),
      experts: [
        ...withWeights(
          experiment,
          weights.map((weight) => weight * (1 - share)),
        ).experts,
        { origin, weight: share },
      ],
    }
  })
}

export function removeExpert(index: number): void {
  change((experiment) => {
    if (experiment.experts.length <= 1) return experiment
    const experts = experiment.experts.filter((_, position) => position !== index)
    const kept = { ...experiment, experts }
    return withWeights(kept, normaliseWeights(experts.map((expert) => expert.weight)))
  })
}

/** Replaces an expert, keeping its weight: the way to repair a link that names a model nobody has. */
export function replaceExpert(index: number, origin: ModelOrigin): void {
  change((experiment) => ({
    ...experiment,
    experts: experiment.experts.map((expert, position) =>
      position === index ? { ...expert, origin } : expert,
    ),
  }))
}

/** A new anchor; it cannot be its own expert. */
export function setAnchor(origin: ModelOrigin): void {
  change((experiment) => {
    const others = experiment.experts.filter((expert) => originKey(expert.origin) !== originKey(origin))
    const experts = others.length > 0 ? others : [{ origin: experiment.anchor, weight: 1 }]
    return withWeights(
      { ...experiment, anchor: origin, experts },
      normaliseWeights(experts.map((expert) => expert.weight)),
    )
  })
}

/** What methods that need an aligned or an unaligned model are given to begin with: those whose role says so. */
function referencesOf(list: readonly ModelSummary[]): Experiment['references'] {
  const aligned = list.find((model) => model.role === 'safety')
  const unaligned = list.find((model) => model.role === 'uncensored')
  return {
    ...(aligned && { aligned: aligned.origin }),
    ...(unaligned && { unaligned: unaligned.origin }),
  }
}

/** Names the further model that stands for a role. */
export function setReference(role: ReferenceRole, origin: ModelOrigin): void {
  change((experiment) => ({ ...experiment, references: { ...experiment.references, [role]: origin } }))
}

/** The experiment a visitor meets first: the anchor and two task experts in equal parts. */
export function defaultExperiment(list: readonly ModelSummary[]): Experiment | null {
  const anchor = list.find((model) => model.role === 'anchor') ?? list[0]
  if (!anchor) return null
  const others = list.filter((model) => model !== anchor)
  const tasks = others.filter((model) => model.role === 'task')
  const experts = (tasks.length > 0 ? tasks : others).slice(0, 2)
  if (experts.length === 0) return null
  return experimentWith({
    references: referencesOf(list),
    anchor: anchor.origin,
    experts: equalParts(experts.map(({ origin }) => origin)),
  })
}

/** Lets a family take part: its anchor, and all its experts in equal parts. */
export function setFamily(list: readonly ModelSummary[]): void {
  const anchor = list.find((model) => model.role === 'anchor')
  const experts = list.filter((model) => model !== anchor)
  if (!anchor || experts.length === 0) return
  change((experiment) => ({
    ...experiment,
    anchor: anchor.origin,
    experts: experts.map(({ origin }) => ({ origin, weight: 1 / experts.length })),
    references: referencesOf(list),
  }))
}

export function resetExperiment(): void {
  const experiment = defaultExperiment(readState().models.list)
  if (!experiment) return
  update('recipe', { experiment })
  recipeChanged()
}
