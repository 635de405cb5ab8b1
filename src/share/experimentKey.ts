// Short stable keys of an experiment. A result carries the key of what it answers, so a late one can never be
// taken for another. Four keys, from the least to the most that determines a number:
//   probeKey     anchor, probes, seed                     → AQI and behaviour of a whole model
//   geometryKey  + experts, metric, damping, source, Fisher → U, c_i, Gram matrix (prepare)
//   curveKey     + method, weights, rank                   → the merge as a function of λ_align
//   mergeKey     + λ_align                                 → one merge (applyMerge)
// Labels are no part of a key: a files origin counts by its digest.

import type { Experiment, ModelOrigin, Subject } from '../../workers/api.ts'
import { neededReferences, statedParameters } from './methods.ts'
import { trainedKey } from './training.ts'

/** Text that is equal for equal origins. */
export function originKey(origin: ModelOrigin): string {
  switch (origin.kind) {
    case 'built-in':
      return `built-in:${origin.id}`
    case 'url':
      return `url:${origin.url}`
    case 'files':
      return `files:${origin.digest}`
    case 'hub':
      return `hub:${origin.hub ? `${origin.hub}/` : ''}${origin.repo}@${origin.revision}${origin.part ? `#${origin.part}` : ''}`
    case 'stored':
      return `stored:${origin.digest}`
    case 'trained':
      return trainedKey(origin)
  }
}

/** 53-bit hash (cyrb53, public domain) in base 36; enough to tell the experiments of one session apart. */
export function hashText(text: string): string {
  let high = 0xdeadbeef
  let low = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909)
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909)
  return ((low >>> 0) * 2 ** 21 + (high >>> 11)).toString(36)
}

/** Weights on the simplex; equal ones when all are zero. */
export function normaliseWeights(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return total > 0 ? weights.map((weight) => weight / total) : weights.map(() => 1 / weights.length)
}

const isEmpty = (values: object): boolean => Object.keys(values).length === 0

/** The average is AlignMerge without shield, so both share one key and one set of measurements. */
export function canonicalMethod(experiment: Experiment): Pick<Experiment, 'method' | 'lambdaAlign'> {
  const isPlain = experiment.method === 'linear' && isEmpty(statedParameters('linear', experiment.parameters))
  return isPlain
    ? { method: 'alignmerge', lambdaAlign: 0 }
    : { method: experiment.method, lambdaAlign: experiment.lambdaAlign }
}

/** The merge lies on AlignMerge's curve over λ_align: AlignMerge itself, or the average at its start. */
export const isOnCurve = (experiment: Experiment): boolean =>
  experiment.antidote === 0 && canonicalMethod(experiment).method === 'alignmerge'

/** The merge is given by one linearisation in closed form, so that its own drift is exact algebra. */
export const isClosedForm = (experiment: Experiment): boolean =>
  isOnCurve(experiment) && isEmpty(statedParameters(experiment.method, experiment.parameters))

function probeFields(experiment: Experiment): unknown[] {
  const { probes, probesPerClass, seed } = experiment
  return [originKey(experiment.anchor), probesPerClass, seed, ...(probes ? [probes.digest] : [])]
}

function geometryFields(experiment: Experiment): unknown[] {
  return [
    ...probeFields(experiment),
    experiment.experts.map((expert) => originKey(expert.origin)),
    experiment.damping,
    experiment.metric,
    experiment.source,
    experiment.fisher.labels,
    experiment.fisher.form,
  ]
}

function curveFields(experiment: Experiment): unknown[] {
  const { method } = canonicalMethod(experiment)
  // Six digits: what a slider can tell apart, and equal after a trip through a link.
  const weights = normaliseWeights(experiment.experts.map((expert) => expert.weight)).map((w) => w.toFixed(6))
  const own = method === experiment.method ? statedParameters(method, experiment.parameters) : {}
  const references = neededReferences(experiment.method).map((role) => {
    const origin = experiment.references[role]
    return origin ? originKey(origin) : null
  })
  return [
    ...geometryFields(experiment),
    method,
    // Without a shield its rank cannot matter.
    experiment.antidote,
    own,
    references,
    weights,
    method === 'alignmerge' ? experiment.rank : 0,
  ]
}

/** Experiments are never changed in place, and a plan asks for the keys of hundreds with every move of a slider. */
function keyOf(fieldsOf: (experiment: Experiment) => unknown[]): (experiment: Experiment) => string {
  const known = new WeakMap<Experiment, string>()
  return (experiment) => {
    const before = known.get(experiment)
    if (before !== undefined) return before
    const key = hashText(JSON.stringify(fieldsOf(experiment)))
    known.set(experiment, key)
    return key
  }
}

function mergeFields(experiment: Experiment): unknown[] {
  const { method, lambdaAlign } = canonicalMethod(experiment)
  return [...curveFields(experiment), method === 'alignmerge' ? lambdaAlign : 0]
}

export const probeKey = keyOf(probeFields)
export const geometryKey = keyOf(geometryFields)
export const curveKey = keyOf(curveFields)
export const mergeKey = keyOf(mergeFields)

/** λ_align that this experiment's merge is measured at; methods without a shield have 0. */
export function mergeLambda(experiment: Experiment): number {
  return experiment.method === 'alignmerge' ? experiment.lambdaAlign : 0
}

/** The key that a measurement of this subject carries; used by the worker to write it and by the page to check it. */
export function measurementKey(experiment: Experiment, subject: Subject): string {
  return subject.kind === 'model' ? probeKey(experiment) : curveKey(experiment)
}

/** Text that tells subjects apart under one key. */
export function subjectKey(subject: Subject): string {
  return subject.kind === 'model' ? `model:${subject.id}` : `merge:${subject.lambdaAlign}`
}
