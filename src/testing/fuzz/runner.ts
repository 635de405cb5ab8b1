// Damaged files given to a target one after another: each is read or refused with an EngineError, in bounded time and
// memory. Anything else is a failure, with the number that makes the same file again.

import { EngineError } from '../../core/errors.ts'
import { Random } from '../../core/tensors/random.ts'
import { countAllocated } from './memory.ts'
import { mutate } from './mutate.ts'
import type { FuzzTarget } from './target.ts'

/** One file may take this long; a hang is what takes longer. */
export const TIME_LIMIT_MS = 10_000
/** Bytes above the file's own size. */
export const MEMORY_LIMIT = 64 * 2 ** 20

export interface Failure {
  seed: number
  message: string
  bytes: Uint8Array
}

export interface TargetRun {
  name: string
  mutations: number
  durationMs: number
  accepted: number
  refused: number
  /** most that one file took */
  slowestMs: number
  /** most buffer bytes above its size that one file took */
  mostBytes: number
  failures: Failure[]
}

/** The damaged file of a number. */
export const mutationOf = (name: string, seeds: readonly Uint8Array[], seed: number): Uint8Array =>
  mutate(
    seeds,
    new Random(
      seed,
      [...name].reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) % 2 ** 31, 7),
    ),
  )

interface Outcome {
  isAccepted: boolean
  durationMs: number
  buffers: number
  failure: string | undefined
}

/** One file. */
export async function runOne(target: FuzzTarget, bytes: Uint8Array): Promise<Outcome> {
  const once = async () => {
    const begun = performance.now()
    const { allocated, error } = await countAllocated(() => target.run(bytes.slice()))
    return { allocated, error, durationMs: performance.now() - begun }
  }
  let found = await once()
  const isHeapLarge = () => found.allocated.heap > MEMORY_LIMIT + bytes.length
  // The heap also holds what others left to be collected: only what grows twice is this file's.
  if (isHeapLarge()) found = await once()
  const { allocated, error, durationMs } = found
  const buffers = allocated.buffers - bytes.length
  let failure: string | undefined
  if (error !== undefined && !(error instanceof EngineError))
    failure = `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  else if (durationMs > TIME_LIMIT_MS) failure = `took ${Math.round(durationMs)} ms`
  else if (buffers > MEMORY_LIMIT) failure = `asked for ${buffers} bytes above its size`
  else if (isHeapLarge()) failure = `grew the heap by ${allocated.heap} bytes`
  return { isAccepted: error === undefined, durationMs, buffers, failure }
}

/** Mutations `first` to `first + count − 1`; the seeds themselves come before, and not all may be refused. */
export async function runTarget(
  target: FuzzTarget,
  first: number,
  count: number,
  onMutation: (seed: number) => void = () => {},
  maxFailures = 10,
): Promise<TargetRun> {
  const seeds = await target.seeds()
  const run: TargetRun = {
    name: target.name,
    mutations: 0,
    durationMs: 0,
    accepted: 0,
    refused: 0,
    slowestMs: 0,
    mostBytes: 0,
    failures: [],
  }
  let isAnyAccepted = false
  for (const bytes of seeds) {
    const { isAccepted, failure } = await runOne(target, bytes)
    isAnyAccepted ||= isAccepted
    if (failure !== undefined) run.failures.push({ seed: -1, message: failure, bytes })
  }
  if (!isAnyAccepted) run.failures.push({ seed: -1, message: 'every good file was refused', bytes: seeds[0] })
  const begun = performance.now()
  for (let seed = first; seed < first + count && run.failures.length < maxFailures; seed++) {
    onMutation(seed)
    const bytes = mutationOf(target.name, seeds, seed)
    const { isAccepted, durationMs, buffers, failure } = await runOne(target, bytes)
    run.mutations++
    if (isAccepted) run.accepted++
    else run.refused++
    run.slowestMs = Math.max(run.slowestMs, durationMs)
    run.mostBytes = Math.max(run.mostBytes, buffers)
    if (failure !== undefined) run.failures.push({ seed, message: failure, bytes })
  }
  run.durationMs = performance.now() - begun
  return run
}
