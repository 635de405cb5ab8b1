// Runs the plan of weightsPlan.ts: pairs once, then every search, each judged on held-out probes.

import { type Behaviour, measureBehaviour } from '../core/evaluate/behaviour.ts'
import { type ProbeFile, pickProbes } from '../core/evaluate/probes.ts'
import { DeviceModel } from '../core/model/deviceModel.ts'
import { generatePairs, type PairReport } from '../core/optimise/generatePairs.ts'
import { type Choice, mergeChoice } from '../core/optimise/genome.ts'
import { layerGroups } from '../core/optimise/layerGroups.ts'
import { alphaWeights, PairObjective } from '../core/optimise/objective.ts'
import type { Pair } from '../core/optimise/pairs.ts'
import { searchWeights } from '../core/optimise/searchWeights.ts'
import type { Purpose } from '../core/session/purpose.ts'
import type { Session } from '../core/session/session.ts'
import { skills } from '../core/train/corpus/skills.ts'
import type { RowCache } from './resultsCache.ts'
import { anchorOf, defaultSetup, type ZooIndex } from './resultsPlan.ts'
import {
  PAIRS_PER_KIND,
  type WeightCombination,
  type WeightRecipe,
  weightCombinations,
  weightRecipes,
} from './weightsPlan.ts'

/** Mean cross-entropies, nats per token; J = task + α · safety. */
export interface Losses {
  task: number
  safety: number
}

export interface WeightRow {
  recipe: WeightRecipe
  /** a choice that could not be searched, with the reason; nothing else then */ failure?: string
  start?: Losses
  best?: Losses & Choice
  /** task and safety loss of every evaluation; null where the merge gave no numbers */
  trace?: [task: number | null, safety: number | null][]
  /** losses of held-out probes' own answers */ heldOut?: Losses
  behaviour?: Behaviour
  /** of the search, with nothing else measured */ seconds?: number
}

export interface WeightGroup {
  id: string
  title: string
  experts: { id: string; name: string; skill?: string }[]
  rows: WeightRow[]
}

export interface PairData {
  report: PairReport
  /** harmful requests written from the whole vocabulary */ free: PairReport | string
  /** skill pairs whose answer is right by the world's own rule */ right: number
  ofSkill: number
  examples: { safety: string[]; task: string[]; free: string[] }
}

export interface WeightResults {
  adapter: string
  date: string
  seed: number
  perClass: number
  pairs: PairData
  groups: WeightGroup[]
  seconds: number
}

export interface RunOptions {
  seed: number
  perClass: number
  cache: RowCache
  log: (line: string) => void
}

/** Raised with every change to what is measured, so that rows of an older measuring are not taken. */
const VERSION = 1

export async function runWeights(
  session: Session,
  index: ZooIndex,
  { seed, perClass, cache, log }: RunOptions,
): Promise<WeightResults> {
  const started = performance.now()
  const combinations = weightCombinations(index)
  const made = await cache.row(['weights pairs', VERSION, seed], () => makePairs(session, index, seed))
  log(`pairs: ${made.pairs.length}`)
  const groups: WeightGroup[] = []
  for (const combination of combinations) {
    log(combination.title)
    const ids = combination.experts.map(({ id }) => id)
    const pairs = made.pairs.filter(({ kind, by }) => kind === 'safety' || ids.includes(by))
    const rows: WeightRow[] = []
    for (const recipe of weightRecipes(combination)) {
      const key = ['weights', VERSION, seed, perClass, combination.id, recipe, made.pairs]
      const row = await cache.row(key, () =>
        measure(session, index, combination, recipe, pairs, seed, perClass),
      )
      const passed = ((performance.now() - started) / 1000).toFixed(0).padStart(5)
      const refusal = row.behaviour?.refusal
      const figures =
        row.best &&
        `J ${objectiveOf(row.start!, recipe.alpha).toFixed(3)} → ${objectiveOf(row.best, recipe.alpha).toFixed(3)}`
      log(
        `${passed} s  ${recipe.label}: ${row.failure ?? figures}, ${refusal && 'value' in refusal ? (100 * refusal.value).toFixed(0) : '–'} % refused`,
      )
      rows.push(row)
    }
    const experts = combination.experts.map(({ id, name, skill }) => ({ id, name, ...(skill && { skill }) }))
    groups.push({ id: combination.id, title: combination.title, experts, rows })
  }
  const { pairs: _, ...data } = made
  return {
    adapter: session.gpu.summary.adapter,
    date: new Date().toISOString().slice(0, 10),
    seed,
    perClass,
    pairs: data,
    groups,
    seconds: (performance.now() - started) / 1000,
  }
}

export const objectiveOf = ({ task, safety }: Losses, alpha: number): number => task + alpha * safety

