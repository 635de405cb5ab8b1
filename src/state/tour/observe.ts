// What the tour sees on the page: whether a task was done, and the numbers that its texts quote.

import type { ModelOrigin } from '../../../workers/api.ts'
import { lessons } from '../../help/lessons.ts'
import type { QuantityOf, TourCheck, TourSetting, ValueName } from '../../help/tourTypes.ts'
import { findMethod, parameterValue } from '../../share/methods.ts'
import type { LearnState } from '../learn/store.ts'
import { sweepExperiment } from '../plan.ts'
import { findModel, selectMeasurement, selectMergeMeasurement } from '../selectors.ts'
import { receivedModel, selectShown } from '../share/received.ts'
import type { Measurement } from '../slices/runs.ts'
import type { StudioState } from '../store.ts'
import type { TourState } from './store.ts'

export interface Seen {
  studio: Pick<StudioState, 'recipe' | 'view' | 'models' | 'runs'>
  learn: LearnState
  tour: TourState
}

function isMet(check: TourCheck, { studio, learn, tour }: Seen): boolean {
  const { experiment } = studio.recipe
  switch (check.kind) {
    case 'lambda':
      return (
        experiment !== null && experiment.lambdaAlign >= check.least && experiment.lambdaAlign <= check.most
      )
    case 'parameter': {
      const declared =
        experiment && findMethod(experiment.method)?.parameters.find(({ id }) => id === check.id)
      return (
        experiment !== null &&
        declared !== null &&
        declared !== undefined &&
        parameterValue(experiment.parameters, declared) === check.value
      )
    }
    case 'view':
      return studio.view.aqiView === check.aqiView
    case 'toyMoved':
      return learn.moves[check.what] > tour.movesBefore[check.what]
    case 'toyLambda':
      return learn.toy.lambdaAlign >= check.least
  }
}

/** True when all of it was done. */
export const isTaskDone = (checks: readonly TourCheck[], seen: Seen): boolean =>
  checks.every((check) => isMet(check, seen))

/** The same with the recipe and view that a step began with: what its text speaks of, whatever was moved since. */
export function asStepBegan(seen: Seen, { lesson, lambdaAlign, aqiView }: TourSetting): Seen {
  const { studio } = seen
  const begun = lesson ? lessons[lesson] : studio.recipe.experiment
  const experiment = begun && lambdaAlign !== undefined ? { ...begun, lambdaAlign } : begun
  const view = aqiView ? { ...studio.view, aqiView } : studio.view
  return { ...seen, studio: { ...studio, recipe: { experiment }, view } }
}

/** A number, what became of it, or that it is not known yet. */
export type Quoted = { kind: 'value'; value: number } | { kind: 'words'; text: string } | { kind: 'waiting' }

const waiting: Quoted = { kind: 'waiting' }

function quantityOf(measurement: Measurement | undefined, name: string, view: StudioState['view']): Quoted {
  if (name === 'drift') {
    const value = measurement?.drift?.heldOut
    return value === undefined ? waiting : { kind: 'value', value }
  }
  const behaviour = measurement?.behaviour
  const estimates = {
    refusal: behaviour?.refusal,
    complied: behaviour?.compliance,
    overRefusal: behaviour?.overRefusal,
    ruined: behaviour?.gibberish,
    attack: behaviour?.attackRefusal,
    sort: behaviour?.skills?.sort,
    reverse: behaviour?.skills?.reverse,
    aqi: measurement?.aqi[view.aqiView]?.normalised,
  }
  const estimate = estimates[name as keyof typeof estimates]
  if (!estimate) return waiting
  return 'unavailable' in estimate
    ? { kind: 'words', text: estimate.unavailable }
    : { kind: 'value', value: estimate.value }
}

/** A measured value by its name in a text; the toy's values are the toy's own. */
export function quote(name: ValueName, { studio }: Seen): Quoted {
  const { experiment } = studio.recipe
  const { runs, models } = studio
  const measurements = selectShown(runs)
  const [quantity, of] = name.split('_')
  if (!experiment || !of || !quantity) return waiting
  const ofModel = (origin: ModelOrigin | undefined) => {
    const model = origin && (findModel(models.list, origin) ?? receivedModel(runs.received, origin))
    return model && selectMeasurement(measurements, experiment, { kind: 'model', id: model.id })
  }
  const measurementOf = (): Measurement | undefined => {
    switch (of as QuantityOf) {
      case 'anchor':
        return ofModel(experiment.anchor)
      case 'first':
        return ofModel(experiment.experts[0]?.origin)
      case 'second':
        return ofModel(experiment.experts[1]?.origin)
      case 'average':
        return selectMeasurement(measurements, sweepExperiment(experiment), { kind: 'merge', lambdaAlign: 0 })
      case 'merge':
        return selectMergeMeasurement(measurements, experiment)
    }
  }
  return quantityOf(measurementOf(), quantity, studio.view)
}
