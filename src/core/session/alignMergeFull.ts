// AlignMerge in full: L_geo + λ_align L_align + λ_bud L_bud with an outer loop that re-linearises at the merge, a
// budget on AQI, on the balanced refusal margin or on both, and the search that always ends (methods.md §1.3).
// Estimated on the fitting half of the estimating probes, accepted on the other half; held-out probes are not
// touched, they are for reporting. From arXiv 2512.16245: the three terms and the chart. Their exact form, rounds,
// budget functionals and search are ours. docs/alignmerge.md tells what was tried.

import type { AlignmentRows } from '../geometry/alignmentRows.ts'
import { destroyBuffers } from '../geometry/metric.ts'
import {
  MAXIMUM_EVALUATIONS,
  type SearchEvaluation,
  type SearchPoint,
  type SearchStage,
  searchAlignment,
} from '../merge/alignMerge/search.ts'
import { normaliseWeights } from '../merge/closedForm.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { type BudgetFunctional, type BudgetName, budgetFunctional } from './alignBudget.ts'
import { randomRows } from './alignControl.ts'
import { type AlignMergeOptions, budgetNames, isPlain, readAlignOptions } from './alignOptions.ts'
import { AlignRounds, type RoundTrace, type Solved } from './alignRounds.ts'
import { rowSourceOf } from './alignRowSource.ts'
import { type MeasuredDrift, measureDrift } from './geometry.ts'
import type { JobOptions, Session, Setup } from './session.ts'

/** A functional of the budget at the merge, on the accepting half. */
export interface BudgetReading {
  name: BudgetName
  atAnchor: number
  /** τ = atAnchor − tolerance · unit */ threshold: number
  value: number
  /** [τ − value]_+ */ violation: number
}

/** One merge that was made and measured. */
export interface AlignEvaluation {
  /** round that was kept, of those in `rounds` */ round: number
  rounds: RoundTrace[]
  /** ‖Σ s H⁻¹q‖_G, the budget's share of the displacement */ correction: number
  budgets: BudgetReading[]
}

export interface AlignMergeResult {
  /** the written merge, in the anchor's storage type; the caller's to dispose of unless given as `out` */
  model: DeviceModel
  /** which stage accepted; `fixed` without a search */ stage: SearchStage
  /** λ_align and share s of δ of the written merge */
  lambdaAlign: number
  scale: number
  /** rounds behind the written merge; 0 for the closed form, the retreat's anchor included */ rounds: number
  /** every budget holds on the accepting half; true without a budget */ isAccepted: boolean
  budgets: BudgetReading[]
  correction: number
  /** of the stored merge in the setup's geometry, held-out rows included */ drift: MeasuredDrift
  /** every evaluation in order; one without a search */
  trace: SearchEvaluation<AlignEvaluation>[]
  options: AlignMergeOptions
}

export interface AlignJob extends JobOptions {
  /** a model of the anchor's shapes and type to write into */ out?: DeviceModel | undefined
}

/**
 * Merges a setup by the full method; `setup.method` is not read. Deterministic for a seed. The plain case (no
 * rounds, no budget, defaults otherwise) is `session.merge` bit for bit. Rejects `cancelled`, and
 * `request-invalid` for options out of range, a setup that cannot be merged, and probes of one class only.
 */
export async function alignMergeFull(
  session: Session,
  setup: Setup,
  given: Partial<AlignMergeOptions> = {},
  job: AlignJob = {},
): Promise<AlignMergeResult> {
  const options = readAlignOptions(given)
  session.check(setup)
  const { model: anchor } = session.get(setup.anchor)
  const out = job.out ?? new DeviceModel(session.gpu, anchor.config, anchor.type)
  try {
    const run = new Run(session, setup, options, job, out)
    return await (isPlain(options) ? run.plain() : run.full())
  } catch (error) {
    if (out !== job.out && session.gpu.lostReason === undefined) out.dispose()
    throw error
  }
}

class Run {
  private readonly session: Session
  private readonly setup: Setup
  private readonly options: AlignMergeOptions
  private readonly job: AlignJob
  private readonly out: DeviceModel
  private functionals: BudgetFunctional[] = []
  private evaluations = 0

  constructor(session: Session, setup: Setup, options: AlignMergeOptions, job: AlignJob, out: DeviceModel) {
    this.session = session
    this.setup = setup
    this.options = options
    this.job = job
    this.out = out
  }

