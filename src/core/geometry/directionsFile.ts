// Alignment directions as a file that a page without a GPU loads: rows v_i = √g ∘ u_i (of unit length, where the u_i are
// orthonormal in the metric) in few bits, and, exactly, what the directions say of the experts' differences and of each
// other. Bound to the digests of the models and probes that all of it was computed from. No device. Ours.

import { EngineError } from '../errors.ts'
import { ContentHash, isSha256 } from '../files/contentHash.ts'
import { readSafetensorsHeader, readTensor } from '../files/safetensors.ts'
import type { Dtype } from '../files/safetensorsFormat.ts'
import { writeSafetensors } from '../files/safetensorsWriter.ts'
import type { ByteSource } from '../files/source.ts'
import { type PackedRows, packedBlocks, packedRowBytes } from './packedRows.ts'

export const DIRECTIONS_FORMAT = 'alignmerge-directions'
const VERSION = '1'
/** own: estimating probes; heldOut: held-out probes, same source; other: held-out probes, another source. */
export type DirectionSet = 'own' | 'heldOut' | 'other'
export const DIRECTION_SETS: readonly DirectionSet[] = ['own', 'heldOut', 'other']
/** More than any set has: a forged count must not be allocated. */
const MAX_ROWS = 64

/** A model by its weights. */
export interface NamedDigest {
  name: string
  /** weightsDigest */ digest: string
}

/** What a geometry follows from, weights and λ aside. */
export interface GeometrySettings {
  metric: 'fisher' | 'identity'
  damping: number
  source: string
  fisher: { labels: 'sampled' | 'data'; form: 'sequence' | 'fast' }
  seed: number
}

/**
 * u_iᵀ G x of each set, exactly, of known x: the K experts' differences, then the own directions as they come out of the
 * file. known[set][group][x][i]; groups are the layers, and last whatever lies outside them. The sum over groups is c_i.
 */
export type KnownCoordinates = Record<DirectionSet, number[][][]>

/** `Summary` is what the page is told of a geometry; its owner knows its form. */
export interface DirectionsAbout<Summary> {
  settings: GeometrySettings
  anchor: NamedDigest
  experts: NamedDigest[]
  /** SHA-256 of the probes */ probes: string
  summary: Summary
  known: KnownCoordinates
}

export interface Directions<Summary> extends DirectionsAbout<Summary> {
  rows: Record<DirectionSet, PackedRows>
}

interface RowsAbout {
  count: number
  bits: number
  peaks: number[]
}

/** The file in pieces. */
export async function* writeDirections<Summary>(directions: Directions<Summary>): AsyncGenerator<Uint8Array> {
  const { rows, ...about } = directions
  const sizes = Object.fromEntries(
    DIRECTION_SETS.map((set): [DirectionSet, RowsAbout] => {
      const { count, bits, peaks } = rows[set]
      return [set, { count, bits, peaks: [...peaks] }]
    }),
  )
  const tensors = DIRECTION_SETS.flatMap((set) => [
    { name: `${set}.codes`, ...codesOf(rows[set]) },
    { name: `${set}.scales`, ...scalesOf(rows[set]) },
  ])
  const named = {
    format: DIRECTIONS_FORMAT,
    version: VERSION,
    parameters: String(rows.own.length),
    rows: JSON.stringify(sizes),
    about: JSON.stringify(about),
  }
  const content = await hashOf(named, tensors)
  yield* writeSafetensors(tensors, { ...named, content }, ({ bytes }) => bytes)
}

interface Part {
  dtype: Dtype
  shape: number[]
  bytes: Uint8Array
}

const codesOf = ({ count, length, bits, codes }: PackedRows): Part => ({
  dtype: 'U8',
  shape: [count, packedRowBytes(length, bits)],
  bytes: codes,
})
const scalesOf = ({ count, length, scales }: PackedRows): Part => ({
  dtype: 'F16',
  shape: [count, packedBlocks(length)],
  bytes: new Uint8Array(scales.buffer, scales.byteOffset, scales.byteLength),
})

