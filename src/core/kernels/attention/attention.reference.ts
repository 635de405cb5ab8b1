// Causal grouped-query attention with key bounds per query, in float64 (Vaswani et al. 1706.03762;
// grouping: Ainslie et al. 2305.13245).

import { softCap, softCapSlope } from '../shared/softCap.reference.ts'
import type { HostArrays, Params } from '../spec.ts'

/** Softmax weights p (T,H,maxKeys) of q (T,H,D) against k (·,H/share,D). */
export function attentionWeightsReference(
  params: Params,
  { q, k, keyStart, keyEnd, p }: HostArrays,
): HostArrays {
  const { T, H, D, share, maxKeys, qStride, qOffset, kStride, kOffset, scale, cap } = params
  const out = Float64Array.from(p)
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++) {
      const scores: number[] = []
      for (let j = keyStart[t]; j < keyEnd[t]; j++) {
        let sum = 0
        for (let d = 0; d < D; d++)
          sum +=
            q[qOffset + t * qStride + h * D + d] * k[kOffset + j * kStride + Math.floor(h / share) * D + d]
        scores.push(softCap(sum * scale, cap))
      }
      const largest = Math.max(...scores)
      const total = scores.reduce((sum, s) => sum + Math.exp(s - largest), 0)
      scores.forEach((s, i) => {
        out[(t * H + h) * maxKeys + i] = Math.exp(s - largest) / total
      })
    }
  return { p: out }
}

/** ds (T,H,maxKeys) from p, dy (T,H·D) and rows [q | k | v]; the Jacobian of cap and softmax applied to dy·v. */
export function attentionWeightsBackwardReference(params: Params, inputs: HostArrays): HostArrays {
  const { T, H, D, share, maxKeys, stride, vOffset, scale, cap } = params
  const { p, dy, rows, keyStart, keyEnd, ds } = inputs
  const out = Float64Array.from(ds)
  const dots = queryKeyProducts(params, inputs)
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++) {
      const row = (t * H + h) * maxKeys
      const count = keyEnd[t] - keyStart[t]
      const dp = Array.from({ length: count }, (_, i) => {
        let sum = 0
        for (let d = 0; d < D; d++)
          sum +=
            dy[(t * H + h) * D + d] *
            rows[vOffset + (keyStart[t] + i) * stride + Math.floor(h / share) * D + d]
        return sum
      })
      const mean = dp.reduce((sum, value, i) => sum + value * p[row + i], 0)
      dp.forEach((value, i) => {
        const slope = scale * softCapSlope(scale * dots[row + i], cap)
        out[row + i] = slope * p[row + i] * (value - mean)
      })
    }
  return { ds: out }
}

/** q·k (T,H,maxKeys) of rows [q | k | v], from the first key on; zero past the last. */
export function queryKeyProducts(params: Params, { rows, keyStart, keyEnd }: HostArrays): Float64Array {
  const { T, H, D, share, maxKeys, stride, qOffset, kOffset } = params
  const dots = new Float64Array(T * H * maxKeys)
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++)
      for (let j = keyStart[t]; j < keyEnd[t]; j++)
        for (let d = 0; d < D; d++)
          dots[(t * H + h) * maxKeys + j - keyStart[t]] +=
            rows[qOffset + t * stride + h * D + d] *
            rows[kOffset + j * stride + Math.floor(h / share) * D + d]
  return dots
}

/** y (T,H·D) = Σ_j p v. */
export function attentionMixReference(params: Params, { p, v, keyStart, keyEnd, y }: HostArrays): HostArrays {
  const { T, H, D, share, maxKeys, vStride, vOffset, yStride, yOffset } = params
  const out = Float64Array.from(y)
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++)
      for (let d = 0; d < D; d++) {
        let sum = 0
        for (let j = keyStart[t]; j < keyEnd[t]; j++)
          sum +=
            p[(t * H + h) * maxKeys + j - keyStart[t]] *
            v[vOffset + j * vStride + Math.floor(h / share) * D + d]
        out[yOffset + t * yStride + h * D + d] = sum
      }
  return { y: out }
}

/** out (T,(H/share)·D) = Σ_t p u, summed over the heads that share a key. */
export function attentionMixBackwardReference(params: Params, inputs: HostArrays): HostArrays {
  const { T, H, D, share, maxKeys, uStride, uOffset, outStride, outOffset } = params
  const { p, u, keyStart, keyEnd, out } = inputs
  const result = Float64Array.from(out)
  for (let j = 0; j < T; j++)
    for (let g = 0; g < H / share; g++)
      for (let d = 0; d < D; d++) result[outOffset + j * outStride + g * D + d] = 0
  for (let t = 0; t < T; t++)
    for (let h = 0; h < H; h++)
      for (let j = keyStart[t]; j < keyEnd[t]; j++)
        for (let d = 0; d < D; d++)
          result[outOffset + j * outStride + Math.floor(h / share) * D + d] +=
            p[(t * H + h) * maxKeys + j - keyStart[t]] * u[uOffset + t * uStride + h * D + d]
  return { out: result }
}
