// Does the plan's tasks one after another, in the background. A change of the recipe changes the plan; a running
// task that the plan no longer puts first is stopped if it measures a merge (latest wins) and left to finish if it
// measures a whole model, which every recipe needs. A request of the user goes before all background work.

import type { Experiment } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey, measurementKey, mergeKey } from '../../share/experimentKey.ts'
import { type Connection, callEngine, type EnginePort } from '../engine.ts'
import { isCancelled, toFailure } from '../failure.ts'
import { areProbesOpen } from '../ownProbes.ts'
import type { Task } from '../plan.ts'
import { selectRemaining } from '../selectors.ts'
import { completePart, measurementId } from '../slices/runs.ts'
import { readState, update } from '../store.ts'
import { describeTask } from '../sweeps/describeTask.ts'
import { addDuration, workOf } from '../sweeps/rates.ts'
import { selectSheet } from '../sweeps/selectors.ts'
import { useSweeps } from '../sweeps/store.ts'
import { readWishes } from '../sweeps/wishes.ts'
import { announce, reportError } from './errors.ts'
import { runJob } from './jobs.ts'
import { session } from './session.ts'

/** Wait after the last move of a slider before writing the merge, and before measuring it. */
const writeDelayMs = 30
const measureDelayMs = 220

interface Running {
  task: Task
  controller: AbortController
  finished: Promise<void>
}

let running: Running | null = null
const foreground = new Set<AbortController>()
let measureTimer: ReturnType<typeof setTimeout> | undefined
let writeTimer: ReturnType<typeof setTimeout> | undefined
let isWriting = false

function canRun(): boolean {
  const { models, runs } = readState()
  // On an adapter that fails the self-test every number would be a wrong one.
  if (models.selfTest?.passed === false) return false
  return models.engine.kind === 'ready' && !models.isLoading && !runs.isStopped && foreground.size === 0
}

/** Looks at the plan and starts, keeps or stops the background task. */
export function schedule(): void {
  const state = readState()
  // Without the prompts that an experiment names, nothing of it can be measured.
  const remaining = areProbesOpen(state.recipe.experiment)
    ? selectRemaining(state, readWishes(state.recipe.experiment))
    : []
  if (running) {
    const { task, controller } = running
    const isWanted = remaining.some((candidate) => candidate.id === task.id)
    const isOvertaken =
      task.kind === 'measure' && task.subject.kind === 'merge' && remaining[0]?.id !== task.id
    if (!canRun() || !isWanted || isOvertaken) controller.abort()
    return
  }
  const next = remaining[0]
  if (!next || !canRun() || measureTimer !== undefined) return
  const controller = new AbortController()
  running = { task: next, controller, finished: runTask(next, controller) }
}

async function runTask(task: Task, controller: AbortController): Promise<void> {
  const { models, recipe } = readState()
  const { experiment } = recipe
  const shown = experiment && { experiment, sheet: selectSheet(useSweeps.getState().spec, experiment) }
  const label = describeTask(models.list, task, shown ?? undefined)
  try {
    await runJob({
      label,
      isBackground: true,
      controller,
      run: (port, id) => performTask(port, id, task, controller.signal),
    })
    announce(t('{label}: done', { label }))
  } catch (error) {
    if (!isCancelled(error)) {
      update('runs', (runs) => ({ failed: { ...runs.failed, [task.id]: toFailure(error) } }))
      // What a labeller refuses, it refuses everywhere: one card. On the comparison page the row itself says what
      // else has failed.
      if (task.kind === 'label') reportError(t('Scoring the answers'), error)
      else if (readState().view.page !== 'compare') reportError(label, error)
    }
  } finally {
    running = null
    schedule()
  }
}

async function performTask(port: EnginePort, jobId: number, task: Task, signal: AbortSignal): Promise<void> {
  if (task.kind === 'prepare') return prepareGeometry(port, jobId, task.experiment)
  const key = measurementKey(task.experiment, task.subject)
  session.expectedKeys.add(key)
  const begun = performance.now()
  await port.measure(jobId, task.experiment, task.subject, [task.kind === 'label' ? 'labels' : task.part])
  // A stopped measurement may end without an error; what it left is not complete.
  if (signal.aborted) return
  if (task.kind === 'label') {
    const id = measurementId(key, task.subject)
    // Otherwise the plan would ask for them again and again.
    if (!readState().runs.measurements[id]?.labels[task.labeller])
      throw new Error(t('The engine gave no labels of {digest}…', { digest: task.labeller.slice(0, 8) }))
    return
  }
  update('runs', (runs) => ({
    measurements: completePart(runs.measurements, key, task.subject, task.part),
  }))
  if (task.subject.kind === 'merge') {
    const work = workOf(task.experiment)
    const duration = performance.now() - begun
    useSweeps.setState(({ rates }) => ({ rates: addDuration(rates, work, task.part, duration) }))
  }
}

