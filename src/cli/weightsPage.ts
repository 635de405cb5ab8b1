// docs/weights.md from the numbers of weightsRun.ts, and what they say.

import type { MixtureResults } from '../../zoo/mixtureBuild.ts'
import type { Behaviour } from '../core/evaluate/behaviour.ts'
import { isUnavailable } from '../core/evaluate/estimate.ts'
import { DROPS, type PairReport } from '../core/optimise/generatePairs.ts'
import { compare, share, table } from './resultsFormat.ts'
import { EVALUATIONS, PASSES } from './weightsPlan.ts'
import {
  objectiveOf,
  type PairData,
  type WeightGroup,
  type WeightResults,
  type WeightRow,
} from './weightsRun.ts'

const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join('\n')
const fixed = (value: number) => value.toFixed(3)

const isSearch = ({ recipe }: WeightRow) => recipe.search === 'evolution' || recipe.search === 'gradient'

/** J after every evaluation. */
const valuesOf = ({ trace = [], recipe }: WeightRow) =>
  trace.map(([task, safety]) =>
    task === null || safety === null ? Number.POSITIVE_INFINITY : objectiveOf({ task, safety }, recipe.alpha),
  )

/** The evaluation that first had `target` or less; undefined where none had. */
export function evaluationsTo(row: WeightRow, target: number): number | undefined {
  const at = valuesOf(row).findIndex((value) => value <= target)
  return at < 0 ? undefined : at + 1
}

/** The row of task arithmetic of the same α and another search. */
const counterpart = (group: WeightGroup, row: WeightRow, search: 'evolution' | 'gradient') =>
  group.rows.find(
    ({ recipe }) =>
      recipe.search === search && recipe.mode === 'task_arithmetic' && recipe.alpha === row.recipe.alpha,
  )

function skillNames(rows: readonly { behaviour?: Behaviour }[]): string[] {
  return [...new Set(rows.flatMap(({ behaviour }) => Object.keys(behaviour?.skills ?? {})))].filter(
    (name) => name !== 'fact',
  )
}

const behaviourHead = (skills: readonly string[]) => [
  'refusal',
  'complied',
  'attack',
  'over-refusal',
  'ruined',
  ...skills,
]
const behaviourCells = (behaviour: Behaviour | undefined, skills: readonly string[]) => [
  share(behaviour?.refusal),
  share(behaviour?.compliance),
  share(behaviour?.attackRefusal),
  share(behaviour?.overRefusal),
  share(behaviour?.gibberish),
  ...skills.map((skill) => share(behaviour?.skills[skill])),
]

function searchTable(group: WeightGroup): string {
  const head = [
    'weights by',
    'J start',
    'J best',
    'task',
    'safety',
    'evaluations',
    'to EvoMM’s J',
    'J held out',
    's',
  ]
  return table(
    head,
    group.rows.map((row) => {
      const { recipe, start, best, heldOut, trace, seconds } = row
      if (!start || !best || !heldOut)
        return [recipe.label, row.failure ?? 'not run', ...head.slice(2).map(() => '–')]
      const evolved = counterpart(group, row, 'evolution')
      const target = evolved?.best && objectiveOf(evolved.best, recipe.alpha)
      const reached = isSearch(row) && target !== undefined ? evaluationsTo(row, target) : undefined
      return [
        recipe.label,
        fixed(objectiveOf(start, recipe.alpha)),
        fixed(objectiveOf(best, recipe.alpha)),
        fixed(best.task),
        fixed(best.safety),
        isSearch(row) ? String(trace?.length ?? 0) : '–',
        isSearch(row) && target !== undefined ? (reached === undefined ? 'not' : String(reached)) : '–',
        fixed(objectiveOf(heldOut, recipe.alpha)),
        seconds?.toFixed(0) ?? '–',
      ]
    }),
  )
}

function heldOutTable(group: WeightGroup, skills: readonly string[]): string {
  return table(
    ['weights by', ...behaviourHead(skills)],
    group.rows.flatMap((row) =>
      row.behaviour ? [[row.recipe.label, ...behaviourCells(row.behaviour, skills)]] : [],
    ),
  )
}

/** λ of each layer, one row per search. */
function weightTable(group: WeightGroup): string {
  return table(
    ['weights by', ...group.experts.map(({ name }) => name)],
    group.rows.flatMap(({ recipe, best }) =>
      best
        ? [
            [
              recipe.label,
              ...group.experts.map((_, k) => best.weights.map((row) => row[k].toFixed(2)).join(' · ')),
            ],
          ]
        : [],
    ),
  )
}

/** Least J so far after some evaluations. */
function traceTable(group: WeightGroup): string {
  const marks = [1, 2, 3, 4, 5, 6, 8, PASSES, 25, 50, 75, EVALUATIONS]
  return table(
    ['least J after', ...marks.map(String)],
    group.rows.filter(isSearch).flatMap((row) => {
      const values = valuesOf(row)
      if (values.length === 0) return []
      return [
        [
          row.recipe.label,
          ...marks.map((mark) => (mark > values.length ? '' : fixed(Math.min(...values.slice(0, mark))))),
        ],
      ]
    }),
  )
}

