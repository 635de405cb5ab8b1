// Where a gradient of AQI starts: d log S_z / d pooled hidden states, one row of A per group z of topics.
// S_z separates the safe from the unsafe texts of group z, in the anchor's standardised space:
//   row z = Σ_i J_iᵀ D (d log S_z / d h_i),   i over the texts of group z,
// so every text is passed through the model once. Where safe texts have other topics than unsafe ones, all safe
// texts stand against each group, at that many times the cost.
// J_i the Jacobian of the raw pooled vector, D the inverse deviations (methods.md §1.5 option 1 and §2.5; the split
// by topic is ours). The backward pass itself is geometry's pooledRows.

import { EngineError } from '../errors.ts'
import type { PooledTerm } from '../geometry/alignmentRows.ts'
import type { DeviceModel } from '../model/deviceModel.ts'
import { type AqiItem, poolingOf } from './aqiVectors.ts'
import { type ClassVectors, separationGradient } from './separation.ts'
import { chainStandardisation, type Standardisation, standardise } from './standardise.ts'

/** Fewer unsafe texts than this give a group no direction worth a row. */
const MINIMUM_PER_GROUP = 8

/**
 * Topics of the unsafe items in at most `maxGroups` groups of about equal size, each of 8 texts or more (one group
 * where there are fewer); deterministic. Fewer topics than groups: one group each.
 */
export function groupTopics(items: readonly AqiItem[], maxGroups: number): string[][] {
  if (!Number.isInteger(maxGroups) || maxGroups < 1)
    throw new EngineError('request-invalid', `topics: expected 1 group or more, found ${maxGroups}`)
  const sizes = new Map<string, number>()
  for (const { label, topic } of items) if (label === 'unsafe') sizes.set(topic, (sizes.get(topic) ?? 0) + 1)
  const topics = [...sizes.keys()].sort((a, b) => sizes.get(b)! - sizes.get(a)! || (a < b ? -1 : 1))
  for (let count = Math.min(maxGroups, topics.length); count > 0; count--) {
    const groups = Array.from({ length: count }, () => ({ topics: [] as string[], size: 0 }))
    for (const topic of topics) {
      // Largest first into the emptiest group keeps the groups even.
      const least = groups.reduce((a, b) => (b.size < a.size ? b : a))
      least.topics.push(topic)
      least.size += sizes.get(topic)!
    }
    if (count === 1 || groups.every(({ size }) => size >= MINIMUM_PER_GROUP))
      return groups.map(({ topics: own }) => own.sort())
  }
  return []
}

/** Rows of row-major `values` (n,width) at `picked`. */
function takeRows(
  values: Float32Array | Float64Array,
  width: number,
  picked: readonly number[],
): Float64Array {
  const out = new Float64Array(picked.length * width)
  picked.forEach((row, i) => {
    out.set(values.subarray(row * width, (row + 1) * width), i * width)
  })
  return out
}

/**
 * Terms of the rows, ready for `pooledRows`: `vectors` are the model's pooled `items` (poolItems), `groups` those of
 * `groupTopics`, row z of group z. `plain` S has a gradient always, `unbiased` only where d² exceeds its own noise;
 * `request-invalid` otherwise, and for a class with fewer than two texts.
 */
export function aqiGradientTerms(
  config: DeviceModel['config'],
  items: readonly AqiItem[],
  vectors: ClassVectors,
  standardisation: Standardisation,
  groups: readonly (readonly string[])[],
  options: { form?: 'plain' | 'unbiased'; batchSequences?: number } = {},
): PooledTerm[] {
  const { form = 'plain', batchSequences = 64 } = options
  const safe = items.filter(({ label }) => label === 'safe')
  const unsafe = items.filter(({ label }) => label === 'unsafe')
  const { width } = vectors
  if (vectors.safe.length !== safe.length * width || vectors.unsafe.length !== unsafe.length * width)
    throw new EngineError(
      'shape-mismatch',
      `vectors of ${vectors.safe.length / width} safe and ${vectors.unsafe.length / width} unsafe texts, ` +
        `items of ${safe.length} and ${unsafe.length}`,
    )
  const standardised = standardise(standardisation, vectors)
  return groups.flatMap((topics, row) => {
    const ofGroup = (texts: readonly AqiItem[]) =>
      texts.flatMap(({ topic }, i) => (topics.includes(topic) ? [i] : []))
    const own = ofGroup(unsafe)
    const same = ofGroup(safe)
    const against = same.length >= MINIMUM_PER_GROUP ? same : safe.map((_, i) => i)
    const clouds = {
      safe: takeRows(standardised.safe, width, against),
      unsafe: takeRows(standardised.unsafe, width, own),
      width,
    }
    const gradient = separationGradient(clouds, form)
    const upstream = [gradient.safe, gradient.unsafe].map((g) => chainStandardisation(standardisation, g))
    const dPooled = new Float32Array(upstream[0].length + upstream[1].length)
    dPooled.set(upstream[0])
    dPooled.set(upstream[1], upstream[0].length)
    const members = [...against.map((i) => safe[i]), ...own.map((i) => unsafe[i])]
    const terms: PooledTerm[] = []
    for (let at = 0; at < members.length; at += batchSequences) {
      const part = members.slice(at, at + batchSequences)
      terms.push({
        row,
        sequences: part.map(({ ids }) => ({ ids })),
        pooling: poolingOf(config, part),
        dPooled: dPooled.slice(at * width, (at + part.length) * width),
      })
    }
    return terms
  })
}
