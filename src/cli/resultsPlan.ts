// What `npm run results` measures: models by their role in the zoo's index, and merges over them. Methods and their
// settings are those of the page's comparison, defaults those of the page's table of parameters, so that the tables
// show what a visitor gets.

import { EngineError } from '../core/errors.ts'
import type { GradientSource, Setup } from '../core/session/session.ts'
import { comparedMethods } from '../share/comparison.ts'
import { findMethod } from '../share/methods.ts'
import { equalSetup } from './equalSetup.ts'

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

/** Seeds of probes, estimation and random methods. */
export const SEEDS = [1, 2, 3] as const
/** λ_align of the ablation: as good as a hard projection. */
export const ABLATION_LAMBDA = 1024

export interface Recipe {
  label: string
  setup: Setup
}

export interface Combination {
  id: string
  /** e.g. "Two task experts" */ title: string
  /** names of what is merged */ experts: ZooModel[]
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
    ...equalSetup(
      anchorOf(index).id,
      experts.map(({ id }) => id),
    ),
    seed,
    parameters: {},
    references: Object.fromEntries(
      [
        ['aligned', 'safety'],
        ['unaligned', 'uncensored'],
      ].flatMap(([role, played]) =>
        index.models
          .filter((model) => model.role === played)
          .slice(0, 1)
          .map(({ id }) => [role, id]),
      ),
    ),
  }
}

/** The merges of the main tables. */
export function combinations(index: ZooIndex): Combination[] {
  const tasks = ofRole(index, 'task', 2)
  return [
    {
      id: 'uncensored',
      title: 'Task expert and uncensored expert',
      experts: [tasks[0], ...ofRole(index, 'uncensored')],
    },
    { id: 'tasks', title: 'Two task experts', experts: tasks },
    { id: 'one', title: 'One task expert', experts: tasks.slice(0, 1) },
  ]
}

/** Every compared method on these experts; of one expert those that take no more, and what they are compared with. */
export function methodRecipes(index: ZooIndex, { experts }: Combination, seed: number): Recipe[] {
  const base = defaultSetup(index, experts, seed)
  const isWanted = (id: string) => experts.length > 1 || id === 'linear' || findMethod(id)?.experts.max === 1
  const compared = comparedMethods(experts.length).filter(({ method }) => isWanted(method))
  return compared.map(({ label, method, parameters, lambdaAlign }) => ({
    label,
    setup: { ...base, method, parameters: { ...parameters }, lambdaAlign: lambdaAlign ?? base.lambdaAlign },
  }))
}

/** One knob at a time, from the plain shield as good as hard. `isBase` is what the others are compared with. */
export function ablationRecipes(
  index: ZooIndex,
  { experts }: Combination,
  seed: number,
): (Recipe & { knob: string; isBase?: true })[] {
  const base: Setup = { ...defaultSetup(index, experts, seed), lambdaAlign: ABLATION_LAMBDA }
  const vary = (knob: string, label: string, change: Partial<Setup>) => ({
    knob,
    label,
    setup: { ...base, ...change },
  })
  const own = (knob: string, label: string, parameters: Setup['parameters']) =>
    vary(knob, label, { parameters: { ...parameters } })
  const sources: GradientSource[] = ['unwanted', 'margin', 'aqi']
  return [
    { ...vary('base', 'defaults, λ 1024', {}), isBase: true },
    ...[0, 0.25, 1, 4, 16, 64].map((lambdaAlign) => vary('λ_align', `λ ${lambdaAlign}`, { lambdaAlign })),
    ...[1, 2, 4, 16].map((rank) => vary('rank m', `m ${rank}`, { rank })),
    ...[1e-4, 1, 30].map((damping) => vary('damping ρ', `ρ ${damping}`, { damping })),
    vary('metric', 'G = I: Euclidean projector', { metric: 'identity' }),
    ...sources.map((source) => vary('source of A', `A from ${source}`, { source })),
    own('shield', 'one-sided', { one_sided: true }),
    own('shield', 'w_i = μ_i/μ_1', { row_weights: 'eigen' }),
    own('shield', 'subspace per layer', { subspace: 'layer' }),
    own('control', 'random subspace of equal rank', { control: 'random' }),
    ...[1, 2, 3].map((rounds) => own('outer loop', `${rounds} rounds`, { rounds })),
    own('budget', 'budget on the margin', { rounds: 2, budget: 'margin' }),
    own('budget', 'budget on AQI of prompts', { rounds: 2, budget: 'aqi-prompts' }),
    own('budget', 'budget on both', { rounds: 2, budget: 'both' }),
  ]
}
