// The tensors that go into each tensor of the result, checked to be there in every source with one shape. What does
// not fit is refused; mergekit would cut embeddings to a common part and skip other tensors.

import { type InputTensors, layerTensor, type Shapes } from './inputTensors.ts'
import type { Problems } from './problems.ts'
import type { PlannedSlice } from './slices.ts'

export interface TensorSet {
  name: string
  shape: readonly number[]
  /** layer of the result */
  layer?: number
  slice: PlannedSlice
  /** depth at which gradients are evaluated */
  t: number
  /** name in each source of the slice */
  from: string[]
  fromBase?: string
}

/** Which tensors of a slice: before the layers, one layer, or after them. */
export type Part = { kind: 'before' | 'after' } | { kind: 'layer'; index: number; layer: number; t: number }

interface Member {
  input: InputTensors
  shapes: Shapes
  nameOf: (key: string) => string
}

function memberOf({ input, start }: { input: InputTensors; start: number }, part: Part): Member {
  if (part.kind !== 'layer') return { input, shapes: input[part.kind], nameOf: (key) => key }
  const layer = start + part.index
  return { input, shapes: input.layer(layer), nameOf: (key) => layerTensor(layer, key) }
}

/** Sets of one part of a slice in the file order of its first member. */
export function matchTensors(slice: PlannedSlice, part: Part, problems: Problems): TensorSet[] {
  const base = slice.base && memberOf(slice.base, part)
  const sources = slice.sources.map((source) => memberOf(source, part))
  const members = base ? [base, ...sources] : sources
  const [lead] = members
  for (const other of members.slice(1)) compare(lead, other, slice.place, problems)
  if (part.kind === 'layer' && lead.shapes.size === 0)
    problems.add(slice.place, `${lead.input.name} has no tensors named ${lead.nameOf('…')}`)
  return [...lead.shapes].map(([key, shape]) => ({
    name: part.kind === 'layer' ? layerTensor(part.layer, key) : key,
    shape,
    ...(part.kind === 'layer' && { layer: part.layer }),
    slice,
    // mergekit evaluates embeddings, final norm and head at t = 0.
    t: part.kind === 'layer' ? part.t : 0,
    from: sources.map(({ nameOf }) => nameOf(key)),
    ...(base && { fromBase: base.nameOf(key) }),
  }))
}

function compare(lead: Member, other: Member, place: string, problems: Problems): void {
  const absent = [...lead.shapes.keys()].filter((key) => !other.shapes.has(key))
  const extra = [...other.shapes.keys()].filter((key) => !lead.shapes.has(key))
  const lacks = (who: Member, than: Member, keys: string[]) => {
    if (keys.length === 0) return
    const more = keys.length > 1 ? ` and ${keys.length - 1} more` : ''
    problems.add(
      place,
      `${who.input.name} has no ${who.nameOf(keys[0])}${more}, which ${than.input.name} has`,
    )
  }
  lacks(other, lead, absent)
  lacks(lead, other, extra)
  for (const [key, shape] of lead.shapes) {
    const found = other.shapes.get(key)
    if (!found || found.join() === shape.join()) continue
    const shapes = `${lead.nameOf(key)} is [${shape}] in ${lead.input.name} and [${found}] in ${other.input.name}`
    problems.add(place, `${shapes}; ${hasOtherRows(key, shape, found) ? ROWS : SKIPPED}`)
  }
}

/** A model beside the merge has to have every tensor of the result under the result's own name. */
export function checkRole(model: InputTensors, sets: readonly TensorSet[], problems: Problems): void {
  const wrong = sets.filter(({ name, shape }) => model.shapeOf(name)?.join() !== shape.join())
  const [first] = wrong
  if (!first) return
  const found = model.shapeOf(first.name)
  const more = wrong.length > 1 ? ` and ${wrong.length - 1} more` : ''
  problems.add(
    'alignmerge.models',
    `${model.name} has ${found ? `[${found}]` : 'nothing'} for ${first.name} [${first.shape}]${more}`,
  )
}

/** Embedding or head of models with tokenizers of different size. */
function hasOtherRows(key: string, a: readonly number[], b: readonly number[]): boolean {
  return /embed|lm_head/.test(key) && a.length === 2 && b.length === 2 && a[1] === b[1]
}

const ROWS =
  'mergekit would cut all to the common rows, or to the base’s, and lose tokens; refused: say whose vocabulary the result has, tokenizer_source: union, base or a model'
const SKIPPED = 'mergekit would skip the tensor with a warning; refused'