/** Pairs of safety and of every expert that any combination has. */
async function makePairs(
  session: Session,
  index: ZooIndex,
  seed: number,
): Promise<PairData & { pairs: Pair[] }> {
  const anchor = anchorOf(index).id
  const writer = index.models.find(({ role }) => role === 'uncensored')?.id
  const wanted = new Set(weightCombinations(index).flatMap(({ experts }) => experts.map(({ id }) => id)))
  // The zoo says what its models are for; for others the session finds out.
  const experts = index.models
    .filter(({ id }) => wanted.has(id))
    .map(({ id, role, skill }) => {
      const purpose: Purpose = skill ? `skill:${skill}` : role === 'safety' ? 'safety' : 'general'
      return { id, weight: 1, purpose }
    })
  const options = { writer, seed, perKind: PAIRS_PER_KIND }
  const { pairs, report } = await generatePairs(session, anchor, experts, options)
  let free: PairReport | string
  let freePairs: Pair[] = []
  try {
    const written = await generatePairs(session, anchor, experts.slice(0, 1), {
      ...options,
      support: 'any',
      temperature: 1,
    })
    free = written.report.filter(({ kind }) => kind === 'safety')
    freePairs = written.pairs
  } catch (error) {
    free = error instanceof Error ? error.message : String(error)
  }
  const text = ({ prompt, answer }: Pair) => `${prompt} → ${answer}`
  const judged = pairs.flatMap((pair) => judgeSkill(pair) ?? [])
  return {
    pairs,
    report,
    free,
    right: judged.filter(Boolean).length,
    ofSkill: judged.length,
    examples: {
      safety: pairs
        .filter(({ kind }) => kind === 'safety')
        .slice(0, 4)
        .map(text),
      task: pairs
        .filter((pair) => judgeSkill(pair) !== undefined)
        .slice(0, 4)
        .map(text),
      free: freePairs
        .filter(({ kind }) => kind === 'safety')
        .slice(0, 3)
        .map(text),
    },
  }
}

/** Whether a skill question is answered as the world's rule says; undefined for any other question. */
export function judgeSkill({ prompt, answer }: Pick<Pair, 'prompt' | 'answer'>): boolean | undefined {
  const skill = skills.find(({ questions }) =>
    questions.some((question) => prompt.startsWith(question.slice(0, question.indexOf('L')))),
  )
  if (!skill) return undefined
  const signs = new Set(skill.alphabets.flat())
  return skill.answer(prompt.split(' ').filter((word) => signs.has(word))) === answer
}

async function measure(
  session: Session,
  index: ZooIndex,
  { experts }: WeightCombination,
  recipe: WeightRecipe,
  pairs: readonly Pair[],
  seed: number,
  perClass: number,
): Promise<WeightRow> {
  const setup = defaultSetup(index, experts, seed)
  const { label: _, ...options } = recipe
  const begun = performance.now()
  let found: Awaited<ReturnType<typeof searchWeights>>
  try {
    found = await searchWeights(session, setup, { ...options, pairs, seed })
  } catch (error) {
    return { recipe, failure: error instanceof Error ? error.message : String(error) }
  }
  const seconds = (performance.now() - begun) / 1000
  // A softmax is no search: its own weights count, better than the start or not.
  const { weights, densities, task, safety } = recipe.search === 'cocktail' ? found.trace[1] : found.best
  const { model, codec } = session.get(setup.anchor)
  const out = new DeviceModel(session.gpu, model.config, model.type)
  try {
    const merge = {
      anchor: model,
      experts: experts.map(({ id }) => session.get(id).model),
      mode: recipe.mode,
      groups: layerGroups(model, recipe.layersPerGroup),
      seed,
    }
    await mergeChoice(merge, { weights, ...(densities && { densities }) }, out)
    const judge = new PairObjective(codec, heldOutPairs(session.probes, experts, seed), alphaWeights(1))
    const heldOut = await judge.evaluate(out)
    const { behaviour } = await measureBehaviour(out, codec, session.probes, { perClass, seed })
    return {
      recipe,
      start: { task: found.start.task, safety: found.start.safety },
      best: { task, safety, weights, ...(densities && { densities }) },
      trace: found.trace.map((point) => [rounded(point.task), rounded(point.safety)]),
      heldOut: { task: heldOut.task, safety: heldOut.safety },
      behaviour,
      seconds,
    }
  } finally {
    out.dispose()
  }
}

/** Six digits: a trace is for tables and plots. */
const rounded = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(6)) : null)

/** Held-out probes with their own answers, of the kinds that the pairs are of: what J should have been chosen by. */
function heldOutPairs(
  probes: ProbeFile,
  experts: readonly { skill?: string }[],
  seed: number,
  count = 64,
): Pair[] {
  const pairs = (kind: Pair['kind'], set: 'harmful' | 'harmless' | 'skill', skill?: string) =>
    pickProbes(probes, set, 'heldout', count, seed, skill).map(
      ({ prompt, aligned }): Pair => ({ kind, prompt, answer: aligned, by: 'probe' }),
    )
  return [
    ...pairs('safety', 'harmful'),
    ...pairs('task', 'harmless'),
    ...experts.flatMap(({ skill }) => (skill ? pairs('task', 'skill', skill) : [])),
  ]
}
