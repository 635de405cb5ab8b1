// Asking the engine what stands behind a point or a direction. Such a question waits for the measurement that runs and
// goes before the next; it stops nothing.

import type { AqiView, Experiment, Subject } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { geometryKey, mergeKey } from '../../share/experimentKey.ts'
import { announce } from '../actions/errors.ts'
import { session } from '../actions/session.ts'
import { type Connection, callEngine, type EnginePort } from '../engine.ts'
import { isCancelled, toFailure } from '../failure.ts'
import { answersKey, type ProbesState, type Request, textsKey, useProbes, withEntry } from './store.ts'

const running = new Map<string, { controller: AbortController; finished: Promise<void> }>()

function setRequest(key: string, request: Request | undefined): void {
  useProbes.setState(({ requests }) => {
    const { [key]: _, ...others } = requests
    // What failed is dropped with age: a key that is never asked again would stay for ever.
    return { requests: request ? withEntry(requests, key, request) : others }
  })
}

/** One question at a time under one key; `ask` files its answer itself. */
async function request(key: string, ask: (port: EnginePort, jobId: number) => Promise<void>): Promise<void> {
  const { connection } = session
  if (!connection || running.has(key)) return
  const controller = new AbortController()
  const finished = perform(key, ask, connection, controller)
  running.set(key, { controller, finished })
  await finished
}

async function perform(
  key: string,
  ask: (port: EnginePort, jobId: number) => Promise<void>,
  connection: Connection,
  controller: AbortController,
): Promise<void> {
  const id = session.nextJobId++
  setRequest(key, { kind: 'asking' })
  controller.signal.addEventListener('abort', () => {
    callEngine(connection, (port) => port.cancel(id)).catch(() => {
      // An engine that is gone has stopped as well.
    })
  })
  try {
    await callEngine(connection, (port) => ask(port, id), controller.signal)
    setRequest(key, undefined)
  } catch (error) {
    setRequest(key, isCancelled(error) ? undefined : { kind: 'failed', message: toFailure(error).message })
  } finally {
    running.delete(key)
  }
}

/** Stops a question; what is known stays. */
export function stopRequest(key: string): void {
  running.get(key)?.controller.abort()
}

/** Texts of a view's points, and the answers that are known already. */
export async function loadTexts(experiment: Experiment, view: AqiView, subject: Subject): Promise<void> {
  const key = textsKey(experiment, view, subject)
  if (useProbes.getState().texts[key]) return
  await request(key, async (port) => {
    const texts = await port.pointTexts(experiment, view, subject)
    useProbes.setState((state) => ({ texts: withEntry(state.texts, key, texts) }))
  })
}

function fileAnswers(key: string, found: readonly ProbesState['answers'][string][string][]): void {
  useProbes.setState((state) => {
    const before = state.answers[key] ?? {}
    const more = Object.fromEntries(found.map((answer) => [answer.probe, answer]))
    return { answers: withEntry(state.answers, key, { ...before, ...more }) }
  })
}

/** Fetches the answers that a measurement has left in the engine; at once, whatever runs. */
export async function loadKnownAnswers(experiment: Experiment, subject: Subject): Promise<void> {
  const key = answersKey(experiment, subject)
  await request(`${key}/known`, async (port) => {
    const found = await port.knownAnswers(experiment, subject)
    if (found.length > 0) fileAnswers(key, found)
  })
}

export const answeringKey = (experiment: Experiment, subject: Subject): string =>
  `${answersKey(experiment, subject)}/asking`

/** Has subjects answer probes that they have not answered yet. */
export async function askProbes(
  experiment: Experiment,
  subjects: readonly Subject[],
  probes: readonly string[],
): Promise<void> {
  const counts = await Promise.all(
    subjects.map(async (subject) => {
      const key = answersKey(experiment, subject)
      const asking = answeringKey(experiment, subject)
      // Other probes may be under way; theirs need not be asked for again.
      while (running.has(asking)) await running.get(asking)?.finished
      const known = useProbes.getState().answers[key] ?? {}
      const missing = [...new Set(probes)].filter((probe) => !(probe in known))
      if (missing.length === 0) return 0
      await request(asking, async (port, jobId) => {
        fileAnswers(key, await port.answerProbes(jobId, experiment, subject, missing))
      })
      return missing.length
    }),
  )
  const count = Math.max(0, ...counts)
  if (count > 0) announce(t('{count} prompts are answered', { count }))
}

/** Alignment coordinates by layer and module; the geometry must be prepared. */
export async function loadModules(experiment: Experiment): Promise<void> {
  const key = geometryKey(experiment)
  if (useProbes.getState().modules[key]) return
  await request(`${key}/modules`, async (port, jobId) => {
    const found = await port.moduleCoordinates(jobId, experiment)
    useProbes.setState((state) => ({ modules: withEntry(state.modules, key, found) }))
  })
}

/** The same of the merge as it is stored, for methods whose merge no closed form gives. */
export async function loadMeasuredModules(experiment: Experiment): Promise<void> {
  const key = mergeKey(experiment)
  if (useProbes.getState().measuredModules[key]) return
  await request(`${key}/measured`, async (port, jobId) => {
    const found = await port.measureModules(jobId, experiment)
    useProbes.setState((state) => ({ measuredModules: withEntry(state.measuredModules, key, found) }))
  })
}
