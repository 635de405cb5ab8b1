// Model names on the command line and in recipes to folders on the disk.

import { stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { type Checkpoint, openCheckpoint } from '../../core/files/checkpoint.ts'
import { type ModelReference, printReference } from '../../core/merge/recipe/recipe.ts'
import { nodeFolder } from '../nodeFolder.ts'

/** The built-in models, known by their names everywhere. */
export const ZOO = resolve(import.meta.dirname, '../../../public/zoo')

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  )

/**
 * Folder of a model: the path itself from here, else below `modelsFolder`, else a built-in model.
 * Rejects `file-missing` with all the places looked at.
 */
export async function findModel(name: string, modelsFolder?: string): Promise<string> {
  const all = [
    resolve(name),
    ...(modelsFolder === undefined ? [] : [resolve(modelsFolder, name)]),
    ...(/^[\w.-]+$/.test(name) ? [join(ZOO, name)] : []),
  ]
  const places = [...new Set(all)]
  for (const place of places) {
    if (await isFile(join(place, 'config.json'))) return place
    // The folder of ONNX builds inside a repository, whose config is beside it.
    if (basename(place) === 'onnx' && (await isFile(join(place, '..', 'config.json')))) return place
  }
  throw new EngineError(
    'file-missing',
    `no model ${name}: expected a folder with config.json at ${places.join(' or ')}`,
  )
}

/** The same of a reference in a recipe; revisions and LoRAs are named as unsupported. */
export async function findReference(reference: ModelReference, modelsFolder?: string): Promise<string> {
  const name = printReference(reference)
  if (reference.lora)
    throw new EngineError('request-invalid', `model ${name}: merge the LoRA into its model first`)
  if (reference.revision !== undefined)
    throw new EngineError(
      'request-invalid',
      `model ${name}: a folder on the disk has no revisions; give the folder of that revision`,
    )
  return findModel(reference.path, modelsFolder)
}

/** Headers and small files of a folder; nothing large is read. */
export async function openModel(path: string, signal?: AbortSignal): Promise<Checkpoint> {
  return openCheckpoint(await nodeFolder(path), signal)
}