async function prepareGeometry(
  port: EnginePort,
  jobId: number,
  experiment: Task['experiment'],
): Promise<void> {
  const key = geometryKey(experiment)
  const geometry = await port.prepare(jobId, experiment)
  // Filed under the key it was asked for; a summary of something else would give wrong curves.
  if (geometry.key !== key)
    throw new Error(
      t('The engine answered for experiment {found}, asked was {key}', { found: geometry.key, key }),
    )
  update('runs', (runs) => ({ geometries: { ...runs.geometries, [key]: geometry }, preparedKey: key }))
  void writeMerge()
}

/** Called after every change of the recipe. */
export function recipeChanged(): void {
  clearTimeout(measureTimer)
  measureTimer = setTimeout(() => {
    measureTimer = undefined
    schedule()
  }, measureDelayMs)
  clearTimeout(writeTimer)
  writeTimer = setTimeout(() => void writeMerge(), writeDelayMs)
  schedule()
}

/** Writes the merge at the latest experiment; one call at a time, always ending with the latest. */
async function writeMerge(): Promise<void> {
  if (isWriting) return
  isWriting = true
  try {
    for (;;) {
      const { recipe, runs, models } = readState()
      const { experiment } = recipe
      const { connection } = session
      if (!experiment || !connection || models.engine.kind !== 'ready') return
      if (runs.preparedKey !== geometryKey(experiment) || runs.written?.key === mergeKey(experiment)) return
      try {
        await writeOne(connection, experiment)
      } catch (error) {
        // What was left meanwhile has failed for nobody: the recipe of now is written, or waits for another engine.
        if (session.connection === connection && readState().recipe.experiment === experiment) throw error
      }
    }
  } catch (error) {
    reportError(t('Writing the merge'), error)
  } finally {
    isWriting = false
  }
}

async function writeOne(connection: Connection, experiment: Experiment): Promise<void> {
  const written = await callEngine(connection, (port) => port.applyMerge(experiment))
  const key = mergeKey(experiment)
  if (written.key !== key)
    throw new Error(t('The engine wrote merge {found}, asked was {key}', { found: written.key, key }))
  update('runs', { written })
}

export interface ForegroundOptions {
  /** the merge is needed: the geometry is prepared first */ needsGeometry: boolean
  /** whoever holds it can stop this request alone */ controller?: AbortController
}

/** A request of the user: background measuring steps aside and goes on afterwards. */
export async function runForeground<T>(
  label: string,
  run: (port: EnginePort, jobId: number) => Promise<T>,
  options: ForegroundOptions = { needsGeometry: true },
): Promise<T | undefined> {
  const controller = options.controller ?? new AbortController()
  foreground.add(controller)
  try {
    const { connection } = session
    if (connection && running?.task.kind === 'prepare' && options.needsGeometry) {
      const { finished } = running
      await callEngine(connection, () => finished, controller.signal)
    } else running?.controller.abort()
    return await runJob({
      label,
      isBackground: false,
      controller,
      run: async (port, id) => {
        const { recipe, runs } = readState()
        const { experiment } = recipe
        if (options.needsGeometry && experiment && runs.preparedKey !== geometryKey(experiment))
          await prepareGeometry(port, id, experiment)
        return run(port, id)
      },
    })
  } catch (error) {
    if (isCancelled(error)) announce(t('{label}: stopped', { label }))
    else reportError(label, error)
    return undefined
  } finally {
    foreground.delete(controller)
    schedule()
  }
}

let stops = 0

/** Times that the user has stopped everything: work of several jobs ends there, too. */
export const stopCount = (): number => stops

/** The Cancel button: nothing runs until the user says so. */
export function stopAll(): void {
  stops++
  update('runs', {
    isStopped: true,
    announcement: t('Stopped. What has been measured stays on the page.'),
  })
  for (const controller of foreground) controller.abort()
  running?.controller.abort()
}

/** Goes on where it was stopped and tries again what failed. */
export function runAgain(): void {
  update('runs', { isStopped: false, failed: {}, announcement: t('Measuring again') })
  schedule()
}

/** Stops all work without a word; before the engine is opened again. */
export function abandonAll(): void {
  clearTimeout(measureTimer)
  clearTimeout(writeTimer)
  measureTimer = undefined
  for (const controller of foreground) controller.abort()
  running?.controller.abort()
}
