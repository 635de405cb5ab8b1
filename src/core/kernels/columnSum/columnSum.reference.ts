// Column sums over token segments in float64.

import type { HostArrays, Params } from '../spec.ts'

export function columnSumReference(p: Params, { x, segments, groups, out }: HostArrays): HostArrays {
  const result = Float64Array.from(out)
  for (let z = 0; z < p.Z; z++)
    for (let c = 0; c < p.C; c++) {
      const at = z * p.outStride + p.outOffset + c
      let total = p.accumulate === 1 ? out[at] : 0
      for (let s = groups[z]; s < groups[z + 1]; s++) {
        let sum = 0
        for (let t = segments[s]; t < segments[s + 1]; t++) sum += x[p.xOffset + t * p.xStride + c]
        total += p.power === 0 ? Math.abs(sum) : sum ** p.power
      }
      result[at] = total
    }
  return { out: result }
}
