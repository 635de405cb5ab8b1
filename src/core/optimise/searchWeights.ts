// Weights chosen by data: merges of a setup's experts are made and measured on pairs until the best is found. Three
// ways to choose, all with one trace: EvoMM's evolution, a gradient search, LM-Cocktail's softmax. A search that is
// stopped keeps its best. Estimating data alone comes in here; whether a choice is good, held-out probes say.

import { EngineError, type ErrorCode, throwIfCancelled } from '../errors.ts'
import type { ForwardModel } from '../evaluate/forwardModel.ts'
import { DeviceModel } from '../model/deviceModel.ts'
import { createGradients } from '../model/gradientSink.ts'
import type { Session, Setup } from '../session/session.ts'
import { CmaEs } from './cmaEs.ts'
import { cocktailWeights } from './cocktail.ts'
import { coefficientGradient } from './coefficientGradient.ts'
import { generatePairs, type PairReport } from './generatePairs.ts'
import {
  assertMode,
  type Choice,
  type ChoiceMerge,
  decodeGenome,
  type GenomeShape,
  type MergeMode,
  mergeChoice,
  startGenome,
} from './genome.ts'
import { layerGroups } from './layerGroups.ts'
import { alphaWeights, type ObjectiveParts, PairObjective } from './objective.ts'
import type { Pair } from './pairs.ts'
import { projectedSearch } from './projectedSearch.ts'

/** evolution: CMA-ES as in EvoMM; gradient: projected quasi-Newton on dJ/dλ; cocktail: softmax of losses; uniform */
export type SearchKind = 'evolution' | 'gradient' | 'cocktail' | 'uniform'

/** What the page and the command line may choose; defaults in brackets. */
export interface SearchOptions {
  /** [evolution] */ search?: SearchKind
  /** how candidates are merged [linear: weights that sum to 1, as the sliders have them] */ mode?: MergeMode
  /** w_align / w_task [1] */ alpha?: number
  /** most evaluations of J, the start included [100; gradient search 10 passes] */ evaluations?: number
  /** layers that share weights [all] */ layersPerGroup?: number
  /** T of LM-Cocktail's softmax [5; the safety paper has 1] */ temperature?: number
  /** weights below 0 allowed [no] */ allowNegative?: boolean
  /** [the setup's] */ seed?: number
  /** data; made from the models where absent, with harmful questions by the setup's unaligned reference */ pairs?: readonly Pair[]
  /** what a merge is measured as, and how that is freed: a quantised build that only runs forward [the merge itself] */
  measureAs?: ((merged: DeviceModel, signal?: AbortSignal) => Promise<MeasuredAs>) | undefined
  /** after every evaluation */ onTrace?: ((point: TracePoint) => void) | undefined
  onProgress?: ((label: string, done: number, total: number) => void) | undefined
  /** stops the search, which then returns its best so far */ signal?: AbortSignal | undefined
}

export interface MeasuredAs {
  model: ForwardModel
  release(): Promise<void>
}

export interface TracePoint extends ObjectiveParts, Choice {
  /** 1 is the start */ evaluation: number
  /** also took a backward pass */ isPass: boolean
  /** least J up to here */ bestObjective: number
}

export interface SearchResult {
  /** weight of each expert: the best choice, averaged over groups of layers */ weights: number[]
  best: TracePoint
  start: TracePoint
  trace: TracePoint[]
  /** ended by the signal */ isStopped: boolean
  /** what the pairs were made from; absent where they were given */ report?: PairReport
}

const SIGMA = 1 / 6
const DEFAULT_EVALUATIONS = 100
const DEFAULT_PASSES = 10

/**
 * Searches weights for `setup.experts` on `setup.anchor`; method and weights of the setup do not enter. Rejects
 * `request-invalid` for a mode or setting that cannot be searched, `cancelled` when stopped before the first J.
 */
export async function searchWeights(
  session: Session,
  setup: Setup,
  options: SearchOptions = {},
): Promise<SearchResult> {
  session.check(setup)
  const { search = 'evolution', mode = 'linear', alpha = 1, allowNegative = false } = options
  const { signal, onProgress } = options
  const seed = options.seed ?? setup.seed
  const evaluations = options.evaluations ?? (search === 'gradient' ? DEFAULT_PASSES : DEFAULT_EVALUATIONS)
  if (!Number.isInteger(evaluations) || evaluations < 1)
    throw new EngineError('request-invalid', `${evaluations} evaluations: expected a whole number from 1`)
  const anchor = session.get(setup.anchor)
  const experts = setup.experts.map(({ id }) => session.get(id).model)
  const groups = layerGroups(anchor.model, options.layersPerGroup)
  const merge: ChoiceMerge = { anchor: anchor.model, experts, mode, groups, seed }
  assertMode(merge)
  if (search === 'gradient' && mode !== 'linear' && mode !== 'task_arithmetic')
    throw new EngineError(
      'request-invalid',
      `the gradient search needs a merge that is linear in its weights, found ${mode}`,
    )
  if (search === 'gradient' && options.measureAs)
    throw new EngineError('request-invalid', 'the gradient search needs a model that runs backward')
  const shape: GenomeShape = { mode, groups: groups.count, experts: experts.length, allowNegative }
  const made = options.pairs
    ? undefined
    : await generatePairs(session, setup.anchor, setup.experts, {
        writer: setup.references?.unaligned,
        seed,
        signal,
        onProgress,
      })
  const objective = new PairObjective(anchor.codec, options.pairs ?? made?.pairs ?? [], alphaWeights(alpha))
  const out = new DeviceModel(session.gpu, anchor.model.config, anchor.model.type)
  const recorder = new Recorder(evaluations, options)
  try {
    const evaluate = async (genes: ArrayLike<number>): Promise<number | undefined> => {
      const choice = decodeGenome(shape, genes)
      if (!choice) return Number.POSITIVE_INFINITY
      return recorder.record(choice, false, async () => {
        await mergeChoice(merge, choice, out, signal)
        if (!options.measureAs) return objective.evaluate(out, signal)
        const measured = await options.measureAs(out, signal)
        return objective.evaluate(measured.model, signal).finally(() => measured.release())
      })
    }
    if (search === 'evolution') await evolve(shape, evaluations, seed, evaluate)
    else if (search === 'gradient') await descend(merge, shape, objective, out, recorder, evaluations, signal)
    else {
      const start = startGenome(shape)
      if (search === 'cocktail') {
        const temperature = options.temperature ?? 5
        await evaluate(start)
        const weights = await cocktailWeights(objective, experts, temperature, signal)
        for (let i = 0; i < groups.count * experts.length; i++) start[i] = weights[i % experts.length]
      }
      await evaluate(start)
    }
  } catch (error) {
    if (!recorder.hasAny || !(error instanceof EngineError) || error.code !== 'cancelled') throw error
  } finally {
    out.dispose()
  }
  if (!recorder.hasAny) throwIfCancelled(signal)
  return { ...recorder.result(groups.count), ...(made && { report: made.report }) }
}

