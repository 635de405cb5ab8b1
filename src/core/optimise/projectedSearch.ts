// Minimises a smooth function of few coefficients with as few gradients as can be: a projected quasi-Newton method
// with a trust region. Every trial point costs one pass, which gives value and gradient; also a rejected trial
// teaches the curvature (BFGS with Powell's damping, Nocedal & Wright, Numerical Optimization, chapters 4 and 18).
// Constraints: each coefficient within bounds, and, where asked for, sums of consecutive groups equal to one.

export interface Feasible {
  /** least value of a coefficient */ lower: number
  /** coefficients of each group that sum to 1; absent: no sums */ simplexSize?: number
}

export interface Passed {
  x: Float64Array
  value: number
  gradient: Float64Array
}

export interface SearchLimits {
  /** most passes, the first included */ passes: number
  /** largest change of a coefficient in the first step; ours, default 0.25 */ firstStep?: number
  /** ends when no step changes a coefficient by more than this, default 1e-4 */ tolerance?: number
}

/**
 * The best pass. `measure` gives value and gradient, or undefined to stop; a value that is not finite is a rejected
 * step. `start` must be feasible. Undefined where not even the first pass was made.
 */
export async function projectedSearch(
  start: ArrayLike<number>,
  feasible: Feasible,
  measure: (x: Float64Array) => Promise<Omit<Passed, 'x'> | undefined>,
  { passes, firstStep = 0.25, tolerance = 1e-4 }: SearchLimits,
): Promise<Passed | undefined> {
  const n = start.length
  let here: Passed | undefined
  const trial = async (x: Float64Array): Promise<Passed | undefined> => {
    const measured = await measure(x.slice())
    return measured && { x, ...measured }
  }
  here = passes > 0 ? await trial(Float64Array.from(start)) : undefined
  if (!here) return undefined
  let radius = firstStep
  let curvature: Float64Array | undefined
  for (let pass = 1; pass < passes; pass++) {
    const model = curvature ?? flatCurvature(here, feasible, radius)
    const step = trustStep(here, model, feasible, radius)
    const size = step.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    if (size < tolerance) break
    const next = await trial(here.x.map((value, i) => value + step[i]))
    if (!next) break
    if (!Number.isFinite(next.value) || next.gradient.some((value) => !Number.isFinite(value))) {
      radius = size / 4
      continue
    }
    const change = next.gradient.map((value, i) => value - here!.gradient[i])
    const predicted = dot(here.gradient, step) + dot(step, times(model, step)) / 2
    const gained = (next.value - here.value) / predicted
    curvature = updated(curvature ?? scaledFlat(n, step, change, model), step, change)
    if (gained > 0.75 && size > 0.99 * radius) radius *= 2.5
    else if (gained < 0.25) radius = size * cubicShare(here, next, step)
    if (next.value < here.value) here = next
  }
  return here
}

/** Nearest feasible point to `x` with every coefficient also within `radius` of `centre`. */
export function projectInto(
  x: Float64Array,
  { lower, simplexSize }: Feasible,
  centre: Float64Array,
  radius: number,
): Float64Array {
  const low = centre.map((value) => Math.max(lower, value - radius))
  const high = centre.map((value) => value + radius)
  const clamp = (i: number, shift: number) => Math.min(high[i], Math.max(low[i], x[i] - shift))
  if (simplexSize === undefined) return x.map((_, i) => clamp(i, 0))
  const out = new Float64Array(x.length)
  for (let from = 0; from < x.length; from += simplexSize) {
    const ids = Array.from({ length: simplexSize }, (_, i) => from + i)
    const sum = (shift: number) => ids.reduce((total, i) => total + clamp(i, shift), 0)
    // The sum falls as the shift grows; the centre sums to 1, so a shift in between gives 1.
    let [below, above] = [
      Math.min(...ids.map((i) => x[i] - high[i])),
      Math.max(...ids.map((i) => x[i] - low[i])),
    ]
    for (let round = 0; round < 100 && above - below > 1e-15; round++) {
      const middle = (below + above) / 2
      if (sum(middle) > 1) below = middle
      else above = middle
    }
    for (const i of ids) out[i] = clamp(i, (below + above) / 2)
  }
  return out
}

