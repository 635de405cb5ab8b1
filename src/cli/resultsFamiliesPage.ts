// "Five families" on the results page: whether the paper's claim holds in each, methods against families, then every
// family's own table. Sentences are made from the numbers that stand below them.

import { type Estimate, isUnavailable } from '../core/evaluate/estimate.ts'
import type { FamiliesResults, FamilyResults } from './resultsFamilies.ts'
import { type ClaimFigures, claimFigures } from './resultsFindings.ts'
import { type Comparison, compare, plain, share, table } from './resultsFormat.ts'
import type { ResultGroup, ResultRow } from './resultsRun.ts'
import { bySeeds, overSeeds, type SeededRow, skillOf } from './resultsSeeds.ts'
import { bullets, mainTable } from './resultsTables.ts'

type Pick = (row: ResultRow) => Estimate | undefined

const refusal: Pick = ({ behaviour }) => behaviour?.refusal
const aqi: Pick = ({ aqi: found }) => found?.completions
const of = (row: SeededRow | undefined, pick: Pick) => (row ? overSeeds(row, pick) : undefined)

interface Relation {
  /** higher: at every seed; lower: at one at least */ is: Comparison
  /** seeds at which it is lower */ lowerAt: number
  seeds: number
}

/** Compares seed by seed: over seeds together intervals grow, and a loss at one seed would hide in them. */
export function relate(own: SeededRow, other: SeededRow | undefined, pick: Pick): Relation {
  const found = own.rows.map((row) => {
    const same = other?.rows.find(({ seed }) => seed === row.seed)
    return compare(pick(row), same && pick(same))
  })
  const count = (wanted: Comparison) => found.filter((comparison) => comparison === wanted).length
  const [seeds, lowerAt] = [found.length, count('lower')]
  if (count('unknown') > 0) return { is: 'unknown', lowerAt, seeds }
  if (lowerAt > 0) return { is: 'lower', lowerAt, seeds }
  return { is: count('higher') === seeds ? 'higher' : 'same', lowerAt, seeds }
}

/**
 * The headline, "alignment is held while merging, without giving up skill": at every seed refusal no lower than the
 * anchor's and above the plain average's, skill no lower than the plain average's. `untested` where the plain average
 * itself refuses as the anchor does.
 */
export type Headline = 'holds' | 'holds in part' | 'does not hold' | 'untested'

export function headline({ own, average, anchor }: ClaimFigures, skill: Pick): Headline {
  if (!average || relate(average, anchor, refusal).is !== 'lower') return 'untested'
  if (relate(own, average, refusal).is !== 'higher') return 'does not hold'
  const isKept = (row: SeededRow | undefined, pick: Pick) =>
    ['same', 'higher'].includes(relate(own, row, pick).is)
  return isKept(anchor, refusal) && isKept(average, skill) ? 'holds' : 'holds in part'
}

const WORDS: Readonly<Record<Headline, string>> = {
  holds: 'the claim holds: refusals are kept and skill is not given up',
  'holds in part': 'the claim holds in part',
  'does not hold': 'the claim does not hold: AlignMerge refuses no more than the plain average',
  untested: 'the claim is not tested: the plain average already refuses as the anchor does',
}

const RELATIONS: Readonly<Record<Comparison, string>> = {
  higher: 'above',
  lower: 'below',
  same: 'like',
  unknown: 'not comparable with',
}

/** One sentence per family and combination. */
export function verdict(family: string, group: ResultGroup, reference: ResultGroup): string | undefined {
  const found = claimFigures(group, reference)
  if (!found) return undefined
  const { own, average, anchor, bestExpert } = found
  const skill = skillOf(group)
  const relation = (row: SeededRow | undefined, pick: Pick, whose: string) => {
    const { is, lowerAt, seeds } = relate(own, row, pick)
    const where = is === 'lower' && lowerAt < seeds ? ` at ${lowerAt} of ${seeds} seeds` : ''
    return `${RELATIONS[is]} ${whose}${where}`
  }
  const kept = [
    relation(average, refusal, averageName(group)),
    relation(anchor, refusal, 'the anchor’s'),
  ].join(' and ')
  const able = [
    relation(average, skill, averageName(group)),
    ...(group.experts.length > 1 ? [relation(bestExpert, skill, 'the best expert’s')] : []),
  ].join(' and ')
  return `**${family}**: ${WORDS[headline(found, skill)]}. ${own.label}: refusal ${share(of(own, refusal))} % is ${kept}, skill ${share(of(own, skill))} % ${able}.`
}

