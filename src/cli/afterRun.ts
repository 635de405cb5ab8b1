// Runs the plan of afterPlan.ts, one subject after another, and keeps every number with its interval. A subject is a
// model alone, a merge, or a merge with something done to it; finished ones come from the cache.

import type { AttackProbe } from '../core/evaluate/attackFile.ts'
import { ATTACK_DEFAULTS, type AttackResult, measureAttacks } from '../core/evaluate/attacks.ts'
import { type Behaviour, measureBehaviour } from '../core/evaluate/behaviour.ts'
import type { Estimate } from '../core/evaluate/estimate.ts'
import { MASKING_DEFAULTS, measureMasking } from '../core/evaluate/masking.ts'
import type { DeviceModel } from '../core/model/deviceModel.ts'
import { type Acceptance, measureAcceptance } from '../core/repair/accept.ts'
import { type Antidote, antidote } from '../core/repair/antidote.ts'
import { repairHalves } from '../core/repair/repairProbes.ts'
import type { RhoStage } from '../core/repair/rhoSearch.ts'
import { tezoPolish } from '../core/repair/tezo.ts'
import type { Session } from '../core/session/session.ts'
import { type CoverageResult, runCoverage } from './afterCoverage.ts'
import {
  type AfterPlan,
  ANTIDOTES,
  type AntidoteVariant,
  BEST_ANTIDOTE,
  type MergeCase,
  POLISHES,
  planAfter,
  SHOWN_LENGTH,
  type TezoVariant,
} from './afterPlan.ts'
import type { RowCache } from './resultsCache.ts'
import type { ZooIndex } from './resultsPlan.ts'

/** Written into every cached row; to be raised when measuring changes. */
const VERSION = 1

export interface MaskedRow {
  kind: string
  plain: Estimate
  masked: Estimate
  rise: Estimate
  /** per probe, for pairing with the anchor's */ rises: number[]
}

export interface Subject {
  id: string
  /** the merge it was made from, or 'alone' */ group: string
  label: string
  behaviour?: Behaviour
  acceptance?: Acceptance
  masking?: MaskedRow[]
  attacks?: AttackResult[]
  antidote?: {
    stage: RhoStage
    /** the search took no step; shown at SHOWN_LENGTH all the same */ isForced: boolean
    rounds: number
    /** ‖ε‖ over ‖θ‖ of the tensors that move */ relativeLength: number
    /** gradient passes and looks at the accepting half */ looks: number
    /** shares of ‖ε‖² by layer and by kind of tensor */
    layers: number[]
    tensors: Record<string, number>
  }
  /** J′ on the accepting half, before and at the step that was kept, and its parts there */
  polish?: { bestStep: number; steps: number; before: number; after: number; refusal: number; benign: number }
  /** of making it, without measuring */ seconds: number
  /** measuring included */ wholeSeconds: number
}

export interface AfterResults {
  adapter: string
  date: string
  seed: number
  perClass: number
  perKind: number
  maskToken: string
  samples: number
  experts: { name: string; skill?: string }[]
  cases: { id: string; label: string }[]
  subjects: Subject[]
  slider: { milliseconds: number; copyMilliseconds: number; bytes: number }
  coverage: CoverageResult
  /** of measuring, cached rows included */ seconds: number
}

export interface AfterOptions {
  seed: number
  /** probes of each set for behaviour */ perClass: number
  /** probes of each kind for masks and attacks */ perKind: number
  attacks: readonly AttackProbe[]
  cache: RowCache
  log: (line: string) => void
}

type Measure = 'behaviour' | 'masking' | 'attacks'

class Runner {
  readonly session: Session
  readonly options: AfterOptions
  readonly plan: AfterPlan
  private readonly started = performance.now()

  constructor(session: Session, index: ZooIndex, options: AfterOptions) {
    this.session = session
    this.options = options
    this.plan = planAfter(index, options.seed)
  }

  get codec() {
    return this.session.get(this.plan.anchor.id).codec
  }

  note(line: string): void {
    this.options.log(`${((performance.now() - this.started) / 1000).toFixed(0).padStart(5)} s  ${line}`)
  }

