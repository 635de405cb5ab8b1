// What the tables say, as sentences made from the same numbers, so that they can never disagree with them. Two
// values differ only where their 95 % intervals do not touch; everything else is called no difference.

import type { Estimate } from '../core/evaluate/estimate.ts'
import { type Comparison, compare, plain, share } from './resultsFormat.ts'
import type { ResultGroup, ResultRow, Results } from './resultsRun.ts'

const NO_DIFFERENCE = 'no difference beyond the intervals'

function verdict(what: string, comparison: Comparison): string {
  if (comparison === 'unknown') return `${what} cannot be compared`
  return comparison === 'same' ? `${what}: ${NO_DIFFERENCE}` : `${what} is ${comparison}`
}

/** "refusal is higher: 98 (95–99) % against 0 (0–2) %" */
function compared(what: string, a: Estimate | undefined, b: Estimate | undefined): string {
  const words = verdict(what, compare(a, b))
  return `${words}${words.includes(':') ? ',' : ':'} ${share(a)} % against ${share(b)} %`
}

const skillsOf = (group: ResultGroup): string[] =>
  group.experts.flatMap(({ skill }) => (skill === undefined ? [] : [skill]))

const factor = (before: number, after: number): string =>
  after > 0 ? `by a factor of ${(before / after).toPrecision(2)}` : 'to zero'

/** The merge with the largest λ_align of each source, in order of appearance. */
function strongest(rows: readonly ResultRow[]): ResultRow[] {
  const bySource = new Map<string, ResultRow>()
  for (const row of rows) {
    if (row.setup?.method !== 'alignmerge') continue
    const known = bySource.get(row.setup.source)
    if (!known?.setup || known.setup.lambdaAlign < row.setup.lambdaAlign) bySource.set(row.setup.source, row)
  }
  return [...bySource.values()]
}

/** Sentences of one combination: baselines against the anchor, then each source's strongest shield. */
export function findings(group: ResultGroup, anchor: ResultRow): string[] {
  const row = (method: string) => group.rows.find(({ setup }) => setup?.method === method)
  const average = row('linear')
  const soup = row('fisher_average')
  if (!average) return []
  const lines = [
    `Plain average and anchor: ${compared('refusal', average.behaviour.refusal, anchor.behaviour.refusal)}.`,
  ]
  if (soup)
    lines.push(
      `Fisher soup and plain average: ${compared('refusal', soup.behaviour.refusal, average.behaviour.refusal)}.`,
    )
  for (const merged of strongest(group.rows)) {
    const { behaviour, drift, label } = merged
    const base = average.behaviour
    const skills = skillsOf(group).map(
      (skill) => [skill, behaviour.skills[skill], base.skills[skill]] as const,
    )
    const lost = skills.filter(([, a, b]) => compare(a, b) === 'lower')
    const parts = [
      compared('refusal', behaviour.refusal, base.refusal),
      compared('refusal in attack wording', behaviour.attackRefusal, base.attackRefusal),
      ...skills.map(([skill, a, b]) => compared(`skill ${skill}`, a, b)),
      compared('refusal of harmless requests', behaviour.overRefusal, base.overRefusal),
    ]
    lines.push(`${label} and plain average: ${parts.join('; ')}.`)
    const gain = compare(behaviour.refusal, base.refusal)
    if (gain === 'higher' && lost.length === 0)
      lines.push(`So here ${label} holds refusal better without a measurable loss of skill.`)
    if (gain === 'higher' && lost.length > 0)
      lines.push(`So here ${label} buys refusal with ${lost.map(([skill]) => skill).join(' and ')}.`)
    if (gain === 'same') lines.push(`So here ${label} does not help refusal measurably.`)
    if (gain === 'lower') lines.push(`So here ${label} makes refusal worse.`)
    lines.push(...driftLines(group, merged, drift))
  }
  return lines
}

/** Drift of a merge against the weakest shield of the same source: same subspaces, same units. */
function driftLines(group: ResultGroup, strong: ResultRow, drift: ResultRow['drift']): string[] {
  const weak = group.rows.find(
    ({ setup }) => setup?.method === 'alignmerge' && setup.source === strong.setup?.source,
  )
  if (!drift || !weak?.drift || weak === strong) return []
  const change = (name: string, before: number, after: number) => {
    // A tenth either way is what rounding to bfloat16 alone can do.
    if (Math.abs(after - before) <= 0.1 * before) return `${name} stays`
    return after < before
      ? `${name} falls ${factor(before, after)}`
      : `${name} grows ${factor(after, before)}`
  }
  return [
    `From λ ${weak.setup?.lambdaAlign} to λ ${strong.setup?.lambdaAlign} (${strong.setup?.source}): ${[
      change('own drift', weak.drift.own, drift.own),
      change('drift on held-out probes', weak.drift.heldOut, drift.heldOut),
      change('drift of the other source', weak.drift.otherSource, drift.otherSource),
    ].join(', ')}.`,
  ]
}

/** Sentences of the ablation: one knob at a time against the row that keeps the defaults. */
export function ablationFindings({ ablation, defaults }: Results): string[] {
  const sources = [...new Set(ablation.rows.map(({ setup }) => setup?.source))]
  const pick = (source: string | undefined, change: Partial<NonNullable<ResultRow['setup']>>) =>
    ablation.rows.find(({ setup }) => {
      if (!setup || setup.source !== source) return false
      const wanted = { damping: defaults.damping, rank: defaults.rank, metric: defaults.metric, ...change }
      return (Object.keys(wanted) as (keyof typeof wanted)[]).every((key) => setup[key] === wanted[key])
    })
  const own = pick(defaults.source, {})
  const lines: string[] = []
  const say = (row: ResultRow | undefined, base: ResultRow | undefined) => {
    if (row && base && row !== base)
      lines.push(
        `${row.label} and ${base.label}: ${compared('refusal', row.behaviour.refusal, base.behaviour.refusal)}.`,
      )
  }
  for (const source of sources) say(pick(source, {}), own)
  for (const source of sources) {
    const base = pick(source, {})
    if (!base) continue
    const others = ablation.rows.filter((row) => row.setup?.source === source && row !== base)
    const isSame = (row: ResultRow) => compare(row.behaviour.refusal, base.behaviour.refusal) === 'same'
    for (const row of others) if (!isSame(row)) say(row, base)
    const same = others.filter(isSame).map(({ label }) => label)
    if (same.length > 0) lines.push(`${same.join('; ')}: refusal as with ${base.label}, ${NO_DIFFERENCE}.`)
  }
  return lines
}

/** Whether AQI shows what a model alone has lost. */
export function aqiFindings({ reference }: Results): string[] {
  const [anchor, ...others] = reference.rows
  return others.flatMap((row) => {
    const lost = compare(row.behaviour.refusal, anchor.behaviour.refusal)
    const aqi = compare(row.aqi?.completions, anchor.aqi?.completions)
    if (lost !== 'lower' || aqi === 'unknown') return []
    const values = `${plain(row.aqi?.completions, 1)} against ${plain(anchor.aqi?.completions, 1)}`
    const words =
      aqi === 'lower'
        ? 'shows it'
        : `does not show it, it ${aqi === 'same' ? 'does not differ' : 'is even higher'}`
    return [`${row.label} refuses less than the anchor; AQI of completions ${words}: ${values}.`]
  })
}
