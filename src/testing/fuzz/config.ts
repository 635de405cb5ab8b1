// config.json and generation_config.json to be damaged, beside weights that fit the good ones.

import { openCheckpoint } from '../../core/files/checkpoint.ts'
import { memoryFolder } from '../../core/files/folder.ts'
import type { RawConfig } from '../../core/model/config.ts'
import { packTensors, tinyFiles, tinyTensors } from '../tinyCheckpoint.ts'
import { TINY_CONFIGS } from '../tinyModels.ts'
import type { FuzzTarget } from './target.ts'

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))
const configs = Object.values(TINY_CONFIGS)
/** Weights by architecture, made once. */
const weights = new Map<string, Uint8Array>()

const architectureOf = ({ architectures }: RawConfig): unknown => (architectures as unknown[])[0]

function weightsOf(architecture: unknown): Uint8Array {
  const key = String(architecture)
  const config = configs.find((one) => architectureOf(one) === architecture) ?? configs[0]
  const known = weights.get(key) ?? packTensors(tinyTensors(config))
  weights.set(key, known)
  return known
}

const config: FuzzTarget = {
  name: 'config',
  seeds: () => {
    const seen = new Set<unknown>()
    return configs
      .filter((one) => !seen.has(architectureOf(one)) && seen.add(architectureOf(one)))
      .map(encode)
  },
  async run(bytes) {
    const architecture = /"architectures":\["(\w+)"/.exec(new TextDecoder().decode(bytes))?.[1]
    const files = tinyFiles()
    files.set('config.json', bytes).set('model.safetensors', weightsOf(architecture))
    await openCheckpoint(memoryFolder('fuzz', files))
  },
}

const generation: FuzzTarget = {
  name: 'generation config',
  seeds: () => [encode({ eos_token_id: [98, 102], bos_token_id: 99, pad_token_id: 98, do_sample: true })],
  async run(bytes) {
    await openCheckpoint(memoryFolder('fuzz', tinyFiles().set('generation_config.json', bytes)))
  },
}

export const targets: readonly FuzzTarget[] = [config, generation]
