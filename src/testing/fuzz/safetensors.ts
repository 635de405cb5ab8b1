// safetensors files to be damaged: header and every tensor read; and the index of a checkpoint in shards.

import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import { weightsOfShards } from '../../core/files/formats/safetensors/format.ts'
import { readSafetensorsHeader } from '../../core/files/safetensors.ts'
import type { Dtype } from '../../core/files/safetensorsFormat.ts'
import { MemorySource } from '../../core/files/source.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import { packTensors, tinyConfig, tinyFiles, tinyTensors } from '../tinyCheckpoint.ts'
import type { FuzzTarget } from './target.ts'

const TYPES: [Dtype, number][] = [
  ['F64', 8],
  ['F8_E4M3', 1],
  ['BOOL', 1],
  ['I64', 8],
  ['F4', 0.5],
  ['BF16', 2],
]

const file: FuzzTarget = {
  name: 'safetensors',
  seeds: () => [
    packTensors(tinyTensors(tinyConfig(), 'bf16').slice(0, 6), { format: 'pt' }),
    packTensors(
      TYPES.map(([dtype, size], i) => ({
        name: `t${i}`,
        dtype,
        shape: [2, i + 1],
        bytes: new Uint8Array(2 * (i + 1) * size),
      })),
    ),
    packTensors([]),
  ],
  async run(bytes) {
    const source = new MemorySource(bytes, 'model.safetensors')
    const { weights } = weightsOfShards([{ source, header: await readSafetensorsHeader(source) }])
    for (const weight of weights.values()) await readElements(weight)
  },
}

const SHARD = 'model-00001-of-00001.safetensors'

const index: FuzzTarget = {
  name: 'shard index',
  seeds: () => [
    new TextEncoder().encode(
      JSON.stringify({
        metadata: { total_size: 5 },
        weight_map: Object.fromEntries(tinyTensors().map(({ name }) => [name, SHARD])),
      }),
    ),
  ],
  async run(bytes) {
    const files = tinyFiles()
    files.set(SHARD, files.get('model.safetensors')!)
    files.delete('model.safetensors')
    files.set('model.safetensors.index.json', bytes)
    await openCheckpoint(memoryFolder('fuzz', files))
  },
}

export const targets: readonly FuzzTarget[] = [file, index]
