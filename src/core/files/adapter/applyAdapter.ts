// A PEFT LoRA or DoRA folder on a checkpoint: a checkpoint again, whose changed weights are worked out when they are read.
// Fits as PEFT's merge_and_unload does it, and beyond: adapters of separate projections fit fused ones and the other way.

import { EngineError } from '../../errors.ts'
import { type Checkpoint, withWeights } from '../checkpoint.ts'
import type { CheckpointFolder } from '../folder.ts'
import { countOf, readElements, type StoredWeight } from '../storedWeight.ts'
import { adaptedWeight, type LowRankPatch } from './adaptedWeight.ts'
import { type AdapterConfig, readAdapterConfig } from './adapterConfig.ts'
import { type AdapterModule, openAdapterFile } from './adapterFile.ts'

export interface AdapterOptions {
  /** times the adapter's own scale; 1 */
  scale?: number
  /** which adapter, where the file holds several */
  adapterName?: string
}

/** Fused matrices and what they are made of, from the first row on. */
const FUSED: Readonly<Record<string, readonly string[]>> = {
  qkv_proj: ['q_proj', 'k_proj', 'v_proj'],
  gate_up_proj: ['gate_proj', 'up_proj'],
}

/**
 * The base with the adapter of a folder. Rejects `file-missing`, `file-malformed`; `file-unsupported` naming the key or
 * tensor that is not computed; `shape-mismatch` where the adapter is of another model.
 */
export async function applyAdapter(
  base: Checkpoint,
  folder: CheckpointFolder,
  options: AdapterOptions = {},
  signal?: AbortSignal,
): Promise<Checkpoint> {
  const { scale = 1, adapterName } = options
  if (!Number.isFinite(scale))
    throw new EngineError('request-invalid', `scale ${scale}: expected a finite number`)
  const config = await readAdapterConfig(folder, signal)
  const { source, modules, replaced } = await openAdapterFile(folder, adapterName, signal)
  const notes = [...config.notes]
  const stored = new Map(base.stored)
  for (const [name, weight] of replaced) stored.set(name, replacement(base, name, weight, source.name))
  const patches = new Map<string, LowRankPatch[]>()
  for (const part of modules) {
    checkModule(config, part, source.name)
    if (base.config.tied && part.isEmbedding)
      notes.push('the embedding is the head too: here, as in PEFT’s merge, the adapter acts on both')
    for (const { name, patch } of patchesOf(base, part, config.scaleOf(part.module) * scale, source.name)) {
      const others = patches.get(name) ?? []
      const overlap = others.some(
        ({ firstRow, rowCount }) =>
          firstRow < patch.firstRow + patch.rowCount && patch.firstRow < firstRow + rowCount,
      )
      if (overlap)
        throw new EngineError('file-malformed', 'two parts of the adapter change the same rows', {
          file: source.name,
          tensor: name,
        })
      patches.set(name, [...others, patch])
    }
  }
  for (const [name, list] of patches) stored.set(name, adaptedWeight(stored.get(name)!, list))
  if (patches.size === 0 && replaced.size === 0)
    throw new EngineError('file-malformed', `${folder.name} changes nothing: no tensors of an adapter`, {
      file: source.name,
    })
  return withWeights(base, {
    name: `${base.name}+${folder.name}`,
    stored,
    files: [...base.files, { source, tensorCount: modules.length * 2 + replaced.size }],
    notes: [
      `${patches.size} weights changed and ${replaced.size} replaced by the adapter ${folder.name}`,
      ...notes,
    ],
  })
}

function checkModule(config: AdapterConfig, { module, down, magnitude }: AdapterModule, file: string): void {
  const place = { file, tensor: module }
  const fail = (message: string): never => {
    throw new EngineError('file-malformed', message, place)
  }
  if (!config.targets(module)) fail('the file has this module, but adapter_config.json does not target it')
  if (config.isDora !== (magnitude !== undefined))
    fail(config.isDora ? 'use_dora without a magnitude vector' : 'a magnitude vector without use_dora')
  const expected = config.rankOf(module)
  if (down.shape[0] !== expected)
    fail(`rank ${down.shape[0]}: adapter_config.json says ${expected} of this module`)
}

/** A weight that the adapter holds whole. */
function replacement(base: Checkpoint, name: string, weight: StoredWeight, file: string): StoredWeight {
  const own = base.stored.get(name)
  const place = { file, tensor: name }
  if (!own)
    throw new EngineError(
      'shape-mismatch',
      name === 'lm_head.weight' && base.config.tied
        ? `${base.name} has no head of its own: it is the embedding`
        : `${base.name} has no such weight`,
      place,
    )
  if (own.shape.join() !== weight.shape.join())
    throw new EngineError(
      'shape-mismatch',
      `found shape [${weight.shape}], ${base.name} has [${own.shape}]`,
      place,
    )
  return { ...weight, name }
}

