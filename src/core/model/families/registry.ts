// All families the engine runs. A new one is a file here and a line below.

import { EngineError } from '../../errors.ts'
import { ConfigReader, type ModelConfig, type RawConfig } from '../config.ts'
import type { Family } from './family.ts'
import { llama } from './llama.ts'
import { mistral } from './mistral.ts'
import { phi3 } from './phi3.ts'
import { qwen2 } from './qwen2.ts'

export const FAMILIES: readonly Family[] = [phi3, llama, mistral, qwen2]

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
    const found = architectures[0] ?? config.model_type ?? 'none'
    throw new EngineError('config-unsupported', `architecture ${String(found)}: expected one of ${known}`, {
      file,
    })
  }
  return family.read(new ConfigReader(config, file))
}
