// A Fisher diagonal as a file that can be shared: safetensors with one float32 tensor per weight, in nats² per target
// token and squared weight unit, and in its metadata the digest of the weights it was computed for.

import { EngineError } from '../errors.ts'
import type { WeightSpec } from '../model/families/family.ts'
import { decodeWeights } from '../tensors/dtype.ts'
import { readSafetensorsHeader, readTensor } from './safetensors.ts'
import { safetensorsByteLength, writeSafetensors } from './safetensorsWriter.ts'
import type { ByteSource } from './source.ts'

export const FISHER_FORMAT = 'alignmerge-fisher'
export const FISHER_VERSION = '1'

/** How a diagonal came about. */
export interface FisherOrigin {
  /** name of the model, for people */
  model: string
  /** weightsDigest of the model */
  digest: string
  labels: 'sampled' | 'data'
  form: 'sequence' | 'fast'
  seed: number
  sequences: number
  /** target tokens averaged over */
  tokens: number
  /** SHA-256 of the probe file */
  probes: string
}

export interface FisherFile {
  origin: FisherOrigin
  /** one tensor (count); rejects `not-finite` and, for negative values, `file-malformed` */
  read(name: string, signal?: AbortSignal): Promise<Float32Array>
}

const entryOf = ({ name, shape }: WeightSpec) => ({ name, shape, dtype: 'F32' as const })

const metadataOf = (origin: FisherOrigin): Record<string, string> => ({
  format: FISHER_FORMAT,
  version: FISHER_VERSION,
  ...Object.fromEntries(Object.entries(origin).map(([key, value]) => [key, String(value)])),
})

/** The file in pieces; `read` gives the float32 values of one weight, asked one at a time. */
export function writeFisherFile(
  origin: FisherOrigin,
  weights: readonly WeightSpec[],
  read: (name: string) => Promise<Float32Array>,
  signal?: AbortSignal,
): { byteLength: number; chunks: AsyncIterable<Uint8Array> } {
  const tensors = weights.map(entryOf)
  const metadata = metadataOf(origin)
  const bytes = async ({ name }: { name: string }) => {
    const values = await read(name)
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  }
  return {
    byteLength: safetensorsByteLength(tensors, metadata),
    chunks: writeSafetensors(tensors, metadata, bytes, signal),
  }
}

/**
 * Opens a file for a model. Rejects `file-unsupported` for other files and versions, `shape-mismatch` for one that
 * was made for other weights or lacks a tensor, `file-malformed`.
 */
export async function readFisherFile(
  source: ByteSource,
  model: { name: string; digest: string; weights: readonly WeightSpec[] },
  signal?: AbortSignal,
): Promise<FisherFile> {
  const header = await readSafetensorsHeader(source, signal)
  const place = { file: source.name }
  const origin = readOrigin(header.metadata, source.name)
  if (origin.digest !== model.digest)
    throw new EngineError(
      'shape-mismatch',
      `a Fisher diagonal of other weights: made for ${origin.model} ${origin.digest.slice(0, 12)}…, this is ${model.name} ${model.digest.slice(0, 12)}…`,
      place,
    )
  for (const { name, shape } of model.weights) {
    const info = header.tensors.get(name)
    const found = info && `${info.dtype} [${info.shape}]`
    if (info?.dtype !== 'F32' || info.shape.join() !== shape.join())
      throw new EngineError('shape-mismatch', `expected F32 [${shape}], found ${found ?? 'nothing'}`, {
        ...place,
        tensor: name,
      })
  }
  return {
    origin,
    async read(name, innerSignal) {
      const values = decodeWeights(await readTensor(source, header, name, innerSignal), 'f32')
      const bad = values.find((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY))
      if (bad !== undefined)
        throw new EngineError(
          Number.isFinite(bad) ? 'file-malformed' : 'not-finite',
          `a Fisher diagonal has no value ${bad}`,
          { ...place, tensor: name },
        )
      return values
    },
  }
}

function readOrigin(metadata: Record<string, string>, file: string): FisherOrigin {
  const { format, version } = metadata
  if (format !== FISHER_FORMAT)
    throw new EngineError('file-unsupported', `no Fisher diagonal: format ${format ?? 'none'}`, { file })
  if (version !== FISHER_VERSION)
    throw new EngineError('file-unsupported', `version ${version}: expected ${FISHER_VERSION}`, { file })
  const text = (key: keyof FisherOrigin, pattern: RegExp): string => {
    const value = metadata[key]
    if (value === undefined || !pattern.test(value))
      throw new EngineError('file-malformed', `${key} in the metadata is ${value ?? 'missing'}`, { file })
    return value
  }
  const count = (key: keyof FisherOrigin) => Number(text(key, /^\d{1,15}$/))
  return {
    model: text('model', /^/),
    digest: text('digest', /^[0-9a-f]{64}$/),
    labels: text('labels', /^(sampled|data)$/) as FisherOrigin['labels'],
    form: text('form', /^(sequence|fast)$/) as FisherOrigin['form'],
    seed: count('seed'),
    sequences: count('sequences'),
    tokens: count('tokens'),
    probes: text('probes', /^[0-9a-f]{64}$/),
  }
}
