// Runs the plan of resultsPlan.ts and keeps every measured number, with its interval where it has one.

import type { Behaviour } from '../core/evaluate/behaviour.ts'
import type { Estimate } from '../core/evaluate/estimate.ts'
import type { MeasuredDrift } from '../core/session/geometry.ts'
import { type FixedView, Measures } from '../core/session/measures.ts'
import type { Session, Setup } from '../core/session/session.ts'
import {
  ablation,
  anchorOf,
  type Combination,
  defaultSetup,
  mainCombinations,
  type ZooIndex,
} from './resultsPlan.ts'

export interface ResultRow {
  label: string
  /** absent for a model alone */
  setup?: Setup
  behaviour: Behaviour
  /** 100 S / (S + S_anchor); 50 is the anchor */
  aqi?: { prompts: Estimate; completions: Estimate; answers: Estimate }
  /** in the geometry of `setup` */
  drift?: MeasuredDrift
}

export interface ResultGroup {
  title: string
  /** names and skills of what is merged */
  experts: { name: string; skill?: string }[]
  rows: ResultRow[]
}

export interface Results {
  adapter: string
  date: string
  seed: number
  perClass: number
  /** probes of each set in the held-out split */
  available: Record<string, number>
  defaults: Setup
  reference: ResultGroup
  combinations: ResultGroup[]
  ablation: ResultGroup
  seconds: number
}

export interface RunOptions {
  perClass: number
  seed: number
  /** a line of progress */
  log: (line: string) => void
}

/** All rows. Takes minutes on a software adapter. */
export async function runResults(
  session: Session,
  index: ZooIndex,
  { perClass, seed, log }: RunOptions,
): Promise<Results> {
  const started = performance.now()
  const measures = new Measures(session)
  const measure = async (setup: Setup, model = session.get(setup.anchor).model, isFull = true) => {
    const { behaviour, answers } = await measures.behaviour(setup, model, perClass)
    if (!isFull) return { behaviour }
    const view = async (name: FixedView) =>
      (await measures.aqi(setup, name, model, perClass)).result.normalised
    return {
      behaviour,
      aqi: {
        prompts: await view('prompts'),
        completions: await view('completions'),
        answers: answers.result.normalised,
      },
    }
  }
  const note = (row: ResultRow) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    const { refusal } = row.behaviour
    const refused = 'value' in refusal ? `${(100 * refusal.value).toFixed(0)} % refused` : 'no refusals'
    log(`${seconds.padStart(5)} s  ${row.label}: ${refused}`)
    return row
  }
  const run = async ({ title, experts, recipes }: Combination, isFull: boolean): Promise<ResultGroup> => {
    log(title)
    const rows: ResultRow[] = []
    for (const { label, setup } of recipes) {
      const merged = await session.merge(setup)
      const drift = await measures.drift(setup, merged)
      rows.push(note({ label, setup, drift, ...(await measure(setup, merged, isFull)) }))
    }
    return { title, experts: experts.map(({ name, skill }) => ({ name, ...(skill && { skill }) })), rows }
  }
  const defaults = defaultSetup(index, [], seed)
  const anchor = anchorOf(index)
  const alone = [anchor, ...index.models.filter((model) => model !== anchor)]
  const reference: ResultGroup = { title: 'Models alone', experts: [], rows: [] }
  for (const { id, name } of alone)
    reference.rows.push(note({ label: name, ...(await measure(defaults, session.get(id).model)) }))
  const combinations: ResultGroup[] = []
  for (const combination of mainCombinations(index, seed)) combinations.push(await run(combination, true))
  const available: Record<string, number> = {}
  for (const { set, skill, split } of session.probes.items)
    if (split === 'heldout') available[skill ?? set] = (available[skill ?? set] ?? 0) + 1
  return {
    adapter: session.gpu.summary.adapter,
    date: new Date().toISOString().slice(0, 10),
    seed,
    perClass,
    available,
    defaults,
    reference,
    combinations,
    ablation: await run(ablation(index, seed), false),
    seconds: (performance.now() - started) / 1000,
  }
}
