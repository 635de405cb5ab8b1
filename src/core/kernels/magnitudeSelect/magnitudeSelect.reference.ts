// The radix select step by step on the host, in whole numbers. Magnitudes are those of float32 differences: what is
// ordered are their bits.

import type { HostArray, HostArrays, Params } from '../spec.ts'

const float = new Float32Array(1)
const word = new Uint32Array(float.buffer)

/** Bits of |model − base| as float32, or of |model|. */
export function magnitudeBits(p: Params, { model, base }: HostArrays, i: number): number {
  float[0] = p.minusBase === 1 ? model[i] - base[i] : model[i]
  return word[0] & 0x7fffffff
}

const pick = (p: Params, picks: HostArray, selector: number, field: number) =>
  picks[(p.first + selector) * 4 + field]

export function digitHistogramReference(p: Params, arrays: HostArrays): HostArrays {
  const histogram = Uint32Array.from(arrays.histogram)
  const bins = 2 ** p.bits
  for (let selector = 0; selector < p.selectors; selector++)
    for (let i = 0; i < p.count; i++) {
      const bits = magnitudeBits(p, arrays, i)
      const above = 2 ** (p.shift + p.bits)
      if (Math.floor(bits / above) !== Math.floor(pick(p, arrays.picks, selector, 0) / above)) continue
      const copy = (Math.floor(i / 4) % p.lanes) % p.copies
      histogram[(selector * p.copies + copy) * bins + (Math.floor(bits / 2 ** p.shift) % bins)]++
    }
  return { histogram }
}

export function foldHistogramReference(p: Params, { histogram, folded }: HostArrays): HostArrays {
  const out = Uint32Array.from(folded)
  const cleared = Uint32Array.from(histogram)
  const bins = 2 ** p.bits
  for (let selector = 0; selector < p.selectors; selector++)
    for (let digit = 0; digit < bins; digit++) {
      out[selector * bins + digit] = 0
      for (let copy = 0; copy < p.copies; copy++) {
        const at = (selector * p.copies + copy) * bins + digit
        out[selector * bins + digit] += histogram[at]
        cleared[at] = 0
      }
    }
  return { folded: out, histogram: cleared }
}

export function pickDigitReference(p: Params, { picks, folded }: HostArrays): HostArrays {
  const out = Uint32Array.from(picks)
  const bins = 2 ** p.bits
  for (let selector = 0; selector < p.selectors; selector++) {
    const at = (p.first + selector) * 4
    const rank = pick(p, picks, selector, 1)
    if (rank === 0) {
      out[at] = 0xffffffff
      out[at + 2] = 0
      continue
    }
    // The digit of the element of this rank, counted from the largest digit down.
    let [digit, above] = [bins - 1, 0]
    while (digit > 0 && above + folded[selector * bins + digit] < rank)
      above += folded[selector * bins + digit--]
    out[at] += digit * 2 ** p.shift
    out[at + 1] = rank - above
    out[at + 2] = folded[selector * bins + digit]
  }
  return { picks: out }
}

export function countTiesReference(p: Params, arrays: HostArrays): HostArrays {
  const ties = Uint32Array.from(arrays.ties)
  for (let selector = 0; selector < p.selectors; selector++) {
    const [bits, rank, found] = [0, 1, 2].map((field) => pick(p, arrays.picks, selector, field))
    if (rank === 0 || rank === found) continue
    for (let block = 0; block < p.blocks; block++) {
      let size = 0
      for (let i = block * p.blockSize; i < Math.min((block + 1) * p.blockSize, p.count); i++)
        if (magnitudeBits(p, arrays, i) === bits) size++
      ties[selector * p.blocks + block] = size
    }
  }
  return { ties }
}

export function pickTieReference(p: Params, arrays: HostArrays): HostArrays {
  const picks = Uint32Array.from(arrays.picks)
  for (let selector = 0; selector < p.selectors; selector++) {
    const at = (p.first + selector) * 4
    const [bits, rank, found] = [0, 1, 2].map((field) => pick(p, picks, selector, field))
    if (rank === 0) picks[at + 3] = 0
    else if (rank === found) picks[at + 3] = 0xffffffff
    else {
      const places = Array.from({ length: p.count }, (_, i) => i).filter(
        (i) => magnitudeBits(p, arrays, i) === bits,
      )
      picks[at + 3] = places[rank]
    }
  }
  return { picks }
}
