// Every merge method in two dimensions, by its own float64 reference: one tensor of two weights, a base, two experts.
// Spectral methods see the diagonal of a 2 × 2 matrix, which keeps its singular values in sight; methods that go by
// layers see the same two weights in four layers. src/help/pictures.json holds the results, pictures.test.ts the two
// together.

import {
  matrix,
  type ReferenceProblem,
  referenceBasis,
  referenceMerge,
} from '../core/merge/closedForm.reference.ts'
import type { MethodDeclaration, ParameterScalar } from '../core/merge/declaration.ts'
import type { MergeReference, PlannedTensor } from '../core/merge/method.ts'
import { DECLARATIONS } from '../core/merge/methods/declarations.ts'
import { completeParameters } from '../core/merge/parameters.ts'

interface Point {
  x: number
  y: number
}

interface Picture {
  id: string
  space: 'two weights' | 'diagonal of a 2 × 2 matrix' | 'two weights in four layers'
  base: Point | null
  experts: Point[]
  others: { label: string; at: Point }[]
  merged: Point[]
  /** parameters that are not at their defaults */
  shown: Record<string, ParameterScalar>
  path: { parameter: string; from: string; to: string; points: Point[] } | null
}

const references = import.meta.glob<{ reference: MergeReference }>('../core/merge/methods/*/reference.ts', {
  eager: true,
})

/** The experts agree in y and disagree in x, where the second one is the weaker. */
export const base: Point = { x: 1.2, y: 0.6 }
const experts: readonly Point[] = [
  { x: 3.2, y: 1.2 },
  { x: 0.8, y: 2.4 },
]
const aligned: Point = { x: 0.8, y: 1.9 }
const unaligned: Point = { x: 1.3, y: -0.6 }
/** A weight matters to the expert that changed it most. */
const fishers = [
  [3, 0.5],
  [0.4, 2],
]
const importance = {
  experts: [
    [2, 1],
    [0.5, 3],
  ],
  base: [1, 2],
}

interface Sweep {
  parameter: string
  values: readonly number[]
  /** a number of the method, or the first expert's share of the weights */
  by: 'parameter' | 'share'
}

const steps = (from: number, to: number, count = 24): number[] =>
  Array.from({ length: count + 1 }, (_, i) => from + ((to - from) * i) / count)
const shares: Sweep = { parameter: 'weight of the first expert', values: steps(0, 1), by: 'share' }
const along = (parameter: string, from: number, to: number): Sweep => ({
  parameter,
  values: steps(from, to),
  by: 'parameter',
})

/** What is varied for the path of a method; nothing where two weights would only jump. */
const sweeps: Readonly<Record<string, Sweep>> = {
  linear: shares,
  multislerp: shares,
  nuslerp: shares,
  regmean: shares,
  fisher_average: shares,
  slerp: along('t', 0, 1),
  nearswap: along('t', 0.001, 2.2),
  passthrough: along('scale', 0, 1.2),
  task_arithmetic: along('lambda', 0, 1),
  ties: along('lambda', 0, 1),
  breadcrumbs: along('lambda', 0, 1),
  breadcrumbs_ties: along('lambda', 0, 1),
  tsvm: along('alpha', 0, 1),
  iso_c: along('scale', 0, 1),
  doge: along('eta', 0, 2),
  mergealign: along('beta', 0, 1),
  safemerge: along('alpha', 0, 1),
}

const byLayers = ['layerwise', 'mediator']
const asMatrix = ['spectral', 'sequential']
/** At their defaults these would drop both weights, or none, or hardly move. */
const shown: Readonly<Record<string, Record<string, ParameterScalar>>> = {
  led: { r: 0.5 },
  nearswap: { t: 0.8 },
  doge: { eta: 1, top: 1, steps: 0 },
  sce: { select_topk: 0.5 },
}

function spaceOf(declaration: MethodDeclaration): Picture['space'] {
  if (byLayers.includes(declaration.id)) return 'two weights in four layers'
  const takesMatrix =
    asMatrix.includes(declaration.group) || ['regmean', 'safemerge'].includes(declaration.id)
  return takesMatrix ? 'diagonal of a 2 × 2 matrix' : 'two weights'
}

const flat = (at: Point, space: Picture['space']): Float64Array =>
  Float64Array.from(space === 'diagonal of a 2 × 2 matrix' ? [at.x, 0, 0, at.y] : [at.x, at.y])

const diagonal = ([x, y]: readonly number[]): Float64Array => Float64Array.of(x, 0, 0, y)

/** What the method is given beside the models. */
function materialOf(kind: string, k: number | 'base', space: Picture['space']): Float64Array | undefined {
  switch (kind) {
    case 'fisher':
      return Float64Array.from(fishers[k as number])
    case 'gram':
      return diagonal(fishers[k as number])
    case 'importance':
      return Float64Array.from(k === 'base' ? importance.base : importance.experts[k])
    case 'aligned':
      return flat(aligned, space)
    case 'unaligned':
      return flat(unaligned, space)
    default:
      return undefined
  }
}

interface Setting {
  parameters?: Record<string, ParameterScalar>
  weights?: readonly number[]
  seed?: number
}

