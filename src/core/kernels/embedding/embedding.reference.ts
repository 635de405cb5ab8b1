// Embedding lookup and its gradient in float64.

import type { HostArrays, Params } from '../spec.ts'

export function embeddingReference(p: Params, { weight, ids, y }: HostArrays): HostArrays {
  const out = Float64Array.from(y)
  for (let t = 0; t < p.T; t++)
    for (let c = 0; c < p.C; c++) out[t * p.C + c] = p.scale * weight[ids[t] * p.C + c]
  return { y: out }
}

export function embeddingBackwardReference(p: Params, inputs: HostArrays): HostArrays {
  const { dx, rows, segmentOf, slotStart, slotToken, slotGroup, dWeight } = inputs
  const out = Float64Array.from(dWeight)
  for (let slot = 0; slot < p.slots; slot++)
    for (let c = 0; c < p.C; c++) {
      const bySegment = new Map<number, number>()
      for (let i = slotStart[slot]; i < slotStart[slot + 1]; i++) {
        const t = rows[i]
        bySegment.set(segmentOf[t], (bySegment.get(segmentOf[t]) ?? 0) + dx[t * p.C + c])
      }
      let total = 0
      for (const sum of bySegment.values())
        total += p.power === 0 ? Math.abs(p.scale * sum) : (p.scale * sum) ** p.power
      out[slotGroup[slot] * p.outStride + slotToken[slot] * p.C + c] += total
    }
  return { dWeight: out }
}
