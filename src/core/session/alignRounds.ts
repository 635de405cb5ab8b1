// The inner problem at one λ_align: closed form, then rounds that re-linearise at the merge they have reached.
// A round, at θ^(r) = θ_IT + δ^(r):
//   1. unless rows are fixed, rows of A at θ^(r): scores f_j of fitting probes (alignRowSource.ts). Row j enters with
//      the offset o_j = f_j(θ^(r)) − f_j(θ_IT) − ⟨A_j, δ^(r)⟩, so that c_i is the change the probe has really
//      suffered and not its slope times the whole way: Gauss–Newton on Σ w_i (w_iᵀ[f(δ) − f(0)])². Layers have no
//      offsets: a score belongs to no layer;
//   2. a and q = ∇a of every functional of the budget at θ^(r);
//   3. the shield solved anew with δ from θ_IT, steps of earlier rounds, and the budget's step to τ along H⁻¹q. a
//      saturates, so its slope promises more than a step brings: with λ_bud = Infinity the step is doubled, up to 8
//      times, as long as the shortfall falls.
// The round with the least shortfall on the fitting half is kept. The metric stays the anchor's. With no rounds the
// budget's step is the first-order one, q at the anchor. Ours; methods.md §1.3 sketches rows, q and rounds.

import { throwIfCancelled } from '../errors.ts'
import type { AlignmentRows } from '../geometry/alignmentRows.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import { type BudgetCut, rowProductAt } from '../merge/alignMerge/budgetCuts.ts'
import { RowSpace } from '../merge/alignMerge/rowSpace.ts'
import { type ShieldPart, solveShield } from '../merge/alignMerge/shield.ts'
import { solveRound } from '../merge/alignMerge/solveRound.ts'
import { encodeShielded } from '../merge/alignMerge/writeShielded.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import type { BudgetFunctional, BudgetName } from './alignBudget.ts'
import type { AlignMergeOptions } from './alignOptions.ts'
import type { Geometry } from './geometry.ts'

/** Values of one row functional per probe or topic, and its rows at a model. */
export interface RowSource {
  /** f_j at the anchor; absent where rows have no offsets */ atAnchor?: readonly number[]
  /** f_j and rows A_j at a model; the rows are the caller's to free */
  linearise(model: DeviceModel): Promise<{ values?: readonly number[]; rows: AlignmentRows }>
}

