// What a link holds, and its validation: every field is checked, numbers are clamped into their declared range,
// anything of unknown structure is refused with the name of the field.

import type { AqiView, Experiment, ModelOrigin } from '../../workers/api.ts'
import { findMethod, misfit, numberControl, ownParameters, referenceRoles } from './methods.ts'
import { type PageName, pageNames } from './pageNames.ts'
import { choiceParameters, limits, numberParameters } from './parameters.ts'
import { type Reader, Refusal, type Validated, validated } from './reader.ts'
import { readSweep } from './sweeps/readSweep.ts'
import type { SweepSpec } from './sweeps/spec.ts'
import { readTrainedOrigin } from './training.ts'

/** Which labeller's scores a link was made with; its files are not in the link. */
export interface LabellerName {
  name: string
  /** SHA-256 of its content and settings, hex */ digest: string
}

/** Charts that can be shown as tables. */
export const chartNames = ['sweep', 'clusters', 'layers', 'pareto', 'subspace'] as const
export type ChartName = (typeof chartNames)[number]

/** Parts of the page that a link can leave out, for a class: pages by their names, parts of the side, buttons. */
export const hideableParts = [
  ...pageNames,
  ...([
    'models',
    'recipe',
    'labeller',
    'prompt',
    'numbers',
    'commands',
    'export',
    'share',
    'undo',
    'about',
  ] as const),
] as const
export type HideablePart = (typeof hideableParts)[number]

/** The part of the view that a link carries. */
export interface LinkView {
  page: PageName
  aqiView: AqiView
  prompt: string
  /** missing: the rule set that ships */ labeller?: LabellerName
  /** charts shown as tables */ tables?: ChartName[]
  /** what is swept, and as which picture; missing: as the reader has it */ sweep?: SweepSpec
  picture?: 'sweep' | 'pareto'
  pins?: { a?: Experiment; b?: Experiment }
  /** charts and numbers alone, without controls */ isEmbed?: true
  hide?: HideablePart[]
}

export interface LinkState {
  experiment: Experiment
  view: LinkView
  /** SHA-256 of the weights of built-in models, by id: newer ones would give other numbers */
  weights?: Record<string, string>
  /** packed results (results.ts), not checked yet: whoever shows them unpacks them */
  results?: unknown
}

function readOrigin(reader: Reader, value: unknown, path: string): ModelOrigin {
  const fields = reader.object(value, path, [
    ...['kind', 'id', 'url', 'name', 'digest', 'repo', 'revision', 'hub', 'part'],
    ...['base', 'lesson', 'steps', 'done', 'rate', 'batch', 'seed'],
  ])
  switch (fields.kind) {
    case 'built-in':
      reader.object(value, path, ['kind', 'id'])
      return { kind: 'built-in', id: reader.text(fields.id, `${path}.id`, 100) }
    case 'url': {
      reader.object(value, path, ['kind', 'url'])
      const url = reader.text(fields.url, `${path}.url`, 1000)
      if (!isHttpUrl(url)) throw new Refusal(`${path}.url is not an http(s) address`)
      return { kind: 'url', url }
    }
    case 'files': {
      reader.object(value, path, ['kind', 'name', 'digest'])
      return { kind: 'files', ...reader.digested(fields, path) }
    }
    case 'stored':
      reader.object(value, path, ['kind', 'name', 'digest'])
      return { kind: 'stored', ...reader.digested(fields, path) }
    case 'hub': {
      reader.object(value, path, ['kind', 'repo', 'revision', 'hub', 'part'])
      const repo = reader.text(fields.repo, `${path}.repo`, 200)
      const revision = reader.text(fields.revision, `${path}.revision`, 40)
      if (!/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/.test(repo) || repo.includes('..'))
        throw new Refusal(`${path}.repo is not owner/name`)
      if (!/^[0-9a-f]{40}$/.test(revision)) throw new Refusal(`${path}.revision is not a commit`)
      const origin: ModelOrigin = { kind: 'hub', repo, revision }
      if (fields.hub !== undefined) {
        origin.hub = reader.text(fields.hub, `${path}.hub`, 300)
        if (!isHttpUrl(origin.hub)) throw new Refusal(`${path}.hub is not an http(s) address`)
      }
      if (fields.part !== undefined) {
        origin.part = reader.text(fields.part, `${path}.part`, 300)
        if (origin.part.split('/').some((one) => /^\.{0,2}$/.test(one)))
          throw new Refusal(`${path}.part is no path inside a repository`)
      }
      return origin
    }
    case 'trained':
      return readTrainedOrigin(reader, value, path)
    default:
      throw new Refusal(`${path}.kind is none of built-in, url, files, hub, stored, trained`)
  }
}

