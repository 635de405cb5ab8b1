// Opening and closing models that the user brings.

import type { ModelOrigin, ModelSummary, SourceRequest } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { originKey } from '../../share/experimentKey.ts'
import { familyOf, type MicroFamily } from '../../share/families.ts'
import { readState, update } from '../store.ts'
import { announce } from './errors.ts'
import { defaultExperiment, setFamily } from './recipe.ts'
import { recipeChanged, runForeground } from './runner.ts'
import { session } from './session.ts'
import { tokenFor } from './tokens.ts'

/** Adds or replaces a model in the list. */
function takeModel(model: ModelSummary): void {
  update('models', ({ list }) => ({
    list: [...list.filter((other) => originKey(other.origin) !== originKey(model.origin)), model],
  }))
  announce(t('{name} is loaded', { name: model.name }))
}

/** True when the experiment names this very model. */
function isNamed(model: ModelSummary): boolean {
  const { experiment } = readState().recipe
  if (!experiment) return false
  const key = originKey(model.origin)
  return [experiment.anchor, ...experiment.experts.map((expert) => expert.origin)].some(
    (origin) => originKey(origin) === key,
  )
}

/** Offers a model to the recipe. It joins by itself only where a link has been waiting for it: a model that does not
    fit would otherwise break the experiment that stands. */
export function offerModel(model: ModelSummary): void {
  const wasNamed = isNamed(model)
  takeModel(model)
  const { recipe, models } = readState()
  if (!recipe.experiment) update('recipe', { experiment: defaultExperiment(models.list) })
  if (wasNamed || !recipe.experiment) recipeChanged()
}

/** Opens a dropped Hugging Face folder. */
export async function openFolder(files: File[]): Promise<ModelSummary | undefined> {
  if (files.length === 0) return undefined
  const model = await runForeground(t('Opening the folder'), (port, id) => port.openFiles(id, files), {
    needsGeometry: false,
  })
  if (!model) return undefined
  session.files.set(originKey(model.origin), files)
  offerModel(model)
  return model
}

/** Opens a Hugging Face folder below an address. */
export async function openAddress(url: string): Promise<ModelSummary | undefined> {
  const model = await runForeground(t('Opening {name}', { name: url }), (port, id) => port.openUrl(id, url), {
    needsGeometry: false,
  })
  if (model) offerModel(model)
  return model
}

/** Opens a micro family and merges its two experts; a link that waits for its models is left as it is. */
export async function openFamily({ id: family, name }: MicroFamily): Promise<void> {
  const list = await runForeground(t('Opening {name}', { name }), (port, id) => port.openFamily(id, family), {
    needsGeometry: false,
  })
  if (!list) return
  const wasNamed = list.some(isNamed)
  list.forEach(takeModel)
  if (wasNamed) recipeChanged()
  else setFamily(list)
}

/** What the engine is asked for to open an origin again; undefined for files, which only the user can give. */
function requestOf(origin: ModelOrigin): SourceRequest | undefined {
  if (origin.kind === 'hub' || origin.kind === 'stored') return origin
  const folder = session.folders.get(originKey(origin))
  return folder && { kind: 'folder', folder }
}

/** Opens a model of a hub, a kept one, or a directory. */
export async function openRequest(request: SourceRequest, label: string): Promise<ModelSummary | undefined> {
  const token = request.kind === 'hub' ? tokenFor(request.hub) : undefined
  const model = await runForeground(label, (port, id) => port.openSource(id, request, token), {
    needsGeometry: false,
  })
  if (!model) return undefined
  if (request.kind === 'folder') session.folders.set(originKey(model.origin), request.folder)
  offerModel(model)
  return model
}

/** Lets go of a model that the user brought and the experiment does not name. */
export async function closeModel(model: ModelSummary): Promise<void> {
  if (isNamed(model)) return
  const key = originKey(model.origin)
  session.files.delete(key)
  session.folders.delete(key)
  update('models', ({ list }) => ({ list: list.filter((other) => originKey(other.origin) !== key) }))
  await runForeground(
    t('Closing {name}', { name: model.name }),
    async (port) => {
      await port.close(model.id)
    },
    { needsGeometry: false },
  )
}

/** Opens again, after a loss of the device, what the user had brought; what cannot be opened leaves the list. */
export async function reopenModels(lost: readonly ModelSummary[]): Promise<void> {
  const { connection } = session
  const families = new Set(lost.flatMap(({ origin }) => familyOf(origin) ?? []))
  for (const { id: family, name } of families) {
    const list = await runForeground(
      t('Opening {name} again', { name }),
      (port, id) => port.openFamily(id, family),
      {
        needsGeometry: false,
      },
    )
    if (session.connection !== connection) return
    list?.forEach(takeModel)
  }
  for (const { origin, name } of lost) {
    const files = session.files.get(originKey(origin))
    const request = requestOf(origin)
    // Trained ones have no files; the page offers to train them again.
    if (origin.kind === 'built-in' || origin.kind === 'trained') continue
    if (origin.kind === 'files' && !files && !request) continue
    const model = await runForeground(
      t('Opening {name} again', { name }),
      (port, id) => {
        if (request)
          return port.openSource(id, request, request.kind === 'hub' ? tokenFor(request.hub) : undefined)
        return origin.kind === 'url' ? port.openUrl(id, origin.url) : port.openFiles(id, files ?? [])
      },
      { needsGeometry: false },
    )
    if (session.connection !== connection) return
    if (model) takeModel(model)
  }
  // Those that were opened again have been replaced.
  update('models', ({ list }) => ({ list: list.filter((model) => !lost.includes(model)) }))
}