/** Rows of a base weight that a module stands for, and where they begin in the module's own rows. */
interface Place {
  name: string
  firstRow: number
  rowCount: number
  ownRow: number
}

/** Rows of the parts of a fused matrix, by the model's sizes. */
function partRows({ config }: Checkpoint, fused: string): number[] {
  const { headCount, kvHeadCount, headSize, intermediateSize } = config
  return fused === 'qkv_proj'
    ? [headCount * headSize, kvHeadCount * headSize, kvHeadCount * headSize]
    : [intermediateSize, intermediateSize]
}

function placesOf(base: Checkpoint, module: string, file: string): Place[] {
  const direct = base.stored.get(`${module}.weight`)
  if (direct) return [{ name: direct.name, firstRow: 0, rowCount: direct.shape[0], ownRow: 0 }]
  const [, stem, last] = /^(.*\.)?([^.]+)$/.exec(module) ?? ['', '', module]
  const nameOf = (part: string) => `${stem ?? ''}${part}.weight`
  for (const [fused, parts] of Object.entries(FUSED)) {
    const sizes = partRows(base, fused)
    const begin = (i: number) => sizes.slice(0, i).reduce((a, b) => a + b, 0)
    const at = parts.indexOf(last)
    if (at >= 0 && base.stored.has(nameOf(fused)))
      return [{ name: nameOf(fused), firstRow: begin(at), rowCount: sizes[at], ownRow: 0 }]
    if (last === fused && parts.every((part) => base.stored.has(nameOf(part))))
      return parts.map((part, i) => ({
        name: nameOf(part),
        firstRow: 0,
        rowCount: sizes[i],
        ownRow: begin(i),
      }))
  }
  throw new EngineError(
    'shape-mismatch',
    last === 'lm_head' && base.config.tied
      ? `${base.name} has no head of its own: it is the embedding`
      : `${base.name} has no module of this name`,
    { file, tensor: module },
  )
}

function patchesOf(
  base: Checkpoint,
  part: AdapterModule,
  scale: number,
  file: string,
): { name: string; patch: LowRankPatch }[] {
  const { module, down, up, magnitude, isEmbedding } = part
  const places = placesOf(base, module, file)
  const columns = base.stored.get(places[0].name)!.shape[1]
  const rows = places.reduce((sum, { rowCount }) => sum + rowCount, 0)
  const rank = down.shape[0]
  const found = isEmbedding ? [down.shape[1], up.shape[0]] : [up.shape[0], down.shape[1]]
  if (columns === undefined || found[0] !== rows || found[1] !== columns)
    throw new EngineError(
      'shape-mismatch',
      `the adapter is for a matrix [${found}], ${base.name} has [${columns === undefined ? rows : [rows, columns]}]`,
      { file, tensor: module },
    )
  if (magnitude && countOf(magnitude) !== rows)
    throw new EngineError('shape-mismatch', `magnitude [${magnitude.shape}]: expected ${rows}`, {
      file,
      tensor: module,
    })
  const whole = isEmbedding ? transposedFactors(part) : plainFactors(part)
  const byteLength = down.byteLength + up.byteLength
  return places.map(({ name, firstRow, rowCount, ownRow }) => ({
    name,
    patch: {
      firstRow,
      rowCount,
      rank,
      scale,
      byteLength: (byteLength * rowCount) / rows,
      left: (begin, count, signal) => whole.left(ownRow + begin, count, signal),
      right: whole.right,
      ...(magnitude && {
        magnitude: (begin: number, count: number, signal?: AbortSignal) =>
          readElements(magnitude, ownRow + begin, count, signal),
      }),
    },
  }))
}

type Factors = Pick<LowRankPatch, 'left' | 'right'>

const plainFactors = ({ down, up }: AdapterModule): Factors => ({
  left: (begin, count, signal) => readElements(up, begin * up.shape[1], count * up.shape[1], signal),
  right: (signal) => readElements(down, 0, countOf(down), signal),
})

/** An embedding's rows are the columns of A: W + s · (B·A)ᵀ. */
const transposedFactors = ({ down, up }: AdapterModule): Factors => ({
  async left(begin, count, signal) {
    const [rank, rows] = down.shape
    const out = new Float32Array(count * rank)
    for (let k = 0; k < rank; k++) {
      const column = await readElements(down, k * rows + begin, count, signal)
      for (let i = 0; i < count; i++) out[i * rank + k] = column[i]
    }
    return out
  },
  async right(signal) {
    const [columns, rank] = up.shape
    const values = await readElements(up, 0, countOf(up), signal)
    const out = new Float32Array(values.length)
    for (let j = 0; j < columns; j++)
      for (let k = 0; k < rank; k++) out[k * columns + j] = values[j * rank + k]
    return out
  },
})
