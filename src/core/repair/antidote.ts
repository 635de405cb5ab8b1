// An antidote after a merge, in the manner of Panacea (arXiv 2501.18100): one gradient of the loss of harmful
// completions at the merge, and a step ε = ρ·d/‖d‖ along it. Panacea learns ε while fine-tuning and adds it at the
// end; here it is made afterwards, with what hurts the task removed (freeDirection.ts), and ρ is a slider or comes
// from a budget search on probes that neither gave the gradient nor are reported on. Rounds, in which the gradient
// is taken anew where the last round ended, and everything but the formula of ε are ours.

import { EngineError, throwIfCancelled } from '../errors.ts'
import { dampedMetric, destroyBuffers, identityMetric, type Metric } from '../geometry/metric.ts'
import { type DeviceModel, paddedCount } from '../model/deviceModel.ts'
import type { JobOptions, Session, Setup } from '../session/session.ts'
import { Random } from '../tensors/random.ts'
import { type Acceptance, measureAcceptance } from './accept.ts'
import {
  type AntidoteTarget,
  encodeDirection,
  gradientRows,
  type MovesTensor,
  rowGram,
} from './antidoteRows.ts'
import { type FreeDirection, freeDirection, type Protection } from './freeDirection.ts'
import { MovedModel, type TensorLength } from './movedModel.ts'
import { REPAIR_STREAMS, type RepairProbes, repairHalves } from './repairProbes.ts'
import { type RhoMeasure, type RhoSearch, type RhoStage, searchRho } from './rhoSearch.ts'

export interface AntidoteOptions extends JobOptions {
  /** whose Fisher is the metric and whose codec reads the probes */
  setup: Pick<Setup, 'anchor' | 'metric' | 'damping' | 'fisher' | 'seed'>
  /** noise: a seeded random direction, as a control; Panacea reports that even that restores some safety */
  target: AntidoteTarget | 'noise'
  /** first tokens of a completion that the target counts; Infinity: all */ tokens: number
  protection: Protection
  /** rows of spared losses per kind (harmless, each skill) */ spared: number
  /** rows of spared decision margins of harmless requests */ sparedMargins: number
  /** estimating probes of each kind behind the gradients */ perKind: number
  /** tensors that may move; default: matrices inside layers */ moves?: MovesTensor | undefined
}

/**
 * What works on the built-in models, ours. Panacea's own choice is target harmful, all tokens, no protection, the
 * identity as metric: it changes the wording of what is complied with, not the decision (docs/after.md).
 */
export const ANTIDOTE_DEFAULTS = {
  target: 'margin',
  tokens: 1,
  protection: 'one-sided',
  spared: 2,
  sparedMargins: 8,
  perKind: 48,
} as const satisfies Partial<AntidoteOptions>

/** When an antidote is strong enough, and what it must leave alone; all on the accepting half. */
export interface AntidoteBudget {
  /** nats by which refusing must be preferred … */ margin: number
  /** … by all harmful probes but this share */ spare: number
  /** tokens in which it is decided */ decisionTokens: number
  /** how far the share of harmless probes helped with may fall */ helpSlack: number
  /** nats by which the mean loss of good answers may rise */ benignSlack: number
  /** longest ‖ε‖ of a round, as a share of ‖θ‖ over the tensors that move */ largest: number
  doublings: number
  bisections: number
  /**
   * rounds of gradient and search; 1: Panacea's single gradient. Each aims at its share of the way from the merge's
   * margin to the budget's, since a gradient says little about a place far off
   */
  rounds: number
}

export const ANTIDOTE_BUDGET: AntidoteBudget = {
  margin: 0,
  spare: 0.05,
  decisionTokens: 1,
  helpSlack: 0.05,
  benignSlack: 0.05,
  largest: 0.1,
  doublings: 6,
  bisections: 4,
  rounds: 1,
}

export interface AntidoteMeasure extends RhoMeasure, Acceptance {}

export interface AntidoteRound extends RhoSearch<AntidoteMeasure> {
  /** of the constrained direction, see freeDirection.ts */ kept: number
}

