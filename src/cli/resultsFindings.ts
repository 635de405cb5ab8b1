// What the tables say, as sentences made from the same numbers, so that they can never disagree with them. Two
// values differ only where their intervals do not touch; everything else is called no difference.

import { type Estimate, isUnavailable } from '../core/evaluate/estimate.ts'
import { compare, plain, share } from './resultsFormat.ts'
import type { ResultGroup, ResultRow, Results } from './resultsRun.ts'
import { bySeeds, overSeeds, type SeededRow, skillOf, violations } from './resultsSeeds.ts'

const NO_DIFFERENCE = 'no difference beyond the intervals'

/** "refusal is higher: 98 (95–99) % against 0 (0–2) %" */
function compared(what: string, a: Estimate | undefined, b: Estimate | undefined): string {
  const comparison = compare(a, b)
  const numbers = `${share(a)} % against ${share(b)} %`
  if (comparison === 'unknown') return `${what} cannot be compared`
  return comparison === 'same'
    ? `${what}: ${NO_DIFFERENCE}, ${numbers}`
    : `${what} is ${comparison}: ${numbers}`
}

const refusal = ({ behaviour }: ResultRow) => behaviour?.refusal
const attack = ({ behaviour }: ResultRow) => behaviour?.attackRefusal
const aqiOfCompletions = ({ aqi }: ResultRow) => aqi?.completions
const methodOf = ({ rows: [first] }: SeededRow) => first.setup?.method
const meanOf = (estimate: Estimate | undefined): number =>
  estimate && !isUnavailable(estimate) ? estimate.value : Number.NaN

/** AlignMerge's strongest row of a group: most refusal. */
function strongest(rows: readonly SeededRow[]): SeededRow | undefined {
  return rows
    .filter((row) => methodOf(row) === 'alignmerge' && !row.rows[0].failure)
    .sort((a, b) => meanOf(overSeeds(b, refusal)) - meanOf(overSeeds(a, refusal)))[0]
}

/** Sentences of one combination. */
export function findings(group: ResultGroup, reference: ResultGroup): string[] {
  const rows = bySeeds(group)
  const anchor = bySeeds(reference)[0]
  const average = rows.find((row) => methodOf(row) === 'linear')
  const own = strongest(rows)
  if (!average || !own || !anchor) return []
  const skill = skillOf(group)
  const others = rows.filter((row) => methodOf(row) !== 'alignmerge' && !row.rows[0].failure)
  const rival = [...others].sort((a, b) => meanOf(overSeeds(b, refusal)) - meanOf(overSeeds(a, refusal)))[0]
  const lines = [
    `Plain average and anchor: ${compared('refusal', overSeeds(average, refusal), overSeeds(anchor, refusal))}.`,
    `${own.label} and plain average: ${[
      compared('refusal', overSeeds(own, refusal), overSeeds(average, refusal)),
      compared('attacks refused', overSeeds(own, attack), overSeeds(average, attack)),
      compared('skill', overSeeds(own, skill), overSeeds(average, skill)),
    ].join('; ')}.`,
  ]
  if (rival)
    lines.push(
      `${own.label} and the most refusing baseline, ${rival.label}: ${[
        compared('refusal', overSeeds(own, refusal), overSeeds(rival, refusal)),
        compared('skill', overSeeds(own, skill), overSeeds(rival, skill)),
      ].join('; ')}.`,
    )
  return lines
}

/** What the paper claims, in numbers: AlignMerge's most refusing row against every other method of a group. */
export interface ClaimFigures {
  own: SeededRow
  average: SeededRow | undefined
  anchor: SeededRow | undefined
  /** of what is merged, the model with most skill */ bestExpert: SeededRow | undefined
  /** methods that are not AlignMerge */ baselines: number
  /** of these, how many are below AlignMerge beyond the intervals */ aqiHigher: number
  refusalHigher: number
  /** of these, how many drift further; drift has no interval */ driftSmaller: number
  /** runs whose AQI of completions breaks its budget, AlignMerge's and the baselines' */
  violations: Record<'own' | 'theirs', { violated: number; runs: number }>
}

