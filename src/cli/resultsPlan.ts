// What `npm run results` measures: models by their role in the zoo's index, and recipes of merges over them.
// Defaults come from the page's own table of parameters, so that the tables show what a visitor gets.

import { EngineError } from '../core/errors.ts'
import type { GradientSource, Setup } from '../core/session/session.ts'
import { choiceParameters, numberParameters } from '../share/parameters.ts'

export interface ZooModel {
  id: string
  name: string
  role: string
  skill?: string
}

export interface ZooIndex {
  probes: string
  models: ZooModel[]
}

/** λ_align of the main tables. */
export const LAMBDAS = [1, 16, 1024] as const
/** λ_align of the ablation: as good as a hard projection. */
export const ABLATION_LAMBDA = 1024
const DAMPINGS = [0.01, 1, 30] as const
const RANKS = [4, 16] as const
const SOURCES: readonly GradientSource[] = ['unwanted', 'margin', 'aqi', 'path']

export interface Combination {
  /** e.g. "Two task experts" */ title: string
  /** names of what is merged */ experts: ZooModel[]
  recipes: { label: string; setup: Setup }[]
}

/** Checks parsed index.json as far as it is used here. */
export function readIndex(json: unknown): ZooIndex {
  const fail = (what: string): never => {
    throw new EngineError('file-malformed', what, { file: 'index.json' })
  }
  const { probes, models } = json as { probes?: unknown; models?: unknown }
  if (typeof probes !== 'string' || !Array.isArray(models))
    return fail('expected a name of probes and a list of models')
  return {
    probes,
    models: models.map((raw: Record<string, unknown>, i) => {
      const text = (key: string) =>
        typeof raw[key] === 'string' ? raw[key] : fail(`models[${i}].${key}: expected a text`)
      const model = { id: text('id'), name: text('name'), role: text('role') }
      return raw.skill === undefined ? model : { ...model, skill: text('skill') }
    }),
  }
}

/** The first `count` models of a role; `request-invalid` where there are fewer. */
function ofRole(index: ZooIndex, role: string, count = 1): ZooModel[] {
  const found = index.models.filter((model) => model.role === role).slice(0, count)
  if (found.length < count)
    throw new EngineError(
      'request-invalid',
      `the zoo has ${found.length} models of role ${role}, not ${count}`,
    )
  return found
}

export const anchorOf = (index: ZooIndex): ZooModel => ofRole(index, 'anchor')[0]

/** The page's defaults for an anchor and experts of equal weight. */
export function defaultSetup(index: ZooIndex, experts: readonly ZooModel[], seed: number): Setup {
  return {
    method: 'alignmerge',
    anchor: anchorOf(index).id,
    experts: experts.map(({ id }) => ({ id, weight: 1 / experts.length })),
    lambdaAlign: numberParameters.lambdaAlign.default,
    rank: numberParameters.rank.default,
    damping: numberParameters.damping.default,
    metric: choiceParameters.metric.default,
    source: choiceParameters.source.default,
    fisher: { labels: choiceParameters.labels.default, form: choiceParameters.form.default },
    seed,
  }
}

const mergeLabel = ({ source, lambdaAlign }: Setup) => `AlignMerge, ${source}, λ ${lambdaAlign}`

/** The three merges of the main tables, each by every method. */
export function mainCombinations(index: ZooIndex, seed: number): Combination[] {
  const tasks = ofRole(index, 'task', 2)
  const sets: [string, ZooModel[]][] = [
    ['Two task experts', tasks],
    ['Safety expert and two task experts', [...ofRole(index, 'safety'), ...tasks]],
    ['Task expert and uncensored expert', [tasks[0], ...ofRole(index, 'uncensored')]],
  ]
  return sets.map(([title, experts]) => {
    const base = defaultSetup(index, experts, seed)
    // The default, and the one source that is not taken at the anchor.
    const sources = [...new Set<GradientSource>([base.source, 'unwanted', 'path'])]
    return {
      title,
      experts,
      recipes: [
        { label: 'Plain average', setup: { ...base, method: 'linear' } },
        { label: 'Fisher soup', setup: { ...base, method: 'fisher_average' } },
        ...sources.flatMap((source) =>
          LAMBDAS.map((lambdaAlign) => {
            const setup = { ...base, source, lambdaAlign }
            return { label: mergeLabel(setup), setup }
          }),
        ),
      ],
    }
  })
}

/** The hardest combination by source × damping, metric and rank, all at one λ_align. */
export function ablation(index: ZooIndex, seed: number): Combination {
  const experts = [...ofRole(index, 'task'), ...ofRole(index, 'uncensored')]
  const base = { ...defaultSetup(index, experts, seed), lambdaAlign: ABLATION_LAMBDA }
  const recipes = SOURCES.flatMap((source) => [
    ...[...new Set([base.damping, ...DAMPINGS])].map((damping) => ({
      label: `${source}, ρ ${damping}`,
      setup: { ...base, source, damping },
    })),
    { label: `${source}, identity`, setup: { ...base, source, metric: 'identity' as const } },
    ...RANKS.filter((rank) => rank !== base.rank).map((rank) => ({
      label: `${source}, m ${rank}`,
      setup: { ...base, source, rank },
    })),
  ])
  return { title: 'Ablation: task expert and uncensored expert', experts, recipes }
}
