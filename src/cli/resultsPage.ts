// The results as a Markdown page: settings, tables, findings. Every number comes from `Results`.

import { ablationFindings, aqiFindings, findings } from './resultsFindings.ts'
import { plain, plainOrReason, scientific, share, table } from './resultsFormat.ts'
import type { ResultGroup, ResultRow, Results } from './resultsRun.ts'

const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n')

/** Skills and facts in alphabetical order, of all rows. */
const skillNames = (group: ResultGroup): string[] =>
  [...new Set(group.rows.flatMap(({ behaviour }) => Object.keys(behaviour.skills)))].sort()

function behaviourTable(group: ResultGroup): string {
  const skills = skillNames(group)
  return table(
    ['', 'refusal', 'complied', 'attack', 'over-refusal', 'ruined', ...skills, 'answer loss'],
    group.rows.map(({ label, behaviour: b }) => [
      label,
      share(b.refusal),
      share(b.compliance),
      share(b.attackRefusal),
      share(b.overRefusal),
      share(b.gibberish),
      ...skills.map((skill) => share(b.skills[skill])),
      plain(b.answerLoss, 3),
    ]),
  )
}

const driftCells = ({ drift }: ResultRow): string[] =>
  drift ? [drift.own, drift.heldOut, drift.otherSource, drift.total].map(scientific) : ['–', '–', '–', '–']

function geometryTable(group: ResultGroup): string {
  const hasDrift = group.rows.some(({ drift }) => drift)
  return table(
    [
      '',
      'AQI prompts',
      'AQI completions',
      'AQI answers',
      ...(hasDrift ? ['drift, own', 'held out', 'other source', '‖δ‖_G'] : []),
    ],
    group.rows.map((row) => [
      row.label,
      plainOrReason(row.aqi?.prompts, 1),
      plainOrReason(row.aqi?.completions, 1),
      plainOrReason(row.aqi?.answers, 1),
      ...(hasDrift ? driftCells(row) : []),
    ]),
  )
}

function settings({ defaults: d, ...results }: Results): string {
  const counts = Object.entries(results.available)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([set, count]) => `${set} ${Math.min(count, results.perClass)}`)
  return bullets([
    `adapter ${results.adapter}, ${results.date}, ${results.seconds.toFixed(0)} s, seed ${results.seed}`,
    `held-out probes used: ${counts.join(', ')}`,
    `unless a row says otherwise: source ${d.source}, damping ρ ${d.damping}, rank m ${d.rank}, metric ${d.metric}, Fisher labels ${d.fisher.labels}, Fisher form ${d.fisher.form}, equal weights`,
  ])
}

const LEGEND = bullets([
  'Shares are per cent with Wilson intervals, losses in nats per token and AQI with bootstrap intervals, all 95 %.',
  'refusal: harmful requests refused; complied: harmful requests complied with; attack: the same in attack wording; over-refusal: harmless requests refused; ruined: answers that are no sentences of the world; skills and facts: exact answers.',
  'AQI 50 is the anchor. Views: harmless against harmful prompts; aligned against unwanted completions; the model’s own answers by what they do.',
  'Drift ‖P_A δ‖_G of the merge as it is stored, rounding included: in the subspace of the estimating probes, of held-out probes, and of held-out probes of another gradient source. It has the units of its row’s own metric and subspace, so it compares rows of one source, damping and metric. Baselines are measured in the default geometry.',
  'Sources of the rows of A: unwanted, likelihood of unwanted completions at the anchor; margin, refusal margin at the anchor; aqi, separation at the anchor; path, margin of the first, deciding token half-way from the anchor to the experts’ mean.',
  'Ours, because the paper’s own choices are not public: the form of L_align, its closed form, how the subspace is estimated, all four sources, drift, and the reference normalisation of AQI. From arXiv 2512.16245: the chart, L_geo and the idea of shield and budget. The models are small and made for this studio: nothing here says what a large model would do.',
])

export function resultsPage(results: Results): string {
  const anchor = results.reference.rows[0]
  const section = (group: ResultGroup) => {
    const names = group.experts.map(({ name }) => name).join(', ')
    return [
      `## ${group.title}`,
      ...(names ? [`Merged: ${names}.`] : []),
      behaviourTable(group),
      geometryTable(group),
    ].join('\n\n')
  }
  const { ablation } = results
  const skills = skillNames(ablation)
  const ablationTable = table(
    [
      'source and setting',
      'refusal',
      'attack',
      'over-refusal',
      ...skills,
      'drift, own',
      'held out',
      'other',
      '‖δ‖_G',
    ],
    ablation.rows.map((row) => [
      row.label,
      share(row.behaviour.refusal),
      share(row.behaviour.attackRefusal),
      share(row.behaviour.overRefusal),
      ...skills.map((skill) => share(row.behaviour.skills[skill])),
      ...driftCells(row),
    ]),
  )
  const lambda = ablation.rows[0]?.setup?.lambdaAlign
  return `${[
    '# Results on the built-in models',
    'Written by `npm run results`; do not edit. Full numbers: the JSON file beside this page.',
    settings(results),
    '## How to read',
    LEGEND,
    section(results.reference),
    ...results.combinations.map(section),
    `## ${ablation.title}`,
    `All rows AlignMerge at λ_align ${lambda}; one setting changed from the defaults.`,
    ablationTable,
    '## What helps and what does not',
    'Made from the numbers above. Two values differ only where their 95 % intervals are apart, which is stricter than a test at 5 %; many comparisons are made and none is corrected for that.',
    ...results.combinations.flatMap((group) => [`### ${group.title}`, bullets(findings(group, anchor))]),
    '### AQI and refusal',
    bullets(aqiFindings(results)),
    '### Ablation',
    bullets(ablationFindings(results)),
  ].join('\n\n')}\n`
}
