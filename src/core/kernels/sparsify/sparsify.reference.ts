// Which elements stay, on the host, in whole numbers and float64.

import { pcgHash } from '../../tensors/random.ts'
import { magnitudeBits } from '../magnitudeSelect/magnitudeSelect.reference.ts'
import type { HostArrays, Params } from '../spec.ts'

/** Adds the bits of kept elements: bit i % 4 of word i / 4, times `spread`. */
function place(p: Params, keep: ArrayLike<number>, isKept: (i: number) => boolean): Uint32Array {
  const out = Uint32Array.from(keep)
  for (
    let four = Math.floor(p.begin ?? 0);
    four < Math.min(p.end ?? p.count, Math.ceil(p.count / 4));
    four++
  ) {
    let nibble = 0
    for (let lane = 0; lane < 4; lane++) if (isKept(four * 4 + lane)) nibble += 2 ** lane
    const word = Math.imul(nibble, p.spread) >>> 0
    out[four] = (out[four] | word) >>> 0
  }
  return out
}

export function keepWindowReference(p: Params, arrays: HostArrays): HostArrays {
  const { picks, keep } = arrays
  const isAmong = (i: number, selector: number) => {
    const bits = magnitudeBits(p, arrays, i)
    const [least, end] = [picks[selector * 4], picks[selector * 4 + 3]]
    return bits > least || (bits === least && i < end)
  }
  return {
    keep: place(p, keep, (i) => isAmong(i, p.outer) && !(p.inner !== 0xffffffff && isAmong(i, p.inner))),
  }
}

const drawOf = (p: Params, i: number) => pcgHash(((p.start + i) ^ p.salt) >>> 0)

export function keepDrawReference(p: Params, { keep }: HostArrays): HostArrays {
  return { keep: place(p, keep, (i) => drawOf(p, i) <= p.last) }
}

export function keepByRankReference(p: Params, arrays: HostArrays): HostArrays {
  const { keep, table } = arrays
  const difference = { ...p, minusBase: 1 }
  const rankOf = (i: number) => {
    const row = Math.floor(i / p.width) * p.width
    const own = magnitudeBits(difference, arrays, i)
    let rank = 0
    for (let j = row; j < row + p.width; j++) {
      const other = magnitudeBits(difference, arrays, j)
      if (other < own || (other === own && j > i)) rank++
    }
    return rank
  }
  const isKept = (i: number) => i < p.count && drawOf(p, i) <= table[rankOf(i)]
  if (p.asFactors === 0) return { keep: place(p, keep, isKept) }
  const out = Uint32Array.from(keep)
  for (let four = p.begin; four < Math.min(p.end, Math.ceil(p.count / 4)); four++)
    for (let i = four * 4; i < four * 4 + 4; i++)
      out[p.offset + i] = isKept(i) ? table[p.width + rankOf(i)] : 0
  return { keep: out }
}

export function maskedNormsReference(p: Params, { model, base, keep, partial }: HostArrays): HostArrays {
  const out = Float64Array.from(partial)
  for (let chunk = 0; chunk < p.chunks; chunk++) {
    let [all, kept] = [0, 0]
    for (let i = chunk * p.chunkSize; i < Math.min((chunk + 1) * p.chunkSize, p.count); i++) {
      const value = Math.abs(model[i] - base[i]) ** p.power
      const isSet = p.masked === 0 || Math.floor(keep[i >> 2] / 2 ** (p.shift + (i & 3))) % 2 === 1
      all += value
      if (isSet) kept += value
    }
    out[chunk * 2] = all
    out[chunk * 2 + 1] = kept
  }
  return { partial: out }
}
