// Zeroth-order descent in the coefficients of fixed low-rank directions: TeZO (arXiv 2501.19057) without the model.
// θ(s) = θ_0 + Σ over matrices of U diag(s) Vᵀ with U, V drawn once, so all there is to walk in is s, r numbers a
// matrix. Per step, with τ ~ N(0, I):
//   κ = [ f(s + ρτ) − f(s − ρτ) ] / 2ρ,   s ← s − (η/r) m,   m = κτ, or β m + (1 − β) κτ with momentum.
// The division by r is the correction of E[Z⟨Z,∇f⟩] = r ∇f over U, V and τ. Over τ alone, which is what happens
// while U and V stay, the expectation is the gradient inside their span: nothing outside it is ever descended.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { Random } from '../tensors/random.ts'
import { REPAIR_STREAMS } from './repairProbes.ts'

export interface LowRankStepOptions {
  /** r, numbers per matrix */ rank: number
  steps: number
  /** ρ */ perturbation: number
  /** η of each step, above 0 */ rate: (step: number) => number
  /** β, 0 is plain; below 1. The average form m ← β m + (1 − β) κτ */ momentum: number
  seed: number
  signal?: AbortSignal | undefined
  /** after each step: mean of its two losses and the slope κ */
  onStep?: ((step: number, loss: number, slope: number) => void) | undefined
  /** after each step, with s; true ends the descent */
  afterStep?: ((step: number, s: Float64Array) => Promise<boolean>) | undefined
}

/**
 * Walks s (a multiple of `rank`) in place; `loss` is called twice a step and must see the same data both times.
 * `not-finite` when it gives no number, s then as before the step; `request-invalid` for a setting out of range.
 */
export async function descendLowRank(
  s: Float64Array,
  loss: (s: Float64Array, step: number) => Promise<number>,
  options: LowRankStepOptions,
): Promise<void> {
  const { rank, steps, perturbation, rate, momentum, seed } = options
  const isPositive = (value: number) => value > 0 && Number.isFinite(value)
  if (!isPositive(perturbation) || !isPositive(rate(0)) || !(momentum >= 0 && momentum < 1))
    throw new EngineError(
      'request-invalid',
      `TeZO: perturbation ${perturbation} and rate ${rate(0)} must be above 0, momentum ${momentum} in [0, 1)`,
    )
  if (!Number.isInteger(steps) || steps < 0)
    throw new EngineError('request-invalid', `TeZO: expected a number of steps, found ${steps}`)
  const random = new Random(seed, REPAIR_STREAMS.steps)
  const mean = new Float64Array(s.length)
  for (let step = 0; step < steps; step++) {
    throwIfCancelled(options.signal)
    const tau = Float64Array.from(s, () => random.normal())
    const plus = await loss(
      s.map((value, i) => value + perturbation * tau[i]),
      step,
    )
    const minus = await loss(
      s.map((value, i) => value - perturbation * tau[i]),
      step,
    )
    const slope = (plus - minus) / (2 * perturbation)
    if (!Number.isFinite(slope))
      throw new EngineError('not-finite', `TeZO step ${step}: losses ${plus} and ${minus}`)
    const length = rate(step) / rank
    for (let i = 0; i < s.length; i++) {
      mean[i] = momentum * mean[i] + (1 - momentum) * slope * tau[i]
      s[i] -= length * mean[i]
    }
    options.onStep?.(step, (plus + minus) / 2, slope)
    if (await options.afterStep?.(step, s)) return
  }
}
