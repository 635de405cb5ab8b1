// Makes what a page without a GPU loads: an anchor's geometry for some experts, computed once by a session on a device,
// as packed directions with all that is known of them exactly.

import type { ByteSource } from '../../files/source.ts'
import { weightsDigest } from '../../files/weightsDigest.ts'
import {
  DIRECTION_SETS,
  type DirectionSet,
  type Directions,
  type KnownCoordinates,
  type NamedDigest,
} from '../../geometry/directionsFile.ts'
import { readFisherFile } from '../../geometry/fisherFile.ts'
import { packRows, unpackRows } from '../../geometry/packedRows.ts'
import { paddedCount } from '../../model/deviceModel.ts'
import type { Geometry } from '../geometry.ts'
import { probesDigest } from '../geometryFiles.ts'
import type { JobOptions, Session, Setup } from '../session.ts'
import { type GeometryNumbers, summariseGeometry } from '../summary.ts'
import { dampedDiagonal, readFisher } from './hostMetric.ts'
import { differenceOf, type HostLayout, layoutOf, readHostWeights } from './hostWeights.ts'

/** Bits of each number by set: what is written into weights is kept finer than what only measures them. */
export type DirectionBits = Record<DirectionSet, number>
/** Directions of each set that are shipped, the default rank: twice as many would be twice as much to load. */
export const DIRECTION_RANK = 8
export const DIRECTION_BITS: DirectionBits = { own: 8, heldOut: 6, other: 6 }

/** Directions as they are computed, before they are packed. */
export interface ExactDirections {
  layout: HostLayout
  /** g (P) */ metric: Float32Array
  /** v_i = √g ∘ u_i (P) */ rows: Record<DirectionSet, Float64Array[]>
}

/**
 * The first `rank` directions of each set of a setup. `fisher` is the anchor's file (`session.files.exportFisher`), from which the page makes its
 * metric too.
 */
export async function exactDirections(
  session: Session,
  setup: Setup,
  fisher: ByteSource,
  rank: number,
  options: JobOptions = {},
): Promise<ExactDirections> {
  const anchor = session.get(setup.anchor).checkpoint
  const layout = layoutOf(anchor.weights)
  const digest = await weightsDigest(anchor, { signal: options.signal })
  const owner = { name: anchor.name, weights: anchor.weights, digest }
  const file = await readFisherFile(fisher, owner, options.signal)
  const metric =
    setup.metric === 'identity'
      ? new Float32Array(layout.total).fill(1)
      : dampedDiagonal(await readFisher(file, layout, options.signal), setup.damping)
  const root = Float64Array.from(metric, Math.sqrt)
  const geometry = await session.prepare(setup, options)
  const rows = {} as ExactDirections['rows']
  for (const set of DIRECTION_SETS) rows[set] = await rootDirections(geometry, set, rank, layout, root)
  return { layout, metric, rows }
}

/** Everything that a page without a GPU needs of a setup's geometry; see exactDirections. */
export async function makeDirections(
  session: Session,
  setup: Setup,
  fisher: ByteSource,
  options: JobOptions & { bits?: DirectionBits; rank?: number } = {},
): Promise<Directions<GeometryNumbers>> {
  const { bits = DIRECTION_BITS, rank = DIRECTION_RANK, signal } = options
  const anchor = session.get(setup.anchor).checkpoint
  const exact = await exactDirections(session, setup, fisher, rank, options)
  const rows = {
    own: packRows(exact.rows.own, bits.own),
    heldOut: packRows(exact.rows.heldOut, bits.heldOut),
    other: packRows(exact.rows.other, bits.other),
  }
  const named: NamedDigest[] = []
  const differences: Float64Array[] = []
  const base = await readHostWeights(anchor, { signal })
  for (const { id } of setup.experts) {
    const { checkpoint } = session.get(id)
    named.push({ name: checkpoint.name, digest: await weightsDigest(checkpoint, { signal }) })
    differences.push(differenceOf(await readHostWeights(checkpoint, { signal }), base))
  }
  const { metric, damping, source, seed } = setup
  return {
    settings: { metric, damping, source, fisher: setup.fisher, seed },
    anchor: { name: anchor.name, digest: await weightsDigest(anchor, { signal }) },
    experts: named,
    probes: await probesDigest(session.probes),
    summary: await summariseGeometry(session, setup, options),
    known: knownCoordinates(exact, differences, unpackRows(rows.own), anchor.config.layerCount),
    rows,
  }
}

/** u_iᵀ G x of every set for the differences (P) and for own directions v (P). */
export function knownCoordinates(
  { layout, metric, rows }: ExactDirections,
  differences: readonly Float64Array[],
  own: readonly ArrayLike<number>[],
  layerCount: number,
): KnownCoordinates {
  const vectors = [
    ...differences.map((delta) => delta.map((x, p) => x * Math.sqrt(metric[p]))),
    ...own.map((row) => Float64Array.from(row)),
  ]
  const of = (set: DirectionSet) => knownOf(rows[set], vectors, layout, layerCount)
  return { own: of('own'), heldOut: of('heldOut'), other: of('other') }
}

/** v_i = √g ∘ u_i = (Aᵀw_i) / √g of a set, float64. */
async function rootDirections(
  { bases, input }: Geometry,
  set: DirectionSet,
  most: number,
  layout: HostLayout,
  root: Float64Array,
): Promise<Float64Array[]> {
  const { n, rows: mixing } = bases[set]
  const rank = Math.min(most, bases[set].rank)
  const { gpu } = input.anchor
  const out = Array.from({ length: rank }, () => new Float64Array(layout.total))
  for (const { name, start, count } of layout.weights) {
    const stride = paddedCount(count)
    const rows = await gpu.readFloats(input.rows[set].rows.get(name)!, n * stride)
    for (let i = 0; i < rank; i++)
      for (let j = 0; j < n; j++) {
        const w = mixing[i * n + j]
        for (let p = 0; p < count; p++) out[i][start + p] += w * rows[j * stride + p]
      }
  }
  for (const row of out) for (let p = 0; p < row.length; p++) row[p] /= root[p]
  return out
}

/** v_iᵀ x of each group and each x, which stand multiplied by √g. */
function knownOf(
  directions: readonly Float64Array[],
  vectors: readonly Float64Array[],
  layout: HostLayout,
  layerCount: number,
): number[][][] {
  const known = Array.from({ length: layerCount + 1 }, () =>
    vectors.map(() => new Array<number>(directions.length).fill(0)),
  )
  for (const { layer, start, count } of layout.weights)
    vectors.forEach((x, column) => {
      directions.forEach((v, i) => {
        let sum = 0
        for (let p = start; p < start + count; p++) sum += v[p] * x[p]
        known[layer ?? layerCount][column][i] += sum
      })
    })
  return known
}
