// Measures everything that the results page shows, row by row: models alone, every method on every combination and
// seed, then one knob at a time. A method that cannot merge a combination is a row with its reason.

import { EngineError } from '../core/errors.ts'
import type { Behaviour } from '../core/evaluate/behaviour.ts'
import type { Budget } from '../core/evaluate/budget.ts'
import { type Estimate, isUnavailable } from '../core/evaluate/estimate.ts'
import type { DeviceModel } from '../core/model/deviceModel.ts'
import { type ChartValidity, chartValidity, genericSequences } from '../core/session/alignChart.ts'
import type { MeasuredDrift } from '../core/session/geometry.ts'
import { type FixedView, Measures } from '../core/session/measures.ts'
import type { Session, Setup } from '../core/session/session.ts'
import type { RowCache } from './resultsCache.ts'
import type { FamiliesResults } from './resultsFamilies.ts'
import {
  ablationRecipes,
  anchorOf,
  type Combination,
  combinations,
  defaultSetup,
  methodRecipes,
  type Recipe,
  type ZooIndex,
} from './resultsPlan.ts'

/** Changed when rows of an earlier run no longer say the same. */
const VERSION = 1
/** Sequences of generic text that KL is averaged over. */
const CHART_SEQUENCES = 32

export interface ResultRow {
  label: string
  seed: number
  /** absent for a model alone */ setup?: Setup
  behaviour?: Behaviour
  /** normalised to the anchor */
  aqi?: Record<FixedView | 'answers', Estimate>
  budget?: Partial<Record<FixedView, Budget>>
  /** in the geometry of `setup` */
  drift?: MeasuredDrift
  /** why there are no numbers */
  failure?: string
  /** ablation alone: which knob */
  knob?: string
  isBase?: true
}

export interface ResultGroup {
  id: string
  title: string
  /** names and skills of what is merged */
  experts: { id: string; name: string; skill?: string }[]
  rows: ResultRow[]
}

/** KL(t)/t² along one merge's direction. */
export interface ChartRow extends ChartValidity {
  /** id of the combination */ combination: string
  label: string
}

export interface Results {
  adapter: string
  date: string
  seeds: number[]
  perClass: number
  ablationPerClass: number
  /** probes of each set in the held-out split */
  available: Record<string, number>
  defaults: Setup
  reference: ResultGroup
  combinations: ResultGroup[]
  ablation: ResultGroup
  charts: ChartRow[]
  /** the same measured on other architectures, once it was */ families?: FamiliesResults
  seconds: number
}

export interface RunOptions {
  perClass: number
  ablationPerClass: number
  seeds: readonly number[]
  cache: RowCache
  /** what else tells rows of the cache apart: whose models these are */ scope?: string
  /** a line of progress */
  log: (line: string) => void
}

/** All rows. Takes long on a software adapter. */
export async function runResults(session: Session, index: ZooIndex, options: RunOptions): Promise<Results> {
  const started = performance.now()
  const run = new RowRunner(session, options, started)
  const all = combinations(index)
  const reference: ResultGroup = { id: 'alone', title: 'Models alone', experts: [], rows: [] }
  const anchor = anchorOf(index)
  for (const { id, name } of [anchor, ...index.models.filter((model) => model !== anchor)])
    for (const seed of options.seeds)
      reference.rows.push(await run.model(name, defaultSetup(index, [], seed), id))
  const groups: ResultGroup[] = []
  for (const combination of all) {
    const group = groupOf(combination)
    // Seeds outside: what a seed estimates is kept by the session for all its methods.
    for (const seed of options.seeds)
      for (const recipe of methodRecipes(index, combination, seed))
        group.rows.push(await run.merge(recipe, options.perClass, true))
    groups.push(group)
  }
  const hardest = all[0]
  const charts: ChartRow[] = []
  for (const combination of all.slice(0, 2))
    for (const recipe of methodRecipes(index, combination, options.seeds[0])) {
      const chart = await run.chart(recipe)
      if (chart) charts.push({ combination: combination.id, label: recipe.label, ...chart })
    }
  const ablation = { ...groupOf(hardest), title: `Ablation: ${hardest.title.toLowerCase()}` }
  for (const { knob, isBase, ...recipe } of ablationRecipes(index, hardest, options.seeds[0])) {
    const row = await run.merge(recipe, options.ablationPerClass, false)
    ablation.rows.push({ ...row, knob, ...(isBase && { isBase }) })
  }
  const available: Record<string, number> = {}
  for (const { set, skill, split } of session.probes.items)
    if (split === 'heldout') available[skill ?? set] = (available[skill ?? set] ?? 0) + 1
  return {
    adapter: session.gpu.summary.adapter,
    date: new Date().toISOString().slice(0, 10),
    seeds: [...options.seeds],
    perClass: options.perClass,
    ablationPerClass: options.ablationPerClass,
    available,
    defaults: defaultSetup(index, [], options.seeds[0]),
    reference,
    combinations: groups,
    ablation,
    charts,
    seconds: (performance.now() - started) / 1000,
  }
}

