// What a parameter is worth for one tensor: scalars, gradients over the layers of a slice, filters by tensor name,
// and the order in which levels are asked: source, slice, whole merge.
//
// mergekit's rules, kept: inside a slice of n layers t = i / (n − 1), and t = 1 when it has one layer; embeddings, the
// final norm and the head take t = 0, so the FIRST value of every gradient, wherever in the model they stand.

import type { Gradient, Parameters, ParameterValue, Scalar } from './recipe.ts'

/** Depth of layer `index` in a slice of `count` layers. */
export function depthInSlice(index: number, count: number): number {
  return count > 1 ? index / (count - 1) : 1
}

const isGradient = (value: ParameterValue): value is Gradient =>
  Array.isArray(value) && value.every((item) => typeof item !== 'object')

/** Linear between neighbours for numbers; step floor(t (n − 1)) for anything else, or when `isStepped`. */
function evaluateGradient(values: Gradient, t: number, isStepped: boolean): Scalar {
  const at = t * (values.length - 1)
  const i = Math.floor(at)
  const low = values[i]
  const high = values[Math.min(values.length - 1, i + 1)]
  if (isStepped || typeof low !== 'number' || typeof high !== 'number') return low
  const share = at - i
  return (1 - share) * low + share * high
}

/**
 * Value for a tensor at depth t in [0, 1]; undefined when only filters are given and none fits. The first entry
 * whose filter is a part of the name wins; no filter and `*` fit every name.
 */
export function evaluateValue(
  value: ParameterValue,
  tensor: string,
  t: number,
  isStepped = false,
): Scalar | undefined {
  if (typeof value !== 'object') return value
  if (isGradient(value)) return evaluateGradient(value, t, isStepped)
  const found = value.find(
    ({ filter }) => filter === undefined || filter === '*' || tensor.includes(filter),
  )?.value
  if (found === undefined) return undefined
  return typeof found === 'object' ? evaluateGradient(found, t, isStepped) : found
}

/** The first level, most particular first, that has a value for this tensor. */
export function evaluateLevels(
  levels: readonly (Parameters | undefined)[],
  id: string,
  tensor: string,
  t: number,
  isStepped = false,
): Scalar | undefined {
  for (const level of levels) {
    if (!level || !Object.hasOwn(level, id)) continue
    const value = evaluateValue(level[id], tensor, t, isStepped)
    if (value !== undefined) return value
  }
  return undefined
}

/** Every scalar inside a value with its place, and every filter. */
export function leavesOf(
  value: ParameterValue,
  place: string,
): { value: Scalar; place: string; filter?: string }[] {
  if (typeof value !== 'object') return [{ value, place }]
  if (isGradient(value)) return value.map((item, i) => ({ value: item, place: `${place}[${i}]` }))
  return value.flatMap(({ filter, value: inner }, i) =>
    leavesOf(inner, `${place}[${i}].value`).map((leaf) => ({
      ...leaf,
      ...(filter !== undefined && { filter }),
    })),
  )
}