const BAD_CHOICE: ReadonlySet<ErrorCode> = new Set(['not-finite', 'request-invalid'])

/** Counts evaluations, keeps the trace and the best. */
class Recorder {
  private readonly trace: TracePoint[] = []
  private readonly limit: number
  private readonly options: SearchOptions

  constructor(limit: number, options: SearchOptions) {
    this.limit = limit
    this.options = options
  }

  get hasAny(): boolean {
    return this.trace.length > 0
  }

  /**
   * J of a choice; undefined where the search must end. After the start, a merge that cannot be made (a density that
   * empties a tensor) or gives no numbers is infinitely bad.
   */
  async record(
    choice: Choice,
    isPass: boolean,
    measure: () => Promise<ObjectiveParts>,
  ): Promise<number | undefined> {
    const { signal, onTrace, onProgress } = this.options
    if (signal?.aborted || this.trace.length >= this.limit) return undefined
    let parts: ObjectiveParts
    try {
      parts = await measure()
    } catch (error) {
      const isBad = error instanceof EngineError && BAD_CHOICE.has(error.code)
      if (!isBad || !this.hasAny) throw error
      const bad = Number.POSITIVE_INFINITY
      parts = { objective: bad, task: bad, safety: bad }
    }
    const before = this.trace.at(-1)?.bestObjective ?? Number.POSITIVE_INFINITY
    const point: TracePoint = {
      evaluation: this.trace.length + 1,
      ...choice,
      ...parts,
      isPass,
      bestObjective: Math.min(before, parts.objective),
    }
    this.trace.push(point)
    onTrace?.(point)
    onProgress?.('weights', this.trace.length, this.limit)
    return parts.objective
  }

  result(groups: number): Omit<SearchResult, 'report'> {
    const { trace } = this
    const best = trace.reduce((a, b) => (b.objective < a.objective ? b : a))
    const weights = best.weights[0].map((_, k) => best.weights.reduce((sum, row) => sum + row[k], 0) / groups)
    return { weights, best, start: trace[0], trace, isStopped: this.options.signal?.aborted ?? false }
  }
}

/** EvoMM: the uniform start, then generations until the evaluations are spent; a last one may be cut short. */
async function evolve(
  shape: GenomeShape,
  evaluations: number,
  seed: number,
  evaluate: (genes: ArrayLike<number>) => Promise<number | undefined>,
): Promise<void> {
  const start = startGenome(shape)
  if ((await evaluate(start)) === undefined) return
  const search = new CmaEs({ start, sigma: SIGMA, seed })
  // A candidate that stands for no merge takes no evaluation, so generations are bounded too.
  for (let generation = 0; generation < evaluations; generation++) {
    const values: number[] = []
    for (const genes of search.ask()) {
      const value = await evaluate(genes)
      if (value === undefined) return
      values.push(value)
    }
    search.tell(values)
  }
}

/** Projected quasi-Newton on the weights themselves; every pass gives J and dJ/dλ of all groups. */
async function descend(
  merge: ChoiceMerge,
  shape: GenomeShape,
  objective: PairObjective,
  out: DeviceModel,
  recorder: Recorder,
  passes: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { anchor, experts, groups } = merge
  const gradients = createGradients(anchor.gpu, anchor.config)
  const feasible = {
    lower: shape.allowNegative ? Number.NEGATIVE_INFINITY : 0,
    ...(shape.mode === 'linear' && { simplexSize: experts.length }),
  }
  try {
    await projectedSearch(
      startGenome(shape),
      feasible,
      async (x) => {
        const weights = Array.from({ length: groups.count }, (_, g) =>
          Array.from(x.subarray(g * experts.length, (g + 1) * experts.length)),
        )
        let gradient = new Float64Array(x.length)
        const value = await recorder.record({ weights }, true, async () => {
          await mergeChoice(merge, { weights }, out, signal)
          const parts = await objective.gradient(out, gradients, signal)
          gradient = new Float64Array(await coefficientGradient(anchor, experts, gradients, groups, signal))
          return parts
        })
        return value === undefined ? undefined : { value, gradient }
      },
      { passes },
    )
  } finally {
    // Work may still be encoded that names them.
    if (anchor.gpu.lostReason === undefined) anchor.gpu.flush()
    for (const buffer of gradients.values()) buffer.destroy()
  }
}