/** What a round did. Values of functionals are on the fitting half. */
export interface RoundTrace {
  /** 0: before any re-linearisation */ round: number
  /** rows of A the shield was solved with */ rows: number
  /** norm of the shield's coordinates before and after its shrink, offsets included, before the budget's step */
  driftBefore: number
  drift: number
  budgets: {
    name: BudgetName
    /** τ, what fitting aims at */ threshold: number
    /** a where it was linearised; absent in a round without a step */ value?: number
    /** s of the step, its stretching included */ step?: number
    /** a at the merge of this round */ reached: number
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

/** Where a run of rounds stands. */
interface State {
  lambdaAlign: number
  /** rows that span U, and their offsets */
  shielded: number[]
  offsets: number[]
  /** steps of all rounds so far */ taken: { row: number; step: number }[]
  parts: ShieldPart[]
  b: Float64Array[]
}

/** Functionals on the fitting half of the merge in `out`. */
interface Reached {
  values: number[]
  /** Σ [τ − a]_+ in units of the functionals */ shortfall: number
}

/** Lengths a step is tried at, in order. */
const STRETCHES = [1, 2, 4, 8]
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

  /** Writes θ at scale · δ̄ − scale · G⁻¹Aᵀb into `out`; b must come from the last `solve`. */
  write(b: readonly Float64Array[], scale = 1): void {
    const { geometry, weights, out } = this.input
    const { anchor, experts, metric } = geometry.input
    const scaled = b.map((part) => this.pad(part).map((value) => scale * value))
    encodeShielded({ anchor, experts, weights }, metric, this.space, { scale, b: scaled }, out)
  }

  /** Frees the rows of all rounds; `firstRows` stay the caller's. */
  dispose(): void {
    this.space.truncate(1)
    for (const { rows } of this.own.splice(0)) destroyBuffers(rows)
  }

  /** All rounds at one λ_align; leaves the kept merge in `out`. Rejects `cancelled`. */
  async solve(lambdaAlign: number): Promise<Solved> {
    const { options, functionals, geometry, out, firstRows, signal } = this.input
    this.dispose()
    const shielded = range(0, firstRows.count)
    const start = { lambdaAlign, shielded, offsets: shielded.map(() => 0), taken: [] }
    const parts = this.shield(start)
    let state: State = { ...start, parts, b: parts.map(({ b }) => b) }
    let reached = await this.reach(state.b)
    const rounds = [this.trace(0, state, reached)]
    if (options.rounds === 0 && functionals.length > 0) {
      const cuts = await this.linearise(geometry.input.anchor, () => 0)
      ;({ state, reached } = await this.step(state, cuts, [1]))
      rounds[0] = this.trace(0, state, reached, cuts)
    }
    // The correction is taken at once: its products grow with every row that is added.
    let kept = { b: state.b, reached, round: 0, correction: this.correction(state) }
    for (let round = 1; round <= options.rounds; round++) {
      throwIfCancelled(signal)
      if (functionals.length > 0 && kept.reached.shortfall === 0) break
      // Without a shield new rows change nothing.
      const isRefreshed = lambdaAlign > 0 && (await this.refreshRows(state))
      if (!isRefreshed && functionals.length === 0) break
      const { b } = state
      const cuts = await this.linearise(out, (row) => rowProductAt(this.partsAt(b), this.input.weights, row))
      ;({ state, reached } = await this.step(
        state,
        cuts,
        options.lambdaBud === Number.POSITIVE_INFINITY ? STRETCHES : [1],
      ))
      rounds.push(this.trace(round, state, reached, cuts))
      // Without a budget nothing tells rounds apart, so the last one counts.
      if (functionals.length === 0 || reached.shortfall < kept.reached.shortfall)
        kept = { b: state.b, reached, round, correction: this.correction(state) }
    }
    const b = kept.b.map((part) => this.pad(part))
    this.write(b)
    return { b, round: kept.round, correction: kept.correction, rounds }
  }

  private pad(b: Float64Array): Float64Array {
    const out = new Float64Array(this.space.count)
    out.set(b)
    return out
  }

  private shield({ lambdaAlign, shielded, offsets }: Pick<State, 'lambdaAlign' | 'shielded' | 'offsets'>) {
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

  /** Writes b and measures it. */
  private async reach(b: readonly Float64Array[]): Promise<Reached> {
    const { functionals, out, signal } = this.input
    this.write(b)
    const values: number[] = []
    let shortfall = 0
    for (const { value, atAnchor, unit } of functionals) {
      const a = await value(out, 'fit', signal)
      values.push(a)
      shortfall += Math.max(atAnchor.fit - a, 0) / unit
    }
    return { values, shortfall }
  }

  /** δ of b over its parts. */
  private partsAt(b: readonly Float64Array[]) {
    const products = b.length === 1 ? [this.space.total] : this.space.groups
    return b.map((part, p) => ({ products: products[p], b: this.pad(part) }))
  }

  /** New rows at the merge in `out`, where `state` is; false where none are taken. */
  private async refreshRows(state: State): Promise<boolean> {
    const { rowSource, out, weights, options, signal } = this.input
    if (!rowSource) return false
    const { values, rows } = await rowSource.linearise(out)
    this.own.push(rows)
    const first = await this.space.append(rows, { signal })
    const { atAnchor } = rowSource
    const parts = this.partsAt(state.b)
    const offsets = range(0, rows.count).map((j) =>
      options.subspace === 'layer' || !values || !atAnchor
        ? 0
        : values[j] - atAnchor[j] - rowProductAt(parts, weights, first + j),
    )
    const isFresh = options.rows === 'replace'
    state.shielded = [...(isFresh ? [] : state.shielded), ...range(first, rows.count)]
    state.offsets = [...(isFresh ? [] : state.offsets), ...offsets]
    return true
  }

  /** a and q of every functional at a model; `along` gives ⟨q, δ⟩ there. */
  private async linearise(model: DeviceModel, along: (row: number) => number) {
    const { functionals, signal } = this.input
    const cuts: (BudgetCut & { value: number })[] = []
    for (const functional of functionals) {
      const { value, rows } = await functional.linearise(model, { signal })
      this.own.push(rows)
      const row = await this.space.append(rows, { signal })
      cuts.push({ row, value, atAnchor: value - along(row), threshold: functional.atAnchor.fit })
    }
    return cuts
  }

  /** The round's problem solved and written, its step at the best of `stretches`. */
  private async step(state: State, cuts: readonly BudgetCut[], stretches: readonly number[]) {
    const { weights, options } = this.input
    const { parts, carried, budget } = solveRound(
      this.shield(state),
      weights,
      state.taken,
      cuts,
      options.lambdaBud,
      options.oneSided,
    )
    const hasStep = budget.steps.some((value) => value > 0)
    let best: { b: Float64Array[]; reached: Reached; stretch: number } | undefined
    for (const stretch of hasStep ? stretches : [1]) {
      const b = budget.b.map((part, p) =>
        stretch === 1 ? part : part.map((value, j) => carried[p][j] + stretch * (value - carried[p][j])),
      )
      const reached = await this.reach(b)
      if (best && reached.shortfall >= best.reached.shortfall) break
      best = { b, reached, stretch }
      if (reached.shortfall === 0) break
    }
    const { b, reached, stretch } = best!
    // The next round linearises what stands in `out`, which may be a stretch that was tried in vain.
    if (hasStep) this.write(b)
    const steps = cuts.map(({ row }, r) => ({ row, step: stretch * budget.steps[r] }))
    return { state: { ...state, parts, b, taken: [...state.taken, ...steps] }, reached }
  }

  private trace(
    round: number,
    { parts, shielded, taken }: State,
    { values }: Reached,
    cuts: readonly (BudgetCut & { value: number })[] = [],
  ): RoundTrace {
    const norm = (of: (part: ShieldPart) => Float64Array) =>
      Math.sqrt(parts.reduce((sum, part) => sum + of(part).reduce((s, value) => s + value * value, 0), 0))
    return {
      round,
      rows: shielded.length,
      driftBefore: norm(({ c }) => c),
      drift: norm(({ cShrunk }) => cShrunk),
      budgets: this.input.functionals.map(({ name, atAnchor }, r) => ({
        name,
        threshold: atAnchor.fit,
        ...(cuts[r] && {
          value: cuts[r].value,
          step: taken[taken.length - cuts.length + r].step,
        }),
        reached: values[r],
      })),
    }
  }

  /** ‖δ − δ*‖_G of b against the shield's own b. */
  private correction({ parts, b }: State): number {
    let squared = 0
    parts.forEach(({ products, b: shielded }, p) => {
      const n = products.count
      const gap = b[p].map((value, j) => value - shielded[j])
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) squared += gap[i] * products.gram[i * n + j] * gap[j]
    })
    return Math.sqrt(Math.max(squared, 0))
  }
}
