// What a method asks for beyond its models, made by the session and handed over tensor by tensor.

import { EngineError } from '../errors.ts'
import type { Fisher } from '../geometry/fisher.ts'
import { damp, widen } from '../kernels/elementwise/elementwise.ts'
import type { MaterialKind } from '../merge/declaration.ts'
import type { MaterialSource, MergeMethod, ShieldSource } from '../merge/method.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import { solve } from './geometry.ts'
import type { InputGrams } from './materialGram.ts'
import { type AbsoluteGradients, encodeImportance } from './materialImportance.ts'
import type { Purpose } from './purpose.ts'
import type { JobOptions, Session, Setup } from './session.ts'

export interface Provided {
  material: MaterialSource
  shield?: ShieldSource
  release(): void
}

/** One kind of material by tensor and model. */
type Provider = (
  tensor: string,
  k: number | 'base',
  scratch: (byteLength: number) => GPUBuffer,
) => GPUBuffer | undefined

/** Roles that a setup's `references` may name. */
const ROLES = ['aligned', 'unaligned', 'safe'] as const

export const hasWeight = (method: MergeMethod<unknown>): boolean =>
  method.declaration.parameters.some(({ id }) => id === 'weight')

/** Everything `kinds` names, computed once by the session. `weights` sum to 1. */
export async function provideMaterial(
  session: Session,
  setup: Setup,
  kinds: readonly MaterialKind[],
  weights: readonly number[],
  options: JobOptions,
): Promise<Provided> {
  // Other models cost nothing, so a role that is named is there whether it was asked for or not.
  const providers = new Map<MaterialKind, Provider>(
    ROLES.flatMap((role) => {
      const id = setup.references?.[role]
      return id === undefined ? [] : [[role, weightsOf(session.get(id).model)]]
    }),
  )
  let shield: HeldShield | undefined
  for (const kind of kinds)
    switch (kind) {
      case 'fisher':
        providers.set(kind, await fishers(session, setup, options))
        break
      case 'anchorFisher': {
        const fisher = await session.fisher(setup.anchor, setup.fisher, setup.seed, options)
        providers.set(kind, (tensor, _, scratch) => perToken(session, setup, fisher, tensor, scratch))
        break
      }
      case 'gram':
        providers.set(kind, await grams(session, setup, options))
        break
      case 'importance':
      case 'baseImportance':
        for (const [name, provider] of await importances(session, setup, options))
          providers.set(name, provider)
        break
      case 'shield':
        shield = await makeShield(session, setup, weights, options)
        break
      default:
        if (!providers.has(kind))
          throw new EngineError(
            'request-invalid',
            `${setup.method} needs one more model: name the ${kind} one in references.${kind}`,
          )
    }
  return {
    material: (kind, tensor, k, scratch) => providers.get(kind)?.(tensor, k, scratch),
    ...(shield && { shield: shield.source }),
    release: () => session.gpu.pool.release(shield?.b),
  }
}

/** What each expert is for: as the setup says, or told by its losses. */
async function purposesOf(session: Session, setup: Setup, options: JobOptions): Promise<Purpose[]> {
  const purposes: Purpose[] = []
  for (const { id, purpose } of setup.experts)
    purposes.push(purpose ?? (await session.material.purposeOf(id, setup.anchor, setup.seed, options)))
  return purposes
}

/** A model's weights as float32. */
const weightsOf =
  (model: DeviceModel): Provider =>
  (tensor, _, scratch) => {
    const { buffer, count: own } = model.tensor(tensor)
    const count = paddedCount(own)
    const out = scratch(count * 4)
    model.gpu.run(widen, { count }, { weight: buffer, out }, model.type)
    return out
  }

function perToken(
  session: Session,
  setup: Setup,
  fisher: Fisher,
  tensor: string,
  scratch: (byteLength: number) => GPUBuffer,
): GPUBuffer | undefined {
  const sums = fisher.sums.get(tensor)
  if (!sums) return undefined
  const count = paddedCount(session.get(setup.anchor).model.tensor(tensor).count)
  const out = scratch(count * 4)
  session.gpu.run(damp, { count, scale: 1 / fisher.tokens, shift: 0 }, { fisher: sums, out })
  return out
}

async function fishers(session: Session, setup: Setup, options: JobOptions): Promise<Provider> {
  const all: Fisher[] = []
  for (const { id } of setup.experts) all.push(await session.fisher(id, setup.fisher, setup.seed, options))
  return (tensor, k, scratch) =>
    k === 'base' ? undefined : perToken(session, setup, all[k], tensor, scratch)
}

async function grams(session: Session, setup: Setup, options: JobOptions): Promise<Provider> {
  const { material, gpu } = session
  const purposes = await purposesOf(session, setup, options)
  const all: InputGrams[] = []
  for (const [k, { id }] of setup.experts.entries())
    all.push(await material.gram(id, purposes[k], setup.seed, options))
  const { model } = session.get(setup.anchor)
  return (tensor, k, scratch) => {
    const gram = k === 'base' ? undefined : all[k]
    const sums = gram?.sums.get(tensor)
    if (!gram || !sums) return undefined
    const count = paddedCount(model.tensor(tensor).spec.shape[1] ** 2)
    const out = scratch(count * 4)
    gpu.run(damp, { count, scale: 1 / gram.tokens, shift: 0 }, { fisher: sums, out })
    return out
  }
}

async function importances(
  session: Session,
  setup: Setup,
  options: JobOptions,
): Promise<[MaterialKind, Provider][]> {
  const purposes = await purposesOf(session, setup, options)
  const makeAll = async (idOf: (k: number) => string): Promise<Provider> => {
    const all: AbsoluteGradients[] = []
    for (const [k, purpose] of purposes.entries())
      all.push(await session.material.absoluteGradients(idOf(k), purpose, setup.seed, options))
    return (tensor, k, scratch) => {
      if (k === 'base') return undefined
      const { model } = session.get(idOf(k))
      const out = scratch(paddedCount(model.tensor(tensor).count) * 4)
      encodeImportance(model, all[k], tensor, out)
      return out
    }
  }
  return [
    ['importance', await makeAll((k) => setup.experts[k].id)],
    ['baseImportance', await makeAll(() => setup.anchor)],
  ]
}

interface HeldShield {
  source: ShieldSource
  b: GPUBuffer
}

/** Undefined where nothing is taken off. */
async function makeShield(
  session: Session,
  setup: Setup,
  weights: readonly number[],
  options: JobOptions,
): Promise<HeldShield | undefined> {
  const geometry = await session.prepare(setup, options)
  const solution = solve(geometry, Float64Array.from(weights), setup.lambdaAlign, setup.rank)
  if (solution.b.every((value) => value === 0)) return undefined
  const { rows } = geometry.input.rows.own
  const b = session.gpu.pool.take(solution.b.length * 4)
  session.gpu.write(b, Float32Array.from(solution.b))
  return {
    b,
    source: (tensor) => {
      const a = rows.get(tensor)
      const metric = geometry.input.metric.diagonal.get(tensor)
      return a && metric ? { rows: solution.b.length, a, metric, b } : undefined
    },
  }
}
