// The elementwise merges on seeded tensors of odd shapes, full of ties and zeros, in two storage types and with up to
// eight models: the device against the float64 reference. Values are sixty-fourths, so that differences are exact and
// both agree on every tie.

import { beforeAll, describe, expect, test } from 'vitest'
import { openTestDevice } from '../../testing/openTestDevice.ts'
import { mergeStored, referenceStored, type StoredMerge } from '../../testing/storedMerge.ts'
import type { Gpu } from '../gpu/device.ts'
import type { WeightType } from '../tensors/dtype.ts'
import { Random } from '../tensors/random.ts'
import type { MergeReference, ParameterValues } from './method.ts'
import { methodOf } from './methods/registry.ts'

let gpu: Gpu
beforeAll(async () => {
  gpu = await openTestDevice()
})

const references = import.meta.glob<{ reference: MergeReference }>('./methods/*/reference.ts', {
  eager: true,
})

/** Not in the order of their names, and not of whole fours. */
const SHAPES = {
  'model.embed_tokens.weight': [7, 13],
  'model.layers.2.self_attn.q_proj.weight': [31, 4],
  'model.layers.10.norm.weight': [3],
  'model.layers.0.norm.weight': [1],
  'model.layers.1.mlp.up_proj.weight': [5, 1],
  'model.layers.1.mlp.down_proj.weight': [1, 70],
  'lm_head.weight': [21, 27],
}

/** Sixty-fourths; three of ten elements of a model are those of the base. */
function drawModels(count: number, seed: number, steps: number): Record<string, Float32Array>[] {
  const random = new Random(seed, count)
  const step = () => (random.integer(2 * steps + 1) - steps) / 64
  const models: Record<string, Float32Array>[] = []
  for (let k = 0; k < count; k++)
    models.push(
      Object.fromEntries(
        Object.entries(SHAPES).map(([name, shape]) => [
          name,
          Float32Array.from({ length: shape.reduce((a: number, b) => a * b, 1) }, (_, i) =>
            k === 0 ? step() : models[0][name][i] + (random.uniform() < 0.3 ? 0 : step()),
          ),
        ]),
      ),
    )
  return models
}

interface Regime {
  parameters?: ParameterValues
  /** drawn anew for every model */
  own?: ((random: Random) => ParameterValues) | undefined
  experts?: readonly number[]
}

const DENSITIES = [0, 0.01, 0.2, 0.37, 0.5, 0.83, 1]
const one = <T>(random: Random, items: readonly T[]): T => items[random.integer(items.length)]
const weight = (random: Random) => ({ weight: one(random, [0.5, 0.25, 1, 0.125, -0.5, 2]) })
const trimmed = (random: Random) => ({ ...weight(random), density: one(random, DENSITIES) })
const ranked = (random: Random) => ({
  ...weight(random),
  ...one(random, [
    { density: 0.5, epsilon: 0.15 },
    { density: 0.3, epsilon: 0.29 },
    { density: 0.9, epsilon: 0.05 },
    { density: 1, epsilon: 0.1 },
  ]),
})
const outliers = (random: Random) => ({ ...trimmed(random), gamma: one(random, [0, 0.01, 0.1, 0.6]) })

const everySwitch = [
  { normalize: true, rescale: false },
  { normalize: false, rescale: true, lambda: 0.75 },
]
const variants = everySwitch.flatMap((switches) => [
  { ...switches, variant: 'mergekit' },
  { ...switches, variant: 'paper' },
])
const regimes = (own: Regime['own'], all: readonly ParameterValues[]): Regime[] =>
  all.map((parameters) => ({ own, parameters }))

const METHODS: Record<string, Regime[]> = {
  task_arithmetic: [
    ...regimes(weight, [{ normalize: true }, { normalize: false, lambda: 0.75 }]),
    { own: () => ({ weight: -0.5 }), parameters: { normalize: true } },
  ],
  ties: regimes(trimmed, variants),
  dare_linear: regimes(trimmed, variants),
  dare_ties: regimes(trimmed, variants),
  della: regimes(ranked, variants),
  della_linear: regimes(ranked, variants),
  breadcrumbs: regimes(outliers, everySwitch),
  breadcrumbs_ties: regimes(outliers, everySwitch),
  sce: regimes(undefined, [
    { select_topk: 1 },
    { select_topk: 0.4 },
    { select_topk: 0.03 },
    { select_topk: 0 },
  ]),
  ram: regimes(undefined, [{ epsilon: 1e-5 }, { epsilon: 0.25 }]),
  ramplus_tl: regimes(undefined, [{ epsilon: 1e-5, r: 0.5, alpha: 3 }, { epsilon: 0.25 }]),
  nearswap: [
    { parameters: { t: 0.3 }, experts: [1] },
    { parameters: { t: 10 }, experts: [1] },
  ],
  arcee_fusion: [
    { experts: [1], parameters: { variant: 'mergekit' } },
    { experts: [1], parameters: { variant: 'exact' } },
  ],
  passthrough: [{ experts: [1], own: (random) => ({ scale: one(random, [1, 0, -0.75]) }) }],
  layerwise: regimes(weight, [{ normalize: true }, { normalize: false, start: 0.25, end: 1.5 }]).map(
    (regime) => ({ ...regime, experts: [2, 5, 8] }),
  ),
}

/** What a merge may differ by: rounding of the stored type, and float32 sums of values of this size. */
const ROUNDING: Record<WeightType, number> = { f32: 2e-7, bf16: 2 ** -8 * 1.01, f16: 2 ** -11 * 1.01 }

/** The worst element against the bound; undefined when all are inside. */
function worstOf(
  merged: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float64Array>,
  { type, values, parameters }: StoredMerge,
): string | undefined {
  for (const [name, reference] of expected) {
    const ours = merged.get(name)!
    if (ours.length !== reference.length) return `${name}: ${ours.length} elements`
    const scale = values.reduce((most, model) => Math.max(most, ...model[name].map(Math.abs)), 0)
    for (let i = 0; i < reference.length; i++) {
      const allowed = ROUNDING[type] * Math.abs(reference[i]) + 4e-6 * scale
      if (!(Math.abs(ours[i] - reference[i]) <= allowed))
        return `${name}[${i}]: ${ours[i]}, expected ${reference[i]}; ${JSON.stringify(parameters)}`
    }
  }
  return undefined
}

describe.each(Object.entries(METHODS))('%s', (method, list) => {
  test.each(['f32', 'bf16'] as const)('%s', async (type) => {
    const reference = references[`./methods/${method}/reference.ts`].reference
    const hasBase = methodOf(method).declaration.base === 'required'
    let seed = 0
    for (const { parameters = {}, own, experts = [1, 3, 4, 5, 8] } of list)
      for (const count of experts) {
        seed++
        const random = new Random(seed, 5)
        const merge: StoredMerge = {
          method,
          type,
          shapes: SHAPES,
          // Few steps: ties everywhere; many: a few.
          values: drawModels(count + (hasBase ? 1 : 0), seed, one(random, [2, 12, 50])),
          hasBase,
          parameters,
          modelParameters: Array.from({ length: count }, () => own?.(random) ?? {}),
          seed: one(random, [0, 7, 4294967295, 2 ** 40 + 3]),
        }
        const merged = await mergeStored(gpu, merge)
        const miss = worstOf(merged, referenceStored(reference, merge), merge)
        expect(miss && `${count} models, ${JSON.stringify(merge.modelParameters)}: ${miss}`).toBeUndefined()
      }
  })
})
