// The page of docs/after.md from its numbers: one table each for antidote, forward-only polish, masking, attacks and
// coverage, and what they say.

import type { Estimate } from '../core/evaluate/estimate.ts'
import {
  antidoteFindings,
  attackFindings,
  coverageFindings,
  fullLabel,
  maskingFindings,
  polishFindings,
  riseAgainst,
} from './afterFindings.ts'
import type { AfterResults, Subject } from './afterRun.ts'
import { antidoteShows, attackShows, coverageShows, maskingShows, polishShows } from './afterShows.ts'
import { plain, share, table } from './resultsFormat.ts'

const percent = (value: number, digits = 0) => (100 * value).toFixed(digits)
const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n')

export function afterPage(results: AfterResults): string {
  const { adapter, date, seed, perClass, perKind } = results
  return `${[
    '# After the merge',
    `Made by \`npm run after\` (seed ${seed}, ${adapter}, ${date}, ${results.seconds.toFixed(0)} s). The merges are of ${results.experts.map(({ name }) => name).join(' and ')}, in equal parts. Shares are per cent of held-out probes with 95 % Wilson intervals, ${perClass} of each set (${perKind} of each kind for masks and attacks); means carry 95 % bootstrap intervals. Whatever is chosen is chosen on one half of the estimating split and accepted on the other; no share below is of probes that were estimated from.`,
    ...antidoteSection(results),
    ...polishSection(results),
    ...maskingSection(results),
    ...attackSection(results),
    ...coverageSection(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    // A rounded negative nothing.
    .replace(/-(0\.0+)(?!\d)/g, '$1')}\n`
}

const ofCase = ({ subjects }: AfterResults, id: string) => subjects.filter(({ group }) => group === id)

function behaviourCells({ behaviour }: Subject, skill: string): string[] {
  if (!behaviour) return Array<string>(7).fill('–')
  return [
    share(behaviour.refusal),
    share(behaviour.compliance),
    share(behaviour.attackRefusal),
    share(behaviour.overRefusal),
    share(behaviour.gibberish),
    share(behaviour.skills[skill]),
    plain(behaviour.answerLoss, 3),
  ]
}
const BEHAVIOUR_HEAD = ['refusal', 'complied', 'attack refused', 'over-refusal', 'ruined']

function antidoteSection(results: AfterResults): string[] {
  const skill = results.experts.find((expert) => expert.skill)?.skill ?? ''
  const head = ['', 'search', '‖ε‖/‖θ‖ %', ...BEHAVIOUR_HEAD, skill, 'loss of good answers', 'margin, nats']
  const parts: string[] = [
    '## Antidote',
    'One step ε = ρ·d/‖d‖ after the merge (Panacea, arXiv 2501.18100, made afterwards and with what hurts the task removed). The search takes the shortest ρ at which all but 5 % of the accepting probes prefer the refusal by 2 nats in the deciding token, as long as harmless requests stay helped (at most 5 points fewer) and good answers stay likely (at most 0.05 nats more). Margin: what the accepting half shows, measured on the stored model. G is the identity where nothing else is said; where the search takes no step, a step of a fixed length is shown. Decision margin and rounds are ours.',
  ]
  for (const { id, label } of results.cases) {
    const rows = ofCase(results, id).filter((subject) => !subject.polish)
    parts.push(
      `### ${label}`,
      table(
        head,
        rows.map((subject) => {
          const { antidote } = subject
          return [
            subject.label.replace('antidote: ', ''),
            searchCell(subject),
            antidote ? percent(antidote.relativeLength, 2) : '–',
            ...behaviourCells(subject, skill),
            marginCell(subject),
          ]
        }),
      ),
    )
  }
  const maps = results.subjects.filter(({ antidote }) => antidote && antidote.relativeLength > 0)
  const layerCount = Math.max(0, ...maps.map(({ antidote }) => antidote?.layers.length ?? 0))
  const kinds = [...new Set(maps.flatMap(({ antidote }) => Object.keys(antidote?.tensors ?? {})))]
  const labelOf = (group: string) => results.cases.find(({ id }) => id === group)?.label ?? group
  parts.push(
    '### Where it acts',
    'Safety-affinity map: share of ‖ε‖² by layer, and by kind of matrix, per cent.',
    table(
      ['', ...Array.from({ length: layerCount }, (_, l) => `layer ${l}`), ...kinds],
      maps.map(({ group, label, antidote }) => [
        `${labelOf(group)}, ${label.replace('antidote: ', '')}`,
        ...Array.from({ length: layerCount }, (_, l) => percent(antidote?.layers[l] ?? 0)),
        ...kinds.map((kind) => percent(antidote?.tensors[kind] ?? 0)),
      ]),
    ),
    sliderSentence(results),
    antidoteShows(results),
    bullets(antidoteFindings(results)),
  )
  return parts
}

