// GGUF of llama.cpp, versions 2 and 3: weights plain or in blocks, config and tokenizer in one file.

import type { FileFormat } from '../format.ts'
import { readArchitecture, readGgufConfig } from './config.ts'
import { isGguf } from './header.ts'
import { Metadata } from './metadata.ts'
import { ggufModels, openGgufShards } from './shards.ts'
import { readGgufTokenizer } from './tokenizer.ts'
import { ggufWeights, readRopeTensors } from './weights.ts'

export const format: FileFormat = {
  id: 'gguf',
  label: 'GGUF',
  // After safetensors: beside those, a GGUF is the rounded copy.
  rank: 60,
  async accepts(folder, _rawConfig, signal) {
    const paths = folder.list().filter((path) => path.endsWith('.gguf'))
    const first = ggufModels(paths)[0] ?? paths[0]
    const source = first === undefined ? undefined : await folder.file(first, signal)
    return source !== undefined && isGguf(source, signal)
  },
  async open(folder, beside, signal) {
    const shards = await openGgufShards(folder, signal)
    // Every part has its own tensors; all else is in the first.
    const tensors = new Map(shards.flatMap(({ header }) => [...header.tensors]))
    const header = { ...shards[0].header, tensors }
    const rope = await readRopeTensors(shards, signal)
    const rawConfig = readGgufConfig(header, rope, beside)
    const architecture = readArchitecture(new Metadata(header))
    const tokenizer = readGgufTokenizer(header)
    return {
      files: shards.map(({ source, header: { tensors: own } }) => ({ source, tensorCount: own.size })),
      ...ggufWeights(shards, architecture, Number(rawConfig.head_dim)),
      rawConfig,
      // Without one of its own, the folder's is read.
      ...(tokenizer.tokenizerJson && {
        tokenizerJson: tokenizer.tokenizerJson,
        tokenizerConfig: tokenizer.tokenizerConfig,
      }),
      notes: tokenizer.notes,
    }
  },
}
