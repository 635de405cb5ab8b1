// The inner problem at one λ_align: closed form, then rounds that re-linearise at the merge they have reached.
// A round, at θ^(r) = θ_IT + δ^(r):
//   1. rows of A at θ^(r): scores f_j of fitting probes (alignDecision.ts; for source aqi, log S by topic). Row j
//      enters with the offset o_j = f_j(θ^(r)) − f_j(θ_IT) − ⟨A_j, δ^(r)⟩, so that c_i is the change the probe has
//      really suffered and not its slope times the whole way: Gauss–Newton on Σ w_i (w_iᵀ[f(δ) − f(0)])².
//   2. a gradient q and the value of every functional of the budget at θ^(r);
//   3. the shield is solved anew, δ from θ_IT; steps of earlier rounds are kept, and the budget's first-order step
//      from there meets τ along H⁻¹q.
// Layers have no offsets (a probe's score has no layer). Of all rounds the one with the least shortfall on the
// fitting half is kept. The metric stays the anchor's. All ours; methods.md §1.3 sketches rows, q and rounds.

import { throwIfCancelled } from '../errors.ts'
import type { AlignmentRows } from '../geometry/alignmentRows.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import { addSteps, type BudgetCut, rowProductAt, takeBudgetCuts } from '../merge/alignMerge/budgetCuts.ts'
import { RowSpace } from '../merge/alignMerge/rowSpace.ts'
import { type ShieldPart, solveShield } from '../merge/alignMerge/shield.ts'
import { encodeShielded } from '../merge/alignMerge/writeShielded.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import type { BudgetFunctional, BudgetName } from './alignBudget.ts'
import type { AlignMergeOptions } from './alignOptions.ts'
import type { Geometry } from './geometry.ts'

/** Values of one row functional per probe or topic, and its rows at a model. */
export interface RowSource {
  /** f_j at the anchor; absent where rows have no offsets */ atAnchor?: readonly number[]
  /** f_j and rows A_j at a model */
  linearise(model: DeviceModel): Promise<{ values?: readonly number[]; rows: AlignmentRows }>
}

/** What a round did; shortfalls are of the fitting half. */
export interface RoundTrace {
  round: number
  /** rows of A the shield was solved with */ rows: number
  /** ‖P_A δ̄‖_G and ‖P_A δ‖_G of the shield, offsets included, largest part first */
  driftBefore: number
  drift: number
  budgets: {
    name: BudgetName
    /** a before the step, at the merge of the round before */ value: number
    /** [τ − a]_+ to first order after the step */ expected: number
    /** s of the step */ step: number
    /** a measured after the step */ reached: number
  }[]
}

export interface Solved {
  b: Float64Array[]
  /** round whose merge was kept */ round: number
  /** ‖Σ s H⁻¹q‖_G of the kept round */ correction: number
  rounds: RoundTrace[]
}

export interface RoundsInput {
  geometry: Geometry
  /** λ_k, sum 1 */ weights: ArrayLike<number>
  rank: number
  options: AlignMergeOptions
  /** rows of round 0: the setup's, or the control's */ firstRows: AlignmentRows
  /** rows of later rounds; absent: none are taken */ rowSource?: RowSource | undefined
  functionals: readonly BudgetFunctional[]
  /** overwritten by every round */ out: DeviceModel
  signal?: AbortSignal | undefined
}

const range = (start: number, count: number) => Array.from({ length: count }, (_, i) => start + i)

export class AlignRounds {
  private readonly input: RoundsInput
  private readonly space: RowSpace
  private readonly own: AlignmentRows[] = []

  private constructor(input: RoundsInput) {
    this.input = input
    const { anchor, experts, metric } = input.geometry.input
    this.space = new RowSpace({ anchor, experts, metric })
  }

  static async create(input: RoundsInput): Promise<AlignRounds> {
    const rounds = new AlignRounds(input)
    await rounds.space.append(input.firstRows, { signal: input.signal })
    return rounds
  }

  /** Writes θ at scale · δ̄ − G⁻¹Aᵀb into `out`; b must come from the last `solve`. */
  write(b: readonly Float64Array[], scale = 1): void {
    const { geometry, weights, out } = this.input
    const { anchor, experts, metric } = geometry.input
    const scaled = scale === 1 ? b : b.map((part) => part.map((value) => scale * value))
    encodeShielded({ anchor, experts, weights }, metric, this.space, { scale, b: scaled }, out)
  }

  /** Frees the rows of all rounds; `firstRows` stay the caller's. */
  dispose(): void {
    this.space.truncate(1)
    for (const { rows } of this.own.splice(0)) destroyBuffers(rows)
  }

