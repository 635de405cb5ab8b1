// All formats, by their place. A new one is a folder with a format.ts.

import { EngineError } from '../../errors.ts'
import type { RawConfig } from '../../model/config.ts'
import type { CheckpointFolder } from '../folder.ts'
import type { FileFormat } from './format.ts'

const modules = import.meta.glob<{ format: FileFormat }>('./*/format.ts', { eager: true })

export const FORMATS: readonly FileFormat[] = Object.values(modules)
  .map(({ format }) => format)
  .sort((a, b) => a.rank - b.rank)

/** The format of a folder; `file-missing` names what was found instead. */
export async function formatOf(
  folder: CheckpointFolder,
  rawConfig: RawConfig | undefined,
  signal?: AbortSignal,
): Promise<FileFormat> {
  for (const format of FORMATS) if (await format.accepts(folder, rawConfig, signal)) return format
  const others = folder.list().filter((path) => /\.(bin|pt|pth|gguf|onnx|safetensors|npz|h5)$/.test(path))
  const found = others.length > 0 ? `; found ${others.slice(0, 3).join(', ')}` : ''
  const known = FORMATS.map(({ label }) => label).join(', ')
  throw new EngineError('file-missing', `${folder.name} has no weights (known: ${known})${found}`, {
    file: 'model.safetensors',
  })
}
