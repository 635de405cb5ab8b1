// The index of a checkpoint in several files (`*.index.json`, as transformers writes it for safetensors and .bin alike),
// and what config.json says of packed weights that are not plain numbers.

import { EngineError } from '../../errors.ts'
import type { RawConfig } from '../../model/config.ts'

/** File → tensors of an index; `file-malformed` when it is none, or names a file outside the folder. */
export function readShardIndex(
  index: Record<string, unknown>,
  file: string,
  ending: string,
): Map<string, string[]> {
  const map = index.weight_map
  const fail = (message: string): never => {
    throw new EngineError('file-malformed', message, { file })
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    return fail('expected weight_map to be an object of file names')
  const files = new Map<string, string[]>()
  for (const [tensor, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !shard.endsWith(ending) || shard.includes('..'))
      return fail(`weight_map of ${tensor}: expected a ${ending} file, found ${JSON.stringify(shard)}`)
    const tensors = files.get(shard)
    if (tensors) tensors.push(tensor)
    else files.set(shard, [tensor])
  }
  if (files.size === 0) return fail('weight_map names no files')
  return files
}

/** GPTQ, AWQ and bitsandbytes keep packed words under other names; their values are not these tensors. */
export function assertPlainNumbers(rawConfig: RawConfig | undefined): void {
  const quantised = rawConfig?.quantization_config as { quant_method?: unknown } | null | undefined
  if (quantised == null) return
  throw new EngineError(
    'file-unsupported',
    `weights quantised by ${String(quantised.quant_method ?? 'an unnamed method')}: expected plain numbers`,
    { file: 'config.json' },
  )
}
