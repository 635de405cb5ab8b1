// An ONNX folder opened: which file is the model, its data files, and the family's weights in it. What is done with
// them is format.ts (reading), rewrite.ts (writing) and evaluate/ort (running).

import { EngineError } from '../../../errors.ts'
import type { ModelConfig, RawConfig } from '../../../model/config.ts'
import { readConfig } from '../../../model/families/registry.ts'
import { type CheckpointFolder, readJsonIfPresent } from '../../folder.ts'
import type { ByteSource } from '../../source.ts'
import { type MappedWeight, mapSlots } from './assemble.ts'
import { type FoundSlots, findSlots } from './findSlots.ts'
import { type OnnxModel, readOnnxModel } from './proto.ts'
import type { Locate } from './slot.ts'

/** Names that are tried where a folder cannot be listed, and preferred where it can. */
const USUAL = [
  'model.onnx',
  'decoder_model_merged.onnx',
  'decoder_with_past_model.onnx',
  'decoder_model.onnx',
  'model_fp16.onnx',
  'model_q4f16.onnx',
  'model_q4.onnx',
  'model_int8.onnx',
]
const FOLDERS = ['', 'onnx/']
const MAX_DATA_FILES = 64

export interface DataFile {
  /** in the folder */
  path: string
  /** as the model names it */
  location: string
  source: ByteSource
}

export interface OnnxCheckpoint {
  config: ModelConfig
  /** of the model file in the folder */
  path: string
  model: OnnxModel
  /** files beside it that hold values, in order of first use */
  data: DataFile[]
  found: FoundSlots
  weights: Map<string, MappedWeight>
  locate: Locate
  notes: string[]
}

/** Path of the model file; undefined where the folder has none. */
export async function findOnnxFile(
  folder: CheckpointFolder,
  signal?: AbortSignal,
): Promise<{ path: string; others: string[] } | undefined> {
  const listed = folder.list().filter((path) => /^(onnx\/)?[^/]+\.onnx$/.test(path))
  const usual = FOLDERS.flatMap((prefix) => USUAL.map((name) => prefix + name))
  if (listed.length > 0) {
    const genai = await readJsonIfPresent(folder, 'genai_config.json', signal)
    const named = (genai?.model as { decoder?: { filename?: unknown } } | undefined)?.decoder?.filename
    const path = [named, ...usual, ...listed.toSorted()].find((name) => listed.includes(String(name)))
    return { path: String(path), others: listed.filter((other) => other !== path) }
  }
  for (const path of usual) if (await folder.file(path, signal)) return { path, others: [] }
  return undefined
}

/** A path beside the model, without ways out of the folder. */
function safePath(location: string, file: string): string {
  const parts = location.replaceAll('\\', '/').split('/')
  const clean = parts.filter((part) => part !== '.')
  if (clean.length === 0 || clean.some((part) => part === '' || part === '..' || part.includes(':')))
    throw new EngineError('file-malformed', `external data at ${JSON.stringify(location.slice(0, 200))}`, {
      file,
    })
  return clean.join('/')
}

/**
 * Opens the model file of a folder: headers only. Rejects `file-missing` for the model, its data or config.json,
 * `file-malformed`, `shape-mismatch` and what the config's family refuses.
 */
export async function openOnnx(
  folder: CheckpointFolder,
  rawConfig: RawConfig | undefined,
  signal?: AbortSignal,
): Promise<OnnxCheckpoint> {
  const chosen = await findOnnxFile(folder, signal)
  const source = chosen && (await folder.file(chosen.path, signal))
  if (!chosen || !source)
    throw new EngineError('file-missing', `${folder.name} has no ONNX model`, { file: 'model.onnx' })
  if (!rawConfig)
    throw new EngineError('file-missing', `expected beside ${chosen.path}`, { file: 'config.json' })
  const config = readConfig(rawConfig, 'config.json')
  const model = await readOnnxModel(source, signal)
  const data = await openData(folder, chosen.path, model, signal)
  const byLocation = new Map(data.map((file) => [file.location, file.source]))
  const locate: Locate = ({ location }) =>
    location === undefined ? source : (byLocation.get(location) as ByteSource)
  const found = findSlots(model, { gainOffset: config.gainOffset })
  const weights = mapSlots(config, found.slots)
  const notes = notesOf(chosen, found, weights)
  return { config, path: chosen.path, model, data, found, weights, locate, notes }
}

async function openData(
  folder: CheckpointFolder,
  path: string,
  model: OnnxModel,
  signal?: AbortSignal,
): Promise<DataFile[]> {
  const prefix = path.slice(0, path.lastIndexOf('/') + 1)
  const files = new Map<string, DataFile>()
  for (const { name, place } of model.tensors.values()) {
    if (place?.location === undefined) {
      continue
    }
    let file = files.get(place.location)
    if (!file) {
      if (files.size >= MAX_DATA_FILES)
        throw new EngineError('file-unsupported', `more than ${MAX_DATA_FILES} data files`, { file: path })
      const where = prefix + safePath(place.location, path)
      const source = await folder.file(where, signal)
      if (!source)
        throw new EngineError('file-missing', `named by ${path} but not in the folder`, { file: where })
      file = { path: where, location: place.location, source }
      files.set(place.location, file)
    }
    if (place.offset + place.length > file.source.size)
      throw new EngineError(
        'file-malformed',
        `${place.length} bytes from ${place.offset}: the file has ${file.source.size}`,
        { file: file.path, tensor: name },
      )
  }
  return [...files.values()]
}

function notesOf(
  { path, others }: { path: string; others: string[] },
  { unmapped, slots }: FoundSlots,
  weights: ReadonlyMap<string, MappedWeight>,
): string[] {
  const notes: string[] = []
  if (others.length > 0)
    notes.push(`read from ${path}; the folder also holds ${others.slice(0, 8).join(', ')}`)
  const list = [...unmapped].map(([name, why]) => `${name} (${why})`)
  if (list.length > 0)
    notes.push(
      `${list.length} tensors of the graph are no weights of the family: ${list.slice(0, 8).join('; ')}`,
    )
  const used = new Set(
    [...weights.values()].flatMap(({ pieces, copies }) => [...pieces, ...copies]).map((p) => p.slot),
  )
  const spare = slots.filter((slot) => !used.has(slot)).map(({ module, part }) => `${module}.${part}`)
  if (spare.length > 0) notes.push(`not used by the family: ${spare.slice(0, 8).join(', ')}`)
  const twice = [...weights.values()].filter(({ copies }) => copies.length > 0)
  for (const { name, pieces, copies } of twice.slice(0, 4))
    notes.push(
      `${name} is there ${1 + copies.length} times (${pieces[0].slot.storage}, ${copies.map((p) => p.slot.storage).join(', ')}); the first is read, all are written`,
    )
  return notes
}
