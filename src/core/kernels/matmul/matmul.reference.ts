// Linear layer and its two gradients in float64, one multiplication at a time.

import type { HostArrays, Params } from '../spec.ts'

/** y (M,N) = x (M,K) · weightᵀ (N,K) + residual, into the strided places of y. */
export function matmulReference(p: Params, { x, weight, residual, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let m = 0; m < p.M; m++)
    for (let n = 0; n < p.N; n++) {
      const at = p.yOffset + m * p.yStride + n
      let sum = p.addResidual === 1 ? residual[at] : 0
      for (let k = 0; k < p.K; k++) sum += x[p.xOffset + m * p.xStride + k] * weight[n * p.K + k]
      out[at] = sum
    }
  // Padding up to a multiple of four columns may hold anything: NaN means unspecified to the harness.
  if (p.yStride % 4 === 0 && p.N % 4 !== 0 && p.yStride - p.N < 4)
    for (let m = 0; m < p.M; m++)
      for (let n = p.N; n < p.yStride; n++) out[p.yOffset + m * p.yStride + n] = Number.NaN
  return { y: out }
}

/** dx (M,K) (+)= dy (M,N) · weight (N,K). */
export function matmulBackwardInputReference(p: Params, { weight, dy, dx }: HostArrays): HostArrays {
  const out = Float64Array.from(dx)
  for (let m = 0; m < p.M; m++)
    for (let k = 0; k < p.K; k++) {
      const at = m * p.dxStride + k
      let sum = p.accumulate === 1 ? dx[at] : 0
      for (let n = 0; n < p.N; n++) sum += dy[p.dyOffset + m * p.dyStride + n] * weight[n * p.K + k]
      out[at] = sum
    }
  return { dx: out }
}

/** dWeight (Z,N,K): per group, the sum over its segments of (Σ_t dy xᵀ)^power, of |Σ_t dy xᵀ| for power 0. */
export function matmulBackwardWeightReference(p: Params, inputs: HostArrays): HostArrays {
  const { dy, x, segments, groups, dWeight } = inputs
  const out = Float64Array.from(dWeight)
  for (let z = 0; z < p.Z; z++)
    for (let n = 0; n < p.N; n++)
      for (let k = 0; k < p.K; k++) {
        const at = z * p.outStride + (p.outRow + n) * p.K + k
        let total = p.accumulate === 1 ? dWeight[at] : 0
        for (let s = groups[z]; s < groups[z + 1]; s++) {
          let sum = 0
          for (let t = segments[s]; t < segments[s + 1]; t++)
            sum += dy[p.dyOffset + t * p.dyStride + n] * x[p.xOffset + t * p.xStride + k]
          total += p.power === 0 ? Math.abs(sum) : sum ** p.power
        }
        out[at] = total
      }
  return { dWeight: out }
}
