// Sequences that share a run: which ones, how they lie in it, what is read from its rows, and what a run may not exceed.

import { EngineError } from '../../errors.ts'
import type { ModelConfig } from '../../model/config.ts'
import type { WeightSpec } from '../../model/families/family.ts'
import { PRECISION_BYTES } from './generationFeeds.ts'
import type { AttentionForm, Precision } from './generationGraph.ts'
import { isLong, type RunShape } from './generationInputs.ts'
import { countElements, requireBinding } from './ortSession.ts'

/** Tokens of one run of whole sequences, filling included; bounds its activations and logits. */
const MAX_RUN_TOKENS = 1024

/**
 * Parts that run side by side, at least one sequence each. Fused attention turns all of a run by the same angles, so
 * sequences on either side of longrope's original length are kept apart.
 */
export function batchesOf<Item extends { ids: ArrayLike<number> }>(
  rotary: ModelConfig['rotary'],
  items: readonly Item[],
): Item[][] {
  const parts: Item[][] = []
  let longest = 0
  for (const item of items) {
    const part = parts.at(-1)
    const { length } = item.ids
    const joined = Math.max(longest, length)
    const isAlike = part && isLong(rotary, part[0].ids.length) === isLong(rotary, length)
    if (isAlike && joined * (part.length + 1) <= MAX_RUN_TOKENS) {
      part.push(item)
      longest = joined
    } else {
      parts.push([item])
      longest = length
    }
  }
  return parts
}

/** Indices of prompts that are answered side by side: all, but where fused attention would have to turn some otherwise. */
export function groupPrompts(
  rotary: ModelConfig['rotary'],
  attention: AttentionForm,
  prompts: readonly ArrayLike<number>[],
  maxNewTokens: number,
): number[][] {
  const all = prompts.map((_, i) => i)
  const longest = Math.max(...prompts.map(({ length }) => length)) + maxNewTokens
  if (attention === 'explicit' || !isLong(rotary, longest)) return [all]
  const byLength = new Map<number, number[]>()
  for (const i of all) {
    const group = byLength.get(prompts[i].length)
    if (group) group.push(i)
    else byLength.set(prompts[i].length, [i])
  }
  return [...byLength.values()]
}

/** Sequences in one length, the shorter ones filled as `RunShape` says; `starts`: the row of each one's first token. */
export function arrange(
  attention: AttentionForm,
  sequences: readonly ArrayLike<number>[],
): { ids: Int32Array; starts: number[]; shape: RunShape } {
  const B = sequences.length
  const lengths = Int32Array.from(sequences, ({ length }) => length)
  const longest = Math.max(...lengths)
  const ids = new Int32Array(B * longest)
  const starts = sequences.map((sequence, b) => {
    const start = b * longest + (attention === 'fused' ? 0 : longest - sequence.length)
    ids.set(Array.from(sequence), start)
    return start
  })
  return { ids, starts, shape: { sequences: B, tokens: longest, cached: 0, lengths } }
}

/** Mean of the rows first … end − 1 of `stream` (N,C) into `out` (C). */
export function meanRows(stream: Float32Array, first: number, end: number, out: Float32Array): void {
  const C = out.length
  for (let c = 0; c < C; c++) {
    let sum = 0
    for (let t = first; t < end; t++) sum += stream[t * C + c]
    out[c] = sum / (end - first)
  }
}

/** Cross-entropy in nats of one token under a row of logits. */
export function lossOf(logits: Float32Array, target: number): number {
  let top = Number.NEGATIVE_INFINITY
  for (const value of logits) top = Math.max(top, value)
  let sum = 0
  for (const value of logits) sum += Math.exp(value - top)
  return Math.log(sum) + top - logits[target]
}

/** `request-invalid` for no token, or one outside the vocabulary. */
export function requireTokens(config: ModelConfig, ids: ArrayLike<number>): void {
  const { vocabSize: V } = config
  if (ids.length === 0) throw new EngineError('request-invalid', 'expected at least one token, found none')
  for (let t = 0; t < ids.length; t++)
    // onnxruntime does not check: it would read another row, or none.
    if (!(Number.isInteger(ids[t]) && ids[t] >= 0 && ids[t] < V))
      throw new EngineError('request-invalid', `token ${ids[t]} at position ${t}: expected 0 to ${V - 1}`)
}

/** `gpu-limit` where a run's largest tensors do not fit a binding. */
export function requireRoom(
  device: GPUDevice,
  config: ModelConfig,
  precision: Precision,
  { sequences: B, tokens: S, cached: P }: RunShape,
  rows: number,
): void {
  const { headCount: H, kvHeadCount: G, headSize: D, intermediateSize: I, vocabSize: V } = config
  const size = PRECISION_BYTES[precision]
  requireBinding(device, size * B * H * S * (P + S), `attention scores of ${B} × ${S} tokens`)
  requireBinding(device, size * B * G * D * (P + S), `keys of ${B} × ${P + S} tokens`)
  requireBinding(device, size * B * S * 2 * I, `activations of ${B} × ${S} tokens`)
  requireBinding(device, size * rows * V, `logits of ${rows} tokens`)
}

/** `shape-mismatch` for a weight of `found` bytes; a buffer may be padded at its end, a shorter one is another tensor. */
export function requireSize(
  spec: WeightSpec,
  elementBytes: number,
  found: number,
  mayBePadded = false,
): void {
  const expected = elementBytes * countElements(spec.shape)
  if (found < expected || (found > expected && !mayBePadded))
    throw new EngineError('shape-mismatch', `expected ${expected} bytes, found ${found}`, {
      tensor: spec.name,
    })
}
