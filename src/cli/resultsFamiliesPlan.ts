// What `npm run results -- --families` measures of each micro family: the methods of the main table that an anchor, a
// task expert and an uncensored expert allow. Left out are MergeAlign, which needs a safety expert, and variants whose
// twin is here, so that five families at three seeds stay within an hour on a software GPU.

import { EngineError } from '../core/errors.ts'
import { comparedMethods } from '../share/comparison.ts'
import { type Combination, defaultSetup, type Recipe, type ZooIndex, type ZooModel } from './resultsPlan.ts'

/** Rows of the page's comparison, by id. */
const MERGES: readonly string[] = [
  'linear',
  'layerwise',
  'task_arithmetic Σ τ × 0.3',
  'task_arithmetic Σ τ',
  'ties mergekit, density 0.2',
  'dare_ties density 0.5',
  'della',
  'breadcrumbs',
  'sce top 0.5',
  'nuslerp',
  'karcher',
  'fisher_average',
  'regmean',
  'model_stock',
  'safemerge',
]
/** One expert and the anchor: what SLERP can do, and the expert itself. */
const SINGLE: readonly string[] = ['linear', 'slerp']
const SHIELDS = [1, 4, 16, 64]
const SINGLE_SHIELDS = [16]
const BUDGET = 'alignmerge margin budget, 3 rounds, λ 4'

/** Both combinations of a family; `request-invalid` where a model is missing. */
export function familyCombinations(index: ZooIndex): Combination[] {
  const of = (role: string): ZooModel => {
    const found = index.models.find((model) => model.role === role)
    if (!found) throw new EngineError('request-invalid', `the family has no model of role ${role}`)
    return found
  }
  const task = of('task')
  return [
    { id: 'uncensored', title: 'Task expert and uncensored expert', experts: [task, of('uncensored')] },
    { id: 'one', title: 'One task expert', experts: [task] },
  ]
}

/** The merges of one combination at one seed. */
export function familyRecipes(index: ZooIndex, { experts }: Combination, seed: number): Recipe[] {
  const base = defaultSetup(index, experts, seed)
  const rows = comparedMethods(experts.length)
  const [wanted, shields] = experts.length > 1 ? [MERGES, SHIELDS] : [SINGLE, SINGLE_SHIELDS]
  const compared = [...wanted, BUDGET].map((id) => {
    const row = rows.find((known) => known.id === id)
    if (!row) throw new EngineError('request-invalid', `no compared method is called ${id}`)
    const { label, method, parameters, lambdaAlign = base.lambdaAlign } = row
    return { label, setup: { ...base, method, parameters: { ...parameters }, lambdaAlign } }
  })
  const shielded = shields.map((lambdaAlign) => ({
    label: `AlignMerge, λ ${lambdaAlign}`,
    setup: { ...base, lambdaAlign },
  }))
  return [...compared, ...shielded]
}
