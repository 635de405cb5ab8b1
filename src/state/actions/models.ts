// Opening and closing models that the user brings.

import type { ModelSummary } from '../../../workers/api.ts'
import { originKey } from '../../share/experimentKey.ts'
import { limits } from '../../share/parameters.ts'
import { readState, update } from '../store.ts'
import { announce } from './errors.ts'
import { addExpert, defaultExperiment } from './recipe.ts'
import { recipeChanged, runForeground } from './runner.ts'
import { session } from './session.ts'

/** Adds or replaces a model in the list. */
function takeModel(model: ModelSummary): void {
  update('models', ({ list }) => ({
    list: [...list.filter((other) => originKey(other.origin) !== originKey(model.origin)), model],
  }))
  announce(`${model.name} is loaded`)
}

/** True when the experiment has been waiting for this very model. */
function isAwaited(model: ModelSummary): boolean {
  const { experiment } = readState().recipe
  if (!experiment) return false
  const key = originKey(model.origin)
  return [experiment.anchor, ...experiment.experts.map((expert) => expert.origin)].some(
    (origin) => originKey(origin) === key,
  )
}

function employModel(model: ModelSummary): void {
  const wasAwaited = isAwaited(model)
  takeModel(model)
  const { recipe, models } = readState()
  if (!recipe.experiment) {
    update('recipe', { experiment: defaultExperiment(models.list) })
    recipeChanged()
  } else if (wasAwaited || recipe.experiment.experts.length >= limits.maxExperts) recipeChanged()
  else addExpert(model.origin)
}

/** Opens a dropped Hugging Face folder and makes it an expert. */
export async function openFolder(files: File[]): Promise<void> {
  if (files.length === 0) return
  const model = await runForeground('Opening the folder', (port, id) => port.openFiles(id, files), {
    needsGeometry: false,
  })
  if (!model) return
  session.files.set(originKey(model.origin), files)
  employModel(model)
}

/** Opens a Hugging Face folder below an address. */
export async function openAddress(url: string): Promise<void> {
  const model = await runForeground(`Opening ${url}`, (port, id) => port.openUrl(id, url), {
    needsGeometry: false,
  })
  if (model) employModel(model)
}

/** Opens again, after a loss of the device, what the user had brought. */
export async function reopenModels(lost: readonly ModelSummary[]): Promise<void> {
  for (const { origin, name } of lost) {
    const files = session.files.get(originKey(origin))
    if (origin.kind === 'built-in' || (origin.kind === 'files' && !files)) continue
    const model = await runForeground(
      `Opening ${name} again`,
      (port, id) => (origin.kind === 'url' ? port.openUrl(id, origin.url) : port.openFiles(id, files ?? [])),
      { needsGeometry: false },
    )
    if (model) takeModel(model)
  }
}