  /** The session's own closed form. */
  async plain(): Promise<AlignMergeResult> {
    const { parameters: _, ...setup } = this.setup
    this.out.copyFrom(await this.session.merge({ ...setup, method: 'alignmerge' }, this.job))
    const evaluation: AlignEvaluation = { round: 0, rounds: [], correction: 0, budgets: [] }
    const point = { lambdaAlign: setup.lambdaAlign, scale: 1 }
    const only = { ...point, stage: 'fixed' as const, result: evaluation, isAccepted: true }
    return this.result('fixed', point, evaluation, [only])
  }

  async full(): Promise<AlignMergeResult> {
    const { session, setup, options, job, out } = this
    const { model: anchor, codec } = session.get(setup.anchor)
    const { signal } = job
    const geometry = await session.prepare(setup, job)
    const source = { anchor, codec, probes: session.probes, seed: setup.seed, signal }
    for (const name of budgetNames(options.budget))
      this.functionals.push(await budgetFunctional(name, source))
    const isControl = options.control === 'random'
    let control: AlignmentRows | undefined
    if (isControl) control = await randomRows(anchor, geometry.input.metric, setup.rank, setup.seed)
    const needsRows = options.rounds > 0 && options.rows !== 'fixed' && !isControl
    const rounds = await AlignRounds.create({
      geometry,
      weights: normaliseWeights(setup.experts.map(({ weight }) => weight)),
      rank: setup.rank,
      options,
      firstRows: control ?? geometry.input.rows.own,
      rowSource: needsRows ? await rowSourceOf(setup.source, source) : undefined,
      functionals: this.functionals,
      out,
      signal,
    })
    try {
      if (!options.search) {
        const point = { lambdaAlign: setup.lambdaAlign, scale: 1 }
        const { result, isAccepted } = await this.evaluate(
          rounds,
          point,
          await rounds.solve(point.lambdaAlign),
        )
        return await this.result('fixed', point, result, [{ ...point, stage: 'fixed', result, isAccepted }])
      }
      const known = new Map<number, Solved>()
      const solved = async (lambdaAlign: number) => {
        // Only the retreat comes back to a λ_align, and it comes back at once.
        const made = known.get(lambdaAlign) ?? (await rounds.solve(lambdaAlign))
        known.clear()
        known.set(lambdaAlign, made)
        return made
      }
      const found = await searchAlignment(async (point) =>
        this.evaluate(rounds, point, await solved(point.lambdaAlign)),
      )
      const { b, ...last } = await solved(found.point.lambdaAlign)
      rounds.write(b, found.point.scale)
      const kept = found.result ?? { ...last, correction: 0, budgets: this.anchorReadings() }
      return await this.result(found.stage, found.point, kept, found.evaluations)
    } finally {
      rounds.dispose()
      destroyBuffers(control?.rows)
    }
  }

  /** Writes a solved merge at a share of its way and reads the budgets on the accepting half. */
  private async evaluate(rounds: AlignRounds, { scale }: SearchPoint, solved: Solved) {
    const { job, out } = this
    rounds.write(solved.b, scale)
    const budgets: BudgetReading[] = []
    for (const functional of this.functionals)
      budgets.push(this.reading(functional, await functional.value(out, 'accept', job.signal)))
    job.onProgress?.(
      'AlignMerge, merges tried',
      ++this.evaluations,
      this.options.search ? MAXIMUM_EVALUATIONS : 1,
    )
    const result: AlignEvaluation = {
      round: solved.round,
      rounds: solved.rounds,
      correction: scale * solved.correction,
      budgets,
    }
    return { result, isAccepted: budgets.every(({ violation }) => violation === 0) }
  }

  private reading({ name, atAnchor, unit }: BudgetFunctional, value: number): BudgetReading {
    const threshold = atAnchor.accept - this.options.tolerance * unit
    return { name, atAnchor: atAnchor.accept, threshold, value, violation: Math.max(threshold - value, 0) }
  }

  private anchorReadings(): BudgetReading[] {
    return this.functionals.map((functional) => this.reading(functional, functional.atAnchor.accept))
  }

  private async result(
    stage: SearchStage,
    { lambdaAlign, scale }: SearchPoint,
    { round, correction, budgets }: AlignEvaluation,
    trace: SearchEvaluation<AlignEvaluation>[],
  ): Promise<AlignMergeResult> {
    const { session, setup, options, job, out } = this
    session.gpu.flush()
    session.gpu.check()
    await out.assertFinite('the merge')
    const geometry = await session.prepare(setup, job)
    return {
      model: out,
      stage,
      lambdaAlign,
      scale,
      rounds: round,
      isAccepted: budgets.every(({ violation }) => violation === 0),
      budgets,
      correction,
      drift: await measureDrift(geometry, out, setup.rank, job.signal),
      trace,
      options,
    }
  }
}
