// A merge plan as plain data: for every tensor of the result, which tensors of which models go into it and what
// every parameter is worth there. Made from headers alone; executing it is another folder's matter.
//
// mergekit's layout, kept: layer i of the result comes from layer j of each source of its slice; the embedding from
// the first slice's sources, final norm and head from the last slice's.

import { checkParameters, findMethod, PLACES } from './check.ts'
import { InputTensors, type PlanInput } from './inputTensors.ts'
import { type Lines, Problems, suggestion } from './problems.ts'
import {
  type MethodParameter,
  type MethodSignature,
  type ModelReference,
  type Parameters,
  printReference,
  type Recipe,
  type RecipeDtype,
  type Scalar,
} from './recipe.ts'
import { type PlannedSlice, planSlices } from './slices.ts'
import { checkRole, matchTensors, type TensorSet } from './tensorSets.ts'
import { depthInSlice, evaluateLevels } from './values.ts'

export type { PlanInput } from './inputTensors.ts'

export interface PlanSource {
  model: string
  tensor: string
  /** per-model parameters at this tensor, defaults included; without a default and a value: absent */
  parameters: Record<string, Scalar>
}

export interface PlanTensor {
  name: string
  shape: readonly number[]
  /** layer of the result */
  layer?: number
  /** in the recipe's order, without the base */
  sources: PlanSource[]
  base?: { model: string; tensor: string }
  /** parameters of the whole merge at this tensor, defaults included */
  parameters: Record<string, Scalar>
}

export interface MergePlan {
  method: string
  layerCount: number
  tensors: PlanTensor[]
  /** inputs are rounded to it before any arithmetic; absent: as stored */
  dtype?: RecipeDtype
  outDtype: RecipeDtype
  /** whose config.json, with layerCount, describes the result */
  configFrom: string
  tokenizerFrom: string
  baseModel?: string
  /** `auto` or Jinja text */
  chatTemplate?: string
  seed: number
  /** role → model, of those the method declares */
  roles: Record<string, string>
  /** every model that some tensor reads, and those of roles */
  models: string[]
  /** harmless, but perhaps not what was meant */
  notes: string[]
}

export interface PlanOptions {
  /** place → line of the file, from reading it */
  lines?: Lines | undefined
}

/**
 * The plan of a recipe over inputs named as `printReference` names them. Rejects with one `request-invalid` that
 * lists every problem: method, parameters, models, slices, shapes.
 */
export function planMerge(
  recipe: Recipe,
  inputs: readonly PlanInput[],
  methods: readonly MethodSignature[],
  options: PlanOptions = {},
): MergePlan {
  const problems = new Problems(options.lines)
  const notes = new Set<string>()
  const method = findMethod(recipe, methods, problems)
  const models = new Map(inputs.map((input) => [input.name, new InputTensors(input)]))
  const lookUp = (reference: ModelReference, place: string): InputTensors | undefined => {
    const name = printReference(reference)
    const found = models.get(name)
    const known = inputs.length > 0 ? `; open are ${inputs.map((input) => input.name).join(', ')}` : ''
    if (!found) problems.add(place, `${name} is not open${suggestion(name, models.keys())}${known}`)
    return found
  }
  if (method) {
    const names = new Set(inputs.flatMap(({ tensors }) => [...tensors.keys()]))
    checkParameters(recipe, method, names, problems, notes)
  }
  const slices = planSlices(recipe, method, lookUp, problems, notes)
  const roles = planRoles(recipe, method, lookUp, problems)
  const base = recipe.base && lookUp(recipe.base, PLACES.base)
  const tokenizer =
    typeof recipe.tokenizerFrom === 'object' ? lookUp(recipe.tokenizerFrom, 'tokenizer_source') : undefined
  if (recipe.tokenizerFrom === 'base' && !recipe.base)
    problems.add('tokenizer_source', 'base, but the recipe has no base_model')
  // Without whole slices there is nothing to lay out, and its problems are known.
  problems.throwIfAny()
  const sets = layOut(slices, problems)
  const missing = new Map<string, Missing>()
  const tensors = sets.map((set) => planTensor(set, recipe, method!, missing))
  for (const { place, id, tensor, count } of missing.values()) {
    const more = count > 1 ? ` and ${count - 1} more tensors` : ''
    problems.add(place, `${id} is missing for ${tensor}${more}; ${method!.id} needs it`)
  }
  for (const name of Object.values(roles)) checkRole(models.get(name)!, sets, problems)
  problems.throwIfAny()
  const first = slices[0].sources[0].input
  const config = base ?? first
  const read = new Set(
    tensors.flatMap(({ sources, base: b }) => [...sources, ...(b ? [b] : [])].map((s) => s.model)),
  )
  return {
    method: method!.id,
    layerCount: slices.reduce((sum, { length }) => sum + length, 0),
    tensors,
    ...(recipe.dtype && { dtype: recipe.dtype }),
    outDtype: recipe.outDtype ?? recipe.dtype ?? config.dtype,
    configFrom: config.name,
    tokenizerFrom: (tokenizer ?? config).name,
    ...(base && { baseModel: base.name }),
    ...(recipe.chatTemplate && { chatTemplate: recipe.chatTemplate }),
    seed: recipe.extension?.seed ?? 0,
    roles,
    models: [...new Set([...read, ...Object.values(roles)])],
    notes: [...notes],
  }
}

