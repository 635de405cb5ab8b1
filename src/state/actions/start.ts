// From nothing to a measuring studio: the link, the engine, the built-in models, the first experiment.

import type { ModelSummary } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { t } from '../../language/translate.ts'
import { isOpenedAtStart } from '../../share/families.ts'
import { type Connect, type Connection, callEngine } from '../engine.ts'
import { toFailure } from '../failure.ts'
import { firstPicture } from '../firstPicture.ts'
import { loadPins } from '../pins/actions.ts'
import { watchFaults } from '../report/faults.ts'
import { usePresentation } from '../share/presentation.ts'
import { beginsWithShipped, watchShipped } from '../share/shipped.ts'
import { readState, update } from '../store.ts'
import { loadSweep } from '../sweeps/actions.ts'
import { announce, reportError } from './errors.ts'
import { handleEvent, markLost } from './events.ts'
import { runJob } from './jobs.ts'
import { openLabeller } from './labeller.ts'
import { linkResults, readLink, watchLink } from './link.ts'
import { reopenModels } from './models.ts'
import { reopenOwnProbes, watchOwnProbes } from './ownProbes.ts'
import { defaultExperiment } from './recipe.ts'
import { abandonAll, schedule } from './runner.ts'
import { retestFailedAdapter } from './selfTest.ts'
import { session } from './session.ts'
import { loadTheme } from './view.ts'

/** A slow chart holds the engine up no longer than this. */
const pictureWithinMs = 3000

/** Opens the studio; the returned function closes it. */
export function startStudio(connect?: Connect, connectCpu: Connect | null = null): () => void {
  if (connect) Object.assign(session, { connect, connectCpu })
  session.prefersCpu = false
  session.labeller = { kind: 'built-in' }
  loadTheme()
  loadPins()
  loadSweep()
  readLink(location.hash)
  const stopWatching = watchLink()
  const stopFollowing = watchOwnProbes()
  const stopFaults = watchFaults((error) => reportError(t('The page'), error))
  const stopShowing = watchShipped()
  void openUnlessShown()
  return () => {
    stopWatching()
    stopFollowing()
    stopFaults()
    stopShowing()
    abandonAll()
    session.connection?.close()
    session.connection = null
  }
}

/** A frame that shows a link's results computes nothing, so it fetches no model either. */
async function openUnlessShown(): Promise<void> {
  if (usePresentation.getState().isEmbed && (await linkResults())) return
  if (await beginsWithShipped()) await firstPicture(pictureWithinMs)
  await openEngine([])
}

/** Opens a fresh engine after the device was lost; what was measured stays. */
export async function reopenEngine(): Promise<void> {
  abandonAll()
  const userModels = readState().models.list.filter((model) => !isOpenedAtStart(model.origin))
  session.connection?.close()
  session.connection = null
  update('runs', { preparedKey: null, written: null, failed: {}, isStopped: false })
  update('models', { labeller: null, selfTest: null })
  await openEngine(userModels)
}

/** Opens an engine that does without WebGPU, or one with it. */
export function computeOnCpu(isWanted: boolean): Promise<void> {
  session.prefersCpu = isWanted
  return reopenEngine()
}

/** Engines opened so far: one that was left while it was being opened leaves the rest to the newer one. */
let openings = 0

async function openEngine(userModels: readonly ModelSummary[]): Promise<void> {
  const mine = ++openings
  const isLeft = () => mine !== openings
  update('models', { engine: { kind: 'opening' }, isLoading: true })
  const opened = await connectFirst(isLeft)
  if (isLeft()) return
  if (!opened) {
    update('models', { isLoading: false })
    return
  }
  opened.gone.catch((error) => {
    if (session.connection === opened) markLost(toFailure(error).message)
  })
  const steps = [
    retestFailedAdapter,
    () => openBuiltIn(isLeft),
    openLabeller,
    reopenOwnProbes,
    () => reopenModels(keepOpenable(userModels)),
  ]
  for (const step of steps) {
    await step()
    if (isLeft()) return
  }
  const { recipe, models } = readState()
  if (!recipe.experiment) update('recipe', { experiment: defaultExperiment(models.list) })
  schedule()
}

/** Of models that were open those that this engine can open; the others leave the list. */
function keepOpenable(userModels: readonly ModelSummary[]): readonly ModelSummary[] {
  const { engine } = readState().models
  if (engine.kind !== 'ready' || !engine.info.isCpu) return userModels
  const isBuiltIn = ({ origin }: ModelSummary) => origin.kind === 'built-in'
  update('models', ({ list }) => ({ list: list.filter(isBuiltIn) }))
  return userModels.filter(isBuiltIn)
}

/** The first engine that opens: with WebGPU, and where there is none without. Undefined, with a reason, if none does. */
async function connectFirst(isLeft: () => boolean): Promise<Connection | undefined> {
  const { prefersCpu, connect, connectCpu } = session
  if (!connectCpu) return connectWith(connect, null, isLeft)
  if (prefersCpu) return connectWith(connectCpu, t('You asked for the processor.'), isLeft)
  let reason: string | undefined
  // While there is another to try, nobody is told that there is none.
  const opened = await connectWith(connect, null, isLeft, (why) => {
    reason = why
  })
  return reason === undefined || isLeft() ? opened : connectWith(connectCpu, reason, isLeft)
}

async function connectWith(
  connect: Connect,
  withoutGpu: string | null,
  isLeft: () => boolean,
  onUnsupported?: (reason: string) => void,
): Promise<Connection | undefined> {
  let connection: Connection | null = null
  try {
    connection = connect()
    session.connection = connection
    const info = await callEngine(connection, (port) => port.open(handleEvent))
    update('models', { engine: { kind: 'ready', info }, withoutGpu })
    return connection
  } catch (error) {
    const failure = toFailure(error)
    const isUnsupported = failure.code === 'gpu-unavailable'
    connection?.close()
    if (isLeft()) return undefined
    if (isUnsupported && onUnsupported) {
      onUnsupported(failure.message)
      return undefined
    }
    update('models', {
      engine: isUnsupported ? { kind: 'unsupported', reason: failure.message } : { kind: 'failed', failure },
      withoutGpu,
    })
    return undefined
  }
}

async function openBuiltIn(isLeft: () => boolean): Promise<void> {
  try {
    const list = await runJob({
      label: t('Reading the built-in models'),
      isBackground: true,
      controller: new AbortController(),
      run: (port, id) => port.openBuiltIn(id),
    })
    if (list.length === 0) throw new EngineError('file-missing', t('The studio has no built-in models'))
    update('models', ({ list: before }) => ({
      list: [...list, ...before.filter((model) => !isOpenedAtStart(model.origin))],
    }))
    announce(t('{count} models are loaded', { count: list.length }))
  } catch (error) {
    if (!isLeft()) reportError(t('Reading the built-in models'), error)
  } finally {
    if (!isLeft()) update('models', { isLoading: false })
  }
}
