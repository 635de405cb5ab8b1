// Elementwise steps of merging in float64.

import type { HostArrays, Params } from '../spec.ts'

export function accumulateDifferenceReference(p: Params, { expert, base, sum }: HostArrays): HostArrays {
  const out = Float64Array.from(sum)
  for (let i = 0; i < p.count; i++)
    out[p.offset + i] = (p.first === 1 ? 0 : sum[p.offset + i]) + p.lambda * (expert[i] - base[i])
  return { sum: out }
}

export function writeMergeReference(
  p: Params,
  { base, delta, rows, metric, b, out }: HostArrays,
): HostArrays {
  const result = Float64Array.from(out)
  for (let i = 0; i < p.count; i++) {
    let shield = 0
    for (let j = 0; j < p.rows; j++) shield += b[j] * rows[j * p.stride + i]
    result[i] = base[i] + delta[i] - (p.rows > 0 ? shield / metric[i] : 0)
  }
  return { out: result }
}

export function fisherAccumulateReference(p: Params, inputs: HostArrays): HostArrays {
  const numerator = Float64Array.from(inputs.numerator)
  const denominator = Float64Array.from(inputs.denominator)
  for (let i = 0; i < p.count; i++) {
    const share = p.lambda * (Math.max(inputs.fisher[i], p.least) + p.floor)
    numerator[i] += share * inputs.expert[i]
    denominator[i] += share
  }
  return { numerator, denominator }
}

export function fisherFinishReference(
  p: Params,
  { numerator, denominator, fallback, out }: HostArrays,
): HostArrays {
  const result = Float64Array.from(out)
  for (let i = 0; i < p.count; i++)
    result[i] = denominator[i] === 0 ? fallback[i] : numerator[i] / denominator[i]
  return { out: result }
}