function planRoles(
  recipe: Recipe,
  method: MethodSignature | undefined,
  lookUp: (reference: ModelReference, place: string) => InputTensors | undefined,
  problems: Problems,
): Record<string, string> {
  const roles: Record<string, string> = {}
  if (!method) return roles
  const declared = method.roles ?? []
  const ids = declared.map(({ id }) => id)
  const given = recipe.extension?.models ?? {}
  for (const [role, reference] of Object.entries(given)) {
    const place = `alignmerge.models.${role}`
    if (!ids.includes(role)) {
      const known = ids.length > 0 ? `it has ${ids.join(', ')}` : 'it has none'
      problems.add(place, `${method.id} has no such role${suggestion(role, ids)}; ${known}`)
      continue
    }
    const model = lookUp(reference, place)
    if (model) roles[role] = model.name
  }
  for (const { id, required } of declared)
    if (required && !Object.hasOwn(given, id))
      problems.add('alignmerge.models', `${method.id} needs a model in the role ${id}`)
  return roles
}

/** All tensors of the result in file order: embedding, layers, the rest. */
function layOut(slices: readonly PlannedSlice[], problems: Problems): TensorSet[] {
  const sets: TensorSet[] = []
  const [first] = slices
  const last = slices[slices.length - 1]
  sets.push(...matchTensors(first, { kind: 'before' }, problems))
  let layer = 0
  for (const slice of slices)
    for (let index = 0; index < slice.length; index++)
      sets.push(
        ...matchTensors(
          slice,
          { kind: 'layer', index, layer: layer++, t: depthInSlice(index, slice.length) },
          problems,
        ),
      )
  sets.push(...matchTensors(last, { kind: 'after' }, problems))
  return sets
}

/** What a found value means: switches may be written 0 and 1, and what has a default need not be found. */
function settle(parameter: MethodParameter, found: Scalar | undefined): Scalar | undefined {
  const value = found ?? (parameter.required ? undefined : parameter.default)
  return parameter.kind === 'switch' && value !== undefined ? Boolean(value) : value
}

interface Missing {
  place: string
  id: string
  /** the first without a value */
  tensor: string
  count: number
}

function planTensor(
  set: TensorSet,
  recipe: Recipe,
  method: MethodSignature,
  missing: Map<string, Missing>,
): PlanTensor {
  const { slice, t } = set
  const shared = [slice.parameters, recipe.parameters]
  const evaluate = (
    scope: MethodParameter['scope'],
    levels: readonly Parameters[],
    tensor: string,
    place: string,
  ) => {
    const values: Record<string, Scalar> = {}
    for (const parameter of method.parameters) {
      if (parameter.scope !== scope) continue
      const { id, kind, required, isInteger } = parameter
      const isStepped = kind !== 'number' || isInteger === true
      const value = settle(parameter, evaluateLevels(levels, id, tensor, t, isStepped))
      if (value !== undefined) values[id] = value
      else if (required) {
        const key = `${place} ${id}`
        const known = missing.get(key)
        if (known) known.count++
        else missing.set(key, { place, id, tensor, count: 1 })
      }
    }
    return values
  }
  return {
    name: set.name,
    shape: set.shape,
    ...(set.layer !== undefined && { layer: set.layer }),
    sources: slice.sources.map(({ input, parameters, place }, k) => ({
      model: input.name,
      tensor: set.from[k],
      // mergekit's filters see the name in the source, which in a stack has the source's own layer number.
      parameters: evaluate('model', [parameters, ...shared], set.from[k], place),
    })),
    ...(slice.base && { base: { model: slice.base.input.name, tensor: set.fromBase! } }),
    parameters: evaluate('global', shared, set.name, 'parameters'),
  }
}
