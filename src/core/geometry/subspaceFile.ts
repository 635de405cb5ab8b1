// An alignment subspace as a file: the rows of A that span it (sampleSpace.ts makes U of them, given the metric), which
// functional they are gradients of, and the digest of the weights they were taken at.

import {
  assertFits,
  type BoundInfo,
  type BoundOptions,
  type FileKind,
  type Owner,
  openBound,
  readBound,
  writeBound,
} from '../files/boundFile.ts'
import type { ExportEntry } from '../files/exporter.ts'
import type { ByteSource } from '../files/source.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { createGradients } from '../model/gradientSink.ts'
import type { AlignmentRows } from './alignmentRows.ts'
import { destroyBuffers } from './metric.ts'

const KIND: FileKind = { format: 'alignmerge-rows', stem: 'rows', title: 'an alignment subspace' }
const UNIT = 'd functional / d weight: nats of loss, or of log separation for aqi'
const SOURCES = ['unwanted', 'margin', 'aqi', 'path'] as const
const SPLITS = ['estimate', 'heldout'] as const
/** More than any device holds of any model: a forged count must not be allocated. */
const MAX_ROWS = 4096

/** How rows were made. */
export interface RowsRecipe {
  source: (typeof SOURCES)[number]
  split: (typeof SPLITS)[number]
  seed: number
  /** SHA-256 of the probes */
  probes: string
  /** digests of the experts a path leads to, in order; none for other sources */
  experts: readonly string[]
}

export interface SubspaceFileInfo extends RowsRecipe, BoundInfo {
  rows: number
}

/** The file of rows at `model`, named by its content. */
export async function saveRows(
  model: DeviceModel,
  owner: Owner,
  { count, rows }: AlignmentRows,
  recipe: RowsRecipe,
  options: BoundOptions = {},
): Promise<ExportEntry & { info: SubspaceFileInfo }> {
  const { source, split, seed, probes, experts } = recipe
  const read = async (name: string) => {
    const { count: size } = model.tensor(name)
    const out = new Uint8Array(count * size * 4)
    for (let row = 0; row < count; row++) {
      const bytes = await model.gpu.readBytes(rows.get(name)!, size * 4, row * paddedCount(size) * 4)
      out.set(new Uint8Array(bytes), row * size * 4)
    }
    return out
  }
  const fields = { source, split, probes, unit: UNIT, experts: experts.join(' ') }
  const entry = await writeBound(
    KIND,
    owner,
    count,
    { ...fields, seed: String(seed), rows: String(count) },
    read,
    options,
  )
  return { ...entry, info: { ...entry.info, ...recipe, rows: count } }
}

/**
 * Reads rows onto the device of `model`; `accept` may refuse them by what the file says of itself. Rejects `shape-mismatch` naming both digests when they were taken at other
 * weights, `file-unsupported`, `file-malformed`, `not-finite`, `cancelled`; whatever stops it leaves nothing there.
 */
export async function loadRows(
  source: ByteSource,
  model: DeviceModel,
  owner: Owner,
  options: BoundOptions & { accept?: (info: SubspaceFileInfo) => Promise<void> } = {},
): Promise<{ rows: AlignmentRows; info: SubspaceFileInfo }> {
  const { gpu, config } = model
  const opened = await openBound(KIND, source, options.signal)
  const { fields } = opened
  const count = fields.count('rows', 1, MAX_ROWS)
  const info: SubspaceFileInfo = {
    ...opened.info,
    source: fields.choice('source', SOURCES),
    split: fields.choice('split', SPLITS),
    seed: fields.count('seed', 0),
    probes: fields.digest('probes'),
    experts: fields.digests('experts'),
    rows: count,
  }
  if ((info.source === 'path') !== info.experts.length > 0)
    fields.fail('experts', info.source === 'path' ? 'the experts of the path' : 'none')
  assertFits(opened, owner, count)
  await options.accept?.(info)
  const rows = createGradients(gpu, config, count)
  try {
    await readBound(
      opened,
      owner,
      count,
      (name, values) => {
        const size = values.length / count
        for (let row = 0; row < count; row++)
          gpu.write(
            rows.get(name)!,
            values.subarray(row * size, (row + 1) * size),
            row * paddedCount(size) * 4,
          )
      },
      options,
    )
    return { rows: { count, rows }, info }
  } catch (error) {
    destroyBuffers(rows)
    throw error
  }
}
