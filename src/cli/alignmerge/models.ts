// Model names on the command line and in recipes to folders on the disk or of a hub.

import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { applyAdapter } from '../../core/files/adapter/applyAdapter.ts'
import { type Checkpoint, openCheckpoint } from '../../core/files/checkpoint.ts'
import { type ModelReference, printReference } from '../../core/merge/recipe/recipe.ts'
import { canBeHub, findHub, folderAt } from '../hubModels.ts'
import { nodeFolder } from '../nodeFolder.ts'

/** The built-in models, known by their names everywhere. */
export const ZOO = resolve(import.meta.dirname, '../../../public/zoo')

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  )

/** The path itself from here, below `modelsFolder`, and among the built-in models. */
const placesOf = (name: string, modelsFolder: string | undefined): string[] => [
  ...new Set([
    resolve(name),
    ...(modelsFolder === undefined ? [] : [resolve(modelsFolder, name)]),
    ...(/^[\w.-]+$/.test(name) ? [join(ZOO, name)] : []),
  ]),
]

/**
 * Folder or GGUF file of a model: the path itself from here, else below `modelsFolder`, else a built-in model, else a
 * repository of the hub as `hub:owner/name@commit`, for `folderAt`. Rejects `file-missing` with all the places looked at.
 */
export async function findModel(name: string, modelsFolder?: string): Promise<string> {
  const places = placesOf(name, modelsFolder)
  for (const place of places) {
    if (await isFile(join(place, 'config.json'))) return place
    // A GGUF file holds its own config.
    if (place.endsWith('.gguf') && (await isFile(place))) return place
    if ((await readdir(place).catch(() => [])).some((file) => file.endsWith('.gguf'))) return place
    // The folder of ONNX builds inside a repository, whose config is beside it.
    if (basename(place) === 'onnx' && (await isFile(join(place, '..', 'config.json')))) return place
  }
  const missing = `no model ${name}: expected a folder with config.json or a .gguf file at ${places.join(' or ')}`
  if (!canBeHub(name)) throw new EngineError('file-missing', missing)
  try {
    return await findHub(name)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    throw new EngineError(error.code, `${missing}; and as a repository: ${error.message}`)
  }
}

const isThere = async (name: string, modelsFolder: string | undefined): Promise<boolean> =>
  (await Promise.all(placesOf(name, modelsFolder).map((place) => isFile(join(place, 'config.json'))))).some(
    Boolean,
  )

/** Folder of an adapter, looked for in the same places; `file-missing` with all of them. */
export async function findAdapter(name: string, modelsFolder?: string): Promise<string> {
  const places = placesOf(name, modelsFolder)
  for (const place of places) if (await isFile(join(place, 'adapter_config.json'))) return place
  throw new EngineError(
    'file-missing',
    `no adapter ${name}: expected a folder with adapter_config.json at ${places.join(' or ')}`,
  )
}

/** Where a model of a recipe lies. */
export interface ModelPlace {
  path: string
  /** folder of the LoRA on it */
  adapter?: string
}

/** The same of a reference in a recipe; only repositories of a hub have revisions. */
export async function findReference(reference: ModelReference, modelsFolder?: string): Promise<ModelPlace> {
  const { path, revision, lora } = reference
  if (
    revision !== undefined &&
    lora?.revision === undefined &&
    canBeHub(path) &&
    !(await isThere(path, modelsFolder))
  ) {
    const found = await findHub(path, revision)
    return lora ? { path: found, adapter: await findAdapter(lora.path, modelsFolder) } : { path: found }
  }
  if (revision !== undefined || lora?.revision !== undefined)
    throw new EngineError(
      'request-invalid',
      `model ${printReference(reference)}: a folder on the disk has no revisions; give the folder of that revision`,
    )
  const found = await findModel(path, modelsFolder)
  return lora ? { path: found, adapter: await findAdapter(lora.path, modelsFolder) } : { path: found }
}

/** Headers and small files of a folder, with an adapter's on it; nothing large is read. */
export async function openModel(path: string, signal?: AbortSignal, adapter?: string): Promise<Checkpoint> {
  const base = await openCheckpoint(await folderAt(path), signal)
  return adapter === undefined ? base : applyAdapter(base, await nodeFolder(adapter), {}, signal)
}