/** Curvature before any is known: the first step then has about the length of the radius. */
function flatCurvature({ x, gradient }: Passed, feasible: Feasible, radius: number): Float64Array {
  // Along the feasible set: for sums, the common part of the gradient moves nothing.
  const small = 1e-6 / Math.max(1e-300, ...gradient.map(Math.abs))
  const moved = projectInto(
    x.map((value, i) => value - small * gradient[i]),
    feasible,
    x,
    1,
  )
  const slope = moved.reduce((most, value, i) => Math.max(most, Math.abs(value - x[i]) / small), 0)
  return diagonal(x.length, Math.max(slope, 1e-12) / radius)
}

/** A multiple of the identity with the curvature seen along the first step, if that is positive. */
function scaledFlat(n: number, step: Float64Array, change: Float64Array, before: Float64Array): Float64Array {
  const along = dot(step, change)
  return along > 0 ? diagonal(n, along / dot(step, step)) : before
}

/** BFGS; Powell's damping keeps it positive definite where the function curves down. */
function updated(matrix: Float64Array, step: Float64Array, change: Float64Array): Float64Array {
  const n = step.length
  const image = times(matrix, step)
  const known = dot(step, image)
  const seen = dot(step, change)
  const share = seen >= 0.2 * known ? 1 : (0.8 * known) / (known - seen)
  const mixed = change.map((value, i) => share * value + (1 - share) * image[i])
  const along = dot(step, mixed)
  const out = matrix.slice()
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++)
      out[i * n + j] += (mixed[i] * mixed[j]) / along - (image[i] * image[j]) / known
  return out
}

/** Minimum of g·d + ½ dᵀBd over feasible x + d within the radius, by accelerated projected gradients. */
function trustStep(
  { x, gradient }: Passed,
  matrix: Float64Array,
  feasible: Feasible,
  radius: number,
): Float64Array {
  const n = x.length
  let bound = 0
  for (let i = 0; i < n; i++) {
    let row = 0
    for (let j = 0; j < n; j++) row += Math.abs(matrix[i * n + j])
    bound = Math.max(bound, row)
  }
  let point: Float64Array = x.slice()
  let ahead: Float64Array = point
  let momentum = 1
  for (let round = 0; round < 3000; round++) {
    const slope = times(
      matrix,
      ahead.map((value, i) => value - x[i]),
    )
    const next = projectInto(
      ahead.map((value, i) => value - (gradient[i] + slope[i]) / bound),
      feasible,
      x,
      radius,
    )
    const following = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2
    const push = (momentum - 1) / following
    const moved = next.map((value, i) => value - point[i])
    ahead = next.map((value, i) => value + push * moved[i])
    momentum = following
    point = next
    if (round > 10 && moved.every((value) => Math.abs(value) < 1e-12)) break
  }
  return point.map((value, i) => value - x[i])
}

/** Where along a failed step the cubic through both values and slopes is least; 0.1 to 0.7. */
function cubicShare(from: Passed, to: Passed, step: Float64Array): number {
  const [a, b] = [dot(from.gradient, step), dot(to.gradient, step)]
  const bend = 3 * (from.value - to.value) + a + b
  const root = bend * bend - a * b
  const share = root < 0 ? 0.25 : 1 - (b + Math.sqrt(root) - bend) / (b - a + 2 * Math.sqrt(root))
  return Math.min(0.7, Math.max(0.1, Number.isFinite(share) ? share : 0.25))
}

function diagonal(n: number, value: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++) out[i * n + i] = value
  return out
}

const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i], 0)

function times(matrix: Float64Array, x: Float64Array): Float64Array {
  const n = x.length
  return x.map((_, i) => {
    let sum = 0
    for (let j = 0; j < n; j++) sum += matrix[i * n + j] * x[j]
    return sum
  })
}
