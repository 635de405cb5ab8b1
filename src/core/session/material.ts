// What a method asks for beyond its models, made by the session and handed over tensor by tensor.

import { EngineError } from '../errors.ts'
import type { Fisher } from '../geometry/fisher.ts'
import { damp } from '../kernels/elementwise/elementwise.ts'
import type { MaterialKind } from '../merge/declaration.ts'
import type { MaterialSource, MergeMethod, ShieldSource } from '../merge/method.ts'
import { paddedCount } from '../model/deviceModel.ts'
import { solve } from './geometry.ts'
import type { JobOptions, Session, Setup } from './session.ts'

export interface Provided {
  material: MaterialSource
  shield?: ShieldSource
  release(): void
}

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
  const { gpu } = session
  const ids = setup.experts.map(({ id }) => id)
  const fishers = new Map<number | 'base', Fisher>()
  const fisherOf = async (k: number | 'base', id: string) =>
    fishers.set(k, await session.fisher(id, setup.fisher, setup.seed, options))
  let shield: ShieldSource | undefined
  let b: GPUBuffer | undefined
  for (const kind of kinds) {
    if (kind === 'fisher') for (const [k, id] of ids.entries()) await fisherOf(k, id)
    else if (kind === 'anchorFisher') await fisherOf('base', setup.anchor)
    else if (kind === 'shield') {
      const geometry = await session.prepare(setup, options)
      const solution = solve(geometry, Float64Array.from(weights), setup.lambdaAlign, setup.rank)
      const { rows } = geometry.input.rows.own
      if (solution.b.some((value) => value !== 0)) {
        const held = gpu.pool.take(solution.b.length * 4)
        gpu.write(held, Float32Array.from(solution.b))
        b = held
        shield = (tensor) => {
          const a = rows.get(tensor)
          const metric = geometry.input.metric.diagonal.get(tensor)
          return a && metric ? { rows: solution.b.length, a, metric, b: held } : undefined
        }
      }
    } else throw new EngineError('request-invalid', `this session cannot provide ${kind}`)
  }
  return {
    material(kind, tensor, k, scratch) {
      if (kind !== 'fisher' && kind !== 'anchorFisher') return undefined
      const fisher = fishers.get(k)
      const sums = fisher?.sums.get(tensor)
      if (!fisher || !sums) return undefined
      const count = paddedCount(session.get(setup.anchor).model.tensor(tensor).count)
      const out = scratch(count * 4)
      gpu.run(damp, { count, scale: 1 / fisher.tokens, shift: 0 }, { fisher: sums, out })
      return out
    },
    ...(shield && { shield }),
    release: () => gpu.pool.release(b),
  }
}
