// All that a studio would have measured of an experiment, made up, as a link packs it.

import type { Experiment, ModelSummary, Subject } from '../../../workers/api.ts'
import { originKey } from '../../share/experimentKey.ts'
import type { Measurement } from '../../share/measurement.ts'
import { sweepGrid } from '../../share/parameters.ts'
import type { ResultRow, ResultSet } from '../../share/results.ts'
import { sweepExperiment } from '../plan.ts'
import { mergePart } from '../slices/runs.ts'
import { fakeGeometry, fakeModels, fakeParts } from './fakeData.ts'

export function fakeMeasurement(asked: Experiment, subject: Subject): Measurement {
  let known: Record<string, Measurement> = {}
  for (const part of ['aqi', 'behaviour', 'drift'] as const)
    if (subject.kind === 'merge' || part !== 'drift')
      for (const found of fakeParts(asked, subject, part)) known = mergePart(known, found)
  return Object.values(known)[0]!
}

/** Models as the engine would list them: ids are origin keys. */
export function fakeCast(experiment: Experiment): ModelSummary[] {
  return [experiment.anchor, ...experiment.experts.map(({ origin }) => origin)].map((origin, index) => ({
    ...fakeModels[index % fakeModels.length]!,
    id: originKey(origin),
    origin,
  }))
}

/** Anchor, experts and the whole sweep; `shift` is taken from every share of refusals. */
export function fakeResults(experiment: Experiment, shift = 0): ResultSet {
  const models = fakeCast(experiment)
  const row = (subject: Subject, of = experiment): ResultRow => {
    const measurement = structuredClone(fakeMeasurement(of, subject))
    const { refusal } = measurement.behaviour
    if (refusal && !('unavailable' in refusal))
      for (const id of ['value', 'low', 'high'] as const) refusal[id] = Math.max(0, refusal[id] - shift)
    return { experiment: of, subject, measurement }
  }
  return {
    experiment,
    models,
    geometry: fakeGeometry(experiment),
    rows: [
      ...models.map(({ id }) => row({ kind: 'model', id })),
      ...sweepGrid.map((lambdaAlign) => row({ kind: 'merge', lambdaAlign }, sweepExperiment(experiment))),
    ],
  }
}