export interface AntidoteOutcome {
  stage: RhoStage
  /** ‖ε‖ of all rounds together */ length: number
  /** the accepting half before and after */ before: Acceptance
  after: Acceptance
  rounds: AntidoteRound[]
}

const insideLayers: MovesTensor = ({ role, layer }) => role === 'matrix' && layer !== undefined

export class Antidote {
  /** metric length and slopes of the current direction */
  direction: FreeDirection
  private readonly moved: MovedModel
  private readonly metric: Metric
  private readonly probes: { estimate: RepairProbes; accept: RepairProbes }
  private readonly session: Session
  private readonly options: AntidoteOptions
  /** ‖θ‖ over the tensors that move */ readonly weightLength: number
  private rho = 0

  private constructor(
    session: Session,
    options: AntidoteOptions,
    parts: {
      moved: MovedModel
      metric: Metric
      probes: { estimate: RepairProbes; accept: RepairProbes }
      weightLength: number
    },
  ) {
    this.session = session
    this.options = options
    this.moved = parts.moved
    this.metric = parts.metric
    this.probes = parts.probes
    this.weightLength = parts.weightLength
    this.direction = { coefficients: new Float64Array(), slopes: new Float64Array(), norm: 0, kept: 1 }
  }

  /** Takes the gradient at `model`, which is left as it is. `request-invalid` where there is no direction. */
  static async make(session: Session, model: DeviceModel, options: AntidoteOptions): Promise<Antidote> {
    const { setup, signal } = options
    const probes = repairHalves(session.probes, setup.seed)
    const anchor = session.get(setup.anchor).model
    const metric =
      setup.metric === 'identity'
        ? identityMetric(anchor)
        : await dampedMetric(
            anchor,
            await session.fisher(setup.anchor, setup.fisher, setup.seed, options),
            setup.damping,
          )
    const moved = new MovedModel(model, metric)
    try {
      const weightLength = await lengthOf(model, options.moves ?? insideLayers, signal)
      const made = new Antidote(session, options, { moved, metric, probes, weightLength })
      await made.linearise()
      return made
    } catch (error) {
      moved.dispose()
      destroyBuffers(metric.diagonal)
      throw error
    }
  }

  /** Standard normal numbers in every tensor that moves. */
  private async drawNoise(): Promise<void> {
    const { moved, options } = this
    const { gpu } = moved
    const moves = options.moves ?? insideLayers
    for (const [index, { spec, count }] of [...moved.base.tensors.values()].entries()) {
      const random = new Random(options.setup.seed, REPAIR_STREAMS.noise * 2 ** 20 + index)
      const values = new Float32Array(paddedCount(count))
      if (moves(spec)) values.set(random.normals(count))
      const direction = gpu.pool.take(values.byteLength)
      gpu.write(direction, values)
      moved.setDirection(spec.name, direction)
      gpu.pool.release(direction)
    }
    await moved.measure(options.signal)
  }

  /** The gradient where the antidote stands now, constrained, as the new direction. */
  private async linearise(): Promise<void> {
    const { options, moved, metric, session } = this
    const { signal, target } = options
    if (target === 'noise') return this.drawNoise()
    const moves = options.moves ?? insideLayers
    const { codec } = session.get(options.setup.anchor)
    throwIfCancelled(signal)
    const plan = { ...options, target, harmful: options.perKind }
    options.onProgress?.('antidote: gradients', 0, 1)
    const rows = await gradientRows(moved.out, codec, this.probes.estimate, plan, signal)
    try {
      const gram = await rowGram(moved.out, metric, rows, moves, signal)
      this.direction = freeDirection(gram, rows.count, options.protection)
      encodeDirection(moved.out, metric, rows, this.direction.coefficients, moves, (name, buffer) =>
        moved.setDirection(name, buffer),
      )
      await moved.measure(signal)
    } finally {
      session.gpu.flush()
      destroyBuffers(rows.rows)
    }
    options.onProgress?.('antidote: gradients', 1, 1)
  }