  /** A subject from the cache, or made by `build`, measured and given back by `release`. */
  subject(
    what: Pick<Subject, 'id' | 'group' | 'label'>,
    measures: readonly Measure[],
    settings: unknown,
    build: () => Promise<{ model: DeviceModel; facts?: Partial<Subject>; release?: () => void }>,
  ): Promise<Subject> {
    const { seed, perClass, perKind, cache } = this.options
    return cache.row({ VERSION, what, measures, settings, seed, perClass, perKind }, async () => {
      const started = performance.now()
      const { model, facts, release } = await build()
      const builtSeconds = (performance.now() - started) / 1000
      try {
        const subject: Subject = { ...what, ...facts, seconds: builtSeconds, wholeSeconds: 0 }
        for (const measure of measures) Object.assign(subject, await this.measure(measure, model))
        subject.wholeSeconds = (performance.now() - started) / 1000
        const { refusal } = subject.behaviour ?? {}
        const words = refusal && 'value' in refusal ? `, ${(100 * refusal.value).toFixed(0)} % refused` : ''
        this.note(`${what.group}, ${what.label}: built in ${builtSeconds.toFixed(0)} s${words}`)
        return subject
      } finally {
        release?.()
      }
    })
  }

  private async measure(measure: Measure, model: DeviceModel): Promise<Partial<Subject>> {
    const { session, codec } = this
    const { seed, perClass, perKind, attacks } = this.options
    switch (measure) {
      case 'behaviour': {
        const { behaviour } = await measureBehaviour(model, codec, session.probes, { perClass, seed })
        const { accept } = repairHalves(session.probes, seed)
        const acceptance = await measureAcceptance(model, codec, accept, { tokens: 1, spare: 0.05 })
        return { behaviour, acceptance }
      }
      case 'masking': {
        const options = { ...MASKING_DEFAULTS, perClass: perKind, seed }
        const { groups } = await measureMasking(model, codec, session.probes, options)
        return {
          masking: groups.map((group) => ({
            ...group,
            rises: Array.from(group.rises, (rise) => Number(rise.toFixed(5))),
          })),
        }
      }
      case 'attacks': {
        const options = { ...ATTACK_DEFAULTS, rules: session.probes, perKind, seed, maxNewTokens: 24 }
        return { attacks: (await measureAttacks(model, codec, attacks, options)).results }
      }
    }
  }

  merge({ setup }: MergeCase): Promise<DeviceModel> {
    return this.session.merge(setup)
  }

  async antidoteSubject(made: MergeCase, variant: AntidoteVariant): Promise<Subject> {
    const measures: Measure[] = ['behaviour']
    if (variant.id === BEST_ANTIDOTE) measures.push('masking', 'attacks')
    const what = { id: `${made.id}/${variant.id}`, group: made.id, label: `antidote: ${variant.label}` }
    return this.subject(what, measures, { setup: made.setup, variant }, async () => {
      const merged = await this.merge(made)
      const setup = { ...made.setup, metric: variant.metric }
      const maker = await antidote(this.session, merged, { ...variant.options, setup })
      const { stage, length, rounds } = await maker.search(variant.budget)
      const isForced = length === 0 && stage !== 'already met'
      if (isForced) maker.apply(SHOWN_LENGTH * maker.weightLength)
      const facts: Partial<Subject> = {
        antidote: {
          stage,
          isForced,
          rounds: rounds.length,
          relativeLength: maker.length / maker.weightLength,
          looks: rounds.reduce((sum, { trace }) => sum + trace.length, 0),
          ...affinityShares(maker),
        },
      }
      return { model: maker.model, facts, release: () => maker.dispose() }
    })
  }

  async polishSubject(made: MergeCase, { id, label, options }: TezoVariant): Promise<Subject> {
    const what = { id: `${made.id}/${id}`, group: made.id, label }
    return this.subject(what, ['behaviour'], { setup: made.setup, options }, async () => {
      const merged = await this.merge(made)
      const { seed } = this.options
      const polished = await tezoPolish(merged, this.codec, this.session.probes, { ...options, seed })
      const { checks, bestStep, model } = polished
      const best = checks.find(({ step }) => step === bestStep) ?? checks[0]
      const facts: Partial<Subject> = {
        polish: {
          bestStep,
          steps: options.steps,
          before: checks[0].total,
          after: best.total,
          refusal: best.harmful,
          benign: best.benign,
        },
      }
      return { model, facts, release: () => model.dispose() }
    })
  }
}

