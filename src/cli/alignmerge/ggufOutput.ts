// alignmerge merge --format gguf: the merged folder's weights as one GGUF file, written beside the safetensors that
// the merge streams to and can resume from, which then make room for it.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openCheckpoint } from '../../core/files/checkpoint.ts'
import {
  GGUF_TYPES,
  type GgufType,
  layGguf,
  type Requantisation,
  writeGguf,
} from '../../core/files/formats/gguf/write.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import type { MergePlan } from '../../core/merge/recipe/plan.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { type Call, UsageError } from './command.ts'
import { removeParts, writeWhole } from './files.ts'
import type { OpenedModel } from './openRecipe.ts'

export interface GgufOutput {
  file: string
  type: GgufType
  /** what rounding did to each weight */
  requantised: Requantisation[]
  /** matrices that are F16 because their rows are no whole blocks */
  fallbacks: string[]
  notes: string[]
}

/** The type asked for; undefined where other formats are. Throws `UsageError`. */
export function readGgufType(call: Call): GgufType | undefined {
  const format = call.text('format') ?? 'safetensors'
  const type = call.text('quantize')?.toLowerCase()
  if (format !== 'safetensors' && format !== 'gguf' && format !== 'onnx')
    throw new UsageError(`--format ${format}: expected safetensors, gguf or onnx`)
  if (format !== 'gguf') {
    if (type !== undefined) throw new UsageError('--quantize: expected --format gguf with it')
    return undefined
  }
  const found = GGUF_TYPES.find((known) => known === (type ?? 'f16'))
  if (!found) throw new UsageError(`--quantize ${type}: expected one of ${GGUF_TYPES.join(', ')}`)
  return found
}

/** Throws before a merge what writing its result would throw after it: GGUF has no words for every config. */
export function assertGguf(plan: MergePlan, models: ReadonlyMap<string, OpenedModel>, type: GgufType): void {
  const { checkpoint } = models.get(plan.configFrom)!
  layGguf(checkpoint, type)
}

/** Replaces the safetensors `files` of a folder by NAME-TYPE.gguf. Rejects what the format cannot say or hold. */
export async function convertToGguf(
  folder: string,
  files: readonly string[],
  name: string,
  type: GgufType,
  signal: AbortSignal,
): Promise<GgufOutput> {
  await removeParts(folder)
  const checkpoint = await openCheckpoint(await nodeFolder(folder), signal)
  const layout = layGguf({ ...checkpoint, name }, type)
  const file = `${name}-${type.toUpperCase()}.gguf`
  const requantised: Requantisation[] = []
  const chunks = writeGguf(
    layout,
    (weight, begin, count) => readElements(checkpoint.stored.get(weight.name)!, begin, count, signal),
    { signal, onTensor: (done) => requantised.push(done) },
  )
  await writeWhole(join(folder, file), chunks)
  for (const written of [...files, 'model.safetensors.index.json'])
    await rm(join(folder, written), { force: true })
  return { file, type, requantised, fallbacks: layout.fallbacks, notes: layout.notes }
}

/** The weight that rounding changed most. */
export const worstOf = ({ requantised }: GgufOutput): Requantisation =>
  requantised.reduce((a, b) => (b.relative > a.relative ? b : a))

/** Section of the card. */
export function ggufSection(output: GgufOutput): string {
  const rows = output.requantised.map(
    ({ tensor, encoding, relative, max }) =>
      `| ${tensor} | ${encoding.toUpperCase()} | ${relative.toExponential(2)} | ${max.toExponential(2)} |`,
  )
  const notes = [
    ...(output.fallbacks.length > 0
      ? [
          `F16 instead of ${output.type.toUpperCase()}, rows being no whole blocks: ${output.fallbacks.join(', ')}.`,
        ]
      : []),
    ...output.notes.map((note) => `${note[0].toUpperCase()}${note.slice(1)}.`),
  ]
  return [
    '',
    `## ${output.file}`,
    '',
    'What rounding did to each weight: ‖stored − merged‖ / ‖merged‖, and the largest difference.',
    '',
    '| weight | stored as | relative | largest |',
    '| --- | --- | --- | --- |',
    ...rows,
    ...notes.flatMap((note) => ['', note]),
    '',
  ].join('\n')
}
