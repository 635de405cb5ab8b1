// The largest |τ_k| of a whole model, exactly so many, on the host: for methods that work there anyway. Magnitudes are
// ordered by the bits of their float32; of equals the lower row-major index comes first, and tensors follow one another
// in the order of their sorted names.

import { EngineError } from '../errors.ts'
import type { ModelTask, TensorTask } from './method.ts'
import { baseOf, readTensor } from './tensorTask.ts'

/** What one model keeps: magnitudes above `bits`, and of those equal to it the first few of each tensor. */
export interface ModelTop {
  /** bits of the least kept magnitude; above all magnitudes when nothing is kept */
  bits: number
  /** elements of exactly that magnitude that are kept, by tensor */
  ties: ReadonlyMap<string, number>
}

const HALF = 2 ** 16
/** Above the bits of every number. */
const NOTHING = 2 ** 31

/** Bits of |values| as float32: their order is that of the magnitudes. */
function magnitudeBits(values: Float64Array): Uint32Array {
  const bits = new Uint32Array(Float32Array.from(values).buffer)
  for (let i = 0; i < bits.length; i++) bits[i] &= 0x7fffffff
  return bits
}

/** τ_k of an open tensor, on the host. */
async function readTask(task: TensorTask, k: number): Promise<Float64Array> {
  const base = await readTensor(task, baseOf(task))
  const values = await readTensor(task, task.models[k])
  for (let i = 0; i < values.length; i++) values[i] -= base[i]
  return values
}

/** The bin in which the `rank`-th from the top lies, and how many of that bin are among them. */
function pickBin(histogram: Float64Array, rank: number): { bin: number; left: number } {
  let left = rank
  for (let bin = HALF - 1; bin > 0; bin--) {
    if (left <= histogram[bin]) return { bin, left }
    left -= histogram[bin]
  }
  return { bin: 0, left }
}

/**
 * The int(share·N) largest |τ_k| of every model, N being all elements. Opens all tensors three times. `not-finite`
 * names the tensor whose change is no number.
 */
export async function modelTops(model: ModelTask, share: number): Promise<ModelTop[]> {
  const total = model.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  const wanted = Math.min(total, Math.trunc(share * total))
  const experts = new Map<number, { upper: Float64Array; lower: Float64Array; bin: number; left: number }>()
  const forEachTask = (work: (k: number, name: string, bits: Uint32Array) => void) =>
    model.forEach(async (task) => {
      for (let k = 0; k < task.models.length; k++) {
        const values = await readTask(task, k)
        if (!values.every(Number.isFinite))
          throw new EngineError('not-finite', `the change of expert ${k + 1} is not finite`, {
            tensor: task.name,
          })
        work(k, task.name, magnitudeBits(values))
      }
    })
  await forEachTask((k, _, bits) => {
    const found = experts.get(k) ?? {
      upper: new Float64Array(HALF),
      lower: new Float64Array(HALF),
      bin: 0,
      left: 0,
    }
    experts.set(k, found)
    for (const value of bits) found.upper[value >>> 16]++
  })
  if (wanted === 0) return Array.from(experts, () => ({ bits: NOTHING, ties: new Map() }))
  for (const found of experts.values()) Object.assign(found, pickBin(found.upper, wanted))
  await forEachTask((k, _, bits) => {
    const { bin, lower } = experts.get(k)!
    for (const value of bits) if (value >>> 16 === bin) lower[value & 0xffff]++
  })
  const picks = Array.from(experts.values(), ({ bin, left, lower }) => {
    const low = pickBin(lower, left)
    return { bits: bin * HALF + low.bin, left: low.left, equals: new Map<string, number>() }
  })
  await forEachTask((k, name, bits) => {
    let count = 0
    for (const value of bits) if (value === picks[k].bits) count++
    picks[k].equals.set(name, count)
  })
  return picks.map(({ bits, left, equals }) => {
    const ties = new Map<string, number>()
    let rest = left
    for (const name of [...equals.keys()].sort()) {
      const taken = Math.min(rest, equals.get(name)!)
      ties.set(name, taken)
      rest -= taken
    }
    return { bits, ties }
  })
}

/** 1 where a tensor's change is kept. */
export function keptMask({ bits, ties }: ModelTop, name: string, tau: Float64Array): Uint8Array {
  let left = ties.get(name) ?? 0
  return Uint8Array.from(magnitudeBits(tau), (value) => {
    if (value > bits) return 1
    if (value < bits || left === 0) return 0
    left--
    return 1
  })
}

/**
 * Indices of the `count` largest magnitudes of one tensor, ascending; of equals the lower index. All of them when
 * there are fewer.
 */
export function largestOf(values: Float64Array, count: number): Uint32Array {
  const wanted = Math.min(count, values.length)
  const bits = magnitudeBits(values)
  const [upper, lower] = [new Float64Array(HALF), new Float64Array(HALF)]
  for (const value of bits) upper[value >>> 16]++
  const high = pickBin(upper, wanted)
  for (const value of bits) if (value >>> 16 === high.bin) lower[value & 0xffff]++
  const low = pickBin(lower, high.left)
  const least = high.bin * HALF + low.bin
  const found = new Uint32Array(wanted)
  let at = 0
  let ties = low.left
  for (let i = 0; i < bits.length && at < wanted; i++) {
    if (bits[i] < least || (bits[i] === least && ties === 0)) continue
    if (bits[i] === least) ties--
    found[at++] = i
  }
  return found
}
