// One or two plain sentences per table of docs/after.md: what it shows and where it fails. Each sentence stands only
// where the numbers bear it out, so that a run on other models never says what it did not find.

import { type Estimate, isUnavailable } from '../core/evaluate/estimate.ts'
import { riseAgainst } from './afterFindings.ts'
import { BEST_ANTIDOTE } from './afterPlan.ts'
import type { AfterResults, Subject } from './afterRun.ts'
import { compare } from './resultsFormat.ts'

const numberOf = (estimate: Estimate | undefined): number =>
  estimate && !isUnavailable(estimate) ? estimate.value : Number.NaN
const percent = (estimate: Estimate | undefined) => `${(100 * numberOf(estimate)).toFixed(0)} %`
const find = ({ subjects }: AfterResults, id: string): Subject | undefined =>
  subjects.find((subject) => subject.id === id)

/** What it shows, or nothing. */
export function antidoteShows(results: AfterResults): string {
  const [{ id, label }] = results.cases
  const refusal = (name?: string) => find(results, name ? `${id}/${name}` : id)?.behaviour?.refusal
  const skill = results.experts.find((expert) => expert.skill)?.skill ?? ''
  const best = find(results, `${id}/${BEST_ANTIDOTE}`)
  const merge = find(results, id)
  const lines: string[] = []
  if (best?.behaviour && compare(best.behaviour.refusal, refusal()) === 'higher') {
    const kept = compare(best.behaviour.skills[skill], merge?.behaviour?.skills[skill])
    lines.push(
      `The antidote takes the ${label.toLowerCase()} from ${percent(refusal())} to ${percent(best.behaviour.refusal)} refusal with a step of ${(100 * (best.antidote?.relativeLength ?? 0)).toFixed(1)} % of the weights' length, ${kept === 'same' ? `${skill} as it was` : `${skill} ${kept}`}.`,
    )
  }
  if (compare(refusal('panacea'), refusal()) === 'same')
    lines.push(
      'Raising the loss of whole harmful completions alone, Panacea’s own h, does not: it changes how the merge complies, not whether.',
    )
  if (compare(refusal('noise'), refusal()) === 'same')
    lines.push('Noise of the same length does nothing here either, against what the paper reports.')
  if (compare(refusal(BEST_ANTIDOTE), refusal('once')) === 'higher')
    lines.push('One gradient is not enough: taking it anew on the way is what meets the budget.')
  if (compare(refusal(BEST_ANTIDOTE), refusal('fisher')) === 'higher')
    lines.push('The Fisher as metric makes it worse than the identity.')
  const [free, spared] = [find(results, `${id}/unprotected`), best]
  if (free?.behaviour && spared?.behaviour)
    lines.push(
      compare(free.behaviour.overRefusal, spared.behaviour.overRefusal) === 'higher'
        ? 'Sparing harmless requests pays: without it over-refusal is higher.'
        : 'What sparing harmless requests adds is within the intervals.',
    )
  return lines.join(' ')
}

export function polishShows(results: AfterResults): string {
  const lines: string[] = []
  for (const { id, label } of results.cases) {
    const base = find(results, id)?.behaviour
    const polished = results.subjects.filter(({ group, polish }) => group === id && polish)
    const helped = polished.filter(({ behaviour }) => compare(behaviour?.refusal, base?.refusal) === 'higher')
    const fell = polished.filter(({ polish }) => polish && polish.after < polish.before)
    if (polished.length > 0 && helped.length === 0 && fell.length > 0) {
      const margins = fell.flatMap(({ acceptance }) => acceptance?.margin ?? [])
      const before = find(results, id)?.acceptance?.margin
      const moved =
        margins.length > 0 && before !== undefined
          ? ` The deciding margin of the accepting half goes from ${before.toFixed(1)} to at most ${Math.max(...margins).toFixed(1)} nats.`
          : ''
      lines.push(
        numberOf(base?.refusal) >= 0.9
          ? `On ${label}, which refuses already, J′ falls and refusal stays within the intervals.${moved}`
          : `On ${label} J′ falls and refusal does not rise beyond the intervals: a failure at this budget of forward passes.${moved}`,
      )
    }
    if (helped.length > 0)
      lines.push(`On ${label} refusal rises in ${helped.length} of ${polished.length} polishes.`)
    if (fell.length === 0 && polished.length > 0)
      lines.push(`On ${label} no polish was better than the merge on the accepting half.`)
  }
  return lines.join(' ')
}

export function maskingShows(results: AfterResults): string {
  const anchor = results.subjects.find(({ masking }) => masking)
  const merges = results.subjects.filter(({ masking, group }) => masking && group !== 'alone')
  const kinds = ['harmful', 'harmless']
  const frail = merges.filter(({ masking }) =>
    masking?.some((own) => {
      const base = anchor?.masking?.find(({ kind }) => kind === own.kind)
      if (!base || !kinds.includes(own.kind)) return false
      const difference = riseAgainst(own, base, results.seed)
      return !isUnavailable(difference) && difference.low > 0
    }),
  )
  if (merges.length === 0) return ''
  return frail.length === 0
    ? 'No merge and no repaired merge leans on single words of harmful or harmless prompts more than the anchor does: no sign of a brittle repair by this probe.'
    : `${frail.length} of ${merges.length} merges lean on single words of harmful or harmless prompts more than the anchor does.`
}

export function attackShows(results: AfterResults): string {
  const [anchor] = results.subjects
  const lines: string[] = []
  const success = (subject: Subject | undefined, kind: string) =>
    subject?.attacks?.find((one) => one.kind === kind)?.success
  for (const { id, label } of results.cases) {
    const repaired = find(results, `${id}/${BEST_ANTIDOTE}`)
    const left = repaired?.attacks?.filter(({ success: own }) => !isUnavailable(own) && own.low > 0.1) ?? []
    if (!repaired) continue
    const worst = [...left].sort((a, b) => numberOf(b.success) - numberOf(a.success))
    if (worst.length > 0)
      lines.push(
        `Repaired, ${label} still falls to ${worst.map(({ kind, success: own }) => `${kind} (${percent(own)})`).join(', ')}: what is learned on plain requests reaches new sentences only in part.`,
      )
    const behind =
      repaired.attacks?.filter(
        ({ kind, success: own }) => compare(own, success(anchor, kind)) === 'higher',
      ) ?? []
    if (behind.length > 0)
      lines.push(`Against the anchor it is weaker to ${behind.map(({ kind }) => kind).join(', ')}.`)
  }
  return lines.join(' ')
}

export function coverageShows({ coverage }: AfterResults): string {
  const lines: string[] = []
  const wins = coverage.random.filter(({ size, high }) => coverage.curve[size - 1] > high).length
  lines.push(
    `Greedy subsets cover more than 97.5 % of random ones at ${wins} of ${coverage.random.length} sizes.`,
  )
  const sizes = [...new Set(coverage.use.map(({ size }) => size))]
  const better = sizes.filter((size) => {
    const own = coverage.use.find((one) => one.size === size && one.choice === 'greedy')
    const others = coverage.use.filter((one) => one.size === size && one.choice !== 'greedy')
    return own && others.length > 0 && others.every((one) => compare(own.refusal, one.refusal) === 'higher')
  })
  if (sizes.length > 0)
    lines.push(
      better.length === 0
        ? 'As rows of A they are no better than random ones: covering the hidden states does not make better gradients here.'
        : `As rows of A they beat every random draw at ${better.join(' and ')} rows.`,
    )
  return lines.join(' ')
}
