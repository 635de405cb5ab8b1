// All model families, found by folder: a new one is a folder here and nothing else.

import { EngineError } from '../../errors.ts'
import { ConfigReader, type ModelConfig, type RawConfig } from '../config.ts'
import type { Family } from './family.ts'

const modules = import.meta.glob<{ family: Family }>('./*/family.ts', { eager: true })

export const FAMILIES: readonly Family[] = Object.values(modules)
  .map(({ family }) => family)
  .sort((a, b) => a.modelType.localeCompare(b.modelType))

/** Config of a Hugging Face config.json; `config-unsupported` names the key that does not fit. */
export function readConfig(raw: unknown, file = 'config.json'): ModelConfig {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new EngineError('file-malformed', 'expected a JSON object', { file })
  const config = raw as RawConfig
  const architectures = Array.isArray(config.architectures) ? config.architectures : []
  const family = FAMILIES.find(
    (f) =>
      architectures.includes(f.architecture) ||
      (architectures.length === 0 && f.modelType === config.model_type),
  )
  if (!family) {
    const known = FAMILIES.map((f) => f.architecture).join(', ')
    const named = architectures[0] ?? config.model_type ?? 'none'
    const found = typeof named === 'string' ? named.slice(0, 120) : JSON.stringify(named).slice(0, 120)
    throw new EngineError('config-unsupported', `architecture ${found}: expected one of ${known}`, { file })
  }
  return family.read(new ConfigReader(config, file))
}