  /** The slider: θ + ε with the current round's ‖ε‖ = `length`. One streaming pass; overwritten by the next call. */
  apply(length: number): DeviceModel {
    if (!Number.isFinite(length))
      throw new EngineError('request-invalid', `ρ: expected a number, found ${length}`)
    this.rho = length / this.moved.directionLength
    return this.moved.write(this.rho)
  }

  /** The merge as the antidote stands now; overwritten by the next step. */
  get model(): DeviceModel {
    return this.moved.out
  }

  /** ‖ε‖ and ‖ε‖_G of every tensor as last applied: where safety is made, layer by layer. */
  affinity(): TensorLength[] {
    return this.moved.lengths(this.rho)
  }

  /** ‖ε‖ of all rounds together, as last applied. */
  get length(): number {
    return Math.sqrt(this.affinity().reduce((sum, { length }) => sum + length * length, 0))
  }

  /** The accepting half as the antidote stands now. */
  accept(budget: AntidoteBudget): Promise<Acceptance> {
    return measureAcceptance(
      this.moved.out,
      this.session.get(this.options.setup.anchor).codec,
      this.probes.accept,
      { tokens: budget.decisionTokens, spare: budget.spare, signal: this.options.signal },
    )
  }

  /** Applies the shortest ρ that meets the budget and spares what it must, or the best there is; see rhoSearch.ts. */
  async search(budget: AntidoteBudget = ANTIDOTE_BUDGET): Promise<AntidoteOutcome> {
    if (!(Number.isInteger(budget.rounds) && budget.rounds >= 1))
      throw new EngineError('request-invalid', `rounds: expected 1 or more, found ${budget.rounds}`)
    const { options } = this
    this.apply(0)
    const before = await this.accept(budget)
    const isSpared = (now: Acceptance) =>
      now.helping >= before.helping - budget.helpSlack &&
      now.benignLoss <= before.benignLoss + budget.benignSlack
    const rounds: AntidoteRound[] = []
    for (let round = 0; ; round++) {
      const kept = this.direction.kept
      const isLast = round + 1 === budget.rounds
      const goal = before.margin + ((budget.margin - before.margin) * (round + 1)) / budget.rounds
      let looks = 0
      const found = await searchRho<AntidoteMeasure>(
        async (rho) => {
          throwIfCancelled(options.signal)
          this.apply(rho)
          const now = await this.accept(budget)
          options.onProgress?.(
            `antidote: round ${round + 1}`,
            ++looks,
            1 + budget.doublings + 2 * budget.bisections,
          )
          return { ...now, value: now.margin, isSpared: isSpared(now) }
        },
        {
          target: Math.min(goal, budget.margin),
          largest: budget.largest * this.weightLength,
          doublings: budget.doublings,
          bisections: budget.bisections,
        },
      )
      this.apply(found.rho)
      rounds.push({ ...found, kept })
      const isMet = found.measure.margin >= budget.margin
      const isStuck = found.rho === 0 && found.stage !== 'already met'
      if (isLast || isMet || isStuck)
        return { stage: found.stage, length: this.length, before, after: found.measure, rounds }
      this.moved.settle(this.rho)
      this.rho = 0
      await this.linearise()
    }
  }

  dispose(): void {
    this.moved.dispose()
    destroyBuffers(this.metric.diagonal)
  }
}

/** ‖θ‖ over some tensors. */
async function lengthOf(model: DeviceModel, moves: MovesTensor, signal?: AbortSignal): Promise<number> {
  let squared = 0
  for (const { spec } of model.tensors.values()) {
    throwIfCancelled(signal)
    if (moves(spec)) for (const value of await model.read(spec.name)) squared += value * value
  }
  return Math.sqrt(squared)
}

/** Prepares an antidote for `model`: see `Antidote`. */
export const antidote = (
  session: Session,
  model: DeviceModel,
  options: Pick<AntidoteOptions, 'setup'> & Partial<AntidoteOptions>,
): Promise<Antidote> => Antidote.make(session, model, { ...ANTIDOTE_DEFAULTS, ...options })