/** True for an absolute http or https address without credentials. */
export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === ''
}

/** Method and its parameters, as declared by the method itself. */
function readMethod(
  reader: Reader,
  fields: Record<string, unknown>,
  path: string,
  expertCount: number,
): Pick<Experiment, 'method' | 'parameters'> {
  const method = reader.text(fields.method, `${path}.method`, 60)
  const declaration = findMethod(method)
  if (!declaration) throw new Refusal(`${path}.method “${method}” is none that this studio knows`)
  const unfit = misfit(declaration, expertCount)
  if (unfit) throw new Refusal(`${path}.method ${method} ${unfit}, the link has ${expertCount}`)
  const own = ownParameters(declaration)
  const given = reader.object(
    fields.parameters,
    `${path}.parameters`,
    own.map(({ id }) => id),
  )
  const parameters: Experiment['parameters'] = {}
  for (const declared of own) {
    if (!(declared.id in given)) continue
    const value = given[declared.id]
    const where = `${path}.parameters.${declared.id}`
    if (declared.kind === 'number')
      parameters[declared.id] = reader.number(value, where, numberControl(declared))
    else if (declared.kind === 'choice')
      parameters[declared.id] = reader.choice(value, where, declared.options)
    else if (typeof value === 'boolean') parameters[declared.id] = value
    else throw new Refusal(`${where} is neither true nor false`)
  }
  return { method, parameters }
}

/** Checks an experiment; numbers outside their range are moved to its edge and noted. */
export function readExperiment(reader: Reader, value: unknown, path = 'experiment'): Experiment {
  const fields = reader.object(value, path, [
    'method',
    'parameters',
    'anchor',
    'experts',
    'references',
    'lambdaAlign',
    'rank',
    'damping',
    'metric',
    'source',
    'fisher',
    'antidote',
    'probesPerClass',
    'seed',
    'probes',
  ])
  if (!Array.isArray(fields.experts)) throw new Refusal(`${path}.experts is not a list`)
  if (fields.experts.length === 0 || fields.experts.length > limits.maxExperts)
    throw new Refusal(
      `${path}.experts has ${fields.experts.length} entries, expected 1 to ${limits.maxExperts}`,
    )
  const experts = fields.experts.map((entry: unknown, index) => {
    const expertPath = `${path}.experts[${index}]`
    const expert = reader.object(entry, expertPath, ['origin', 'weight'])
    return {
      origin: readOrigin(reader, expert.origin, `${expertPath}.origin`),
      weight: reader.number(expert.weight, `${expertPath}.weight`, numberParameters.weight),
    }
  })
  const named = reader.object(fields.references, `${path}.references`, referenceRoles)
  const references = Object.fromEntries(
    Object.entries(named).map(([role, origin]) => [
      role,
      readOrigin(reader, origin, `${path}.references.${role}`),
    ]),
  )
  const fisher = reader.object(fields.fisher, `${path}.fisher`, ['labels', 'form'])
  const numberOf = (id: 'lambdaAlign' | 'rank' | 'damping' | 'antidote' | 'probesPerClass' | 'seed') =>
    reader.number(fields[id], `${path}.${id}`, numberParameters[id])
  return {
    ...readMethod(reader, fields, path, experts.length),
    anchor: readOrigin(reader, fields.anchor, `${path}.anchor`),
    experts,
    references,
    lambdaAlign: numberOf('lambdaAlign'),
    rank: numberOf('rank'),
    damping: numberOf('damping'),
    metric: reader.choice(fields.metric, `${path}.metric`, choiceParameters.metric.options),
    source: reader.choice(fields.source, `${path}.source`, choiceParameters.source.options),
    fisher: {
      labels: reader.choice(fisher.labels, `${path}.fisher.labels`, choiceParameters.labels.options),
      form: reader.choice(fisher.form, `${path}.fisher.form`, choiceParameters.form.options),
    },
    antidote: numberOf('antidote'),
    probesPerClass: numberOf('probesPerClass'),
    seed: numberOf('seed'),
    ...(fields.probes !== undefined && {
      probes: reader.digested(
        reader.object(fields.probes, `${path}.probes`, ['name', 'digest']),
        `${path}.probes`,
      ),
    }),
  }
}

