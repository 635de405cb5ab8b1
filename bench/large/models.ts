// The checkpoints that large merges are measured on: made up on the spot, in a folder that is removed afterwards.

import { mkdir, readdir, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeOutput } from '../../src/cli/nodeOutput.ts'
import { listWeights } from '../../src/core/model/families/decoder.ts'
import { readConfig } from '../../src/core/model/families/registry.ts'
import { LLAMA_1B, phi35, writeSyntheticModel } from '../../src/testing/syntheticModel.ts'

export interface Shape {
  id: string
  title: string
  config: Record<string, unknown>
  /** the model that is meant, where `config` is a part of it */
  whole?: Record<string, unknown>
}

export const SHAPES: readonly Shape[] = [
  { id: '1b', title: 'Llama 3.2 1B’s shapes', config: LLAMA_1B },
  { id: 'phi', title: 'Phi-3.5-mini’s shapes, two of its layers', config: phi35(2), whole: phi35(32) },
  {
    id: 'small',
    title: 'a small Llama',
    config: {
      ...LLAMA_1B,
      hidden_size: 256,
      intermediate_size: 1024,
      num_hidden_layers: 4,
      num_attention_heads: 8,
      num_key_value_heads: 4,
      head_dim: 32,
      vocab_size: 32000,
    },
  },
]

export function parametersOf(config: Record<string, unknown>): number {
  return listWeights(readConfig(config, 'config.json')).reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  )
}

export const NAMES = ['anchor', 'first', 'second'] as const
const SHARD_BYTES = 1e9

/** Writes anchor and two experts below `folder`; those that are there stay. Throws where the disk has no room. */
export async function makeModels(folder: string, { config }: Shape): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  const bytes = parametersOf(config) * 2
  const { bavail, bsize } = await statfs(folder)
  // Three models, and two results with a copy at a time.
  if (bavail * bsize < 7 * bytes)
    throw new Error(`${folder} has ${bavail * bsize} bytes free, expected ${7 * bytes}`)
  const paths: string[] = []
  for (const [expert, name] of NAMES.entries()) {
    const path = join(folder, name)
    paths.push(path)
    const held: string[] = await readdir(path).catch(() => [])
    if (held.includes('config.json') && held.includes('complete')) continue
    await mkdir(path, { recursive: true })
    await writeSyntheticModel(nodeOutput(path), { config, seed: 11, expert, shardBytes: SHARD_BYTES })
    await nodeOutput(path).writeBytes('complete', new Uint8Array())
  }
  return paths
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true })
