// The tensors of a PEFT adapter, sorted by the module they belong to: adapter_model.safetensors or adapter_model.bin.
// PEFT leaves the adapter's own name out when it saves (`lora_A.weight`); other tools leave it in (`lora_A.default.weight`).

import { EngineError } from '../../errors.ts'
import type { CheckpointFolder } from '../folder.ts'
import { weightsOfShards } from '../formats/safetensors/format.ts'
import { openTorchFile } from '../formats/torch/torchFile.ts'
import { readSafetensorsHeader } from '../safetensors.ts'
import type { ByteSource } from '../source.ts'
import type { StoredWeight } from '../storedWeight.ts'

const FILES = ['adapter_model.safetensors', 'adapter_model.bin'] as const
const PREFIX = 'base_model.model.'

/** What an adapter has for one module: W + s · up · down. */
export interface AdapterModule {
  /** as the base model names it, without `.weight` */
  module: string
  /** lora_A [r, in]; of an embedding lora_embedding_A [r, rows] */
  down: StoredWeight
  /** lora_B [out, r]; of an embedding lora_embedding_B [columns, r] */
  up: StoredWeight
  /** DoRA's m [out] */
  magnitude: StoredWeight | undefined
  isEmbedding: boolean
}

export interface AdapterFile {
  source: ByteSource
  modules: AdapterModule[]
  /** whole weights that replace the base's, by the base's names: modules_to_save, biases */
  replaced: Map<string, StoredWeight>
}

type Part = 'lora_A' | 'lora_B' | 'lora_embedding_A' | 'lora_embedding_B' | 'lora_magnitude_vector'

/** Whether the folder holds a PEFT adapter. */
export const isAdapterFolder = async (folder: CheckpointFolder, signal?: AbortSignal): Promise<boolean> =>
  (await folder.file('adapter_config.json', signal)) !== undefined

/**
 * Reads the names and places of an adapter's tensors. `adapterName` chooses among several in one file. Rejects
 * `file-missing`, `file-malformed`, `file-unsupported` naming the tensor.
 */
export async function openAdapterFile(
  folder: CheckpointFolder,
  adapterName: string | undefined,
  signal?: AbortSignal,
): Promise<AdapterFile> {
  for (const file of FILES) {
    const source = await folder.file(file, signal)
    if (!source) continue
    const { weights, unread } = file.endsWith('.bin')
      ? await openTorchFile(source, signal)
      : weightsOfShards([{ source, header: await readSafetensorsHeader(source, signal) }])
    for (const [tensor, why] of unread)
      throw new EngineError('file-unsupported', why, { file: source.name, tensor })
    return { source, ...sortTensors(weights, source.name, adapterName) }
  }
  throw new EngineError('file-missing', `${folder.name} has no weights of an adapter`, { file: FILES[0] })
}

function sortTensors(
  weights: ReadonlyMap<string, StoredWeight>,
  file: string,
  adapterName: string | undefined,
): Pick<AdapterFile, 'modules' | 'replaced'> {
  const found = new Map<string, Map<Part, StoredWeight>>()
  const replaced = new Map<string, StoredWeight>()
  const names = new Set<string>()
  for (const [name, weight] of weights) {
    const refuse = (why: string): never => {
      throw new EngineError('file-unsupported', why, { file, tensor: name })
    }
    if (!name.startsWith(PREFIX)) refuse(`expected a name that begins with ${PREFIX}`)
    const inner = name.slice(PREFIX.length)
    const parsed =
      /^(.*)\.(lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)(?:\.(.*))?$/.exec(inner)
    if (!parsed) {
      if (/lora_/.test(inner)) refuse('a part of LoRA that is not known')
      replaced.set(inner.replace('.modules_to_save.', '.').replace('.base_layer.', '.'), weight)
      continue
    }
    const [, module, part, rest = ''] = parsed
    if (/(^|\.)bias$/.test(rest)) refuse('a bias of lora_B is not read')
    const own = rest.replace(/(^|\.)weight$/, '')
    if (own !== '') names.add(own)
    if (own !== '' && adapterName !== undefined && own !== adapterName) continue
    const parts = found.get(module) ?? new Map<Part, StoredWeight>()
    parts.set(part as Part, weight)
    found.set(module, parts)
  }
  if (adapterName === undefined && names.size > 1)
    throw new EngineError('request-invalid', `adapters ${[...names].join(', ')} in one file: name one`, {
      file,
    })
  if (adapterName !== undefined && names.size > 0 && !names.has(adapterName))
    throw new EngineError(
      'request-invalid',
      `no adapter ${adapterName}: the file has ${[...names].join(', ')}`,
      {
        file,
      },
    )
  return { modules: [...found].map(([module, parts]) => moduleOf(module, parts, file)), replaced }
}

function moduleOf(module: string, parts: ReadonlyMap<Part, StoredWeight>, file: string): AdapterModule {
  const isEmbedding = parts.has('lora_embedding_A') || parts.has('lora_embedding_B')
  const down = parts.get(isEmbedding ? 'lora_embedding_A' : 'lora_A')
  const up = parts.get(isEmbedding ? 'lora_embedding_B' : 'lora_B')
  const magnitude = parts.get('lora_magnitude_vector')
  const place = { file, tensor: `${PREFIX}${module}` }
  if (!down || !up || (isEmbedding && parts.has('lora_A')))
    throw new EngineError(
      'file-malformed',
      `expected an A and a B, found ${[...parts.keys()].join(', ')}`,
      place,
    )
  if (down.shape.length !== 2 || up.shape.length !== 2 || down.shape[0] !== up.shape[1])
    throw new EngineError(
      'shape-mismatch',
      `A [${down.shape}] and B [${up.shape}] have no rank in common`,
      place,
    )
  if (isEmbedding && magnitude)
    throw new EngineError('file-unsupported', 'DoRA of an embedding is not computed', place)
  return { module, down, up, magnitude, isEmbedding }
}