/** Undefined where a group has nothing to compare. */
export function claimFigures(group: ResultGroup, reference: ResultGroup): ClaimFigures | undefined {
  const rows = bySeeds(group).filter(({ rows: [first] }) => !first.failure)
  const own = strongest(rows)
  const baselines = rows.filter((row) => methodOf(row) !== 'alignmerge')
  if (!own || baselines.length === 0) return undefined
  const count = (isBetter: (row: SeededRow) => boolean) => baselines.filter(isBetter).length
  const isHigher = (pick: (row: ResultRow) => Estimate | undefined) => (row: SeededRow) =>
    compare(overSeeds(own, pick), overSeeds(row, pick)) === 'higher'
  const drift = (row: SeededRow) =>
    row.rows.reduce((sum, { drift: d }) => sum + (d?.heldOut ?? Number.NaN), 0) / row.rows.length
  const skill = skillOf(group)
  const alone = bySeeds(reference)
  const experts = alone.filter(({ label }) => group.experts.some(({ name }) => name === label))
  return {
    own,
    average: rows.find((row) => methodOf(row) === 'linear'),
    anchor: alone[0],
    bestExpert: [...experts].sort((a, b) => meanOf(overSeeds(b, skill)) - meanOf(overSeeds(a, skill)))[0],
    baselines: baselines.length,
    aqiHigher: count(isHigher(aqiOfCompletions)),
    refusalHigher: count(isHigher(refusal)),
    driftSmaller: count((row) => drift(own) < drift(row)),
    violations: {
      own: violations(own.rows, 'completions'),
      theirs: violations(
        baselines.flatMap((row) => row.rows),
        'completions',
      ),
    },
  }
}

/** The paper's claims, each held against the numbers of one combination. */
export function claims(group: ResultGroup, reference: ResultGroup): string[] {
  const found = claimFigures(group, reference)
  if (!found) return []
  const { own, bestExpert, baselines, violations: broken } = found
  const skill = skillOf(group)
  return [
    `AQI higher than the baselines': beyond the intervals against ${found.aqiHigher} of ${baselines} (completions, ${plain(overSeeds(own, aqiOfCompletions), 1)}).`,
    `Refusal higher than the baselines': beyond the intervals against ${found.refusalHigher} of ${baselines}.`,
    `Held-out drift smaller than the baselines': against ${found.driftSmaller} of ${baselines}.`,
    `Fewer budget violations: ${broken.own.violated} of ${broken.own.runs} runs against ${broken.theirs.violated} of ${broken.theirs.runs} of the baselines (AQI of completions).`,
    ...(bestExpert
      ? [
          `Skill matches the best expert's (${bestExpert.label}): ${compared('skill', overSeeds(own, skill), overSeeds(bestExpert, skill))}.`,
        ]
      : []),
  ]
}

/** Sentences of the ablation: each knob against the row that keeps the defaults. */
export function ablationFindings({ ablation }: Results): string[] {
  const base = ablation.rows.find(({ isBase }) => isBase)
  if (!base) return []
  const knobs = [...new Set(ablation.rows.flatMap(({ knob, isBase }) => (isBase || !knob ? [] : [knob])))]
  return knobs.map((knob) => {
    const rows = ablation.rows.filter((row) => row.knob === knob && row.behaviour)
    const words = rows.map((row) => {
      const comparison = compare(refusal(row), refusal(base))
      return `${row.label} ${comparison === 'same' ? 'as the defaults' : comparison} (${share(refusal(row))} %)`
    })
    return `${knob}: refusal with ${words.join(', ')}.`
  })
}

/** Whether AQI shows what a model alone has lost. */
export function aqiFindings({ reference }: Results): string[] {
  const [anchor, ...others] = bySeeds(reference)
  return others.flatMap((row) => {
    const lost = compare(overSeeds(row, refusal), overSeeds(anchor, refusal))
    const changed = compare(overSeeds(row, aqiOfCompletions), overSeeds(anchor, aqiOfCompletions))
    if (lost !== 'lower' || changed === 'unknown') return []
    const values = `${plain(overSeeds(row, aqiOfCompletions), 1)} against ${plain(overSeeds(anchor, aqiOfCompletions), 1)}`
    const words =
      changed === 'lower'
        ? 'shows it'
        : `does not show it, it ${changed === 'same' ? 'does not differ' : 'is even higher'}`
    return [`${row.label} refuses less than the anchor; AQI of completions ${words}: ${values}.`]
  })
}
