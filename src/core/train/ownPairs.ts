// Pairs that the user brings: which are kept from training, and the batches of the others.

import { EngineError } from '../errors.ts'
import { hashKeys, Random } from './corpus/random.ts'
import type { Pair } from './corpus/sample.ts'

/** One pair in so many is held out, where there are enough to spare any. */
const HELD_OUT_SHARE = 8
const FEWEST_TO_SPLIT = 16
export const MAX_HELD_OUT = 64

export interface SplitPairs {
  train: Pair[]
  /** empty where there are too few pairs to keep any */ heldOut: Pair[]
}

/** Prompts decide the split, so that the same prompt is never on both sides, in whatever order pairs come. */
export function splitPairs(pairs: readonly Pair[]): SplitPairs {
  if (pairs.length === 0) throw new EngineError('request-invalid', 'there are no pairs to train on')
  if (pairs.length < FEWEST_TO_SPLIT) return { train: [...pairs], heldOut: [] }
  const isHeldOut = ({ prompt }: Pair) => hashKeys('own pair', prompt) % HELD_OUT_SHARE === 0
  const train = pairs.filter((pair) => !isHeldOut(pair))
  // All prompts may be one.
  if (train.length === 0) return { train: [...pairs], heldOut: [] }
  return { train, heldOut: pairs.filter(isHeldOut).slice(0, MAX_HELD_OUT) }
}

/** The pairs of a step: one shuffled pass after another, cut into batches. */
export function pairsOfStep(pairs: readonly Pair[], count: number, seed: number, step: number): Pair[] {
  return Array.from({ length: count }, (_, i) => {
    const at = step * count + i
    const pass = Math.floor(at / pairs.length)
    return shuffled(pairs, seed, pass)[at % pairs.length]
  })
}

const passes = new WeakMap<readonly Pair[], { key: string; order: Pair[] }>()

function shuffled(pairs: readonly Pair[], seed: number, pass: number): Pair[] {
  const key = `${seed}/${pass}`
  const known = passes.get(pairs)
  if (known?.key === key) return known.order
  const order = new Random('own pairs', seed, pass).shuffle(pairs)
  passes.set(pairs, { key, order })
  return order
}
