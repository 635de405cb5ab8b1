// Root-mean-square normalisation and its gradient in float64 (Zhang & Sennrich 1910.07467).

import type { HostArrays, Params } from '../spec.ts'

export function rmsNormReference(p: Params, inputs: HostArrays): HostArrays {
  const { weight, x, residual, y, inverseRms } = inputs
  const out = Float64Array.from(y)
  const scales = Float64Array.from(inverseRms)
  for (let t = 0; t < p.T; t++) {
    let squares = 0
    for (let c = 0; c < p.C; c++) squares += x[t * p.C + c] ** 2
    scales[t] = 1 / Math.sqrt(squares / p.C + p.epsilon)
    for (let c = 0; c < p.C; c++) {
      const at = t * p.C + c
      const value = x[at] * scales[t] * (p.offset + weight[c])
      out[at] = p.addResidual === 1 ? residual[at] + value : value
    }
  }
  return { y: out, inverseRms: scales }
}

/** `inverseRms` is taken as given, as the kernel does. */
export function rmsNormBackwardReference(p: Params, inputs: HostArrays): HostArrays {
  const { weight, x, inverseRms, dy, dx, gainProduct } = inputs
  const out = Float64Array.from(dx)
  const products = Float64Array.from(gainProduct)
  for (let t = 0; t < p.T; t++) {
    const r = inverseRms[t]
    let mean = 0
    for (let c = 0; c < p.C; c++) {
      const at = t * p.C + c
      products[at] = dy[at] * x[at] * r
      mean += (products[at] * (p.offset + weight[c])) / p.C
    }
    for (let c = 0; c < p.C; c++) {
      const at = t * p.C + c
      const value = r * (dy[at] * (p.offset + weight[c]) - x[at] * r * mean)
      out[at] = p.accumulate === 1 ? dx[at] + value : value
    }
  }
  return { dx: out, gainProduct: products }
}
