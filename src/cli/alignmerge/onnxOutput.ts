// alignmerge merge --format onnx: the merged folder's weights in the layout of an ONNX model of the recipe, its files
// copied and every weight's bytes replaced; the safetensors that the merge streams to then make room.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { EngineError } from '../../core/errors.ts'
import { type Checkpoint, openCheckpoint } from '../../core/files/checkpoint.ts'
import { openOnnx } from '../../core/files/formats/onnx/openOnnx.ts'
import { OnnxRewriter, type Rounding } from '../../core/files/formats/onnx/rewrite.ts'
import { readElements } from '../../core/files/storedWeight.ts'
import type { MergePlan } from '../../core/merge/recipe/plan.ts'
import { nodeFolder } from '../nodeFolder.ts'
import { removeParts, writeWhole } from './files.ts'
import type { OpenedModel } from './openRecipe.ts'

export interface OnnxOutput {
  /** model first, then its data files */
  files: string[]
  /** whose layout it is */
  layout: string
  /** what rounding did to each weight, and what the merge did */
  roundings: Rounding[]
  notes: string[]
}

/** Files beside the model that runtimes of these builds read. */
const BESIDE = ['genai_config.json', 'quantize_config.json', 'config.json']

/**
 * The model whose layout a merge takes: that of the config where it is ONNX, else the first that is. `request-invalid`
 * where none is, or where the merge has other weights than it; `shape-mismatch` where its vocabulary was extended.
 */
export async function layoutModel(
  plan: MergePlan,
  models: ReadonlyMap<string, OpenedModel>,
  signal: AbortSignal,
): Promise<Checkpoint> {
  const checkpoints = [plan.configFrom, ...plan.models].flatMap((name) => models.get(name)?.checkpoint ?? [])
  const found = checkpoints.find(({ format }) => format === 'onnx')
  if (!found) {
    const kinds = new Set(checkpoints.map(({ name, format }) => `${name} is ${format}`))
    throw new EngineError(
      'request-invalid',
      `--format onnx keeps the layout of an ONNX model of the recipe, and it has none: ${[...kinds].join(', ')}`,
    )
  }
  const merged = new Map(plan.tensors.map(({ name, shape }) => [name, shape.join()]))
  const odd = found.weights.find(({ name, shape }) => merged.get(name) !== shape.join())
  if (odd || merged.size !== found.weights.length)
    throw new EngineError(
      'request-invalid',
      `the merge has ${merged.size} weights, ${found.name} has ${found.weights.length}: its ONNX layout fits only a merge of the same shapes`,
      odd ? { tensor: odd.name } : {},
    )
  // Before the merge, not after it: the graph may have fewer rows than a joined vocabulary.
  await openOnnx(found.folder, found.rawConfig, signal)
  return found
}

/** Replaces the safetensors `files` of a folder by the layout's files with the merged weights. */
export async function convertToOnnx(
  folder: string,
  files: readonly string[],
  layout: Checkpoint,
  signal: AbortSignal,
): Promise<OnnxOutput> {
  await removeParts(folder)
  const merged = await openCheckpoint(await nodeFolder(folder), signal)
  const onnx = await openOnnx(layout.folder, layout.rawConfig, signal)
  const rewriter = new OnnxRewriter(onnx)
  const entries = rewriter.entries((name, innerSignal) =>
    readElements(merged.stored.get(name)!, 0, undefined, innerSignal),
  )
  for (const { path, chunks } of entries) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeWhole(join(folder, path), chunks(signal))
  }
  for (const name of BESIDE) {
    const source = await layout.folder.file(name, signal)
    if (source) await writeFile(join(folder, name), await source.read(0, source.size, signal))
  }
  for (const written of [...files, 'model.safetensors.index.json'])
    await rm(join(folder, written), { force: true })
  return {
    files: entries.map(({ path }) => path),
    layout: layout.name,
    roundings: rewriter.roundings,
    notes: onnx.notes,
  }
}

const percent = (share: number) => `${(100 * share).toPrecision(3)} %`

/** For people: where rounding cost most. */
export function onnxSummary({ files, roundings }: OnnxOutput): string {
  const worst = roundings.reduce((a, b) => (b.relative > a.relative ? b : a))
  return `${files[0]}: rounding changed ${worst.name} most (${worst.storage}), by ${percent(worst.relative)} of its length; the merge had moved it by ${percent(worst.moved)}`
}

/** Section of the card. */
export function onnxSection({ files, layout, roundings, notes }: OnnxOutput): string {
  return [
    '',
    `## ${files.join(', ')}`,
    '',
    `The layout is that of ${layout}. What rounding did to each weight, ‖stored − merged‖ / ‖merged‖ and the largest difference; and how far the merge had moved the weight from ${layout}, in the same measure.`,
    '',
    '| weight | stored as | rounding | largest | moved by the merge |',
    '| --- | --- | --- | --- | --- |',
    ...roundings.map(
      ({ name, storage, relative, max, moved }) =>
        `| ${name} | ${storage} | ${relative.toExponential(2)} | ${max.toExponential(2)} | ${moved.toExponential(2)} |`,
    ),
    ...notes.flatMap((note) => ['', `${note[0].toUpperCase()}${note.slice(1)}.`]),
    '',
  ].join('\n')
}
