// PyTorch checkpoints: pytorch_model.bin, or the shards that pytorch_model.bin.index.json names. What may be in a pickle
// is in stateDict.ts; a file that asks for anything else is refused by the name of what it asked for.

import { EngineError } from '../../../errors.ts'
import { readJsonIfPresent } from '../../folder.ts'
import type { StoredWeight } from '../../storedWeight.ts'
import type { FileFormat, OpenedFormat } from '../format.ts'
import { assertPlainNumbers, readShardIndex } from '../shardIndex.ts'
import { openTorchFile } from './torchFile.ts'

const SINGLE = 'pytorch_model.bin'
const INDEX = 'pytorch_model.bin.index.json'

export const format: FileFormat = {
  id: 'torch',
  label: 'PyTorch .bin',
  rank: 60,
  async accepts(folder, _rawConfig, signal) {
    return (
      (await folder.file(SINGLE, signal)) !== undefined || (await folder.file(INDEX, signal)) !== undefined
    )
  },
  async open(folder, rawConfig, signal) {
    assertPlainNumbers(rawConfig)
    const index = await readJsonIfPresent(folder, INDEX, signal)
    const expected =
      index && !(await folder.file(SINGLE, signal))
        ? readShardIndex(index, INDEX, '.bin')
        : new Map<string, string[]>([[SINGLE, []]])
    const files: OpenedFormat['files'] = []
    const weights = new Map<string, StoredWeight>()
    const unread = new Map<string, string>()
    for (const [file, names] of expected) {
      const source = await folder.file(file, signal)
      if (!source) throw new EngineError('file-missing', `named by ${INDEX} but not in the folder`, { file })
      const opened = await openTorchFile(source, signal)
      for (const name of names)
        if (!opened.weights.has(name) && !opened.unread.has(name))
          throw new EngineError('file-malformed', `${INDEX} places a tensor here that is missing`, {
            file,
            tensor: name,
          })
      files.push({ source, tensorCount: opened.tensorCount })
      for (const [name, weight] of opened.weights) if (!weights.has(name)) weights.set(name, weight)
      for (const [name, why] of opened.unread) unread.set(name, why)
    }
    return { files, weights, unread }
  },
}