  /** All rounds at one λ_align; leaves the kept merge in `out`. */
  async solve(lambdaAlign: number): Promise<Solved> {
    const { options, functionals, signal, firstRows } = this.input
    this.dispose()
    let shielded = range(0, firstRows.count)
    let offsets: number[] = shielded.map(() => 0)
    let parts = this.shield(lambdaAlign, shielded, offsets)
    let b = parts.map((part) => part.b)
    const taken: { row: number; step: number }[] = []
    const rounds: RoundTrace[] = []
    let kept: { b: Float64Array[]; round: number; correction: number; shortfall: number } | undefined
    const { anchor } = this.input.geometry.input

    const keep = async (round: number, budgets: RoundTrace['budgets']) => {
      this.write(b)
      let shortfall = 0
      for (const [i, functional] of functionals.entries()) {
        const reached = await functional.value(this.input.out, 'fit', signal)
        if (budgets[i]) budgets[i].reached = reached
        shortfall += Math.max(functional.atAnchor.fit - reached, 0) / functional.unit
      }
      rounds.push({ round, rows: shielded.length, ...driftOf(parts), budgets })
      // Without a budget nothing tells rounds apart, so the last one counts.
      if (!kept || functionals.length === 0 || shortfall < kept.shortfall)
        kept = { b, round, correction: correctionOf(parts, b), shortfall }
    }

    if (options.rounds === 0 && functionals.length > 0) {
      const stepped = await this.step(b, taken, anchor, lambdaAlign, shielded, offsets)
      ;({ parts, b } = stepped)
      await keep(0, stepped.trace)
    } else await keep(0, [])
    for (let round = 1; round <= options.rounds; round++) {
      throwIfCancelled(signal)
      if (functionals.length > 0 && kept?.shortfall === 0) break
      // Without a shield new rows change nothing.
      const relinearised =
        lambdaAlign > 0 ? await this.relinearise(b, options.subspace === 'layer') : undefined
      if (!relinearised && functionals.length === 0) break
      if (relinearised) {
        const fresh = options.rows === 'replace' ? [] : shielded
        offsets = [...(options.rows === 'replace' ? [] : offsets), ...relinearised.offsets]
        shielded = [...fresh, ...range(relinearised.first, relinearised.offsets.length)]
      }
      const stepped = await this.step(b, taken, this.input.out, lambdaAlign, shielded, offsets)
      ;({ parts, b } = stepped)
      await keep(round, stepped.trace)
    }
    const best = kept!
    const padded = best.b.map((part) => this.pad(part))
    if (best.round !== rounds.length - 1) this.write(padded)
    return { b: padded, round: best.round, correction: best.correction, rounds }
  }

  private pad(b: Float64Array): Float64Array {
    const out = new Float64Array(this.space.count)
    out.set(b)
    return out
  }

  private shield(lambdaAlign: number, shielded: readonly number[], offsets: readonly number[]): ShieldPart[] {
    const { options, weights, rank } = this.input
    const { oneSided, rowWeights, subspace } = options
    const isLayered = subspace === 'layer'
    return solveShield(
      isLayered ? this.space.groups : [this.space.total],
      weights,
      shielded,
      { lambdaAlign, rank, rowWeights, oneSided },
      isLayered ? undefined : offsets,
    )
  }

  /** New rows at the merge in `out`, where b is; their offsets make them agree with what was measured there. */
  private async relinearise(b: readonly Float64Array[], isLayered: boolean) {
    const { rowSource, out, weights, signal } = this.input
    if (!rowSource) return undefined
    const { values, rows } = await rowSource.linearise(out)
    this.own.push(rows)
    const first = await this.space.append(rows, { signal })
    const { atAnchor } = rowSource
    if (isLayered || !values || !atAnchor) return { first, offsets: range(0, rows.count).map(() => 0) }
    const parts = this.partsAt(b)
    const offsets = range(0, rows.count).map(
      (j) => values[j] - atAnchor[j] - rowProductAt(parts, weights, first + j),
    )
    return { first, offsets }
  }

  /** δ of b (padded to all rows) over its parts. */
  private partsAt(b: readonly Float64Array[]) {
    const products = b.length === 1 ? [this.space.total] : this.space.groups
    return b.map((part, p) => ({ products: products[p], b: this.pad(part) }))
  }

  /** q of every functional at `model`, the shield with all rows, earlier steps, and the budget's step. */
  private async step(
    b: readonly Float64Array[],
    taken: { row: number; step: number }[],
    model: DeviceModel,
    lambdaAlign: number,
    shielded: readonly number[],
    offsets: readonly number[],
  ) {
    const { functionals, weights, options, signal } = this.input
    const isAtAnchor = model === this.input.geometry.input.anchor
    const cuts: BudgetCut[] = []
    const values: number[] = []
    for (const functional of functionals) {
      const { value, rows } = await functional.linearise(model, { signal })
      this.own.push(rows)
      const row = await this.space.append(rows, { signal })
      // τ of the fitting half is the anchor's own value; values may be −Infinity where nothing separates.
      const along = isAtAnchor ? 0 : rowProductAt(this.partsAt(b), weights, row)
      cuts.push({ row, atAnchor: Math.max(value, -1e6) - along, threshold: functional.atAnchor.fit })
      values.push(value)
    }
    const solved = this.shield(lambdaAlign, shielded, offsets)
    const carried = addSteps(solved, taken)
    const from = solved.map((part, p) => ({ ...part, b: carried[p] }))
    const budget = takeBudgetCuts(from, weights, cuts, options.lambdaBud)
    cuts.forEach(({ row }, r) => {
      taken.push({ row, step: budget.steps[r] })
    })
    const trace = functionals.map(({ name }, r) => ({
      name,
      value: values[r],
      expected: budget.shortfallAfter[r],
      step: budget.steps[r],
      reached: Number.NaN,
    }))
    return { parts: solved, b: budget.b, trace }
  }
}

/** Drift of the shield's own solution before and after the shrink, over all parts. */
function driftOf(parts: readonly ShieldPart[]): { driftBefore: number; drift: number } {
  const norm = (of: (part: ShieldPart) => Float64Array) =>
    Math.sqrt(parts.reduce((sum, part) => sum + of(part).reduce((s, value) => s + value * value, 0), 0))
  return { driftBefore: norm(({ c }) => c), drift: norm(({ cShrunk }) => cShrunk) }
}

/** ‖δ − δ*‖_G of b against the shield's own b. */
function correctionOf(parts: readonly ShieldPart[], b: readonly Float64Array[]): number {
  let squared = 0
  parts.forEach(({ products, b: shielded }, p) => {
    const n = products.count
    const gap = b[p].map((value, j) => value - shielded[j])
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) squared += gap[i] * products.gram[i * n + j] * gap[j]
  })
  return Math.sqrt(Math.max(squared, 0))
}
