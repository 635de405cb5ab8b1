// What a link holds, and its validation: every field is checked, numbers are clamped into their declared range,
// anything of unknown structure is refused with the name of the field.

import type { AqiView, Experiment, ModelOrigin } from '../../workers/api.ts'
import { findMethod, misfit, numberControl, ownParameters, referenceRoles } from './methods.ts'
import { type PageName, pageNames } from './pageNames.ts'
import { choiceParameters, limits, numberParameters } from './parameters.ts'
import { type Reader, Refusal, type Validated, validated } from './reader.ts'

/** Which labeller's scores a link was made with; its files are not in the link. */
export interface LabellerName {
  name: string
  /** SHA-256 of its content and settings, hex */ digest: string
}

/** The part of the view that a link carries. */
export interface LinkView {
  page: PageName
  aqiView: AqiView
  prompt: string
  /** missing: the rule set that ships */ labeller?: LabellerName
}

export interface LinkState {
  experiment: Experiment
  view: LinkView
}

function readOrigin(reader: Reader, value: unknown, path: string): ModelOrigin {
  const fields = reader.object(value, path, [
    ...['kind', 'id', 'url', 'name', 'digest', 'repo', 'revision', 'hub', 'part'],
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
    default:
      throw new Refusal(`${path}.kind is none of built-in, url, files, hub, stored`)
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

/** Checks what a link of the current version says. */
export function validateLink(value: unknown): Validated<LinkState> {
  return validated((reader) => {
    const fields = reader.object(value, 'link', ['experiment', 'view'])
    const view = reader.object(fields.view, 'view', ['page', 'aqiView', 'prompt', 'labeller'])
    return {
      experiment: readExperiment(reader, fields.experiment),
      view: {
        page: reader.choice(
          view.page,
          'view.page',
          pageNames.map((value) => ({ value })),
        ),
        aqiView: reader.choice(view.aqiView, 'view.aqiView', choiceParameters.aqiView.options),
        prompt: reader.text(view.prompt, 'view.prompt', limits.maxPromptCharacters),
        ...(view.labeller !== undefined && {
          labeller: reader.digested(
            reader.object(view.labeller, 'view.labeller', ['name', 'digest']),
            'view.labeller',
          ),
        }),
      },
    }
  })
}
