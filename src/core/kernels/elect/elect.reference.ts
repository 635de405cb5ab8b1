// Choice and sum of task vectors on the host, model by model and element by element.

import type { HostArrays, Params } from '../spec.ts'

/** Weight of element i of model k, from bits or factors. */
function keptOf(p: Params, keep: ArrayLike<number>, k: number, i: number): number {
  if (p.keepMode === 1) return Math.floor(keep[i >> 2] / 2 ** (4 * k + (i & 3))) % 2
  if (p.keepMode === 2) return new Float32Array(Uint32Array.of(keep[k * p.count + i]).buffer)[0]
  return 1
}

export function combineTaskVectorsReference(p: Params, arrays: HostArrays): HostArrays {
  const { base, keep, coefficients } = arrays
  const carry = Float64Array.from(arrays.carry)
  const out = Float64Array.from(arrays.out)
  for (let i = 0; i < p.count; i++) {
    const models = Array.from({ length: p.models }, (_, j) => {
      const k = p.first + j
      const delta = (arrays[`m${j}`][i] - base[i]) * keptOf(p, keep, k, i)
      return { k, delta, value: coefficients[k] * delta, vote: coefficients[p.all + k] * delta }
    })
    let total = p.readTotal === 1 ? carry[i] : 0
    if (p.addTotal === 1) for (const { vote } of models) total += vote
    if (p.stage === 0) {
      carry[i] = total
      continue
    }
    const elected = Math.sign(total) || p.zeroSign
    const chosen = models.filter(({ delta, vote }) =>
      p.choice === 1 ? vote * elected > 0 : p.choice === 2 ? Math.abs(delta) > p.epsilon : true,
    )
    let sum = p.continued === 1 ? carry[p.count + i] : 0
    let pattern = p.continued === 1 ? carry[2 * p.count + i] : 0
    for (const { k, value } of chosen) {
      sum += value
      pattern += 2 ** k
    }
    if (p.finish === 0) {
      carry[p.count + i] = sum
      carry[2 * p.count + i] = pattern
    } else out[i] = base[i] + coefficients[2 * p.all + pattern] * sum
  }
  return { carry, out }
}

export function countSignsReference(p: Params, { x, partial }: HostArrays): HostArrays {
  const out = Uint32Array.from(partial)
  for (let chunk = 0; chunk < p.chunks; chunk++) {
    const part = x.slice(chunk * p.chunkSize, Math.min((chunk + 1) * p.chunkSize, p.count))
    out[chunk * 2] = part.filter((value) => value > 0).length
    out[chunk * 2 + 1] = part.filter((value) => value < 0).length
  }
  return { partial: out }
}

export function countPatternsReference(p: Params, { x, counts }: HostArrays): HostArrays {
  const out = Uint32Array.from(counts)
  for (let i = 0; i < p.count; i++)
    out[((Math.floor(i / 4) % p.lanes) % p.copies) * 2 ** p.bits + x[p.offset + i]]++
  return { counts: out }
}
