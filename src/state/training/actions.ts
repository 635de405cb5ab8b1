// Drives a training: a few steps at a time, measures between them, until it is done, paused, stopped or given up.

import type { Lesson, TrainedOrigin, TrainingRequest } from '../../../workers/api/training.ts'
import type { ModelSummary } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import { clampNumber } from '../../share/scale.ts'
import { trainingParameters } from '../../share/training.ts'
import { announce } from '../actions/errors.ts'
import { offerModel } from '../actions/models.ts'
import { addExpert } from '../actions/recipe.ts'
import { runForeground } from '../actions/runner.ts'
import { setPage } from '../actions/view.ts'
import type { EnginePort } from '../engine.ts'
import { isCancelled, toFailure } from '../failure.ts'
import { missingHere } from '../needs.ts'
import { findModel } from '../selectors.ts'
import { readState, useStudio } from '../store.ts'
import { trainedName } from './names.ts'
import { paceOf, rememberPace } from './pace.ts'
import {
  clearTraining,
  isUnderWay,
  lessonRates,
  type OwnPairs,
  readTraining,
  setTraining,
  type TrainingRun,
} from './store.ts'

/** Work of one call: short enough that a click elsewhere is answered soon. */
const BUDGET_MS = 400
const HELD_OUT_EVERY = 10

export type SettingName = keyof typeof trainingParameters

export function chooseLesson(lesson: Lesson | 'own'): void {
  const { settings, phase } = readTraining()
  if (isUnderWay(phase)) return
  setTraining({ lesson, settings: { ...settings, rate: lessonRates[lesson] } })
}

export function setTrainingSetting(id: SettingName, value: number): void {
  if (!Number.isFinite(value) || isUnderWay(readTraining().phase)) return
  const { min, max, isInteger } = trainingParameters[id]
  const next = clampNumber(isInteger ? Math.round(value) : value, min, max)
  setTraining({ settings: { ...readTraining().settings, [id]: next } })
}

export function takeOwnPairs(own: OwnPairs | null): void {
  setTraining({ own })
}

/** Why a training cannot start now; null when it can. */
export function trainingObstacle(): string | null {
  const { lesson, own } = readTraining()
  const { models, recipe } = readState()
  const missing = missingHere(models.engine, 'training')
  if (missing) return missing
  if (models.engine.kind !== 'ready') return t('The engine is not open.')
  if (!recipe.experiment || !findModel(models.list, recipe.experiment.anchor))
    return t('The anchor is not loaded.')
  if (lesson === 'own' && !own?.pairs.length) return t('Give pairs of prompt and answer first.')
  return null
}

/** Opens a training of the experiment's anchor and runs it. */
export async function startTraining(): Promise<void> {
  const { experiment } = readState().recipe
  const { lesson, own, settings, measureEvery, phase } = readTraining()
  const base = experiment && findModel(readState().models.list, experiment.anchor)?.id
  if (!experiment || !base || isUnderWay(phase) || trainingObstacle()) return
  const run: TrainingRun = {
    ...{ lesson, settings, measureEvery, base },
    name: own?.name ?? '',
    probesPerClass: 64,
    seed: experiment.seed,
    opened: null,
  }
  clearTraining()
  setTraining({ phase: 'opening', run })
  const request: TrainingRequest = {
    ...settings,
    base,
    lesson: lesson === 'own' ? { name: own!.name, pairs: own!.pairs } : lesson,
  }
  const opened = await runForeground(
    t('Opening the training'),
    async (port, id) => {
      await again
      return isCurrent(run) ? port.openTraining(id, request).catch(failOf(run)) : undefined
    },
    { needsGeometry: false },
  )
  if (!isCurrent(run)) return
  if (!opened) {
    if (readTraining().phase === 'opening') setTraining({ phase: 'idle' })
    return
  }
  setTraining({ run: { ...run, opened } })
  await goOn()
}

// A training lies on the device, and so does what was kept of it.
useStudio.subscribe(({ models }, before) => {
  if (models.engine.kind === 'opening' && before.models.engine.kind !== 'opening') clearTraining()
})

/** What the engine says of a training that was put away meanwhile belongs to nothing. */
const isCurrent = (run: TrainingRun | null): boolean => readTraining().run === run

/** Files a failure with its training, which shows it; a cancel is none. */
const failOf =
  (run: TrainingRun | null) =>
  (error: unknown): undefined => {
    if (isCancelled(error)) throw error
    if (!isCurrent(run)) return undefined
    setTraining({ phase: 'failed', failure: toFailure(error), activity: null })
    announce(t('The training has failed'))
    return undefined
  }

/** Loops begun so far: one that was gone on with before its last step had come leaves the rest to the newer one. */
let loops = 0

/** Runs until something else is wanted. */
async function goOn(): Promise<void> {
  const { run } = readTraining()
  const loop = ++loops
  setTraining({ phase: 'running' })
  await runForeground(t('Training'), (port, id) => runSteps(port, id, loop).catch(failOf(run)), {
    needsGeometry: false,
  })
  // Cancelled from elsewhere: what was learnt is kept and can be gone on with.
  if (loop === loops && readTraining().phase === 'running') setTraining({ phase: 'paused', activity: null })
}

async function runSteps(port: EnginePort, jobId: number, loop: number): Promise<void> {
  for (;;) {
    const { run, phase, steps, measures } = readTraining()
    if (!run || phase !== 'running' || loop !== loops) return
    const { settings, measureEvery } = run
    const isMeasured = measures.at(-1)?.step === steps.length
    const isAtEnd = steps.length >= settings.steps
    if (!isMeasured && (steps.length % measureEvery === 0 || isAtEnd)) {
      await measureNow(port, jobId)
      continue
    }
    if (isAtEnd) return end()
    await advance(port, jobId, run, steps.length)
  }
}

