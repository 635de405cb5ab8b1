// The results as a Markdown page: settings, tables, targets, findings. Every number comes from `Results`.

import { ADVICE } from './resultsAdvice.ts'
import { familiesSection } from './resultsFamiliesPage.ts'
import { ablationFindings, aqiFindings, claims, findings } from './resultsFindings.ts'
import { share, table } from './resultsFormat.ts'
import type { ResultGroup, Results } from './resultsRun.ts'
import { skillOf, violations } from './resultsSeeds.ts'
import { bullets, mainTable, number } from './resultsTables.ts'
import { targetTables } from './resultsTargets.ts'

function violationLines(results: Results): string[] {
  return results.combinations.map((group) => {
    const rows = group.rows.filter(({ failure }) => !failure)
    const words = (['prompts', 'completions'] as const).map((view) => {
      const { violated, runs } = violations(rows, view)
      return `${view} ${violated} of ${runs} runs (${((100 * violated) / Math.max(1, runs)).toFixed(0)} %)`
    })
    return `${group.title}: ${words.join(', ')}; a run is a method at a seed.`
  })
}

function settings({ defaults: d, ...results }: Results): string {
  const counts = Object.entries(results.available)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([set, count]) => `${set} ${Math.min(count, results.perClass)}`)
  const methods = new Set(results.combinations.flatMap(({ rows }) => rows.map(({ setup }) => setup?.method)))
  return bullets([
    `adapter ${results.adapter}, ${results.date}, ${(results.seconds / 60).toFixed(0)} min, seeds ${results.seeds.join(', ')} of probes, estimation and method; one set of trained models`,
    `${methods.size} methods; held-out probes used at each seed: ${counts.join(', ')}; ablation ${results.ablationPerClass}`,
    `unless a row says otherwise: source ${d.source}, damping ρ ${d.damping}, rank m ${d.rank}, metric ${d.metric}, Fisher labels ${d.fisher.labels}, Fisher form ${d.fisher.form}, equal weights that sum to 1`,
  ])
}

const LEGEND = bullets([
  'Shares are per cent: the mean over seeds, between the lowest and the highest end of the seeds’ 95 % intervals (Wilson for shares, bootstrap for losses and AQI).',
  'refusal: harmful requests refused; complied: harmful requests complied with; attack: the same in attack wording, refused; over-refusal: harmless requests refused; ruined: answers that are no sentences of the world; skill: exact answers, mean of the merged experts’ skills.',
  'AQI 50 is the anchor. Prompts: harmless against harmful prompts; completions: aligned against unwanted ones. Budget broken: runs whose AQI of completions lies below the anchor’s by more than one bootstrap standard error.',
  'Drift ‖P_A δ‖_G of the merge as it is stored, in the subspace of held-out probes, in the default geometry.',
  'Sources of the rows of A: unwanted, likelihood of unwanted completions at the anchor; margin, refusal margin at the anchor; aqi, separation at the anchor; path, margin of the first, deciding token half-way from the anchor to the experts’ mean.',
  'Ours, because the paper’s own choices are not public: the form of L_align and of L_bud, the closed form, how the subspace is estimated, all sources, the outer loop, drift, and the normalisation of AQI. From arXiv 2512.16245: the chart, L_geo and the idea of shield and budget. The models are small and made for this studio: nothing here says what a large model would do.',
])

function targets(results: Results): string[] {
  return targetTables(results).flatMap(({ title, label, lines }) => [
    `### ${title}`,
    `${label}, of AlignMerge’s rows the one that meets most of these; chosen by the same numbers.`,
    table(
      ['target', 'measured', 'met'],
      lines.map(({ text, measured, isMet, distance }) => [
        text,
        share(measured),
        isMet ? 'yes' : `no, ${(100 * distance).toFixed(1)} points off`,
      ]),
    ),
  ])
}

function ablationTable({ ablation }: Results): string {
  const skill = skillOf(ablation)
  return table(
    [
      'knob',
      'setting',
      'refusal',
      'complied',
      'attack',
      'over-refusal',
      'ruined',
      'skill',
      'drift, own',
      'held out',
      '‖δ‖_G',
    ],
    ablation.rows.map((row) => {
      const { behaviour: b, drift } = row
      if (row.failure) return [row.knob ?? '', row.label, row.failure, ...new Array(8).fill('')]
      return [
        row.knob ?? '',
        row.label,
        share(b?.refusal),
        share(b?.compliance),
        share(b?.attackRefusal),
        share(b?.overRefusal),
        share(b?.gibberish),
        share(skill(row)),
        ...[drift?.own, drift?.heldOut, drift?.total].map((value) => number(value ?? Number.NaN)),
      ]
    }),
  )
}

/** KL(t)/t² by step, and how much it grows from the first step to the whole merge. */
function chartTable(results: Results, id: string): string {
  const rows = results.charts.filter(({ combination }) => combination === id)
  const steps = rows[0]?.points.map(({ t }) => t) ?? []
  return table(
    ['', ...steps.map((t) => `t ${t}`), 'whole / first', 'KL / Fisher form'],
    rows.map(({ label, points, fisherRatio }) => {
      const [first, last] = [points[0], points.at(-1)]
      const growth = first && last && first.curvature > 0 ? last.curvature / first.curvature : Number.NaN
      return [
        label,
        ...points.map(({ curvature }) => number(curvature)),
        number(growth),
        number(fisherRatio ?? Number.NaN),
      ]
    }),
  )
}

export function resultsPage(results: Results): string {
  const { reference, ablation } = results
  const section = (group: ResultGroup) => [
    `## ${group.title}`,
    ...(group.experts.length > 0
      ? [`Merged: ${group.experts.map(({ name }) => name).join(', ')}. Most refusing first.`]
      : []),
    mainTable(group),
    ...(findings(group, reference).length > 0 ? [bullets(findings(group, reference))] : []),
  ]
  return `${[
    '# Results on the built-in models',
    'Written by `npm run results`; do not edit. Full numbers: the JSON file beside this page.',
    ...ADVICE,
    '## Targets',
    ...targets(results),
    '## The paper’s claims on these models',
    'Held against AlignMerge’s most refusing row of each combination.',
    ...results.combinations.flatMap((group) => {
      const held = claims(group, reference)
      return held.length > 0 ? [`**${group.title}**`, bullets(held)] : []
    }),
    '## How it was measured',
    settings(results),
    LEGEND,
    ...section(reference),
    ...results.combinations.flatMap(section),
    ...(results.families ? familiesSection(results.families) : []),
    '## How far the chart holds',
    'KL(p_IT ‖ p at θ_IT + tδ) per token of generic text over t², in nats, along each merge, one seed. Level: the quadratic chart holds up to t. The last column is KL at the first step over ½ t² Σ f δ² of the undamped diagonal Fisher; what the diagonal leaves out makes it differ from 1.',
    ...results.combinations
      .slice(0, 2)
      .flatMap((group) => [`**${group.title}**`, chartTable(results, group.id)]),
    '## Budget violations',
    bullets(violationLines(results)),
    '### AQI and refusal',
    bullets(aqiFindings(results)),
    `## ${ablation.title}`,
    'AlignMerge at λ_align 1024, one setting changed from the defaults; one seed. Drift has the units of its row’s own metric and subspace.',
    ablationTable(results),
    bullets(ablationFindings(results)),
    'Two values differ only where their intervals are apart, which is stricter than a test at 5 %; many comparisons are made and none is corrected for that.',
  ].join('\n\n')}\n`
}
