// What AlignMerge's geometry and Fisher diagonals are made with, as parameters of a recipe: the page has them as
// controls of the experiment, a recipe has them beside the method's own.

import type { MethodDeclaration } from '../../core/merge/declaration.ts'
import type { MethodParameter, MethodSignature, Scalar } from '../../core/merge/recipe/recipe.ts'
import { signatureOf } from '../../core/merge/signatures.ts'
import type { Setup } from '../../core/session/session.ts'
import { choiceParameters, numberParameters } from '../../share/parameters.ts'

const number = (
  id: string,
  { min, max, isInteger, ...p }: (typeof numberParameters)['rank' | 'damping' | 'lambdaAlign'],
): MethodParameter => ({
  id,
  scope: 'global',
  kind: 'number',
  min,
  max,
  default: p.default,
  ...(isInteger && { isInteger }),
})

const choice = (
  id: string,
  { default: fallback, options }: { default: string; options: readonly { value: string }[] },
): MethodParameter => ({
  id,
  scope: 'global',
  kind: 'choice',
  default: fallback,
  options: options.map(({ value }) => value),
})

const FISHER = [
  choice('fisher_labels', choiceParameters.labels),
  choice('fisher_form', choiceParameters.form),
]
const GEOMETRY = [
  number('lambda_align', numberParameters.lambdaAlign),
  number('rank', numberParameters.rank),
  number('damping', numberParameters.damping),
  choice('metric', choiceParameters.metric),
  choice('source', choiceParameters.source),
]

/** A method's signature with the parameters of the geometry and of Fisher diagonals, where it needs them. */
export function cliSignature(declaration: MethodDeclaration): MethodSignature {
  const signature = signatureOf(declaration)
  const { material } = declaration
  const needsFisher = material.some((kind) => ['shield', 'fisher', 'anchorFisher'].includes(kind))
  const more = [...(material.includes('shield') ? GEOMETRY : []), ...(needsFisher ? FISHER : [])]
  const known = new Set(signature.parameters.map(({ id }) => id))
  return { ...signature, parameters: [...signature.parameters, ...more.filter(({ id }) => !known.has(id))] }
}

type Geometry = Pick<Setup, 'lambdaAlign' | 'rank' | 'damping' | 'metric' | 'source' | 'fisher'>

/** Splits evaluated parameters into the session's settings and the method's own. */
export function splitSetup(values: Readonly<Record<string, Scalar>>): {
  geometry: Geometry
  own: Record<string, Scalar>
} {
  const ids = new Set([...GEOMETRY, ...FISHER].map(({ id }) => id))
  const of = (id: string, fallback: Scalar): Scalar => values[id] ?? fallback
  return {
    geometry: {
      lambdaAlign: Number(of('lambda_align', numberParameters.lambdaAlign.default)),
      rank: Number(of('rank', numberParameters.rank.default)),
      damping: Number(of('damping', numberParameters.damping.default)),
      metric: of('metric', choiceParameters.metric.default) as Setup['metric'],
      source: of('source', choiceParameters.source.default) as Setup['source'],
      fisher: {
        labels: of('fisher_labels', choiceParameters.labels.default) as Setup['fisher']['labels'],
        form: of('fisher_form', choiceParameters.form.default) as Setup['fisher']['form'],
      },
    },
    own: Object.fromEntries(Object.entries(values).filter(([id]) => !ids.has(id))),
  }
}