/** Shares of ‖ε‖² by layer, and by the last part of the tensor's name. */
function affinityShares(maker: Antidote): { layers: number[]; tensors: Record<string, number> } {
  const map = maker.affinity()
  const total = map.reduce((sum, { length }) => sum + length ** 2, 0) || 1
  const layers: number[] = []
  const tensors: Record<string, number> = {}
  for (const { name, layer, length } of map) {
    if (layer === undefined || length === 0) continue
    const kind = name.replace(/\.weight$/, '').replace(/^.*\./, '')
    layers[layer] = (layers[layer] ?? 0) + length ** 2 / total
    tensors[kind] = (tensors[kind] ?? 0) + length ** 2 / total
  }
  return { layers, tensors }
}

/** Milliseconds of one slider step, and of a copy of as many bytes as it reads and writes; medians. */
async function timeSlider(runner: Runner): Promise<AfterResults['slider']> {
  const { session } = runner
  const merged = await runner.merge(runner.plan.cases[0])
  const setup = { ...runner.plan.cases[0].setup, metric: 'identity' as const }
  const maker = await antidote(session, merged, { setup })
  const { gpu } = session
  const median = async (run: () => void) => {
    const times: number[] = []
    for (let i = 0; i < 21; i++) {
      const begun = performance.now()
      run()
      await gpu.idle()
      times.push(performance.now() - begun)
    }
    return times.sort((a, b) => a - b)[10]
  }
  // Read: θ in its own type, ε and d; written: θ' in its own type. A copy reads and writes each byte.
  let bytes = 0
  for (const { buffer, count } of merged.tensors.values()) bytes += 2 * buffer.size + 2 * 4 * count
  const half = Math.ceil(bytes / 2 / 16) * 16
  const [from, to] = [gpu.createBuffer(half), gpu.createBuffer(half)]
  const milliseconds = await median(() => maker.apply(0.1))
  const copyMilliseconds = await median(() => gpu.copy(from, to, half))
  maker.dispose()
  from.destroy()
  to.destroy()
  return { milliseconds, copyMilliseconds, bytes }
}

/** All subjects and tables; minutes on a software adapter. */
export async function runAfter(
  session: Session,
  index: ZooIndex,
  options: AfterOptions & { maskToken: string },
): Promise<AfterResults> {
  const runner = new Runner(session, index, options)
  const { plan } = runner
  const subjects: Subject[] = []
  for (const { id, name } of plan.alone)
    subjects.push(
      await runner.subject({ id, group: 'alone', label: name }, ['masking', 'attacks'], {}, async () => ({
        model: session.get(id).model,
      })),
    )
  for (const made of plan.cases) {
    const what = { id: made.id, group: made.id, label: made.label }
    subjects.push(
      await runner.subject(what, ['behaviour', 'masking', 'attacks'], { setup: made.setup }, async () => ({
        model: await runner.merge(made),
      })),
    )
    for (const variant of ANTIDOTES)
      if (variant.isShort || made.id === 'average') subjects.push(await runner.antidoteSubject(made, variant))
    for (const variant of POLISHES)
      if (made.id === 'average' || variant.id === 'momentum')
        subjects.push(await runner.polishSubject(made, variant))
  }
  const begun = performance.now()
  const coverage = await options.cache.row({ VERSION, coverage: plan.cases[1], ...sizes(options) }, () =>
    runCoverage(session, plan, { ...options, log: (line) => runner.note(line) }),
  )
  const slider = await timeSlider(runner)
  const rest = (performance.now() - begun) / 1000
  return {
    adapter: session.gpu.summary.adapter,
    date: new Date().toISOString().slice(0, 10),
    ...sizes(options),
    maskToken: options.maskToken,
    samples: ATTACK_DEFAULTS.samples,
    experts: plan.experts.map(({ name, skill }) => ({ name, ...(skill && { skill }) })),
    cases: plan.cases.map(({ id, label }) => ({ id, label })),
    subjects,
    slider,
    coverage,
    seconds: subjects.reduce((sum, { wholeSeconds }) => sum + wholeSeconds, 0) + rest,
  }
}

const sizes = ({ seed, perClass, perKind }: AfterOptions) => ({ seed, perClass, perKind })