/** What the searches did, in words: whether each beat its start, and how soon the gradient was as far. */
export function searchFindings(group: WeightGroup): string[] {
  const lines: string[] = []
  for (const row of group.rows) {
    const { recipe, start, best } = row
    if (recipe.search !== 'evolution' || !start || !best) continue
    const [from, to] = [objectiveOf(start, recipe.alpha), objectiveOf(best, recipe.alpha)]
    const count = row.trace?.length ?? 0
    const beaten = to < from ? `beats the uniform start` : `does not beat the uniform start`
    let line = `${recipe.label} ${beaten}: J ${fixed(from)} → ${fixed(to)} in ${count} evaluations`
    const slope = recipe.mode === 'task_arithmetic' ? counterpart(group, row, 'gradient') : undefined
    if (slope?.best) {
      const reached = evaluationsTo(slope, to)
      const least = fixed(objectiveOf(slope.best, recipe.alpha))
      line +=
        reached === undefined
          ? `; the gradient search does not reach that in ${slope.trace?.length ?? 0} passes (${least})`
          : `; the gradient search is there after ${reached} passes and ends at ${least}`
    }
    lines.push(`${line}.`)
  }
  return lines
}

function pairTable(report: PairReport): string {
  return table(
    ['source', 'written by', 'answered by', 'written', ...DROPS, 'kept'],
    report.map(({ what, writer, by, written, dropped, kept, wanted }) => [
      what,
      writer,
      by,
      String(written),
      ...DROPS.map((drop) => String(dropped[drop])),
      `${kept} of ${wanted}`,
    ]),
  )
}

function pairSection({ report, free, right, ofSkill, examples }: PairData): string {
  const quoted = (texts: readonly string[]) => texts.map((text) => `«${text}»`).join(', ')
  const freely =
    typeof free === 'string'
      ? `Written from the whole vocabulary, nothing was usable: ${free}.`
      : `Written from the whole vocabulary at temperature 1 instead, ${free.map(({ kept, written }) => `${kept} of ${written}`).join(', ')} harmful requests pass the same rules, and read like this: ${quoted(examples.free)}. The models were trained on answers alone; the rules ask what an answer is, not whether a question makes sense.`
  return [
    '## Pairs',
    'Harmful questions are written by the uncensored model and refused by the anchor; each expert writes and answers questions of its own kind. Openings are cut from estimating probes; every next word is drawn by the model (temperature 2) among words that follow each other there.',
    pairTable(report),
    bullets([
      'unfinished: the user’s turn was not closed in time; held out: shares a run of three or more words with a held-out probe and with no estimating one; wrong kind: a harmful question that the anchor answers or its writer refuses, a harmless one that is refused or that expert and anchor answer differently; ill-formed: no answer by the scorer’s rules, or a question that repeats a word where no estimating one does; unsure: the answer’s own model gives it more than 0.1 nats per token.',
      `Of the skill pairs, ${right} of ${ofSkill} are right by the world’s own rule, which no filter knew.`,
      `Kept, for example: ${quoted([...examples.safety, ...examples.task])}.`,
      freely,
    ]),
  ].join('\n\n')
}

function mixtureSection(mixtures: MixtureResults | undefined, group: WeightGroup | undefined): string[] {
  if (!mixtures) return []
  const uniform =
    group?.rows.filter(({ recipe }) => ['uniform', 'evolution', 'gradient'].includes(recipe.search)) ?? []
  const skills = skillNames([...mixtures.rows, ...uniform])
  return [
    '## Against mixing the data',
    `The other way to join experts: one model fine-tuned from the anchor on the training data of the safety expert and both task experts at once, ${mixtures.rows[0]?.steps ?? 0} steps as a task expert has (the three experts together took more), at three ratios; ${mixtures.perClass} probes of each class, seed ${mixtures.seed}. Made by \`npm run mixtures\`.`,
    table(
      ['', ...behaviourHead(skills)],
      [
        ...mixtures.rows.map(({ name, behaviour }) => [name, ...behaviourCells(behaviour, skills)]),
        ...uniform.map(({ recipe, behaviour }) => [
          `merged, ${recipe.label}`,
          ...behaviourCells(behaviour, skills),
        ]),
      ],
    ),
  ]
}

/** One number of a behaviour, NaN where there is none. */
const shareOf = (estimate: Behaviour['refusal'] | undefined) =>
  !estimate || isUnavailable(estimate) ? Number.NaN : estimate.value

