// What stands beside the weights of a merged model: its config, and the tokenizer files of the model it takes them from.

import { COPIED_FILES, writtenConfig } from '../files/exporter.ts'
import type { CheckpointFolder } from '../files/folder.ts'
import { type OutputFolder, writeText } from '../files/output/outputFolder.ts'
import type { MergePlan } from '../merge/recipe/plan.ts'
import { WEIGHT_TYPES } from '../merge/streamMerge.ts'

/** config.json of the result: layers as many as it has, each of the kind of the layer it came from. */
export function mergedConfig(plan: MergePlan, configs: ReadonlyMap<string, Record<string, unknown>>): string {
  const raw = { ...configs.get(plan.configFrom)!, num_hidden_layers: plan.layerCount }
  const kinds = new Map<number, unknown>()
  for (const { layer, sources } of plan.tensors) {
    const [{ model, tensor }] = sources
    const from = /layers\.(\d+)\./.exec(tensor)
    const types = configs.get(model)?.layer_types
    if (layer !== undefined && from && Array.isArray(types)) kinds.set(layer, types[Number(from[1])])
  }
  if ('layer_types' in raw && kinds.size === plan.layerCount)
    Object.assign(raw, { layer_types: Array.from({ length: plan.layerCount }, (_, i) => kinds.get(i)) })
  return writtenConfig(raw, WEIGHT_TYPES[plan.outDtype])
}

/** Copies tokenizer files byte for byte, but for a chat template that is given. */
export async function copyTokenizer(
  from: CheckpointFolder,
  to: OutputFolder,
  template?: string,
): Promise<void> {
  for (const file of COPIED_FILES) {
    const source = await from.file(file)
    if (!source || (file === 'chat_template.jinja' && template !== undefined)) continue
    const bytes = await source.read(0, source.size)
    if (file === 'tokenizer_config.json' && template !== undefined) {
      const config = { ...JSON.parse(new TextDecoder().decode(bytes)), chat_template: template }
      await writeText(to, file, `${JSON.stringify(config, null, 2)}\n`)
    } else await to.writeBytes(file, bytes)
  }
}
