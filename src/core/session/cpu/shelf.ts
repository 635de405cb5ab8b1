// The shipped geometries: which there are, which of them a setup asks for, and in words what is missing where none does.

import { EngineError } from '../../errors.ts'
import type { CheckpointFolder } from '../../files/folder.ts'
import { readText } from '../../files/source.ts'
import type { GeometrySettings, NamedDigest } from '../../geometry/directionsFile.ts'

export const SHELF_INDEX = 'index.json'
const INDEX_LIMIT = 2 ** 20
const VERSION = 1

/** One geometry: an anchor, some experts in any order, settings; and where its numbers are. */
export interface ShelfEntry {
  settings: GeometrySettings
  anchor: NamedDigest
  experts: NamedDigest[]
  /** names in the folder */ fisher: string
  directions: string
  /** of both files */ byteLength: number
}

export interface ShelfIndex {
  version: number
  entries: ShelfEntry[]
}

/** Reads the index of a folder of shipped geometries; `file-missing`, `file-malformed`, `file-unsupported`. */
export async function readShelf(folder: CheckpointFolder, signal?: AbortSignal): Promise<ShelfIndex> {
  const source = await folder.file(SHELF_INDEX, signal)
  if (!source) throw new EngineError('file-missing', 'no shipped geometry', { file: SHELF_INDEX })
  let index: ShelfIndex
  try {
    index = JSON.parse(await readText(source, INDEX_LIMIT, signal)) as ShelfIndex
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError('file-malformed', 'expected JSON', { file: SHELF_INDEX })
  }
  if (index.version !== VERSION)
    throw new EngineError('file-unsupported', `version ${index.version}: expected ${VERSION}`, {
      file: SHELF_INDEX,
    })
  if (!Array.isArray(index.entries))
    throw new EngineError('file-malformed', 'expected a list of entries', { file: SHELF_INDEX })
  return index
}

/** What is asked of the shelf. */
export interface ShelfRequest {
  settings: GeometrySettings
  anchor: NamedDigest
  experts: NamedDigest[]
}

const sorted = (models: readonly NamedDigest[]): string =>
  models
    .map(({ digest }) => digest)
    .sort()
    .join(' ')

/**
 * The entry of a request. `gpu-unavailable` says which geometries are shipped and how this request differs from the
 * nearest.
 */
export function findOnShelf({ entries }: ShelfIndex, request: ShelfRequest): ShelfEntry {
  const differing = entries.map((entry) => ({ entry, faults: differences(entry, request) }))
  const found = differing.find(({ faults }) => faults.length === 0)
  if (found) return found.entry
  const nearest = differing.sort((a, b) => a.faults.length - b.faults.length)[0]
  const shipped = entries.map((entry) => `${describeExperts(entry.experts)} (${describe(entry.settings)})`)
  throw new EngineError(
    'gpu-unavailable',
    `Without WebGPU the geometry is not computed here but comes with the page, for ${shipped.join('; ') || 'nothing'}. ` +
      `This experiment differs: ${nearest?.faults.join('; ') ?? 'nothing is shipped'}.`,
  )
}

function differences(entry: ShelfEntry, { settings, anchor, experts }: ShelfRequest): string[] {
  const faults: string[] = []
  if (entry.anchor.digest !== anchor.digest)
    faults.push(`anchor ${anchor.name}, shipped for ${entry.anchor.name} with other weights`)
  if (sorted(entry.experts) !== sorted(experts))
    faults.push(`experts ${describeExperts(experts)}, shipped for ${describeExperts(entry.experts)}`)
  const [wanted, given] = [fields(settings), fields(entry.settings)]
  for (const [name, value] of Object.entries(wanted))
    if (given[name] !== value) faults.push(`${name} ${value}, shipped with ${given[name]}`)
  return faults
}

const fields = ({ metric, damping, source, fisher, seed }: GeometrySettings): Record<string, string> => ({
  metric,
  'damping ρ': String(damping),
  'source of A': source,
  'Fisher labels': fisher.labels,
  'Fisher form': fisher.form,
  seed: String(seed),
})

const describe = (settings: GeometrySettings): string =>
  Object.entries(fields(settings))
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const describeExperts = (experts: readonly NamedDigest[]): string =>
  experts.map(({ name }) => name).join(' + ')
