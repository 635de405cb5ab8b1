// PyTorch files to be damaged: written by torch itself, in both formats; every tensor read.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { openTorchFile } from '../../core/files/formats/torch/torchFile.ts'
import { MemorySource } from '../../core/files/source.ts'
import { countOf, readElements } from '../../core/files/storedWeight.ts'
import type { FuzzTarget } from './target.ts'

const GOLDEN = resolve(import.meta.dirname, '../../core/files/formats/torch/golden')
const FILES = ['zip-1.bin', 'zip-2.bin', 'legacy-1.bin', 'protocol5-2.bin']
/** No tensor of these files is larger; what claims more is not in the file. */
const MAX_ELEMENTS = 2 ** 16

export const target: FuzzTarget = {
  name: 'torch',
  seeds: () => Promise.all(FILES.map(async (file) => new Uint8Array(await readFile(resolve(GOLDEN, file))))),
  async run(bytes) {
    const { weights } = await openTorchFile(new MemorySource(bytes, 'pytorch_model.bin'))
    for (const weight of weights.values()) if (countOf(weight) <= MAX_ELEMENTS) await readElements(weight)
  },
}