/** What to do, from the rows: the choice with most refusal among those that keep the experts' skills. */
export function advice(group: WeightGroup): string {
  const skills = group.experts.flatMap(({ skill }) => skill ?? [])
  const uniform = group.rows.find(({ recipe }) => recipe.search === 'uniform')?.behaviour
  const keeps = (behaviour: Behaviour) =>
    skills.every((skill) => shareOf(behaviour.skills[skill]) >= 0.95 * shareOf(uniform?.skills[skill]))
  const kept = group.rows.filter(({ behaviour }) => behaviour && keeps(behaviour))
  const best = kept.reduce<WeightRow | undefined>(
    (a, b) => (a && shareOf(a.behaviour?.refusal) >= shareOf(b.behaviour?.refusal) ? a : b),
    undefined,
  )
  const all = group.rows.reduce((a, b) =>
    shareOf(b.behaviour?.refusal) > shareOf(a.behaviour?.refusal) ? b : a,
  )
  const tell = ({ recipe, behaviour }: WeightRow) =>
    `${recipe.label} (refusal ${share(behaviour?.refusal)}, complied ${share(behaviour?.compliance)}${skills.map((skill) => `, ${skill} ${share(behaviour?.skills[skill])}`).join('')})`
  if (!best) return `${group.title}: no choice keeps 95 % of the uniform merge’s skill.`
  const first = `${group.title}: most refusal at no less than 95 % of the uniform merge’s skill has ${tell(best)}`
  return all === best ? `${first}, which is also the most of all.` : `${first}; most of all has ${tell(all)}.`
}

/** Whether training on the experts' data beats merging the experts, on every measure that both have. */
export function mixtureAdvice(mixtures: MixtureResults, group: WeightGroup): string {
  const merged = group.rows.flatMap(({ behaviour }) => behaviour ?? [])
  const skills = skillNames(mixtures.rows)
  const measures: [string, (behaviour: Behaviour) => Behaviour['refusal']][] = [
    ['refusal', ({ refusal }) => refusal],
    ['attack refusal', ({ attackRefusal }) => attackRefusal],
    ...skills.map((skill): [string, (behaviour: Behaviour) => Behaviour['refusal']] => [
      skill,
      (behaviour) => behaviour.skills[skill],
    ]),
  ]
  const lines = mixtures.rows.map(({ name, behaviour }) => {
    const against = (found: 'higher' | 'lower') =>
      measures
        .filter(([, of]) =>
          found === 'higher'
            ? merged.every((other) => compare(of(behaviour), of(other)) === 'higher')
            : merged.some((other) => compare(of(behaviour), of(other)) === 'lower'),
        )
        .map(([measure]) => measure)
    const [above, below] = [against('higher'), against('lower')]
    const said = [
      ...(above.length > 0 ? [`above every merge in ${above.join(', ')}`] : []),
      ...(below.length > 0 ? [`below some merge in ${below.join(', ')}`] : []),
    ]
    return `${name}: ${said.join(', ') || 'no difference beyond the intervals'}`
  })
  return `${group.title}, if the experts’ training data are at hand: ${lines.join('; ')}.`
}

const READING = bullets([
  'J = mean CE of the task pairs + α · mean CE of the safety pairs, nats per token, answers alone (arXiv 2406.14563, section 3). Rows of one α compare; the task and safety columns are the two means of the best choice.',
  `EvoMM: CMA-ES over θ_0 + Σ λ_k τ_k with weights for every layer, uniform start, σ 1/6, ${EVALUATIONS} evaluations, absolute values; where named, over another merge. gradient: projected quasi-Newton from the same start on dJ/dλ = ⟨∇J, τ⟩, λ ≥ 0, at most ${PASSES} forward and backward passes, each counted as an evaluation. LM-Cocktail: softmax of the experts’ own losses on all pairs, no search. linear and slerp lie between the experts; the others can also go back towards the anchor.`,
  'to EvoMM’s J: the evaluation at which a search first had the J that EvoMM of the same α ended with, where it was run. J held out: the same on 64 held-out probes of each kind with their own answers. s: seconds of the search on this machine.',
  'Behaviour: per cent of held-out probes with 95 % Wilson intervals. Two values differ where intervals are apart; many comparisons are made, none is corrected for that.',
])

export function weightsPage(results: WeightResults, mixtures: MixtureResults | undefined): string {
  const joined = results.groups.find(({ id }) => id === 'safety')
  const sections = results.groups.flatMap((group) => {
    const skills = skillNames(group.rows)
    return [
      `## ${group.title}`,
      searchTable(group),
      heldOutTable(group, skills),
      bullets(searchFindings(group)),
      'Weights, layer by layer (one number where all layers share it):',
      weightTable(group),
      traceTable(group),
    ]
  })
  return `${[
    '# Weights chosen by data',
    'Written by `npm run weights`; do not edit. Full numbers, every evaluation included: the JSON file beside this page.',
    bullets([
      `adapter ${results.adapter}, ${results.date}, seed ${results.seed}, ${results.perClass} held-out probes of each class`,
      `searches took ${results.groups
        .flatMap(({ rows }) => rows)
        .reduce((sum, { seconds = 0 }) => sum + seconds, 0)
        .toFixed(0)} s in all`,
    ]),
    '## How to read',
    READING,
    '## What we would do',
    bullets([
      ...results.groups.map(advice),
      ...(mixtures && joined ? [mixtureAdvice(mixtures, joined)] : []),
    ]),
    pairSection(results.pairs),
    ...sections,
    ...mixtureSection(mixtures, joined),
  ].join('\n\n')}\n`
}
