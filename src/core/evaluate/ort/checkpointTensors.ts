// Small steps between a user's graph and numbers: which sequences share a run, rows of logits, losses, host tensors.

import { EngineError } from '../../errors.ts'
import { fromF16 } from '../../tensors/dtype.ts'
import type { OrtModule, OrtTensor } from './ortSession.ts'

/** Tokens of one run; bounds its activations and logits. */
const MAX_RUN_TOKENS = 1024

/** Keys and values so far, by input name. */
export type Cache = Record<string, OrtTensor>

export function disposeAll(cache: Cache): void {
  for (const tensor of Object.values(cache)) tensor.dispose()
}

/** Of merged decoders; no other tensor of booleans is exchanged. */
export function boolean(ort: OrtModule, value: boolean): OrtTensor {
  const Tensor = ort.Tensor as unknown as {
    new (type: 'bool', data: Uint8Array, dims: readonly number[]): OrtTensor
  }
  return new Tensor('bool', Uint8Array.of(value ? 1 : 0), [1])
}

/** Indices of sequences of one length, few enough for one run. */
export function groupByLength(sequences: readonly ArrayLike<number>[]): number[][] {
  const groups = new Map<number, number[][]>()
  sequences.forEach(({ length }, i) => {
    const own = groups.get(length) ?? []
    groups.set(length, own)
    const last = own.at(-1)
    if (last && (last.length + 1) * length <= MAX_RUN_TOKENS) last.push(i)
    else own.push([i])
  })
  return [...groups.values()].flat()
}

export function argmax(values: Float32Array): number {
  let best = 0
  for (let v = 1; v < values.length; v++) if (values[v] > values[best]) best = v
  return best
}

/** −log softmax(logits)[target], nats. */
export function crossEntropy(logits: Float32Array, target: number): number {
  let top = Number.NEGATIVE_INFINITY
  for (const value of logits) top = Math.max(top, value)
  let total = 0
  for (const value of logits) total += Math.exp(value - top)
  return Math.log(total) + top - logits[target]
}

export function toFloats({ data }: OrtTensor): Float32Array {
  if (data instanceof Float32Array) return data
  if (data instanceof Uint16Array) return Float32Array.from(data, fromF16)
  // Float16Array, where the host has it.
  if (ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data && data.BYTES_PER_ELEMENT === 2)
    return Float32Array.from(data as unknown as ArrayLike<number>)
  throw new EngineError('file-unsupported', 'the graph gives numbers that are no floats')
}
