// An adapter among dropped or picked files: a PEFT folder alone, for a model that is open already, or beside its base.

import { EngineError } from '../../errors.ts'
import { type Checkpoint, openCheckpoint } from '../checkpoint.ts'
import { type CheckpointFolder, filesFolder } from '../folder.ts'
import { BlobSource } from '../source.ts'
import { ADAPTER_CONFIG, readAdapterConfig } from './adapterConfig.ts'
import { applyAdapter } from './applyAdapter.ts'

const pathOf = (file: File): string => (file.webkitRelativePath || file.name).replaceAll('\\', '/')

export interface DroppedAdapter {
  /** the folder that holds adapter_config.json */
  folder: CheckpointFolder
  /** the files beside it */
  others: File[]
}

/** Undefined where no adapter was dropped; `request-invalid` for several. */
export function splitAdapter(files: readonly File[]): DroppedAdapter | undefined {
  const configs = files.map(pathOf).filter((path) => path.split('/').at(-1) === ADAPTER_CONFIG)
  if (configs.length === 0) return undefined
  if (configs.length > 1)
    throw new EngineError(
      'request-invalid',
      `one adapter at a time: found ${configs.slice(0, 3).join(', ')}`,
      {
        file: configs[1],
      },
    )
  const root = configs[0].slice(0, -ADAPTER_CONFIG.length)
  const inside = new Map<string, File>()
  const others: File[] = []
  for (const file of files) {
    const path = pathOf(file)
    // Files without folders lie beside one another: only the adapter's own are its.
    const isOwn = path.startsWith(root) && (root !== '' || /^adapter_|^README\.md$/.test(path))
    if (isOwn) inside.set(path.slice(root.length), file)
    else others.push(file)
  }
  return {
    others,
    folder: {
      name: root.split('/').at(-2) ?? 'dropped adapter',
      list: () => [...inside.keys()],
      async file(path) {
        const file = inside.get(path)
        return file && new BlobSource(file, path)
      },
    },
  }
}

/** The open model that an adapter names, or the only one; `request-invalid` names what is open otherwise. */
function chooseBase(wanted: string | undefined, open: readonly Checkpoint[]): Checkpoint {
  const last = (name: string) => name.replace(/\/+$/, '').split('/').at(-1)?.toLowerCase()
  const found = open.find(({ name }) => wanted !== undefined && last(name) === last(wanted))
  const chosen = found ?? (open.length === 1 ? open[0] : undefined)
  if (chosen) return chosen
  const names = open.map(({ name }) => name).join(', ') || 'none'
  throw new EngineError(
    'request-invalid',
    `the adapter is for ${wanted ?? 'a model that it does not name'}: open that one first, or drop both (open: ${names})`,
    { file: ADAPTER_CONFIG },
  )
}

/**
 * The model of dropped files: a checkpoint, a checkpoint with the adapter beside it, or an adapter on one of `open`.
 * Rejects what opening and applying reject, and `request-invalid` where no base can be told.
 */
export async function openDropped(
  files: readonly File[],
  open: readonly Checkpoint[],
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const dropped = splitAdapter(files)
  if (!dropped) return openCheckpoint(filesFolder(files), signal)
  const { folder, others } = dropped
  const hasBase = others.some((file) => /(^|\/)config\.json$|\.gguf$/.test(pathOf(file)))
  const base = hasBase
    ? await openCheckpoint(filesFolder(others), signal)
    : chooseBase((await readAdapterConfig(folder, signal)).baseName, open)
  return applyAdapter(base, folder, {}, signal)
}