/** A list of different names out of those allowed. */
function readNames<T extends string>(reader: Reader, value: unknown, path: string, names: readonly T[]): T[] {
  const options = names.map((name) => ({ value: name }))
  const list = reader
    .list(value, path, names.length)
    .map((entry, index) => reader.choice(entry, `${path}[${index}]`, options))
  return [...new Set(list)]
}

function readPins(reader: Reader, value: unknown): NonNullable<LinkView['pins']> {
  const { a, b } = reader.object(value, 'view.pins', ['a', 'b'])
  return {
    ...(a !== undefined && { a: readExperiment(reader, a, 'view.pins.a') }),
    ...(b !== undefined && { b: readExperiment(reader, b, 'view.pins.b') }),
  }
}

function readView(reader: Reader, value: unknown): LinkView {
  const view = reader.object(value, 'view', [
    ...['page', 'aqiView', 'prompt', 'labeller', 'tables', 'sweep', 'picture', 'pins', 'isEmbed', 'hide'],
  ])
  if (view.isEmbed !== undefined && view.isEmbed !== true) throw new Refusal('view.isEmbed is not true')
  return {
    page: reader.choice(
      view.page,
      'view.page',
      pageNames.map((name) => ({ value: name })),
    ),
    aqiView: reader.choice(view.aqiView, 'view.aqiView', choiceParameters.aqiView.options),
    prompt: reader.text(view.prompt, 'view.prompt', limits.maxPromptCharacters),
    ...(view.labeller !== undefined && {
      labeller: reader.digested(
        reader.object(view.labeller, 'view.labeller', ['name', 'digest']),
        'view.labeller',
      ),
    }),
    ...(view.tables !== undefined && { tables: readNames(reader, view.tables, 'view.tables', chartNames) }),
    ...(view.sweep !== undefined && { sweep: readSweep(reader, view.sweep, 'view.sweep') }),
    ...(view.picture !== undefined && {
      picture: reader.choice(view.picture, 'view.picture', [{ value: 'sweep' }, { value: 'pareto' }]),
    }),
    ...(view.pins !== undefined && { pins: readPins(reader, view.pins) }),
    ...(view.isEmbed && { isEmbed: true }),
    ...(view.hide !== undefined && { hide: readNames(reader, view.hide, 'view.hide', hideableParts) }),
  }
}

function readWeights(reader: Reader, value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal('weights is not an object')
  const entries = Object.entries(value)
  if (entries.length > 2 * limits.maxExperts)
    throw new Refusal(`weights has ${entries.length} entries, more than ${2 * limits.maxExperts}`)
  return Object.fromEntries(
    entries.map(([id, digest]) => {
      if (!/^[a-z0-9][\w./-]{0,99}$/.test(id)) throw new Refusal('weights names no built-in model')
      return [id, reader.digest(digest, `weights.${id}`)]
    }),
  )
}

/** Checks what a link of the current version says; its results are checked by whoever shows them. */
export function validateLink(value: unknown): Validated<LinkState> {
  return validated((reader) => {
    const fields = reader.object(value, 'link', ['experiment', 'view', 'weights', 'results'])
    return {
      experiment: readExperiment(reader, fields.experiment),
      view: readView(reader, fields.view),
      ...(fields.weights !== undefined && { weights: readWeights(reader, fields.weights) }),
      ...(fields.results !== undefined && { results: fields.results }),
    }
  })
}
