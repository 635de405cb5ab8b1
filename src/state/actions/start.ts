// From nothing to a measuring studio: the link, the engine, the built-in models, the first experiment.

import type { ModelSummary } from '../../../workers/api.ts'
import { EngineError } from '../../core/errors.ts'
import { isOpenedAtStart } from '../../share/families.ts'
import { type Connect, callEngine } from '../engine.ts'
import { toFailure } from '../failure.ts'
import { loadPins } from '../pins/actions.ts'
import { watchFaults } from '../report/faults.ts'
import { usePresentation } from '../share/presentation.ts'
import { watchShipped } from '../share/shipped.ts'
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

/** Opens the studio; the returned function closes it. */
export function startStudio(connect?: Connect): () => void {
  if (connect) session.connect = connect
  session.labeller = { kind: 'built-in' }
  loadTheme()
  loadPins()
  loadSweep()
  readLink(location.hash)
  const stopWatching = watchLink()
  const stopFollowing = watchOwnProbes()
  const stopFaults = watchFaults((error) => reportError('The page', error))
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

async function openEngine(userModels: readonly ModelSummary[]): Promise<void> {
  update('models', { engine: { kind: 'opening' }, isLoading: true })
  let connection: typeof session.connection = null
  try {
    connection = session.connect()
    session.connection = connection
    const info = await callEngine(connection, (port) => port.open(handleEvent))
    update('models', { engine: { kind: 'ready', info } })
  } catch (error) {
    const failure = toFailure(error)
    const isUnsupported = failure.code === 'gpu-unavailable'
    update('models', {
      engine: isUnsupported ? { kind: 'unsupported', reason: failure.message } : { kind: 'failed', failure },
      isLoading: false,
    })
    connection?.close()
    return
  }
  const opened = connection
  opened.gone.catch((error) => {
    if (session.connection === opened) markLost(toFailure(error).message)
  })
  await retestFailedAdapter()
  await openBuiltIn()
  await openLabeller()
  await reopenOwnProbes()
  await reopenModels(userModels)
  const { recipe, models } = readState()
  if (!recipe.experiment) update('recipe', { experiment: defaultExperiment(models.list) })
  schedule()
}

async function openBuiltIn(): Promise<void> {
  try {
    const list = await runJob({
      label: 'Reading the built-in models',
      isBackground: true,
      controller: new AbortController(),
      run: (port, id) => port.openBuiltIn(id),
    })
    if (list.length === 0) throw new EngineError('file-missing', 'The studio has no built-in models')
    update('models', ({ list: before }) => ({
      list: [...list, ...before.filter((model) => !isOpenedAtStart(model.origin))],
    }))
    announce(`${list.length} models are loaded`)
  } catch (error) {
    reportError('Reading the built-in models', error)
  } finally {
    update('models', { isLoading: false })
  }
}
