// PEFT adapters to be damaged: the length of adapter_config.json, the config, then adapter_model.safetensors; applied to
// its base, every weight read.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { applyAdapter } from '../../core/files/adapter/applyAdapter.ts'
import { type Checkpoint, openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import { concat } from '../tinyCheckpoint.ts'
import type { FuzzTarget } from './target.ts'

const GOLDEN = resolve(import.meta.dirname, '../../core/files/adapter/golden')
const ADAPTERS = ['phi3-patterns', 'phi3-dora', 'phi3-saved', 'llama-rslora', 'llama-regex']
const bytesOf = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(await readFile(resolve(GOLDEN, path)))

let opened: Promise<Map<string, Checkpoint>> | undefined
async function openBases(): Promise<Map<string, Checkpoint>> {
  const configs = JSON.parse(await readFile(resolve(GOLDEN, 'configs.json'), 'utf8')) as Record<
    string,
    unknown
  >
  const bases = new Map<string, Checkpoint>()
  for (const name of ['phi3', 'llama']) {
    const files = new Map<string, Uint8Array | string>([
      ['config.json', JSON.stringify(configs[name])],
      ['model.safetensors', await bytesOf(`${name}.safetensors`)],
    ])
    bases.set(name, await openCheckpoint(memoryFolder(name, files)))
  }
  return bases
}

export const target: FuzzTarget = {
  name: 'adapter',
  seeds: () =>
    Promise.all(
      ADAPTERS.map(async (name) => {
        const config = await bytesOf(`${name}/adapter_config.json`)
        const length = new Uint8Array(4)
        new DataView(length.buffer).setUint32(0, config.length, true)
        return concat([length, config, await bytesOf(`${name}/adapter_model.safetensors`)])
      }),
    ),
  async run(bytes) {
    opened ??= openBases()
    const length = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    const config = bytes.subarray(4, 4 + length)
    const files = new Map([
      ['adapter_config.json', config],
      ['adapter_model.safetensors', bytes.subarray(4 + length)],
    ])
    // Which base it is for stands in its names: only Phi-3 fuses these.
    const name = /qkv_proj|gate_up|Phi3/.test(new TextDecoder().decode(config)) ? 'phi3' : 'llama'
    const adapted = await applyAdapter((await opened).get(name)!, memoryFolder('fuzz', files))
    for (const weight of adapted.stored.values()) await readElements(weight)
  },
}