/** A linear merge of one expert is the expert. */
const averageName = ({ experts }: ResultGroup) =>
  experts.length > 1 ? 'the plain average’s' : 'the expert’s'

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

/** The paper's claims, one a line, held against every family. */
function claimTable(families: readonly FamilyResults[], id: string): string {
  const found = families.map((family) => {
    const group = groupOf(family, id)
    const figures = group && claimFigures(group, family.reference)
    return group && figures ? { ...figures, skill: skillOf(group) } : undefined
  })
  const line = (text: string, cell: (figures: ClaimFigures & { skill: Pick }) => string) => [
    text,
    ...found.map((figures) => (figures ? cell(figures) : '–')),
  ]
  const counted = ({ violated, runs }: { violated: number; runs: number }) => `${violated} of ${runs}`
  const isPair = families.some((family) => (groupOf(family, id)?.experts.length ?? 0) > 1)
  const average = isPair ? 'the plain average' : 'the expert'
  return table(
    ['', ...families.map(({ name }) => name)],
    [
      line('alignment is held, skill not given up', (f) => headline(f, f.skill)),
      line('refuses more than', (f) => `${f.refusalHigher} of ${f.baselines}`),
      line('higher AQI than', (f) => `${f.aqiHigher} of ${f.baselines}`),
      line('drifts less than', (f) => `${f.driftSmaller} of ${f.baselines}`),
      line('AQI budget broken, runs', (f) => counted(f.violations.own)),
      line('the same of the others', (f) => counted(f.violations.theirs)),
      line('refusal, AlignMerge', ({ own }) => share(of(own, refusal))),
      line(`refusal, ${average}`, (f) => share(of(f.average, refusal))),
      line('refusal, the anchor', (f) => share(of(f.anchor, refusal))),
      line('skill, AlignMerge', (f) => share(of(f.own, f.skill))),
      line(`skill, ${average}`, (f) => share(of(f.average, f.skill))),
      ...(isPair ? [line('skill, the best expert', (f) => share(of(f.bestExpert, f.skill)))] : []),
      line('AQI, AlignMerge', (f) => plain(of(f.own, aqi), 1)),
      line(`AQI, ${average}`, (f) => plain(of(f.average, aqi), 1)),
    ],
  )
}

/** How many families each claim of the paper holds in. */
function summary(families: readonly FamilyResults[], id: string): string | undefined {
  const found = families.flatMap((family) => {
    const group = groupOf(family, id)
    const figures = group && claimFigures(group, family.reference)
    return group && figures ? [{ figures, skill: skillOf(group) }] : []
  })
  if (found.length === 0) return undefined
  const count = (isTrue: (one: (typeof found)[number]) => boolean) =>
    `${found.filter(isTrue).length} of ${found.length}`
  return [
    `Alignment is held without giving up skill in ${count(({ figures, skill }) => headline(figures, skill) === 'holds')} families, in part in ${count(({ figures, skill }) => headline(figures, skill) === 'holds in part')}.`,
    `A higher AQI than every other method: in ${count(({ figures }) => figures.aqiHigher === figures.baselines)}; less drift than every other: in ${count(({ figures }) => figures.driftSmaller === figures.baselines)}.`,
    `Skill like the best expert’s or above: in ${count(({ figures, skill }) => ['same', 'higher'].includes(relate(figures.own, figures.bestExpert, skill).is))}.`,
  ].join(' ')
}

/** Blocks of Markdown; headings from the second level. */
export function familiesSection({ families, ...results }: FamiliesResults): string[] {
  const combinations = families[0]?.combinations ?? []
  const counts = families.map(({ name, parameterCount }) => `${name} ${parameterCount.toLocaleString('en')}`)
  const perCombination = combinations.flatMap(({ id, title }) =>
    [
      `### ${title}, by family`,
      summary(families, id) ?? [],
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
    ].flat(),
  )
  return [
    '## Five families',
    bullets([
      `micro models of ${families.length} architectures on the same world, tokenizer and probes: ${counts.join(', ')} parameters`,
      `adapter ${results.adapter}, ${results.date}, seeds ${results.seeds.join(', ')}, ${results.perClass} held-out probes of each class`,
      'Held against AlignMerge’s most refusing row. Columns and intervals as above; values differ only where their intervals are apart, and drift has none. Alignment is held where refusal is above the plain average’s and at no seed below the anchor’s; skill is not given up where it is at no seed below the plain average’s; where refusal is above the average’s and one of the two fails, the claim holds in part.',
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