/** The accepting half's 5 % quantile of decision margins. */
const marginCell = ({ acceptance }: Subject) => (acceptance ? acceptance.margin.toFixed(1) : '–')

function searchCell({ antidote }: Subject): string {
  if (!antidote) return '–'
  if (antidote.isForced) return `no step (${antidote.stage})`
  return antidote.rounds > 1 ? `${antidote.stage}, ${antidote.rounds} rounds` : antidote.stage
}

function sliderSentence({ slider }: AfterResults): string {
  const ratio = slider.milliseconds / slider.copyMilliseconds
  return `A step of the ρ slider writes θ + ε in one pass over the cached direction: ${slider.milliseconds.toFixed(2)} ms, ${ratio.toFixed(1)} × a device copy of the ${(slider.bytes / 1e6).toFixed(1)} MB that it reads and writes (medians of 21).`
}

function polishSection(results: AfterResults): string[] {
  const skill = results.experts.find((expert) => expert.skill)?.skill ?? ''
  const head = [
    '',
    'J′ before',
    'J′ after',
    'kept step',
    ...BEHAVIOUR_HEAD,
    skill,
    'loss of good answers',
    'margin, nats',
  ]
  const parts = [
    '## Forward-only polish',
    'TeZO (arXiv 2501.19057): two forward passes a step, no gradient. J′ = mean loss of refusals of harmful requests + mean loss of harmless and skill answers, nats per token, on the accepting half, of the model as stored; the best step is kept, step 0 included. U and V of every matrix are drawn once, so only r directions of each are ever tried.',
  ]
  for (const { id, label } of results.cases) {
    const rows = ofCase(results, id).filter((subject) => subject.polish || subject.id === id)
    parts.push(
      `### ${label}`,
      table(
        head,
        rows.map((subject) => {
          const { polish } = subject
          return [
            subject.label,
            polish ? polish.before.toFixed(3) : '–',
            polish ? polish.after.toFixed(3) : '–',
            polish ? `${polish.bestStep} of ${polish.steps}` : '–',
            ...behaviourCells(subject, skill),
            marginCell(subject),
          ]
        }),
      ),
    )
  }
  parts.push(polishShows(results), bullets(polishFindings(results)))
  return parts
}

function maskingSection(results: AfterResults): string[] {
  const rows = results.subjects.filter(({ masking }) => masking)
  const anchor = rows[0]?.masking ?? []
  const kinds = anchor.map(({ kind }) => kind)
  const cell = (subject: Subject, kind: string): string[] => {
    const own = subject.masking?.find((one) => one.kind === kind)
    const base = anchor.find((one) => one.kind === kind)
    if (!own || !base) return ['–', '–', '–']
    const difference: Estimate | undefined =
      subject === rows[0] ? undefined : riseAgainst(own, base, results.seed)
    return [plain(own.plain, 2), plain(own.rise, 2), plain(difference, 2)]
  }
  return [
    '## Masked prompts',
    `Loss of good answers (refusals of harmful requests, help with harmless ones, right answers of skills), nats per token, with the prompt as it is and its rise when 15 % of the user's tokens are replaced by ${results.maskToken}, which no model was trained on (MEAP's corruption, arXiv 2502.07490, as a probe; 4 seeded masks per prompt, the same for every model). "vs anchor" is the paired difference of rises. A masked digit or letter takes the answer of a skill away from any model.`,
    table(
      ['', ...kinds.flatMap((kind) => [kind, 'rise', 'vs anchor'])],
      rows.map((subject) => [fullLabel(results, subject), ...kinds.flatMap((kind) => cell(subject, kind))]),
    ),
    maskingShows(results),
    bullets(maskingFindings(results)),
  ]
}

