// README.md of a merged model: what it was made from, how, by which recipe, and what was measured.

import type { MethodDeclaration } from '../../core/merge/declaration.ts'
import type { MergePlan } from '../../core/merge/recipe/plan.ts'
import type { Recipe } from '../../core/merge/recipe/recipe.ts'
import { writeRecipeYaml } from '../../core/merge/recipe/yaml.ts'
import { type Measured, measureRows } from './measure.ts'

export interface CardModel {
  name: string
  /** weightsDigest */
  digest: string
  role: string
}

export interface Card {
  name: string
  version: string
  recipe: Recipe
  plan: MergePlan
  declaration: MethodDeclaration
  models: readonly CardModel[]
  /** of the result */
  digest: string
  measured?: Measured | undefined
}

/** A word as YAML and Markdown both take it. */
const quoted = (text: string) => JSON.stringify(text)
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

function sourceText({ source: { text, url } }: MethodDeclaration): string {
  return url ? `[${text}](${url})` : text
}

/** A fence longer than any run of backticks inside. */
function fenced(text: string, language: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`
}

/** The role of every model of a plan, in words. */
export function rolesOf(plan: MergePlan): Map<string, string> {
  const roles = new Map<string, string>()
  const add = (model: string, role: string) => {
    const known = roles.get(model)
    if (!known) roles.set(model, role)
    else if (!known.split(', ').includes(role)) roles.set(model, `${known}, ${role}`)
  }
  for (const { sources, base } of plan.tensors) {
    for (const { model } of sources) add(model, 'merged')
    if (base) add(base.model, 'base')
  }
  for (const [role, model] of Object.entries(plan.roles)) add(model, role)
  return roles
}

export function writeCard({
  name,
  version,
  recipe,
  plan,
  declaration,
  models,
  digest,
  measured,
}: Card): string {
  const { label, brief } = declaration
  const lines = [
    '---',
    'library_name: transformers',
    'base_model:',
    ...models.map((model) => `- ${quoted(model.name)}`),
    'tags:',
    '- alignmerge-studio',
    '- merge',
    `- ${plan.method}`,
    '---',
    `# ${name}`,
    '',
    `A merge of ${models.length} models by **${label}** (${sourceText(declaration)}), made with AlignMerge Studio ${version}.`,
    brief,
    '',
    `${plan.layerCount} layers, stored as ${plan.outDtype}; seed ${plan.seed}. SHA-256 of the weights: \`${digest}\`.`,
    '',
    '## Models',
    '',
    '| model | role | SHA-256 of the weights |',
    '|---|---|---|',
    ...models.map((model) => `| ${cell(model.name)} | ${model.role} | \`${model.digest}\` |`),
    '',
    'These sums are taken over name, type, shape and content of every weight (`alignmerge inspect` prints them).',
    '',
    '## Recipe',
    '',
    fenced(writeRecipeYaml(recipe), 'yaml'),
  ]
  if (plan.notes.length > 0) lines.push('', ...plan.notes.map((note) => `- ${note}`))
  if (measured)
    lines.push(
      '',
      '## Measures',
      '',
      `On held-out probes, up to ${measured.perClass} of each class, greedy decoding, 95 % intervals, seed ${measured.seed} (${measured.adapter}):`,
      '',
      '| measure | |',
      '|---|---|',
      ...measureRows(measured).map(([measure, value]) => `| ${cell(measure)} | ${cell(value)} |`),
    )
  return `${lines.join('\n')}\n`
}
