// A Fisher diagonal as a file: sums of squares bit for bit as the device holds them, how they were made, and the digest
// of the weights they belong to.

import {
  assertFits,
  type BoundInfo,
  type BoundLayout,
  type BoundOptions,
  type FileKind,
  layBound,
  type OpenedBound,
  type Owner,
  openBound,
  readBound,
  writeBound,
} from '../files/boundFile.ts'
import type { ExportEntry } from '../files/exporter.ts'
import { readTensor } from '../files/safetensors.ts'
import type { ByteSource } from '../files/source.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { createGradients } from '../model/gradientSink.ts'
import type { Fisher, FisherOptions } from './fisher.ts'
import { destroyBuffers } from './metric.ts'

const KIND: FileKind = {
  format: 'alignmerge-fisher',
  stem: 'fisher',
  title: 'a Fisher diagonal',
  least: 0,
}
const UNIT = 'sum over sequences of squared d log-likelihood / d weight, nats²; divide by tokens for the mean'

/** How a Fisher diagonal was made. */
export interface FisherRecipe extends Pick<FisherOptions, 'labels' | 'form' | 'seed'> {
  /** SHA-256 of the probes it was taken on */
  probes: string
}

export interface FisherFileInfo extends FisherRecipe, BoundInfo {
  sequences: number
  tokens: number
}

function infoOf({ fields, info }: OpenedBound): FisherFileInfo {
  return {
    ...info,
    labels: fields.choice('labels', ['sampled', 'data']),
    form: fields.choice('form', ['sequence', 'fast']),
    seed: fields.count('seed', 0),
    sequences: fields.count('sequences', 1),
    tokens: fields.count('tokens', 1),
    probes: fields.digest('probes'),
  }
}

/** The file of a Fisher diagonal of `model`, named by its content. */
export async function saveFisher(
  model: DeviceModel,
  owner: Owner,
  fisher: Fisher,
  recipe: FisherRecipe,
  options: BoundOptions = {},
): Promise<ExportEntry & { info: FisherFileInfo }> {
  const { labels, form, seed, probes } = recipe
  const { sequences, tokens } = fisher
  const counts = { seed: String(seed), sequences: String(sequences), tokens: String(tokens) }
  const read = async (name: string) =>
    new Uint8Array(await model.gpu.readBytes(fisher.sums.get(name)!, model.tensor(name).count * 4))
  const entry = await writeBound(
    KIND,
    owner,
    undefined,
    { labels, form, probes, unit: UNIT, ...counts },
    read,
    options,
  )
  return { ...entry, info: { ...entry.info, labels, form, seed, probes, sequences, tokens } }
}

/** A file whose sums are added up in place; `tokens` and `sequences` are known beforehand. */
export function layFisher(
  owner: Owner,
  counts: Pick<Fisher, 'tokens' | 'sequences'>,
  { labels, form, seed, probes }: FisherRecipe,
): BoundLayout {
  const { sequences, tokens } = counts
  const texts = { seed: String(seed), sequences: String(sequences), tokens: String(tokens) }
  return layBound(KIND, owner, undefined, { labels, form, probes, unit: UNIT, ...texts })
}

export interface FisherFile {
  origin: FisherFileInfo
  /** mean per token of one weight (count) or a part of it, rounded as on the device */
  read(name: string, signal?: AbortSignal, part?: { start: number; count: number }): Promise<Float32Array>
}

/**
 * Opens a file without a device, reading it once from end to end. Rejects `shape-mismatch` naming both digests when it
 * was made for other weights, `file-unsupported`, `file-malformed`, `not-finite`, `cancelled`.
 */
export async function readFisherFile(
  source: ByteSource,
  owner: Owner,
  signal?: AbortSignal,
): Promise<FisherFile> {
  const opened = await openBound(KIND, source, signal)
  const origin = infoOf(opened)
  assertFits(opened, owner, undefined)
  await readBound(opened, owner, undefined, undefined, { signal })
  const scale = Math.fround(1 / origin.tokens)
  return {
    origin,
    async read(name, innerSignal, part) {
      const place = opened.header.tensors.get(name)
      const bytes =
        part && place
          ? await source.read(place.begin + part.start * 4, part.count * 4, innerSignal)
          : await readTensor(source, opened.header, name, innerSignal)
      return new Float32Array(bytes.buffer, 0, bytes.byteLength / 4).map((sum) => sum * scale)
    },
  }
}

/** Reads a file onto the device of `model`; rejects likewise. Whatever stops it leaves nothing there. */
export async function loadFisher(
  source: ByteSource,
  model: DeviceModel,
  owner: Owner,
  options: BoundOptions = {},
): Promise<{ fisher: Fisher; info: FisherFileInfo }> {
  const { gpu, config } = model
  const opened = await openBound(KIND, source, options.signal)
  const info = infoOf(opened)
  assertFits(opened, owner, undefined)
  const sums = createGradients(gpu, config)
  try {
    await readBound(opened, owner, undefined, (name, values) => gpu.write(sums.get(name)!, values), options)
    return { fisher: { sums, tokens: info.tokens, sequences: info.sequences }, info }
  } catch (error) {
    destroyBuffers(sums)
    throw error
  }
}