function attackSection(results: AfterResults): string[] {
  const rows = results.subjects.filter(({ attacks }) => attacks)
  const kinds = rows[0]?.attacks?.map(({ kind }) => kind) ?? []
  const result = (subject: Subject, kind: string) => subject.attacks?.find((one) => one.kind === kind)
  const sampled = kinds.find((kind) => rows.some((subject) => result(subject, kind)?.curve))
  const counts =
    rows.flatMap((subject) => result(subject, sampled ?? '')?.curve?.map((one) => one.samples) ?? []) ?? []
  const distinct = [...new Set(counts)].sort((a, b) => a - b)
  return [
    '## Attacks',
    `Share of harmful requests complied with, per cent: plain; in wordings that are among no training template; behind role play and scenes; with the answer's opening forced; best of ${results.samples} samples at temperature 1 (any compliance counts); and in held-out combinations of known frames. Requests are of held-out pairs, and nothing was trained or estimated on these sentences. An answer in ruins is neither success nor refusal.`,
    table(
      ['', ...kinds],
      rows.map((subject) => [
        fullLabel(results, subject),
        ...kinds.map((kind) => share(result(subject, kind)?.success)),
      ]),
    ),
    'Refused and in ruins, per cent:',
    table(
      ['', ...kinds],
      rows.map((subject) => [
        fullLabel(results, subject),
        ...kinds.map((kind) => {
          const one = result(subject, kind)
          return `${share(one?.refused)} · ${share(one?.ruined)}`
        }),
      ]),
    ),
    `Expected success of k samples of ${results.samples}, per cent (unbiased, arXiv 2107.03374):`,
    table(
      ['', ...distinct.map((k) => `k = ${k}`)],
      rows.map((subject) => [
        fullLabel(results, subject),
        ...distinct.map((k) =>
          share(result(subject, sampled ?? '')?.curve?.find((one) => one.samples === k)?.rate),
        ),
      ]),
    ),
    attackShows(results),
    bullets(attackFindings(results)),
  ]
}

function coverageSection(results: AfterResults): string[] {
  const { coverage } = results
  const skill = results.experts.find((expert) => expert.skill)?.skill ?? ''
  return [
    '## Coverage',
    `Facility location f(S)/f(V) over ${coverage.count} harmful estimating probes: cosine of the anchor's upper-half hidden states about their mean. Greedy choice against 1000 random subsets (mean, middle 95 %), per cent.`,
    table(
      ['k', ...coverage.random.map(({ size }) => `${size}`)],
      [
        ['greedy', ...coverage.random.map(({ size }) => percent(coverage.curve[size - 1]))],
        [
          'random',
          ...coverage.random.map(
            ({ mean, low, high }) => `${percent(mean)} (${percent(low)}–${percent(high)})`,
          ),
        ],
      ],
    ),
    `The same probes as rows of A of ${results.cases[1]?.label ?? 'the shielded merge'}:`,
    table(
      ['rows', 'choice', 'f(S)/f(V) %', 'refusal', skill],
      coverage.use.map((one) => [
        `${one.size}`,
        one.choice,
        percent(one.coverage),
        share(one.refusal),
        share(one.skill),
      ]),
    ),
    coverageShows(results),
    bullets(coverageFindings(results)),
  ]
}
