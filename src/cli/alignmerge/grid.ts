// The points of a sweep: values set at places of a recipe, every combination of them, the first place changing slowest.

import { EngineError } from '../../core/errors.ts'
import type { Recipe, Scalar } from '../../core/merge/recipe/recipe.ts'
import { recipeOfFileValue, recipeToFileValue } from '../../core/merge/recipe/yaml.ts'
import { UsageError } from './command.ts'

export interface Axis {
  /** as mergekit's YAML spells it: parameters.t, models[1].parameters.weight */
  place: string
  values: readonly Scalar[]
}

export interface GridPoint {
  /** place → value */
  point: Record<string, Scalar>
  recipe: Recipe
}

const MAX_POINTS = 10_000
const PLACE = /^[a-z]\w*(\[\d{1,4}\]|\.[a-z]\w*)*$/i

function readScalar(text: string): Scalar {
  if (text === 'true' || text === 'false') return text === 'true'
  const value = Number(text)
  return text !== '' && Number.isFinite(value) ? value : text
}

/** `PLACE=V1,V2,…` of --set; a bare name means parameters.NAME. */
export function readAxis(text: string): Axis {
  const at = text.indexOf('=')
  const name = text.slice(0, Math.max(at, 0)).trim()
  const values = text
    .slice(at + 1)
    .split(',')
    .map((value) => value.trim())
  if (at < 0 || !PLACE.test(name) || values.some((value) => value === ''))
    throw new UsageError(`--set ${text}: expected PLACE=VALUE,… such as parameters.t=0,0.5,1`)
  const isBare = /^\w+$/.test(name) && name !== 'merge_method' && name !== 'dtype' && name !== 'out_dtype'
  return { place: isBare ? `parameters.${name}` : name, values: values.map(readScalar) }
}

/** Sets a value inside plain data; maps are made where there are none, entries of lists must exist. */
function setAt(root: Record<string, unknown>, place: string, value: Scalar): void {
  const steps = [...place.matchAll(/\[(\d+)\]|([a-z]\w*)/gi)].map(([, index, key]) => ({ index, key }))
  let at: unknown = root
  for (const [i, { index, key }] of steps.entries()) {
    const isLast = i === steps.length - 1
    const isMade = isLast || key === 'parameters' || key === 'alignmerge'
    const isList = Array.isArray(at)
    const isThere = isList
      ? index !== undefined && Number(index) < (at as unknown[]).length
      : typeof at === 'object' && at !== null && key !== undefined && (isMade || Object.hasOwn(at, key))
    if (!isThere) throw new EngineError('request-invalid', `--set ${place}: the recipe has no such place`)
    const holder = at as Record<string, unknown>
    const step = index ?? key
    if (isLast) holder[step] = value
    else {
      if (!Object.hasOwn(holder, step)) holder[step] = {}
      at = holder[step]
    }
  }
}

/** All combinations; `request-invalid` for places that are not there and more points than anyone waits for. */
export function gridPoints(recipe: Recipe, axes: readonly Axis[]): GridPoint[] {
  const count = axes.reduce((product, { values }) => product * values.length, 1)
  if (count > MAX_POINTS)
    throw new EngineError('request-invalid', `${count} points: expected at most ${MAX_POINTS}`)
  const points: GridPoint[] = []
  for (let index = 0; index < count; index++) {
    let rest = index
    const point: Record<string, Scalar> = {}
    for (const { place, values } of axes.toReversed()) {
      point[place] = values[rest % values.length]
      rest = Math.floor(rest / values.length)
    }
    const file = structuredClone(recipeToFileValue(recipe))
    const ordered = Object.fromEntries(axes.map(({ place }) => [place, point[place]]))
    for (const [place, value] of Object.entries(ordered)) setAt(file, place, value)
    points.push({ point: ordered, recipe: recipeOfFileValue(file) })
  }
  return points
}
