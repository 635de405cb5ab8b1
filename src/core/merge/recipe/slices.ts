// The slices of a recipe over its inputs: a list of models is one slice over all layers, with the base added where it
// is not listed. Layer ranges, numbers of sources and the base are checked here.

import { PLACES } from './check.ts'
import type { InputTensors } from './inputTensors.ts'
import type { Problems } from './problems.ts'
import {
  type MethodSignature,
  type ModelReference,
  type Parameters,
  printReference,
  type Recipe,
  type Slice,
} from './recipe.ts'

export interface PlannedSource {
  input: InputTensors
  /** first layer in the input */
  start: number
  parameters: Parameters
  /** in the recipe */
  place: string
}

export interface PlannedSlice {
  /** without the base */
  sources: PlannedSource[]
  base?: { input: InputTensors; start: number }
  /** layers */
  length: number
  parameters: Parameters
  place: string
}

type LookUp = (reference: ModelReference, place: string) => InputTensors | undefined

/** Slices with whole sources; with problems they are incomplete. */
export function planSlices(
  recipe: Recipe,
  method: MethodSignature | undefined,
  lookUp: LookUp,
  problems: Problems,
  notes: Set<string>,
): PlannedSlice[] {
  if (recipe.models && recipe.slices)
    problems.add('', 'exactly one of models and slices is needed, found both')
  if (recipe.models) return [planModels(recipe, method, lookUp, problems, notes)]
  if (!recipe.slices || recipe.slices.length === 0)
    problems.add(
      recipe.slices ? 'slices' : '',
      recipe.slices ? 'no slice' : 'neither models nor slices are given',
    )
  return (recipe.slices ?? []).map((slice, i) =>
    planSlice({ ...slice, place: `slices[${i}]` }, recipe, method, lookUp, problems, notes),
  )
}

interface Source extends PlannedSource {
  length: number
}

function planModels(
  recipe: Recipe,
  method: MethodSignature | undefined,
  lookUp: LookUp,
  problems: Problems,
  notes: Set<string>,
): PlannedSlice {
  const whole = (model: ModelReference, parameters: Parameters, place: string): Source[] => {
    const input = lookUp(model, place)
    return input ? [{ input, start: 0, length: input.layerCount, parameters, place }] : []
  }
  const listed = recipe.models ?? []
  const sources = listed.flatMap(({ model, parameters }, i) => whole(model, parameters, `models[${i}]`))
  const { base } = recipe
  if (base && !listed.some(({ model }) => printReference(model) === printReference(base))) {
    if (method?.base === 'none')
      problems.add(
        PLACES.base,
        `${method.id} has no base: mergekit would add ${printReference(base)} to the inputs without parameters; list it among the models or leave it out`,
      )
    else sources.push(...whole(base, {}, PLACES.base))
  }
  const isWhole = listed.every((_, i) => sources.some(({ place }) => place === `models[${i}]`))
  return finish({ place: '', parameters: {} }, base, sources, isWhole ? method : undefined, problems, notes)
}

function planSlice(
  slice: Slice & { place: string },
  recipe: Recipe,
  method: MethodSignature | undefined,
  lookUp: LookUp,
  problems: Problems,
  notes: Set<string>,
): PlannedSlice {
  const { place } = slice
  if (slice.base) lookUp(slice.base, `${place}.base_model`)
  const sources = slice.sources.flatMap(({ model, layerRange: [start, end], parameters }, j): Source[] => {
    const at = `${place}.sources[${j}]`
    const input = lookUp(model, `${at}.model`)
    if (!input) return []
    if (!(end > start && start >= 0)) problems.add(`${at}.layer_range`, `[${start}, ${end}) holds no layer`)
    if (end > input.layerCount)
      problems.add(
        `${at}.layer_range`,
        `[${start}, ${end}) of ${input.name}, which has ${input.layerCount} layers`,
      )
    return [{ input, start, length: end - start, parameters, place: at }]
  })
  const isWhole = sources.length === slice.sources.length
  return finish(slice, slice.base ?? recipe.base, sources, isWhole ? method : undefined, problems, notes)
}

/** The method is undefined where its demands cannot be told: it is unknown, or some source is. */
function finish(
  slice: { place: string; parameters: Parameters },
  base: ModelReference | undefined,
  all: readonly Source[],
  method: MethodSignature | undefined,
  problems: Problems,
  notes: Set<string>,
): PlannedSlice {
  const { place, parameters } = slice
  const baseName = base && printReference(base)
  const usesBase = method?.base !== 'none'
  const asBase = usesBase ? all.filter(({ input }) => input.name === baseName) : []
  const sources = usesBase ? all.filter(({ input }) => input.name !== baseName) : [...all]
  checkTwice(all, problems)
  const lengths = new Set(all.map(({ length }) => length))
  if (lengths.size > 1) {
    const found = all.map(({ input, length }) => `${input.name} ${length}`).join(', ')
    problems.add(place || 'models', `all sources need the same number of layers, found ${found}`)
  }
  if (method) {
    checkCount(method, sources.length, place, problems)
    checkBase(method, baseName, asBase.length, place, problems, notes)
  }
  for (const { input, parameters: own } of asBase)
    if (Object.keys(own).length > 0)
      notes.add(
        `${input.name} is the base: its own ${Object.keys(own).join(', ')} is not used, as in mergekit`,
      )
  const [first] = asBase
  return {
    place,
    parameters,
    sources,
    length: all[0]?.length ?? 0,
    ...(first && { base: { input: first.input, start: first.start } }),
  }
}

function checkTwice(sources: readonly Source[], problems: Problems): void {
  const seen = new Set<string>()
  for (const { input, place } of sources) {
    if (seen.has(input.name))
      problems.add(
        place,
        `${input.name} is listed twice; mergekit would keep one of the two, so give it one weight`,
      )
    seen.add(input.name)
  }
}

function checkCount(
  { id, experts }: MethodSignature,
  found: number,
  place: string,
  problems: Problems,
): void {
  const { min, max } = experts
  if (found >= min && found <= max) return
  const wanted =
    min === max ? `exactly ${min}` : max === Number.POSITIVE_INFINITY ? `at least ${min}` : `${min} to ${max}`
  const noun = wanted.endsWith(' 1') ? 'model' : 'models'
  problems.add(place || 'models', `${id} merges ${wanted} ${noun} besides the base, found ${found}`)
}

function checkBase(
  { id, base }: MethodSignature,
  name: string | undefined,
  found: number,
  place: string,
  problems: Problems,
  notes: Set<string>,
): void {
  if (base === 'required' && name === undefined) problems.add(place, `${id} needs a base_model`)
  // In `models` form a missing base has been added, or is not open, which has been said.
  if (name === undefined || found > 0 || place === '' || base === 'none') return
  if (base === 'required')
    problems.add(
      place,
      `the base ${name} is not among the sources, so its layers are not known; add it as a source`,
    )
  else notes.add(`${place}: the base ${name} is not among the sources and takes no part`)
}
