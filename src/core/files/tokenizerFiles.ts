// The tokenizer that a format carries inside its weights, as files of the folder: whoever copies a model's tokenizer
// files finds it where those of any other model are.

import type { CheckpointFolder } from './folder.ts'
import type { OpenedFormat } from './formats/format.ts'
import { MemorySource } from './source.ts'

/** `folder` with tokenizer.json and tokenizer_config.json of the format, where it has its own. */
export function withTokenizerFiles(
  folder: CheckpointFolder,
  { tokenizerJson, tokenizerConfig }: Pick<OpenedFormat, 'tokenizerJson' | 'tokenizerConfig'>,
): CheckpointFolder {
  const own = new Map<string, Record<string, unknown>>()
  if (tokenizerJson) own.set('tokenizer.json', tokenizerJson)
  if (tokenizerConfig) own.set('tokenizer_config.json', tokenizerConfig)
  if (own.size === 0) return folder
  return {
    name: folder.name,
    list: () => [...new Set([...folder.list(), ...own.keys()])],
    async file(path, signal) {
      const value = own.get(path)
      if (value === undefined) return folder.file(path, signal)
      return new MemorySource(new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`), path)
    },
  }
}
