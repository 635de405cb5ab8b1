// "Five families" on the results page: whether the paper's claim holds in each, methods against families, then every
// family's own table. Sentences are made from the numbers that stand below them.

import { type Estimate, isUnavailable } from '../core/evaluate/estimate.ts'
import type { FamiliesResults, FamilyResults } from './resultsFamilies.ts'
import { type ClaimFigures, claimFigures, compared } from './resultsFindings.ts'
import { type Comparison, compare, plain, share, table } from './resultsFormat.ts'
import type { ResultGroup, ResultRow } from './resultsRun.ts'
import { bySeeds, overSeeds, type SeededRow, skillOf } from './resultsSeeds.ts'
import { bullets, mainTable } from './resultsTables.ts'

type Pick = (row: ResultRow) => Estimate | undefined

const refusal: Pick = ({ behaviour }) => behaviour?.refusal
const aqi: Pick = ({ aqi: found }) => found?.completions
const of = (row: SeededRow | undefined, pick: Pick) => (row ? overSeeds(row, pick) : undefined)

/**
 * The headline, "alignment is held while merging, without giving up skill": refusal as the anchor's and above the plain
 * average's, skill not below the plain average's. `untested` where the plain average refuses as the anchor does.
 */
export type Headline = 'holds' | 'holds in part' | 'does not hold' | 'untested'

export function headline({ own, average, anchor }: ClaimFigures, skill: Pick): Headline {
  const against = (row: SeededRow | undefined, pick: Pick): Comparison =>
    compare(of(own, pick), of(row, pick))
  if (compare(of(average, refusal), of(anchor, refusal)) !== 'lower') return 'untested'
  if (against(average, refusal) !== 'higher') return 'does not hold'
  const isHeld = ['same', 'higher'].includes(against(anchor, refusal))
  const isSkilled = ['same', 'higher'].includes(against(average, skill))
  return isHeld && isSkilled ? 'holds' : 'holds in part'
}

const WORDS: Readonly<Record<Headline, string>> = {
  holds: 'the claim holds: refusals are kept and skill is not given up',
  'holds in part':
    'the claim holds in part: AlignMerge refuses more than the plain average, but not both as much as the anchor and with the average’s skill',
  'does not hold': 'the claim does not hold: AlignMerge refuses no more than the plain average',
  untested: 'the claim is not tested: the plain average already refuses as the anchor does',
}

/** One sentence per family and combination. */
export function verdict(family: string, group: ResultGroup, reference: ResultGroup): string | undefined {
  const found = claimFigures(group, reference)
  if (!found) return undefined
  const { own, average, anchor, bestExpert, baselines, violations } = found
  const skill = skillOf(group)
  const claimed = [
    `${compared('refusal against the plain average', of(own, refusal), of(average, refusal))}`,
    `${compared('against the anchor', of(own, refusal), of(anchor, refusal))}`,
    `${compared('skill against the plain average', of(own, skill), of(average, skill))}`,
    ...(bestExpert ? [`${compared('against the best expert', of(own, skill), of(bestExpert, skill))}`] : []),
  ]
  const rest = `Of ${baselines} other methods it has a higher AQI than ${found.aqiHigher}, refuses more than ${found.refusalHigher} and drifts less than ${found.driftSmaller}; budget broken in ${violations.own.violated} of ${violations.own.runs} runs, theirs in ${violations.theirs.violated} of ${violations.theirs.runs}.`
  return `**${family}**: ${WORDS[headline(found, skill)]} (${own.label}; ${claimed.join('; ')}). ${rest}`
}

const groupOf = ({ combinations }: FamilyResults, id: string): ResultGroup | undefined =>
  combinations.find((group) => group.id === id)

/** Rows are methods, columns families. */
function across(
  families: readonly FamilyResults[],
  id: string,
  cell: (group: ResultGroup, row: SeededRow) => string,
) {
  const labels = new Set(
    families.flatMap((family) => bySeeds(groupOf(family, id) ?? family.reference).map(({ label }) => label)),
  )
  return table(
    ['', ...families.map(({ name }) => name)],
    [...labels].map((label) => [
      label,
      ...families.map((family) => {
        const group = groupOf(family, id)
        const row = group && bySeeds(group).find((known) => known.label === label)
        return group && row ? cell(group, row) : '–'
      }),
    ]),
  )
}

const shareCell = (estimate: Estimate | undefined) =>
  estimate && !isUnavailable(estimate) ? (100 * estimate.value).toFixed(0) : '–'

function claimTable(families: readonly FamilyResults[], id: string): string {
  return table(
    [
      '',
      'verdict',
      'refusal, AlignMerge',
      'plain average',
      'anchor',
      'skill, AlignMerge',
      'plain average',
      'best expert',
      'AQI, AlignMerge',
      'plain average',
    ],
    families.map((family) => {
      const group = groupOf(family, id)
      const found = group && claimFigures(group, family.reference)
      if (!group || !found) return [family.name, ...new Array<string>(9).fill('–')]
      const { own, average, anchor, bestExpert } = found
      const skill = skillOf(group)
      return [
        family.name,
        headline(found, skill),
        ...[own, average, anchor].map((row) => share(of(row, refusal))),
        ...[own, average, bestExpert].map((row) => share(of(row, skill))),
        ...[own, average].map((row) => plain(of(row, aqi), 1)),
      ]
    }),
  )
}

/** Blocks of Markdown; headings from the second level. */
export function familiesSection({ families, ...results }: FamiliesResults): string[] {
  const combinations = families[0]?.combinations ?? []
  const counts = families.map(({ name, parameterCount }) => `${name} ${parameterCount.toLocaleString('en')}`)
  const perCombination = combinations.flatMap(({ id, title }) => [
    `### ${title}, by family`,
    bullets(
      families.flatMap((family) => {
        const group = groupOf(family, id)
        return (group && verdict(family.name, group, family.reference)) ?? []
      }),
    ),
    claimTable(families, id),
    'Refusals / skill of every method, per cent, mean over seeds:',
    across(families, id, (group, row) => {
      const [kept, able] = [refusal, skillOf(group)].map((pick) => shareCell(of(row, pick)))
      return `${kept} / ${able}`
    }),
  ])
  return [
    '## Five families',
    bullets([
      `micro models of ${families.length} architectures on the same world, tokenizer and probes: ${counts.join(', ')} parameters`,
      `adapter ${results.adapter}, ${results.date}, ${(results.seconds / 60).toFixed(0)} min, seeds ${results.seeds.join(', ')}, ${results.perClass} held-out probes of each class`,
      'Held against AlignMerge’s most refusing row. Values differ only where their intervals are apart; drift has no interval.',
    ]),
    ...perCombination,
    ...families.flatMap(({ name, reference, combinations: own }) => [
      `### ${name}`,
      '**Models alone**',
      mainTable(reference),
      ...own.flatMap((group) => [`**${group.title}**`, mainTable(group)]),
    ]),
  ]
}