async function hashOf(
  named: Readonly<Record<string, string>>,
  tensors: readonly (Part & { name: string })[],
): Promise<string> {
  const hash = new ContentHash()
  hash.addText(JSON.stringify(Object.entries(named).sort(([a], [b]) => (a < b ? -1 : 1))))
  for (const { name, dtype, shape, bytes } of tensors) await hash.addTensor(name, dtype, shape, bytes)
  return hash.finish()
}

/**
 * Reads a file of directions over `length` parameters. Rejects `file-unsupported` for another kind or version,
 * `shape-mismatch` for another number of parameters, `file-malformed` for anything that contradicts itself.
 */
export async function readDirections<Summary>(
  source: ByteSource,
  length: number,
  signal?: AbortSignal,
): Promise<Directions<Summary>> {
  const header = await readSafetensorsHeader(source, signal)
  const file = source.name
  const { content, ...named } = header.metadata
  if (named.format !== DIRECTIONS_FORMAT || named.version !== VERSION)
    throw new EngineError(
      'file-unsupported',
      `found ${named.format ?? 'no format'} ${named.version ?? ''}, expected ${DIRECTIONS_FORMAT} ${VERSION}`,
      { file },
    )
  if (named.parameters !== String(length))
    throw new EngineError(
      'shape-mismatch',
      `directions over ${named.parameters} parameters, the model has ${length}`,
      { file },
    )
  const fail = (what: string): never => {
    throw new EngineError('file-malformed', what, { file })
  }
  const read = <T>(key: string): T => {
    try {
      return JSON.parse(named[key] ?? '') as T
    } catch {
      return fail(`${key} in the metadata is no JSON`)
    }
  }
  const sizes = read<Record<DirectionSet, RowsAbout>>('rows')
  const about = read<DirectionsAbout<Summary>>('about')
  const rows = {} as Record<DirectionSet, PackedRows>
  const parts: (Part & { name: string })[] = []
  for (const set of DIRECTION_SETS) {
    const { count, bits, peaks } = sizes[set] ?? fail(`no rows of the set ${set}`)
    if (!(Number.isInteger(count) && count >= 1 && count <= MAX_ROWS) || peaks?.length !== count)
      fail(`${set}: found ${count} rows with ${peaks?.length} sizes, expected 1 to ${MAX_ROWS}`)
    if (!(Number.isInteger(bits) && bits >= 2 && bits <= 8))
      fail(`${set}: found ${bits} bits, expected 2 to 8`)
    const bytes: Uint8Array<ArrayBuffer>[] = []
    for (const [kind, dtype, width] of [
      ['codes', 'U8', packedRowBytes(length, bits)],
      ['scales', 'F16', packedBlocks(length)],
    ] as const) {
      const name = `${set}.${kind}`
      const found = header.tensors.get(name)
      if (found?.dtype !== dtype || found.shape.join() !== [count, width].join())
        fail(`${name}: expected ${dtype} [${count},${width}], found ${found?.dtype} [${found?.shape}]`)
      const own = await readTensor(source, header, name, signal)
      bytes.push(own)
      parts.push({ name, dtype, shape: [count, width], bytes: own })
    }
    const [codes, scales] = bytes
    rows[set] = {
      count,
      length,
      bits,
      peaks: Float64Array.from(peaks),
      codes,
      // A copy: the tensor may begin at an odd byte of its buffer.
      scales: new Uint16Array(scales.slice().buffer),
    }
  }
  if (!content || !isSha256(content) || content !== (await hashOf(named, parts)))
    fail('the file was changed: its content does not give its hash')
  requireKnown(about, sizes, fail)
  return { ...about, rows }
}

/** Every table of known coordinates has its size, and holds numbers. */
function requireKnown<Summary>(
  { experts, known }: DirectionsAbout<Summary>,
  sizes: Record<DirectionSet, RowsAbout>,
  fail: (what: string) => never,
): void {
  const columns = (experts?.length ?? 0) + sizes.own.count
  for (const set of DIRECTION_SETS)
    for (const group of known?.[set] ?? fail(`no coordinates of the set ${set}`))
      if (
        group.length !== columns ||
        group.some((own) => own.length !== sizes[set].count || !own.every(Number.isFinite))
      )
        fail(`${set}: expected coordinates (${columns},${sizes[set].count})`)
}
