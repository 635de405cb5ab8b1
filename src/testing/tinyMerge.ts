// A made-up anchor, experts, rows of A and metric of a few thousand weights on the device, and the same numbers
// read back as plain float64 vectors, so that geometry and merging can be checked against their formulas.

import type { AlignmentRows, LossTerm } from '../core/geometry/alignmentRows.ts'
import { lossRows } from '../core/geometry/alignmentRows.ts'
import { type Fisher, fisherDiagonal } from '../core/geometry/fisher.ts'
import { dampedMetric, identityMetric, type Metric } from '../core/geometry/metric.ts'
import type { Gpu } from '../core/gpu/device.ts'
import type { RawConfig } from '../core/model/config.ts'
import { DeviceModel, paddedCount } from '../core/model/deviceModel.ts'
import { decodeWeights, encodeWeights, type WeightType } from '../core/tensors/dtype.ts'
import { Random } from '../core/tensors/random.ts'
import { TINY_CONFIGS, tinyModel } from './tinyModels.ts'

export interface TinyMerge {
  gpu: Gpu
  anchor: DeviceModel
  experts: DeviceModel[]
  fisher: Fisher
  metric: Metric
  rows: Record<'own' | 'heldOut' | 'other', AlignmentRows>
}

/** `count` seeded sequences of 6 to 11 tokens, each with targets from its second to fifth token on. */
export function randomSequences(count: number, vocabulary: number, seed: number) {
  const random = new Random(seed, 77)
  return Array.from({ length: count }, () => ({
    ids: Array.from({ length: 6 + random.integer(6) }, () => random.integer(vocabulary)),
    firstTarget: 1 + random.integer(4),
  }))
}

/** The anchor of a config, moved by seeded noise of `size`: an expert near it. */
export function expertOf(gpu: Gpu, raw: RawConfig, type: WeightType, seed: number, size = 0.05): DeviceModel {
  const { config, arrays } = tinyModel(raw, type)
  let stream = 0
  const moved = Array.from(arrays, ([name, values]): [string, Float32Array] => {
    const noise = new Random(seed, stream++).normals(values.length, size)
    const sum = values.map((value, i) => value + noise[i])
    return [name, decodeWeights(encodeWeights(sum, type), type)]
  })
  return DeviceModel.fromArrays(gpu, config, new Map(moved), type)
}

/** 'loss' rows of A: one sequence each. */
const terms = (sequences: ReturnType<typeof randomSequences>): LossTerm[] =>
  sequences.map((sequence, row) => ({ row, sequence, sign: 1 }))

export async function tinyMerge(
  gpu: Gpu,
  options: {
    damping?: number
    identity?: boolean
    type?: WeightType
    experts?: number
    config?: string
  } = {},
): Promise<TinyMerge> {
  const { damping = 0.5, identity = false, type = 'f32', experts = 2 } = options
  const raw = TINY_CONFIGS[options.config ?? 'phi3, odd sizes: hidden 18, head 6, window 4, tied']
  const { config, arrays } = tinyModel(raw, type)
  const anchor = DeviceModel.fromArrays(gpu, config, arrays, type)
  const V = config.vocabSize
  const fisher = await fisherDiagonal(anchor, randomSequences(8, V, 1), {
    labels: 'sampled',
    form: 'sequence',
    seed: 3,
  })
  const make = (count: number, seed: number) =>
    lossRows(anchor, terms(randomSequences(count, V, seed)), count)
  return {
    gpu,
    anchor,
    experts: Array.from({ length: experts }, (_, k) => expertOf(gpu, raw, type, 40 + k)),
    fisher,
    metric: identity ? identityMetric(anchor) : await dampedMetric(anchor, fisher, damping),
    rows: { own: await make(6, 11), heldOut: await make(5, 12), other: await make(4, 13) },
  }
}

/** All weights of a model end to end (P), without padding. */
export async function flatWeights(model: DeviceModel): Promise<Float64Array> {
  const parts: Float32Array[] = []
  for (const name of model.tensors.keys()) parts.push(await model.read(name))
  return join(parts)
}

/** Row `row` of float32 buffers by tensor (P), without padding. */
export async function flatBuffers(
  model: DeviceModel,
  buffers: ReadonlyMap<string, GPUBuffer>,
  row = 0,
): Promise<Float64Array> {
  const parts: Float32Array[] = []
  for (const { spec, count } of model.tensors.values())
    parts.push(await model.gpu.readFloats(buffers.get(spec.name)!, count, row * paddedCount(count) * 4))
  return join(parts)
}

/** All rows of A (n × P). */
export async function flatRows(model: DeviceModel, { count, rows }: AlignmentRows): Promise<Float64Array[]> {
  const out: Float64Array[] = []
  for (let row = 0; row < count; row++) out.push(await flatBuffers(model, rows, row))
  return out
}

/** [start, end) of each tensor in a flat vector. */
export function spansOf(model: DeviceModel): { name: string; layer?: number; start: number; end: number }[] {
  let end = 0
  return [...model.tensors.values()].map(({ spec, count }) => {
    end += count
    return {
      name: spec.name,
      start: end - count,
      end,
      ...(spec.layer === undefined ? {} : { layer: spec.layer }),
    }
  })
}

export const inner = (x: Float64Array, y: Float64Array, g?: Float64Array): number =>
  x.reduce((sum, value, j) => sum + value * y[j] * (g?.[j] ?? 1), 0)

function join(parts: readonly Float32Array[]): Float64Array {
  const out = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