/** A combination without its rows. */
export const groupOf = ({ id, title, experts }: Combination): ResultGroup => ({
  id,
  title,
  experts: experts.map((expert) => ({
    id: expert.id,
    name: expert.name,
    ...(expert.skill && { skill: expert.skill }),
  })),
  rows: [],
})

/** Measures rows one by one, each kept in the cache. */
export class RowRunner {
  private readonly session: Session
  private readonly options: Omit<RunOptions, 'seeds' | 'ablationPerClass'>
  private readonly started: number
  private readonly measures: Measures

  constructor(session: Session, options: Omit<RunOptions, 'seeds' | 'ablationPerClass'>, started: number) {
    this.session = session
    this.options = options
    this.started = started
    this.measures = new Measures(session)
  }

  model(label: string, setup: Setup, id: string): Promise<ResultRow> {
    const { perClass, cache, scope } = this.options
    return cache.row({ VERSION, scope, id, setup, perClass, anchor: setup.anchor }, async () => {
      const { model } = this.session.get(id)
      return this.note({ label, seed: setup.seed, ...(await this.measure(setup, model, perClass, true)) })
    })
  }

  merge({ label, setup }: Recipe, perClass: number, isFull: boolean): Promise<ResultRow> {
    const { cache, scope } = this.options
    return cache.row({ VERSION, scope, setup, perClass, isFull }, async () => {
      const row = { label, seed: setup.seed, setup }
      try {
        const merged = await this.session.merge(setup)
        const drift = await this.measures.drift(setup, merged)
        return this.note({ ...row, drift, ...(await this.measure(setup, merged, perClass, isFull)) })
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        return this.note({ ...row, failure: error.message })
      }
    })
  }

  /** How far the quadratic chart holds along this merge; undefined where it cannot be made. */
  chart({ label, setup }: Recipe): Promise<ChartValidity | null> {
    const { cache, scope } = this.options
    return cache.row({ VERSION, scope, setup, chart: CHART_SEQUENCES }, async () => {
      const { model, codec } = this.session.get(setup.anchor)
      const sequences = genericSequences(codec, this.session.probes, CHART_SEQUENCES, setup.seed)
      const fisher = await this.session.fisher(setup.anchor, setup.fisher, setup.seed)
      try {
        const chart = await chartValidity(model, await this.session.merge(setup), sequences, { fisher })
        this.options.log(`chart of ${label}`)
        return chart
      } catch (error) {
        if (!(error instanceof EngineError)) throw error
        return null
      }
    })
  }

  private async measure(
    setup: Setup,
    model: DeviceModel,
    perClass: number,
    isFull: boolean,
  ): Promise<Pick<ResultRow, 'behaviour' | 'aqi' | 'budget'>> {
    const { behaviour, answers } = await this.measures.behaviour(setup, model, perClass)
    if (!isFull) return { behaviour }
    const [prompts, completions] = [
      await this.measures.aqi(setup, 'prompts', model, perClass),
      await this.measures.aqi(setup, 'completions', model, perClass),
    ]
    return {
      behaviour,
      aqi: {
        prompts: prompts.result.normalised,
        completions: completions.result.normalised,
        answers: answers.result.normalised,
      },
      budget: {
        ...(isUnavailable(prompts.budget) ? {} : { prompts: prompts.budget }),
        ...(isUnavailable(completions.budget) ? {} : { completions: completions.budget }),
      },
    }
  }

  private note(row: ResultRow): ResultRow {
    const seconds = ((performance.now() - this.started) / 1000).toFixed(0)
    const refusal = row.behaviour?.refusal
    const words =
      row.failure ?? (refusal && 'value' in refusal ? `${(100 * refusal.value).toFixed(0)} % refused` : '–')
    this.options.log(`${seconds.padStart(5)} s  seed ${row.seed}  ${row.label}: ${words}`)
    return row
  }
}