/** Merged points of a method, one for each tensor. */
function mergeOnce(declaration: MethodDeclaration, setting: Setting): Point[] {
  const space = spaceOf(declaration)
  const models = experts.slice(0, declaration.experts.max === 1 ? 1 : 2)
  const knows = (id: string) => declaration.parameters.some((parameter) => parameter.id === id)
  const given = { ...shown[declaration.id], ...setting.parameters }
  const isOf = (scope: string, id: string) =>
    declaration.parameters.some((parameter) => parameter.id === id && parameter.scope === scope)
  const some = (scope: string) => Object.fromEntries(Object.entries(given).filter(([id]) => isOf(scope, id)))
  const complete = completeParameters(
    declaration,
    some('global'),
    models.map((_, k) => ({
      ...(knows('weight') && {
        weight: setting.weights?.[k] ?? defaultWeight(declaration, models.length),
      }),
      ...requiredOf(declaration),
      ...some('model'),
    })),
  )
  const names =
    space === 'two weights in four layers'
      ? [0, 1, 2, 3].map((layer) => `model.layers.${layer}.mlp.up_proj.weight`)
      : ['model.layers.0.mlp.up_proj.weight']
  const tensors = names.map(
    (name, layer): PlannedTensor => ({
      name,
      shape: space === 'diagonal of a 2 × 2 matrix' ? [2, 2] : [2],
      layer,
      ...complete,
    }),
  )
  // From the first layer, where both experts are one, to the last, where they are themselves: a conflict that grows.
  const at = (point: Point, layer: number): Point => {
    if (declaration.id !== 'mediator' || point !== experts[1]) return point
    const turn = layer / 3
    return {
      x: experts[0].x + turn * (point.x - experts[0].x),
      y: experts[0].y + turn * (point.y - experts[0].y),
    }
  }
  const stored = (point: Point) => new Map(names.map((name, layer) => [name, flat(at(point, layer), space)]))
  const merged = references[`../core/merge/methods/${declaration.id}/reference.ts`].reference({
    tensors,
    layerCount: names.length,
    seed: setting.seed ?? 1,
    base: usesBase(declaration) ? stored(base) : undefined,
    models: models.map(stored),
    material: (kind, _, k) => materialOf(kind, k, space),
  })
  return names.map((name) => {
    const values = merged.get(name)!
    return { x: values[0], y: values[values.length - 1] }
  })
}

const usesBase = ({ base: need, isBaseLeftOut }: MethodDeclaration): boolean =>
  need === 'required' || (need === 'optional' && !isBaseLeftOut)

/** Equal shares where weights are shares, the default where they scale. */
function defaultWeight(declaration: MethodDeclaration, count: number): number {
  const isShare = ['averages', 'sphere', 'data', 'safety'].includes(declaration.group)
  return isShare ? 1 / count : 1
}

/** Parameters that a recipe has to give, at their defaults. */
function requiredOf(declaration: MethodDeclaration): Record<string, ParameterScalar> {
  return Object.fromEntries(
    declaration.parameters
      .filter(({ id, scope, isRequired }) => scope === 'model' && isRequired && id !== 'weight')
      .map((parameter) => [parameter.id, parameter.default]),
  )
}

/** AlignMerge has no reference of tensors: its dense one, with a metric and one alignment row of two weights. */
function alignMerge(lambdaAlign: number): Point {
  const metric = matrix(
    2,
    2,
    (i, j) =>
      [
        [2, 0.5],
        [0.5, 1],
      ][i][j],
  )
  const { u } = referenceBasis(
    matrix(1, 2, (_, j) => [1.5, 0.4][j]),
    metric,
    1,
  )
  const problem: ReferenceProblem = {
    metric,
    u,
    experts: experts.map(({ x, y }) => Float64Array.of(x - base.x, y - base.y)),
    weights: [0.5, 0.5],
    lambdaAlign,
    w: [1],
  }
  const delta = referenceMerge(problem)
  return { x: base.x + delta[0], y: base.y + delta[1] }
}

const rounded = ({ x, y }: Point): Point => ({ x: Number(x.toFixed(6)), y: Number(y.toFixed(6)) })

function distinct(points: readonly Point[]): Point[] {
  const seen = new Map(points.map(rounded).map((point) => [`${point.x} ${point.y}`, point]))
  return [...seen.values()].sort((a, b) => a.x - b.x || a.y - b.y)
}

/** The picture of one method. */
export function drawMethod(declaration: MethodDeclaration): Picture {
  const { id } = declaration
  const space = spaceOf(declaration)
  const models = experts.slice(0, declaration.experts.max === 1 ? 1 : 2)
  const common = {
    id,
    space,
    shown: shown[id] ?? {},
    base: usesBase(declaration) ? base : null,
    experts: [...models],
    others: [
      ...(declaration.material.includes('aligned') ? [{ label: 'aligned model', at: aligned }] : []),
      ...(declaration.material.includes('unaligned') ? [{ label: 'unaligned model', at: unaligned }] : []),
    ],
  }
  if (id === 'alignmerge') {
    const values = steps(0, 1).map((share) => share / (1.0009775 - share))
    const points = values.map((lambda) => rounded(alignMerge(lambda)))
    const path = { parameter: 'λ_align', from: '0', to: '1024', points }
    return { ...common, merged: [rounded(alignMerge(4))], path }
  }
  const seeds = declaration.isRandom ? steps(1, 64, 63) : [1]
  const merged = distinct(seeds.flatMap((seed) => mergeOnce(declaration, { seed })))
  const sweep = sweeps[id]
  if (!sweep) return { ...common, merged, path: null }
  const points = sweep.values.map((value) => {
    const setting: Setting =
      sweep.by === 'share' ? { weights: [value, 1 - value] } : { parameters: { [sweep.parameter]: value } }
    return rounded(mergeOnce(declaration, setting)[0])
  })
  const ends = { from: String(sweep.values[0]), to: String(sweep.values.at(-1)) }
  return { ...common, merged, path: { parameter: sweep.parameter, ...ends, points } }
}

export const drawAll = (): Picture[] => DECLARATIONS.map(drawMethod)
