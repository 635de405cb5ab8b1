// MLX folders to be damaged: the length of config.json, the config, then model.safetensors; every weight read.

import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import { mlxModel } from '../mlxModel.ts'
import { concat } from '../tinyCheckpoint.ts'
import type { FuzzTarget } from './target.ts'

export const target: FuzzTarget = {
  name: 'mlx',
  seeds: () =>
    ([3, 4] as const).map((bits) => {
      const { files } = mlxModel({ bits, groupSize: 32, type: 'bf16' })
      const config = new TextEncoder().encode(String(files.get('config.json')))
      const length = new Uint8Array(4)
      new DataView(length.buffer).setUint32(0, config.length, true)
      return concat([length, config, files.get('model.safetensors') as Uint8Array])
    }),
  async run(bytes) {
    const length = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    const files = new Map([
      ['config.json', bytes.subarray(4, 4 + length)],
      ['model.safetensors', bytes.subarray(4 + length)],
    ])
    const { stored } = await openCheckpoint(memoryFolder('fuzz', files))
    for (const weight of stored.values()) await readElements(weight)
  },
}