async function advance(port: EnginePort, jobId: number, run: TrainingRun, done: number): Promise<void> {
  const next = (every: number) => (Math.floor(done / every) + 1) * every
  const until = Math.min(next(HELD_OUT_EVERY), next(run.measureEvery), run.settings.steps)
  const found = await port.trainSteps(jobId, until, BUDGET_MS, true)
  // Steps come in the engine's order, also those of a loop that was left: each of them has moved the weights.
  if (!isCurrent(run)) return
  const { heldOut } = readTraining()
  setTraining({
    steps: [...readTraining().steps, ...found.steps],
    ...(found.heldOutLoss !== null &&
      heldOut.at(-1)?.step !== found.done && {
        heldOut: [...heldOut, { step: found.done, loss: found.heldOutLoss }],
      }),
  })
}

async function measureNow(port: EnginePort, jobId: number): Promise<void> {
  const { run } = readTraining()
  setTraining({ activity: 'measuring' })
  try {
    const measure = await port.measureTraining(jobId, run!.probesPerClass, run!.seed)
    const { measures } = readTraining()
    if (isCurrent(run) && measures.at(-1)?.step !== measure.step)
      setTraining({ measures: [...measures, measure] })
  } finally {
    if (isCurrent(run)) setTraining({ activity: null })
  }
}

function end(): void {
  setTraining({ phase: 'ended' })
  const { steps, measures, run } = readTraining()
  const { engine } = readState().models
  const pace = run && paceOf(steps, measures, run.settings)
  if (pace && engine.kind === 'ready') rememberPace(engine.info.adapter, pace)
  announce(t('The training has ended after {steps} steps', { steps: steps.length }))
}

/** After the step that is being taken; the rest of the page can be used meanwhile. */
export function pauseTraining(): void {
  if (readTraining().phase === 'running') setTraining({ phase: 'paused' })
}

export async function resumeTraining(): Promise<void> {
  if (readTraining().phase === 'paused') await goOn()
}

/** Ends before the last step; what was learnt so far can be used. */
export async function stopTraining(): Promise<void> {
  const { run, phase, steps } = readTraining()
  if ((phase !== 'running' && phase !== 'paused') || steps.length === 0) return
  setTraining({ phase: 'paused' })
  await runForeground(
    t('Measuring what was learnt'),
    async (port, id) => {
      const { measures, steps: now } = readTraining()
      if (measures.at(-1)?.step !== now.length) await measureNow(port, id).catch(failOf(run))
    },
    { needsGeometry: false },
  )
  if (isCurrent(run) && readTraining().phase === 'paused') end()
}

/** Gives a training up, or puts a finished one away. */
export async function discardTraining(): Promise<void> {
  clearTraining()
  await runForeground(t('Closing the training'), (port) => port.closeTraining(), { needsGeometry: false })
}

/** The trained model as one of the session; once for the same steps. */
async function keep(): Promise<ModelSummary | undefined> {
  const { run, kept, steps } = readTraining()
  if (kept?.step === steps.length) return kept.model
  setTraining({ activity: 'keeping' })
  const found = await runForeground(
    t('Storing the trained model'),
    (port, id) => port.keepTraining(id).catch(failOf(run)),
    { needsGeometry: false },
  )
  if (isCurrent(run)) setTraining({ activity: null })
  if (!found) return undefined
  const model = named(found.model)
  if (isCurrent(run)) setTraining({ kept: { ...found, model, step: steps.length } })
  return model
}

const named = (model: ModelSummary): ModelSummary =>
  model.origin.kind === 'trained' ? { ...model, name: trainedName(model.origin) } : model

/** Adds the trained model to the experts and shows the merge. */
export async function useAsExpert(): Promise<void> {
  const model = await keep()
  if (!model) return
  offerModel(model)
  addExpert(model.origin)
  setPage('studio')
}

/** Hands the trained model to the browser's downloads. */
export async function downloadTrained(): Promise<void> {
  const model = await keep()
  if (!model) return
  offerModel(model)
  const blob = await runForeground(
    t('Exporting the trained model'),
    (port, id) => port.exportTraining(id, model.id),
    { needsGeometry: false },
  )
  if (!blob) return
  const address = URL.createObjectURL(blob)
  const anchor = document.createElement('a')
  anchor.href = address
  anchor.download = `alignmerge-trained-${readTraining().kept?.digest.slice(0, 8)}.zip`
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
  announce(t('The trained model was exported'))
}

/** The latest that is trained again: the engine trains one model at a time, so whatever comes next waits for it. */
let again: Promise<void> = Promise.resolve()

/** Trains again what a link names, without curves. */
export function trainAgain(origin: TrainedOrigin): Promise<void> {
  clearTraining()
  again = trainAfter(again, origin)
  return again
}

async function trainAfter(before: Promise<void>, origin: TrainedOrigin): Promise<void> {
  const { steps, done = steps, rate, batch, seed, lesson } = origin
  const model = await runForeground(
    t('Training {name}', { name: trainedName(origin) }),
    async (port, id) => {
      await before
      if (findModel(readState().models.list, origin)) return undefined
      const base = findModel(readState().models.list, { kind: 'built-in', id: origin.base })?.id
      if (base === undefined)
        throw new EngineError(
          'request-invalid',
          t('It was trained from “{base}”, which is not open here.', { base: origin.base }),
        )
      await port.openTraining(id, { base, lesson, steps, rate, batch, seed })
      for (let at = 0; at < done; ) at = (await port.trainSteps(id, done, BUDGET_MS, false)).done
      const { model } = await port.keepTraining(id)
      await port.closeTraining()
      return model
    },
    { needsGeometry: false },
  )
  if (model) offerModel(named(model))
}
