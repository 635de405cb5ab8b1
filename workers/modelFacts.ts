// What the page shows of a checkpoint, read from its header alone.

import type { Checkpoint } from '../src/core/files/checkpoint.ts'
import type { ModelSummary } from './api.ts'

export const architectureOf = ({ rawConfig, config }: Pick<Checkpoint, 'rawConfig' | 'config'>): string =>
  String((rawConfig.architectures as unknown[] | undefined)?.[0] ?? config.family)

export function factsOf({
  config,
  rawConfig,
  parameterCount,
  dtype,
  byteLength,
}: Checkpoint): Omit<ModelSummary, 'id' | 'name' | 'role' | 'origin' | 'description' | 'skill'> {
  return {
    architecture: architectureOf({ rawConfig, config }),
    parameterCount,
    dtype,
    layerCount: config.layerCount,
    hiddenSize: config.hiddenSize,
    byteLength,
  }
}
